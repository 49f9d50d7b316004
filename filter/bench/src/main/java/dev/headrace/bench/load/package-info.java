/** The load generator: one thread, every byte looked at. */
@NullMarked
package dev.headrace.bench.load;

import org.jspecify.annotations.NullMarked;
