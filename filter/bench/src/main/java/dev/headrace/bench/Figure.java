package dev.headrace.bench;

import java.util.Locale;
import java.util.function.ToDoubleFunction;

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

  static String format(String format, double number) {
    return Double.isFinite(number) ? String.format(Locale.ROOT, format, number) : "–";
  }
}
