/** The upstream of the benchmark, a process of its own. */
@NullMarked
package dev.headrace.bench.upstream;

import org.jspecify.annotations.NullMarked;
