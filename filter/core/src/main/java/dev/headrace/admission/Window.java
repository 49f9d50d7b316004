package dev.headrace.admission;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZonedDateTime;
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
    ZonedDateTime here = now.atZone(zone);
    return switch (this) {
      case MINUTE -> next(here, now, ChronoUnit.MINUTES);
      case HOUR -> next(here, now, ChronoUnit.HOURS);
      case DAY -> startOfDay(here.toLocalDate().plusDays(1), here);
      case MONTH -> startOfDay(here.toLocalDate().withDayOfMonth(1).plusMonths(1), here);
    };
  }

  private static Instant next(ZonedDateTime here, Instant now, ChronoUnit unit) {
    Instant end = here.truncatedTo(unit).toInstant().plus(1, unit);
    // Where clocks go back by half an hour, the full hour can be longer ago than an hour.
    while (!end.isAfter(now)) {
      end = end.plus(1, unit);
    }
    return end;
  }

  private static Instant startOfDay(LocalDate day, ZonedDateTime here) {
    return day.atStartOfDay(here.getZone()).toInstant(); // the first time that exists on that day
  }
}
