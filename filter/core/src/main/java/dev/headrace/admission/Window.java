package dev.headrace.admission;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;

/**
 * A calendar window of a budget: it begins at the full minute, hour, day or month of a time zone,
 * however long that is there. An hour that a change of the clocks repeats is two windows; a day can
 * have 23 or 25 hours, a month 28 to 31 days.
 */
public enum Window {
  MINUTE("minute"),
  HOUR("hour"),
  DAY("day"),
  MONTH("month");

  private final String label;

  Window(String label) {
    this.label = label;
  }

  /** The word for it in settings and messages. */
  public String label() {
    return label;
  }

  /** Returns the first instant that is no longer in the window of {@code now}; always after it. */
  public Instant endAfter(Instant now, ZoneId zone) {
    return switch (this) {
      case MINUTE -> nextFull(ChronoUnit.MINUTES, now, zone);
      case HOUR -> nextFull(ChronoUnit.HOURS, now, zone);
      case DAY -> startOf(now.atZone(zone).toLocalDate().plusDays(1), now, zone);
      case MONTH ->
          startOf(now.atZone(zone).toLocalDate().withDayOfMonth(1).plusMonths(1), now, zone);
    };
  }

  /** With the offset of now: a local time that is repeated would otherwise lead back. */
  private static Instant nextFull(ChronoUnit unit, Instant now, ZoneId zone) {
    return now.atOffset(zone.getRules().getOffset(now)).truncatedTo(unit).plus(1, unit).toInstant();
  }

  /** The first time that exists on that day. */
  private static Instant startOf(LocalDate day, Instant now, ZoneId zone) {
    Instant start = day.atStartOfDay(zone).toInstant();
    // Clocks that go back just after midnight bring the day before once more.
    return start.isAfter(now) ? start : day.plusDays(1).atStartOfDay(zone).toInstant();
  }
}
