/**
 * Turns the events of an answer into what a client asked for: plain text, or a small vocabulary of
 * events for pages. Internal: may change in any release.
 *
 * <p>Start at {@link Format} and {@link Translation}. Nothing here knows servlets or the HTTP
 * client.
 */
@NullMarked
package dev.headrace.output;

import org.jspecify.annotations.NullMarked;
