/** Tests of what is found out about filters and response wrappers. */
@NullMarked
package dev.headrace.chain;

import org.jspecify.annotations.NullMarked;
