/**
 * Stands in for SLF4J in the one jar (classifier {@code all}), and is unused elsewhere: that jar's
 * build points every class of it from {@code org.slf4j} to here. Internal: may change in any
 * release.
 *
 * <p>An application without Maven may have SLF4J 1.7, 2.0 or none, and two copies of {@code
 * slf4j-api} in one {@code WEB-INF/lib} can silence all of its log. So the one jar has no copy: at
 * run time log lines go to the SLF4J that the application or its container has, and without one to
 * {@code java.util.logging}. Start at {@link LoggerFactory}. Names and signatures are those of
 * SLF4J 1.7, as far as the classes of the one jar use them.
 */
@NullMarked
package dev.headrace.logging;

import org.jspecify.annotations.NullMarked;
