package dev.headrace.config;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * One value that cannot be used: what was expected and, where the value alone does not show it,
 * what is wrong. It never carries the value itself, because only its setting knows whether that may
 * be shown. Without a stack trace: it is a result, caught a few frames above.
 */
final class BadValue extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  private final @Nullable String note;
  private final String expected;

  private BadValue(@Nullable String note, String expected) {
    super(expected, null, false, false);
    this.note = note;
    this.expected = expected;
  }

  static BadValue expected(String expected) {
    return new BadValue(null, expected);
  }

  /**
   * A fault that the value does not show by itself.
   *
   * @param note continues the value: "60" "has no unit"
   */
  static BadValue noted(String note, String expected) {
    return new BadValue(note, expected);
  }

  /** Returns the fault in words, such as {@code 60 has no unit (expected: …)}. */
  String sentence(String shownValue) {
    return shownValue + (note == null ? "" : " " + note) + " (expected: " + expected + ")";
  }
}
