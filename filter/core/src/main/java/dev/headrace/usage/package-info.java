/**
 * Puts every exchange on the books: prices, cost, usage records, and the sinks that keep them.
 * Knows neither servlets nor the HTTP client. Internal: may change in any release.
 *
 * <p>Start at {@link PriceTable} for what tokens cost; its figures stand in {@code
 * config/prices.yaml}, which the build puts into the jar.
 *
 * <p>Start at {@link Ledger} for where records go. Between it and a sink stands a {@code
 * SinkQueue}: in memory, or with a {@code Journal} on the disk that survives the process.
 */
@NullMarked
package dev.headrace.usage;

import org.jspecify.annotations.NullMarked;
