package dev.headrace.upstream;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.time.Instant;
import org.apache.hc.client5.http.utils.DateUtils;
import org.jspecify.annotations.Nullable;

/**
 * Reads how long an upstream asks to be left alone: {@code retry-after-ms}, else {@code
 * retry-after} in seconds, whole or not, or as a date (RFC 9110, 10.2.3; API reference, "SDK
 * retries"). Stateless.
 */
final class RetryAfter {

  /** Nobody waits longer, and nothing overflows. */
  private static final Duration LONGEST = Duration.ofDays(365);

  private static final Duration SHORTEST = Duration.ofNanos(1);

  /**
   * Numbers with more digits before the point are longer than {@link #LONGEST}, and those with more
   * zeros behind it shorter than {@link #SHORTEST}, whatever their unit. Between the two nothing is
   * written out that would take gigabytes or hours, as an exponent may ask for.
   */
  private static final int MAX_DIGITS = 15;

  private RetryAfter() {}

  /**
   * Returns the wait, zero for a date that has passed; null if there is none or it cannot be read.
   */
  static @Nullable Duration of(UpstreamResponseHead head, Instant now) {
    Duration millis = number(head.header("retry-after-ms"), 1_000_000);
    if (millis != null) {
      return millis;
    }
    String value = head.header("retry-after");
    Duration seconds = number(value, 1_000_000_000);
    return seconds != null || value == null ? seconds : untilDate(value, now);
  }

  private static @Nullable Duration number(@Nullable String value, long nanosPerUnit) {
    if (value == null || value.isBlank() || value.length() > 32) {
      return null;
    }
    try {
      BigDecimal units = new BigDecimal(value.trim());
      if (units.signum() <= 0) {
        return units.signum() < 0 ? null : Duration.ZERO;
      }
      // Before the point; zeros behind it count below 0. An int would overflow.
      long digits = (long) units.precision() - units.scale();
      if (Math.abs(digits) > MAX_DIGITS) {
        return digits > 0 ? LONGEST : SHORTEST;
      }
      BigDecimal nanos =
          units.multiply(BigDecimal.valueOf(nanosPerUnit)).setScale(0, RoundingMode.CEILING);
      return nanos.compareTo(BigDecimal.valueOf(LONGEST.toNanos())) > 0
          ? LONGEST
          : Duration.ofNanos(nanos.longValueExact());
    } catch (NumberFormatException e) {
      return null;
    }
  }

  private static @Nullable Duration untilDate(String value, Instant now) {
    Instant date = DateUtils.parseStandardDate(value.trim());
    if (date == null) {
      return null;
    }
    Duration wait = Duration.between(now, date);
    if (wait.isNegative()) {
      return Duration.ZERO;
    }
    return wait.compareTo(LONGEST) > 0 ? LONGEST : wait;
  }
}
