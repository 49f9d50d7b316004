package dev.headrace.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RetryAfterTest {

  private static final Instant NOW = Instant.parse("2026-11-22T10:15:04Z");

  @ParameterizedTest(name = "retry-after-ms: {0}, retry-after: {1}: {2}")
  @CsvSource(
      delimiter = '|',
      nullValues = "none",
      value = {
        "none   | none | none",
        "none   | 2 | PT2S",
        "none   | 0 | PT0S",
        "none   | 1.5 | PT1.5S",
        "none   | ' 3 ' | PT3S",
        "1500   | none | PT1.5S",
        "0.5    | none | PT0.0005S",
        "1500   | 60 | PT1.5S",
        "soon   | 60 | PT1M",
        "none   | soon | none",
        "none   | -1 | none",
        "none   | '' | none",
        "none   | NaN | none",
        "none   | 1e3 | PT16M40S",
        "none   | 1e999999999 | PT8760H",
        "none   | 1e2147483647 | PT8760H",
        "1e2147483647 | none | PT8760H",
        "none   | 1e-10 | PT0.000000001S",
        "none   | 1e-300000000 | PT0.000000001S",
        "none   | 1e-999999999 | PT0.000000001S",
        "none   | 1e-2147483647 | PT0.000000001S",
        "none   | 0e-999999999 | PT0S",
        "none   | 0e2147483647 | PT0S",
        "none   | -1e-999999999 | none",
        "none   | -1e2147483647 | none",
        "none   | 1e99999999999 | none",
        "none   | 1e | none",
        "none   | 99999999999999999999 | PT8760H",
        "none   | Sun, 22 Nov 2026 10:15:34 GMT | PT30S",
        "none   | Sunday, 22-Nov-26 10:15:34 GMT | PT30S",
        "none   | Sun, 22 Nov 2026 10:15:00 GMT | PT0S",
        "none   | Sun, 22 Nov 2099 10:15:00 GMT | PT8760H",
      })
  void theTimeThatTheUpstreamAsksFor(
      @Nullable String millis, @Nullable String value, @Nullable Duration expected) {
    List<HeaderField> fields = new ArrayList<>();
    if (millis != null) {
      fields.add(new HeaderField("Retry-After-Ms", millis));
    }
    if (value != null) {
      fields.add(new HeaderField("Retry-After", value));
    }
    assertThat(RetryAfter.of(new UpstreamResponseHead(429, fields), NOW)).isEqualTo(expected);
  }
}
