/**
 * Reads and writes {@code text/event-stream} (WHATWG HTML, 9.2) on bytes. Internal: may change in
 * any release.
 *
 * <p>Start at {@link SseReader}. Nothing here knows servlets, the HTTP client or what the events
 * mean, so every rule of the format can be tested with plain byte arrays.
 */
@NullMarked
package dev.headrace.sse;

import org.jspecify.annotations.NullMarked;
