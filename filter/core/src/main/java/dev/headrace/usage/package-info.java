/**
 * Puts every exchange on the books: prices, cost, usage records, and the sinks that keep them.
 * Knows neither servlets nor the HTTP client. Internal: may change in any release.
 *
 * <p>Start at {@link PriceTable} for what tokens cost; its figures stand in {@code
 * config/prices.yaml}, which the build puts into the jar.
 */
@NullMarked
package dev.headrace.usage;

import org.jspecify.annotations.NullMarked;
