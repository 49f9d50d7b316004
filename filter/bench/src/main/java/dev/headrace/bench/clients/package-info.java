/**
 * The gateway's upstream client on other HTTP clients than the one that ships, to see what the
 * choice costs. Enough of it for the benchmark; not for use.
 */
@NullMarked
package dev.headrace.bench.clients;

import org.jspecify.annotations.NullMarked;
