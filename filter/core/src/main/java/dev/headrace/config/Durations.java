package dev.headrace.config;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads and writes durations as they stand in the settings: {@code 500ms}, {@code 5s}, {@code 0}.
 */
final class Durations {
  private static final Pattern FORM = Pattern.compile("(0|[1-9][0-9]{0,11})(ms|s|m|h|d)");
  private static final Pattern NUMBER = Pattern.compile("[0-9]+");
  static final String EXPECTED = "a duration with its unit, such as 500ms, 60s, 5m or 1h";

  private Durations() {}

  static Duration read(String text) throws BadValue {
    return read(text, EXPECTED);
  }

  static Duration read(String text, String expected) throws BadValue {
    if (text.equals("0")) {
      return Duration.ZERO;
    }
    Matcher form = FORM.matcher(text);
    if (form.matches()) {
      long number = Long.parseLong(form.group(1));
      // Twelve digits, even of days, are within the range of a Duration.
      return switch (form.group(2)) {
        case "ms" -> Duration.ofMillis(number);
        case "s" -> Duration.ofSeconds(number);
        case "m" -> Duration.ofMinutes(number);
        case "h" -> Duration.ofHours(number);
        default -> Duration.ofDays(number);
      };
    }
    throw NUMBER.matcher(text).matches()
        ? BadValue.noted("has no unit", expected)
        : BadValue.expected(expected);
  }

  /**
   * Writes a duration so that {@link #read} gives it back: in the largest unit that fits, but up to
   * two minutes in seconds, as people do. What the file cannot say (parts of a millisecond,
   * negative) is written in the notation of ISO 8601, since it can appear in an error message only.
   */
  static String format(Duration value) {
    if (value.isZero()) {
      return "0";
    }
    if (value.isNegative() || value.toNanosPart() % 1_000_000 != 0) {
      return value.toString();
    }
    long seconds = value.toSeconds();
    if (value.toNanosPart() != 0) {
      return value.toMillis() + "ms";
    }
    if (seconds % 86_400 == 0) {
      return seconds / 86_400 + "d";
    }
    if (seconds % 3_600 == 0) {
      return seconds / 3_600 + "h";
    }
    return seconds > 120 && seconds % 60 == 0 ? seconds / 60 + "m" : seconds + "s";
  }
}
