package dev.headrace.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What was measured, as tables and as a plot. Not thread-safe. */
final class Report {

  /** The name of what runs without a server between. */
  static final String DIRECT = "direct";

  private static final List<Figure> EVENTS =
      List.of(
          new Figure("events/s", "%.0f", Measurement::eventsPerSecond),
          new Figure("answers/s", "%.0f", Measurement::answersPerSecond),
          new Figure("first event p50 µs", "%.0f", m -> m.firstEventMicros(50)),
          new Figure("first event p99", "%.0f", m -> m.firstEventMicros(99)),
          new Figure("delay p50 µs", "%.0f", m -> m.delayMicros(50)),
          new Figure("delay p99", "%.0f", m -> m.delayMicros(99)),
          new Figure("delay p99.9", "%.0f", m -> m.delayMicros(99.9)));

  /** Shown as what a server adds to what there is without one. */
  private static final List<Figure> ADDED = EVENTS.subList(2, EVENTS.size());

  private static final String LEGEND =
      """
      Medians over the measured rounds; raw figures in `rounds.csv`. *added*: minus what the same load
      costs without a server between (`direct`). *delay*: from the time stamp that the upstream puts into
      an event to its arrival. *CPU/event*: CPU time of the server process, kernel included, while it was
      measured; *CPU/request*: over a whole run, by its answers. *JIT*: the share of the server's CPU time
      that the JIT compiler's threads used while it was measured, median and highest round. *warm-ups*:
      rounds of the same load before the first measured one, after others of short answers; both end once
      JIT is below 5 % in two of them in a row; "!" marks servers that did not get there (silent streams:
      one round of short answers). *best Java peer*: the cheapest of the other proxies on the JVM that
      loses nothing and does not hold events back. "–": nothing to measure, such as a delay where no
      event comes while it is measured, or a ratio of figures whose rounds differ by more than themselves
      or of added times below zero. *lost*: of all rounds, warm-ups included. In the plot "(!)" marks
      servers that failed, lost streams or hold events back.
      """;

  private final List<String> machine;
  private final Map<Scenario, List<Row>> scenarios = new TreeMap<>();

  /**
   * @param machine what it runs on, a line each
   */
  Report(List<String> machine) {
    this.machine = List.copyOf(machine);
  }

  void add(Scenario scenario, Row row) {
    scenarios.computeIfAbsent(scenario, key -> new ArrayList<>()).add(row);
  }

  /** Streams that Headrace lost, or that were lost without a server between. */
  int ownLostStreams() {
    return all().filter(Report::isOwn).mapToInt(Row::lost).sum();
  }

  /**
   * Whether there is a scenario in which Headrace, or what runs without a server, was not measured.
   */
  boolean lacksOwn() {
    return all().anyMatch(row -> isOwn(row) && row.failure() != null);
  }

  private static boolean isOwn(Row row) {
    return row.isHeadrace() || row.server().equals(DIRECT);
  }

  /** The servers that could not be measured, or not in all rounds, a line each. */
  List<String> failures() {
    List<String> lines = new ArrayList<>();
    scenarios.forEach(
        (scenario, rows) -> {
          for (Row row : rows) {
            if (row.failure() != null) {
              lines.add(row.server() + " (" + scenario.argument() + "): " + notMeasured(row));
            }
          }
        });
    return lines;
  }

  private static String notMeasured(Row row) {
    return (row.measurements().isEmpty() ? "not measured: " : "not measured in all rounds: ")
        + row.failure();
  }

  private Stream<Row> all() {
    return scenarios.values().stream().flatMap(List::stream);
  }

  /** Tables of each scenario, and what they were measured on. */
  String markdown() {
    StringBuilder text = new StringBuilder("# Benchmark\n\n");
    machine.forEach(line -> text.append("- ").append(line).append('\n'));
    text.append('\n').append(LEGEND);
    scenarios.forEach(
        (scenario, rows) -> {
          text.append("\n## ").append(scenario.title()).append("\n\n");
          costs(text, scenario, rows);
          text.append('\n');
          streams(text, rows);
          notes(text, scenario, rows);
          List<List<String>> compared = new Comparison(scenario, rows).lines();
          if (!compared.isEmpty()) {
            text.append('\n');
            head(text, Comparison.TITLES);
            compared.forEach(line -> line(text, line));
          }
        });
    onAndOff(text);
    return text.toString();
  }

