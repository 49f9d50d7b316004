package dev.headrace.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** What was measured, as tables and as a plot. */
final class Report {

  /** A column of the tables. */
  private record Column(String title, String format, ToDoubleFunction<Measurement> value) {}

  private static final List<Column> COLUMNS =
      List.of(
          new Column("CPU µs/event", "%.1f", Measurement::cpuMicrosPerEvent),
          new Column("CPU µs/answer", "%.0f", Measurement::cpuMicrosPerAnswer),
          new Column("events/s", "%.0f", Measurement::eventsPerSecond),
          new Column("answers/s", "%.0f", Measurement::answersPerSecond),
          new Column("first event p50 µs", "%.0f", m -> m.firstEventMicros(50)),
          new Column("p99", "%.0f", m -> m.firstEventMicros(99)),
          new Column("delay p50 µs", "%.0f", m -> m.delayMicros(50)),
          new Column("p99", "%.0f", m -> m.delayMicros(99)),
          new Column("p99.9", "%.0f", m -> m.delayMicros(99.9)),
          new Column("RSS MiB", "%.0f", m -> m.residentBytes() / 1048576.0),
          new Column("threads", "%.0f", Measurement::threads));

  private record Entry(String server, List<Measurement> measurements) {

    double median(ToDoubleFunction<Measurement> value) {
      double[] sorted = measurements.stream().mapToDouble(value).sorted().toArray();
      int middle = sorted.length / 2;
      return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    int lost() {
      return measurements.stream().mapToInt(m -> m.load().lostStreams()).sum();
    }

    int complete() {
      return measurements.stream().mapToInt(m -> m.load().complete()).sum();
    }

    Map<String, Integer> losses() {
      Map<String, Integer> all = new TreeMap<>();
      measurements.forEach(
          m -> m.load().lost().forEach((how, n) -> all.merge(how, n, Integer::sum)));
      return all;
    }
  }

  private final Map<Scenario, List<Entry>> entries = new TreeMap<>();

  void add(Scenario scenario, Target target) {
    entries
        .computeIfAbsent(scenario, key -> new ArrayList<>())
        .add(new Entry(target.name(), List.copyOf(target.measurements())));
  }

  int lostStreams() {
    return entries.values().stream().flatMap(List::stream).mapToInt(Entry::lost).sum();
  }

  /** A table for each scenario. */
  String markdown() {
    StringBuilder text = new StringBuilder();
    entries.forEach(
        (scenario, rows) -> {
          text.append("\n### ").append(scenario.title()).append("\n\n");
          table(text, scenario, rows);
        });
    return text.toString();
  }

  private static void table(StringBuilder text, Scenario scenario, List<Entry> rows) {
    text.append("| server |");
    COLUMNS.forEach(column -> text.append(' ').append(column.title()).append(" |"));
    text.append(scenario.isHeld() ? " KiB/stream |" : " added first p50 | added delay p50 | p99 |");
    text.append(" complete | lost |\n|---|");
    text.append("---|".repeat(COLUMNS.size() + (scenario.isHeld() ? 1 : 3) + 2)).append('\n');
    Entry direct =
        rows.stream().filter(row -> row.server().equals("direct")).findFirst().orElse(null);
    for (Entry row : rows) {
      text.append("| ").append(row.server()).append(" |");
      for (Column column : COLUMNS) {
        text.append(' ').append(format(column.format(), row.median(column.value()))).append(" |");
      }
      if (scenario.isHeld()) {
        int streams = scenario.plan(1).streams();
        double kib = row.median(m -> (m.residentBytes() - m.idleBytes()) / 1024.0 / streams);
        text.append(' ').append(format("%.1f", kib)).append(" |");
      } else {
        text.append(added(row, direct, m -> m.firstEventMicros(50)));
        text.append(added(row, direct, m -> m.delayMicros(50)));
        text.append(added(row, direct, m -> m.delayMicros(99)));
      }
      text.append(' ').append(row.complete()).append(" | ").append(row.lost());
      text.append(row.lost() > 0 ? " " + row.losses() : "").append(" |\n");
    }
  }

  private static String added(
      Entry row, @Nullable Entry direct, ToDoubleFunction<Measurement> value) {
    return direct == null
        ? " |"
        : ' ' + format("%.0f", row.median(value) - direct.median(value)) + " |";
  }

  private static String format(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }

  /** Writes {@code results.md}, {@code rounds.csv} and {@code results.svg}. */
  void write(Path directory) throws IOException {
    Files.writeString(directory.resolve("results.md"), markdown());
    Files.writeString(directory.resolve("rounds.csv"), rounds());
    Files.writeString(directory.resolve("results.svg"), Plot.of(bars()));
  }

  private String rounds() {
    StringBuilder text = new StringBuilder("scenario,server,round");
    COLUMNS.forEach(column -> text.append(',').append(column.title()));
    text.append(",idle MiB,complete,lost\n");
    entries.forEach(
        (scenario, rows) ->
            rows.forEach(
                row -> {
                  int round = 0;
                  for (Measurement each : row.measurements()) {
                    text.append(scenario.argument()).append(',').append(row.server());
                    text.append(',').append(++round);
                    COLUMNS.forEach(
                        column ->
                            text.append(',')
                                .append(format("%.3f", column.value().applyAsDouble(each))));
                    text.append(',').append(format("%.1f", each.idleBytes() / 1048576.0));
                    text.append(',').append(each.load().complete());
                    text.append(',').append(each.load().lostStreams()).append('\n');
                  }
                }));
    return text.toString();
  }

  private List<Plot.Panel> bars() {
    List<Plot.Panel> panels = new ArrayList<>();
    panel(panels, Scenario.PACED, "CPU µs per paced event", Measurement::cpuMicrosPerEvent);
    panel(panels, Scenario.PACED, "delay of an event, p50, µs", m -> m.delayMicros(50));
    panel(panels, Scenario.PACED, "delay of an event, p99, µs", m -> m.delayMicros(99));
    panel(panels, Scenario.SATURATION, "events/s at saturation", Measurement::eventsPerSecond);
    panel(panels, Scenario.SHORT, "answers of 5 events per second", Measurement::answersPerSecond);
    panel(
        panels,
        Scenario.HELD_8000,
        "KiB per silent stream (8,000)",
        m -> (m.residentBytes() - m.idleBytes()) / 1024.0 / 8000);
    return panels;
  }

  private void panel(
      List<Plot.Panel> panels,
      Scenario scenario,
      String title,
      ToDoubleFunction<Measurement> value) {
    List<Entry> rows = entries.get(scenario);
    if (rows != null) {
      panels.add(
          new Plot.Panel(
              title,
              rows.stream()
                  .map(row -> new Plot.Bar(row.server(), row.median(value)))
                  .filter(bar -> bar.value() > 0)
                  .toList()));
    }
  }
}
