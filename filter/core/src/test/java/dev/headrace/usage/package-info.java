/** Tests of the books. */
@NullMarked
package dev.headrace.usage;

import org.jspecify.annotations.NullMarked;
