package dev.headrace.bench;

import dev.headrace.bench.load.LoadPlan;
import dev.headrace.bench.parsers.ParserBenchmarks;
import dev.headrace.bench.servers.JvmVariant;
import dev.headrace.bench.servers.Peer;
import dev.headrace.bench.servers.Peers;
import dev.headrace.bench.servers.UpstreamProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The benchmark: upstream and servers are processes of their own, this one is the load generator.
 * All servers of a scenario run at the same time and are measured in turn, so that what disturbs
 * the machine disturbs all of them; the order changes with every round.
 */
public final class BenchMain {

  private static final int REASON_LINES = 4;

  private final Options options;
  private final int upstreamPort;
  private final List<Peer> peers;
  private final Report report;

  private BenchMain(Options options, int upstreamPort, List<Peer> peers) throws IOException {
    this.options = options;
    this.upstreamPort = upstreamPort;
    this.peers = peers;
    this.report = new Report(Machine.describe(options, peers));
  }

  /**
   * Runs what the command line asks for; ends with 1 if Headrace lost a stream or was not measured.
   */
  @SuppressWarnings("SystemOut") // a program
  public static void main(String... arguments) throws Exception {
    if (arguments.length > 0 && arguments[0].equals("jmh")) {
      ParserBenchmarks.run(Arrays.copyOfRange(arguments, 1, arguments.length));
      return;
    }
    if (Arrays.asList(arguments).contains("--help")) {
      System.out.print(Options.USAGE);
      return;
    }
    Options options;
    try {
      options = Options.parse(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.err.print(Options.USAGE);
      System.exit(2);
      return;
    }
    List<Peer> peers;
    try {
      peers = peers(options);
      Files.createDirectories(options.directory());
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.exit(2);
      return;
    } catch (IOException e) {
      System.err.println("--out " + options.directory() + " cannot be made a folder: " + e);
      System.exit(2);
      return;
    }
    Report report;
    try (UpstreamProcess upstream = UpstreamProcess.start(options.directory())) {
      BenchMain bench = new BenchMain(options, upstream.port(), peers);
      for (Scenario scenario : options.scenarios()) {
        bench.run(scenario);
        bench.report.write(options.directory()); // what there is so far
      }
      System.out.println(bench.report.markdown());
      say("Written to %s", options.directory().toAbsolutePath().normalize());
      report = bench.report;
    }
    report.failures().forEach(System.err::println);
    int lost = report.ownLostStreams();
    if (lost > 0) {
      System.err.println(lost + " streams were lost");
    }
    if (lost > 0 || report.lacksOwn()) {
      System.exit(1);
    }
  }

  /**
   * Those that can run here.
   *
   * @throws IllegalArgumentException if one cannot that was asked for by name
   */
  private static List<Peer> peers(Options options) {
    List<Peer> peers = new ArrayList<>();
    JvmVariant jvm = new JvmVariant("", options.java(), options.jvm());
    for (Peer peer : Peers.all(jvm, options.variants())) {
      if (!options.servers().contains(peer.name().replaceFirst("@.*", ""))) {
        continue;
      }
      String missing = peer.missing();
      if (missing == null) {
        peers.add(peer);
      } else if (options.serversNamed()) {
        throw new IllegalArgumentException(
            "--server " + peer.name() + " cannot run here: " + missing);
      } else {
        say("%s is left out: %s", peer.name(), missing);
      }
    }
    return peers;
  }

  private void run(Scenario scenario) throws IOException {
    say("%n%s: %s", scenario.argument(), scenario.title());
    if (scenario.isHeld()) {
      runHeld(scenario);
    } else {
      runAlternating(scenario);
    }
  }

  private void runAlternating(Scenario scenario) throws IOException {
    List<Contestant> all = new ArrayList<>();
    try {
      all.add(new Contestant(Target.direct(upstreamPort)));
      for (Peer peer : peers) {
        all.add(start(peer));
      }
      for (Contestant each : all) {
        each.unlessFailed(() -> warmUp(each, scenario));
      }
      for (int round = 1; round <= options.rounds(); round++) {
        for (Contestant each : order(all, round)) {
          int number = round;
          each.unlessFailed(() -> measure(each, scenario, number));
        }
      }
      all.forEach(each -> report.add(scenario, each.row()));
    } finally {
      all.forEach(Contestant::close);
    }
  }

  /**
   * No server always at the same place or behind the same other one: each pair of rounds goes there
   * and back, from one further than the pair before.
   *
   * @param round from 1
   */
  static <T> List<T> order(List<T> all, int round) {
    List<T> order = new ArrayList<>(all);
    Collections.rotate(order, -(round - 1) / 2);
    if (round % 2 == 0) {
      Collections.reverse(order);
    }
    return order;
  }

  /** Each round in a new process, since what was allocated once is seldom given back. */
  private void runHeld(Scenario scenario) throws IOException {
    Contestant direct = new Contestant(Target.direct(upstreamPort));
    Map<String, Row> rows = new LinkedHashMap<>();
    for (int round = 1; round <= options.rounds(); round++) {
      measureHeld(direct, scenario, round);
      rows.put(direct.name(), direct.row());
      for (Peer peer : peers) {
        Row before = rows.get(peer.name());
        if (before != null && before.failure() != null) {
          continue;
        }
        try (Contestant fresh = start(peer)) {
          if (before != null) {
            fresh.measurements.addAll(before.measurements());
            fresh.lostInWarmUps.putAll(before.lostBefore());
          }
          measureHeld(fresh, scenario, round);
          rows.put(peer.name(), fresh.row());
        }
      }
    }
    rows.values().forEach(row -> report.add(scenario, row));
  }

  private void measureHeld(Contestant contestant, Scenario scenario, int round) {
    contestant.unlessFailed(
        () -> {
          contestant.warmUp(Scenario.SHORT.plan(options.scale()));
          contestant.warmUps = 1;
          measure(contestant, scenario, round);
        });
  }

  private Contestant start(Peer peer) throws IOException {
    Path directory =
        Files.createTempDirectory(options.directory().toAbsolutePath(), peer.name() + "-");
    try {
      return new Contestant(Target.of(peer, peer.start(upstreamPort, directory)), directory);
    } catch (IOException e) {
      say("  %s does not start: %s", peer.name(), e);
      return new Contestant(peer, "does not start: " + reason(e));
    }
  }

  /** What went wrong, in a line: of a server's log its last lines, without the stack's. */
  static String reason(IOException failure) {
    String message = failure.getMessage();
    if (message == null || failure.getClass() != IOException.class) {
      return failure.toString();
    }
    List<String> lines =
        message
            .lines()
            .filter(line -> !line.isBlank() && !line.startsWith("\tat "))
            .map(String::strip)
            .toList();
    List<String> last = lines.subList(Math.max(0, lines.size() - REASON_LINES), lines.size());
    return String.join("; ", last).replace(":; ", ": ");
  }

  private void warmUp(Contestant contestant, Scenario scenario) throws IOException {
    // Other rounds begin hundreds of streams: too few for what begins and ends one to be compiled.
    boolean begun = scenario == Scenario.SHORT || warmUpWith(contestant, Scenario.SHORT);
    contestant.settled = warmUpWith(contestant, scenario) && begun;
  }

  private boolean warmUpWith(Contestant contestant, Scenario scenario) throws IOException {
    WarmUp warmUp = new WarmUp(options.warmUps());
    while (!warmUp.isOver()) {
      Measurement measurement = contestant.warmUp(scenario.plan(options.scale()));
      warmUp.round(measurement.jitShare());
      contestant.warmUps = warmUp.rounds();
      say(
          "  warm-up %d (%s) %s",
          contestant.warmUps, scenario.argument(), describe(contestant, measurement));
    }
    if (!warmUp.isWarm()) {
      say(
          "  %s had not settled after %d rounds of %s",
          contestant.name(), warmUp.rounds(), scenario.argument());
    }
    return warmUp.isWarm();
  }

  private void measure(Contestant contestant, Scenario scenario, int round) throws IOException {
    Measurement measurement = contestant.run(scenario.plan(options.scale()));
    contestant.measurements.add(measurement);
    say("  round %d/%d %s", round, options.rounds(), describe(contestant, measurement));
  }

  private static String describe(Contestant contestant, Measurement measurement) {
    return String.format(
        Locale.ROOT,
        "%-28s CPU %5s us/event, %6s us/request, JIT %4s %%; delay p50 %6s p99 %7s us; "
            + "%7.0f events/s, %6.0f answers/s, %4.0f MiB, lost %d",
        contestant.name(),
        Figure.format(Figure.CPU_PER_EVENT.format(), measurement.cpuMicrosPerEvent()),
        Figure.format("%.0f", measurement.cpuMicrosPerRequest()),
        Figure.format("%.1f", measurement.jitShare() * 100),
        Figure.format("%.0f", measurement.delayMicros(50)),
        Figure.format("%.0f", measurement.delayMicros(99)),
        measurement.eventsPerSecond(),
        measurement.answersPerSecond(),
        measurement.residentMib(),
        measurement.load().lostStreams());
  }

  @SuppressWarnings("SystemOut") // progress of a program
  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }

