/**
 * Turns the events of an answer into what a client asked for: plain text, or a small vocabulary of
 * events for pages. Knows neither servlets nor the HTTP client. Internal: may change in any
 * release.
 */
@NullMarked
package dev.headrace.output;

import org.jspecify.annotations.NullMarked;
