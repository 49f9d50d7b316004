/**
 * What streaming through the gateway costs, beside other proxies in the same run. Start reading at
 * {@link dev.headrace.bench.BenchMain}.
 */
@NullMarked
package dev.headrace.bench;

import org.jspecify.annotations.NullMarked;
