package dev.headrace.admission;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One limit as it stood when a request was admitted, what this request reserved taken off.
 * Immutable.
 *
 * @param kind what it counts
 * @param window the window of a budget; null for requests and streams
 * @param size the whole of it: requests, streams, tokens or pico-dollars
 * @param remaining what is left; not negative
 * @param reset when it is full again; null for streams, which come back as they end
 */
public record Limit(
    LimitKind kind, @Nullable Window window, long size, long remaining, @Nullable Instant reset) {

  /** The name in messages, such as {@code requests} or {@code cost per day}. */
  public String name() {
    return name(kind, window);
  }

  static String name(LimitKind kind, @Nullable Window window) {
    return window == null ? kind.label() : kind.label() + " per " + window.label();
  }
}
