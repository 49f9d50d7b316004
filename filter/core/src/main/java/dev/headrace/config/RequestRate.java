package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.time.Duration;

/**
 * How many requests each user of a plan may make in a period, in the notation {@code 60/1m}.
 * Immutable.
 *
 * @param count 1 to 1000000
 * @param period whole milliseconds; above zero and up to 365 days
 */
public record RequestRate(int count, Duration period) {
  static final String EXPECTED =
      "requests in a period such as 60/1m: 1 to 1000000, and a duration above 0 and up to 365d";

  private static final int MAX_COUNT = 1_000_000;

  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if a value is out of it
   */
  public RequestRate {
    if (!isGood(count, requireNonNull(period, "period"))) {
      throw new IllegalArgumentException(
          count + "/" + Durations.format(period) + " (expected: " + EXPECTED + ")");
    }
  }

  /**
   * Reads a rate as it stands in the settings file.
   *
   * @throws IllegalArgumentException if the text is none
   */
  public static RequestRate parse(String text) {
    try {
      return read(requireNonNull(text, "text"));
    } catch (BadValue e) {
      throw new IllegalArgumentException(e.sentence(Shown.text(text)), e);
    }
  }

  static RequestRate read(String text) throws BadValue {
    int slash = text.indexOf('/');
    String number = slash < 0 ? text : text.substring(0, slash);
    if (slash < 0 || !number.matches("[1-9][0-9]{0,6}")) {
      throw BadValue.expected(EXPECTED);
    }
    int count = Integer.parseInt(number);
    Duration period = Durations.read(text.substring(slash + 1), EXPECTED);
    if (!isGood(count, period)) {
      throw BadValue.expected(EXPECTED);
    }
    return new RequestRate(count, period);
  }

  private static boolean isGood(int count, Duration period) {
    return count > 0
        && count <= MAX_COUNT
        && period.compareTo(Duration.ofMillis(1)) >= 0
        && period.compareTo(Range.LONGEST) <= 0
        && period.toNanosPart() % 1_000_000 == 0;
  }

  /** Returns the rate in the notation of the file. */
  @Override
  public String toString() {
    return count + "/" + Durations.format(period);
  }
}
