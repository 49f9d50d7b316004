package dev.headrace.simulator;

import java.util.Objects;

/**
 * One server-sent event of a scripted stream, sent exactly as given. Immutable.
 *
 * @param name the {@code event:} line's value, such as {@code ping}
 * @param data the {@code data:} line's value, one line, normally JSON
 */
public record ClaudeEvent(String name, String data) {
  /** Checks that neither part breaks the line format. */
  public ClaudeEvent {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(data, "data");
    if (name.contains("\n") || data.contains("\n")) {
      throw new IllegalArgumentException("An event's name and data are one line each");
    }
  }
}