  private static void costs(StringBuilder text, Scenario scenario, List<Row> rows) {
    int streams = scenario.streams();
    Figure lead = scenario.lead();
    List<Figure> figures =
        List.of(
            Figure.CPU_PER_EVENT,
            Figure.CPU_PER_REQUEST,
            new Figure("RSS MiB", "%.0f", Measurement::residentMib),
            new Figure("RSS KiB/stream", "%.0f", m -> m.residentKibPerStream(streams)),
            Figure.grownPerStream(streams),
            new Figure("threads", "%.0f", m -> m.server().threads()));
    Row nginx = named(rows, "nginx");
    Row haproxy = named(rows, "haproxy");
    Row best = bestJavaPeer(scenario, rows);
    List<String> titles = new ArrayList<>(List.of("server"));
    figures.forEach(figure -> titles.add(figure.title()));
    titles.addAll(List.of("JIT %", "warm-ups", lead.title() + " spread", "× nginx", "× HAProxy"));
    titles.add("× best Java peer" + (best == null ? "" : " (" + best.server() + ")"));
    head(text, titles);
    for (Row row : rows) {
      if (row.server().equals(DIRECT)) {
        continue;
      }
      List<String> cells = new ArrayList<>(List.of(row.server()));
      figures.forEach(figure -> cells.add(figure.of(row)));
      cells.add(jit(row));
      cells.add(row.warmUps() + (row.settled() ? "" : "!"));
      cells.add(Figure.format("%.0f %%", row.spread(lead.value()) * 100));
      cells.add(lead.ratio(row, nginx));
      cells.add(lead.ratio(row, haproxy));
      cells.add(lead.ratio(row, best));
      line(text, cells);
    }
  }

  private static void streams(StringBuilder text, List<Row> rows) {
    Row direct = named(rows, DIRECT);
    List<String> titles = new ArrayList<>(List.of("server"));
    EVENTS.forEach(figure -> titles.add(figure.title()));
    ADDED.forEach(figure -> titles.add("added " + figure.title()));
    titles.addAll(List.of("complete", "lost"));
    head(text, titles);
    for (Row row : rows) {
      List<String> cells = new ArrayList<>(List.of(row.server()));
      EVENTS.forEach(figure -> cells.add(figure.of(row)));
      for (Figure figure : ADDED) {
        double without = direct == null ? Double.NaN : direct.median(figure.value());
        cells.add(
            row.server().equals(DIRECT)
                ? ""
                : Figure.format(figure.format(), row.median(figure.value()) - without));
      }
      cells.add(String.valueOf(row.complete()));
      cells.add(String.valueOf(row.lost()));
      line(text, cells);
    }
  }

  private static void notes(StringBuilder text, Scenario scenario, List<Row> rows) {
    for (Row row : rows) {
      List<String> notes = new ArrayList<>();
      if (row.failure() != null) {
        notes.add(notMeasured(row));
      }
      if (row.lost() > 0) {
        notes.add("lost streams: " + row.losses());
      }
      if (row.holdsBack(scenario)) {
        notes.add("holds events back");
      }
      if (!notes.isEmpty()) {
        text.append("\n- ").append(row.server()).append(": ").append(String.join("; ", notes));
        text.append('\n');
      }
    }
  }

  /** What keys, limits, usage records and metrics cost. */
  private void onAndOff(StringBuilder text) {
    List<List<String>> lines = new ArrayList<>();
    scenarios.forEach(
        (scenario, rows) -> {
          for (Row on : rows) {
            Row off = named(rows, on.server() + "-off");
            if (off != null) {
              Figure lead = scenario.lead();
              lines.add(
                  List.of(
                      scenario.title(),
                      on.server(),
                      lead.title(),
                      lead.of(on),
                      lead.of(off),
                      lead.ratio(on, off)));
            }
          }
        });
    if (!lines.isEmpty()) {
      text.append("\n## Everything on (keys, limits, usage, metrics) against everything off\n\n");
      head(text, List.of("scenario", "server", "figure", "on", "off", "on × off"));
      lines.forEach(line -> line(text, line));
    }
  }

  private static String jit(Row row) {
    return row.onJvm()
        ? Figure.format("%.1f", row.median(Measurement::jitShare) * 100)
            + Figure.format(
                " (%.1f)",
                row.measurements().stream().mapToDouble(Measurement::jitShare).max().orElse(0)
                    * 100)
        : "";
  }

  static @Nullable Row named(List<Row> rows, String server) {
    return rows.stream().filter(row -> row.server().equals(server)).findFirst().orElse(null);
  }

  private static @Nullable Row bestJavaPeer(Scenario scenario, List<Row> rows) {
    ToDoubleFunction<Row> value = row -> row.median(scenario.lead().value());
    return javaPeers(scenario, rows, value).min(Comparator.comparingDouble(value)).orElse(null);
  }

  /** The other proxies on the JVM that can be compared and for which there is a number. */
  static Stream<Row> javaPeers(Scenario scenario, List<Row> rows, ToDoubleFunction<Row> value) {
    return rows.stream()
        .filter(row -> row.onJvm() && row.isPeer() && row.streams(scenario))
        .filter(row -> Double.isFinite(value.applyAsDouble(row)));
  }

