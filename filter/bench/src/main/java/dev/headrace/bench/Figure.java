package dev.headrace.bench;

import java.util.Locale;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * A column of the tables.
 *
 * @param title with its unit
 * @param format as {@link String#format} wants it
 * @param value NaN where it could not be measured
 */
record Figure(String title, String format, ToDoubleFunction<Measurement> value) {

  static final Figure CPU_PER_EVENT =
      new Figure("CPU µs/event", "%.2f", Measurement::cpuMicrosPerEvent);
  static final Figure CPU_PER_REQUEST =
      new Figure("CPU µs/request", "%.0f", Measurement::cpuMicrosPerRequest);

  static Figure grownPerStream(int streams) {
    return new Figure(
        "grown KiB/stream", "%.1f", measurement -> measurement.grownKibPerStream(streams));
  }

  String of(Row row) {
    return format(format, row.median(value));
  }

  /**
   * How many times another server's figure this one's is. No number where the rounds of one of them
   * differ by more than the figure itself, which is noise then, and none where an added time is
   * below zero, where noise may put it.
   */
  String ratio(Row row, @Nullable Row other) {
    if (other == null || row.spread(value) > 1 || other.spread(value) > 1) {
      return "–";
    }
    double mine = row.median(value);
    double theirs = other.median(value);
    return mine >= 0 && theirs > 0 ? format("%.2f", mine / theirs) : "–";
  }

  static String format(String format, double number) {
    return Double.isFinite(number) ? String.format(Locale.ROOT, format, number) : "–";
  }
}
