package dev.headrace.admission;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WindowTest {

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          MINUTE, UTC,                 2026-11-22T10:15:04Z,     2026-11-22T10:16:00Z
          MINUTE, UTC,                 2026-11-22T10:15:00Z,     2026-11-22T10:16:00Z
          HOUR,   UTC,                 2026-11-22T10:59:59.999Z, 2026-11-22T11:00:00Z
          HOUR,   Asia/Kolkata,        2026-11-22T10:15:00Z,     2026-11-22T10:30:00Z
          DAY,    UTC,                 2026-11-22T10:15:04Z,     2026-11-23T00:00:00Z
          DAY,    Europe/Berlin,       2026-11-22T22:59:59Z,     2026-11-22T23:00:00Z
          DAY,    Europe/Berlin,       2026-11-22T23:00:00Z,     2026-11-23T23:00:00Z
          MONTH,  UTC,                 2026-02-10T00:00:00Z,     2026-03-01T00:00:00Z
          MONTH,  UTC,                 2028-02-29T23:59:59Z,     2028-03-01T00:00:00Z
          MONTH,  UTC,                 2026-12-31T23:59:59Z,     2027-01-01T00:00:00Z
          MONTH,  America/Los_Angeles, 2026-12-01T07:59:59Z,     2026-12-01T08:00:00Z
          # 23 hours: clocks go forward on 29 March 2026 in Berlin
          DAY,    Europe/Berlin,       2026-03-28T23:00:00Z,     2026-03-29T22:00:00Z
          # 25 hours: they go back on 25 October
          DAY,    Europe/Berlin,       2026-10-24T22:00:00Z,     2026-10-25T23:00:00Z
          MONTH,  Europe/Berlin,       2026-10-15T00:00:00Z,     2026-10-31T23:00:00Z
          # the repeated hour is two windows
          HOUR,   Europe/Berlin,       2026-10-25T00:30:00Z,     2026-10-25T01:00:00Z
          HOUR,   Europe/Berlin,       2026-10-25T01:30:00Z,     2026-10-25T02:00:00Z
          # midnight does not exist: clocks go forward at 0:00 in Beirut
          DAY,    Asia/Beirut,         2026-03-28T12:00:00Z,     2026-03-28T22:00:00Z
          DAY,    Asia/Beirut,         2026-03-28T22:00:00Z,     2026-03-29T21:00:00Z
          # half an hour back at 2:00 on Lord Howe Island
          HOUR,   Australia/Lord_Howe, 2026-04-04T15:10:00Z,     2026-04-04T15:30:00Z
          # a minute after midnight the clocks went back to the day before
          DAY,    America/St_Johns,    2010-11-07T02:30:30Z,     2010-11-08T03:30:00Z
          """)
  void aWindowEndsWhereTheCalendarOfItsZoneSaysSo(
      Window window, String zone, Instant now, Instant end) {
    assertThat(window.endAfter(now, ZoneId.of(zone))).isEqualTo(end);
  }

  @Test
  void theEndIsAlwaysAheadAndNeverFurtherThanTheWindowIsLong() {
    Random random = new Random(7);
    List<String> zones = ZoneId.getAvailableZoneIds().stream().sorted().toList();
    long from = Instant.parse("1995-01-01T00:00:00Z").getEpochSecond();
    long until = Instant.parse("2035-01-01T00:00:00Z").getEpochSecond();
    for (int i = 0; i < 200_000; i++) {
      ZoneId zone = ZoneId.of(zones.get(random.nextInt(zones.size())));
      Instant now = Instant.ofEpochSecond(random.nextLong(from, until), random.nextInt(1_000_000));
      for (Window window : Window.values()) {
        Duration rest = Duration.between(now, window.endAfter(now, zone));
        Duration longest =
            switch (window) {
              case MINUTE -> Duration.ofMinutes(1);
              case HOUR -> Duration.ofHours(1);
              case DAY -> Duration.ofHours(49); // Samoa left out a day in 2011
              case MONTH -> Duration.ofDays(32);
            };
        assertThat(rest).as("%s in %s at %s", window, zone, now).isPositive();
        assertThat(rest).as("%s in %s at %s", window, zone, now).isLessThanOrEqualTo(longest);
      }
    }
  }
}
