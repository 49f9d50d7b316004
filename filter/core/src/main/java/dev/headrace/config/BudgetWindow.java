package dev.headrace.config;

import java.util.Locale;

/** A calendar window, after which a budget is full again; begins in {@code limits.time-zone}. */
public enum BudgetWindow {
  /** From one full minute to the next. */
  MINUTE,
  /** From one full hour to the next. */
  HOUR,
  /** From midnight to midnight. */
  DAY,
  /** From the first day of a month to that of the next. */
  MONTH;

  /** The word for it in the settings file. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
