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

  private final @Nullable String subject;
  private final @Nullable String note;
  private final String expected;

  private BadValue(@Nullable String subject, @Nullable String note, String expected) {
    super(expected, null, false, false);
    this.subject = subject;
    this.note = note;
    this.expected = expected;
  }

  static BadValue expected(String expected) {
    return new BadValue(null, null, expected);
  }

  /**
   * A fault that the value does not show by itself.
   *
   * @param note continues the value: "60" "has no unit"
   */
  static BadValue noted(String note, String expected) {
    return new BadValue(null, note, expected);
  }

  /** A value that is empty, which is said in its place: asterisks or nothing would hide it. */
  static BadValue empty(String expected) {
    return new BadValue("the value", "is empty", expected);
  }

  /** Returns the fault in words, such as {@code 60 has no unit (expected: …)}. */
  String sentence(String shownValue) {
    return (subject == null ? shownValue : subject)
        + (note == null ? "" : " " + note)
        + " (expected: "
        + expected
        + ")";
  }
}