  /** What one target has shown so far. One that fails is left out from then on. */
  private static final class Contestant implements AutoCloseable {

    interface Step {
      void run() throws IOException;
    }

    private final String name;
    private final boolean onJvm;
    private final @Nullable Target target;
    private final List<Measurement> measurements = new ArrayList<>();
    private int warmUps;
    private boolean settled = true;
    private final Map<String, Integer> lostInWarmUps = new TreeMap<>();
    private final @Nullable Path directory;
    private @Nullable String failure;

    Contestant(Target target) {
      this(target, null);
    }

    /**
     * @param directory of the server's files, deleted with it unless it has failed or lost streams
     */
    Contestant(Target target, @Nullable Path directory) {
      this.name = target.name();
      this.onJvm = target.onJvm();
      this.target = target;
      this.directory = directory;
    }

    Contestant(Peer peer, String failure) {
      this.name = peer.name();
      this.onJvm = peer.onJvm();
      this.target = null;
      this.directory = null;
      this.failure = failure;
    }

    String name() {
      return name;
    }

    Measurement run(LoadPlan plan) throws IOException {
      if (target == null) {
        throw new IOException("not started");
      }
      return target.run(plan);
    }

    /** A round that only its lost streams are kept of. */
    Measurement warmUp(LoadPlan plan) throws IOException {
      Measurement measurement = run(plan);
      measurement.load().lost().forEach((how, n) -> lostInWarmUps.merge(how, n, Integer::sum));
      return measurement;
    }

    void unlessFailed(Step step) {
      if (failure != null) {
        return;
      }
      try {
        step.run();
      } catch (IOException e) {
        failure = reason(e);
        say("  %s fails: %s", name, e);
      }
    }

    Row row() {
      return new Row(name, onJvm, warmUps, settled, measurements, failure, lostInWarmUps);
    }

    @Override
    public void close() {
      if (target != null) {
        target.close();
      }
      if (directory != null && failure == null && row().lost() == 0) {
        delete(directory);
      }
    }

    private static void delete(Path directory) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      } catch (IOException | UncheckedIOException e) {
        say("  %s cannot be deleted: %s", directory, e);
      }
    }
  }
}
