/**
 * Puts every exchange on the books: prices, cost, usage records, and the sinks that keep them.
 * Knows neither servlets nor the HTTP client. Internal: may change in any release.
 */
@NullMarked
package dev.headrace.usage;

import org.jspecify.annotations.NullMarked;