  private static void head(StringBuilder text, List<String> titles) {
    line(text, titles);
    text.append("|---|").append("--:|".repeat(titles.size() - 1)).append('\n');
  }

  private static void line(StringBuilder text, List<String> cells) {
    text.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  /** Writes {@code results.md}, {@code rounds.csv} and {@code results.svg}. */
  void write(Path directory) throws IOException {
    Files.writeString(directory.resolve("results.md"), markdown());
    Files.writeString(directory.resolve("rounds.csv"), rounds());
    Files.writeString(directory.resolve("results.svg"), Plot.of(panels()));
  }

  /** Every figure of every measured round. */
  String rounds() {
    Map<String, ToDoubleFunction<Measurement>> columns = new LinkedHashMap<>();
    columns.put("cpu_us_per_event", Measurement::cpuMicrosPerEvent);
    columns.put("cpu_us_per_request", Measurement::cpuMicrosPerRequest);
    columns.put("jit_share", Measurement::jitShare);
    columns.put("events_per_s", Measurement::eventsPerSecond);
    columns.put("answers_per_s", Measurement::answersPerSecond);
    for (double percentile : new double[] {50, 99}) {
      columns.put("first_event_us_p" + (int) percentile, m -> m.firstEventMicros(percentile));
    }
    columns.put("delay_us_p50", m -> m.delayMicros(50));
    columns.put("delay_us_p99", m -> m.delayMicros(99));
    columns.put("delay_us_p99_9", m -> m.delayMicros(99.9));
    columns.put("resident_mib", Measurement::residentMib);
    columns.put("idle_mib", m -> m.server().idleBytes() / 1048576.0);
    columns.put("threads", m -> m.server().threads());
    columns.put("complete", m -> m.load().complete());
    columns.put("lost", m -> m.load().lostStreams());
    StringBuilder text = new StringBuilder("scenario,server,round,");
    text.append(String.join(",", columns.keySet())).append('\n');
    scenarios.forEach(
        (scenario, rows) -> {
          for (Row row : rows) {
            int round = 0;
            for (Measurement each : row.measurements()) {
              text.append(scenario.argument()).append(',').append(row.server());
              text.append(',').append(++round);
              columns.values().forEach(value -> text.append(',').append(csv(value, each)));
              text.append('\n');
            }
          }
        });
    return text.toString();
  }

  private static String csv(ToDoubleFunction<Measurement> value, Measurement measurement) {
    double number = value.applyAsDouble(measurement);
    return Double.isFinite(number) ? String.format(Locale.ROOT, "%.3f", number) : "";
  }

  private List<Plot.Panel> panels() {
    List<Plot.Panel> panels = new ArrayList<>();
    panel(panels, Scenario.PACED, "CPU time per event, µs", s -> Measurement::cpuMicrosPerEvent);
    panel(panels, Scenario.PACED, "delay of an event, p50, µs", s -> m -> m.delayMicros(50));
    panel(panels, Scenario.PACED, "delay of an event, p99, µs", s -> m -> m.delayMicros(99));
    panel(panels, Scenario.PACED, "first event, p50, µs", s -> m -> m.firstEventMicros(50));
    panel(panels, Scenario.SATURATION, "events per second", s -> Measurement::eventsPerSecond);
    panel(
        panels, Scenario.SATURATION, "CPU time per event, µs", s -> Measurement::cpuMicrosPerEvent);
    panel(panels, Scenario.SHORT, "answers per second", s -> Measurement::answersPerSecond);
    panel(
        panels, Scenario.SHORT, "CPU time per request, µs", s -> Measurement::cpuMicrosPerRequest);
    for (Scenario held : List.of(Scenario.HELD_2000, Scenario.HELD_8000)) {
      panel(panels, held, "memory per stream, KiB", s -> m -> m.grownKibPerStream(s.streams()));
    }
    panel(
        panels, Scenario.NEVER_READING, "delay of an event, p99, µs", s -> m -> m.delayMicros(99));
    return panels;
  }

  /** Marks what the tables compare nothing with. */
  private static String label(Row row, Scenario scenario) {
    return row.streams(scenario) ? row.server() : row.server() + " (!)";
  }

  private void panel(
      List<Plot.Panel> panels,
      Scenario scenario,
      String title,
      Function<Scenario, ToDoubleFunction<Measurement>> value) {
    List<Row> rows = scenarios.get(scenario);
    if (rows == null) {
      return;
    }
    List<Plot.Bar> bars =
        rows.stream()
            .map(row -> new Plot.Bar(label(row, scenario), row.median(value.apply(scenario))))
            .filter(bar -> Double.isFinite(bar.value()))
            .filter(bar -> bar.value() != 0 || !bar.label().equals(DIRECT)) // it has no memory
            .toList();
    if (!bars.isEmpty()) {
      panels.add(new Plot.Panel(scenario.title() + ": " + title, bars));
    }
  }
}
