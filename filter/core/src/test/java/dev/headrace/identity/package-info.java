/** Tests of who is calling. */
@NullMarked
package dev.headrace.identity;

import org.jspecify.annotations.NullMarked;
