/** Tests of the WAR. */
@NullMarked
package dev.headrace.war;

import org.jspecify.annotations.NullMarked;
