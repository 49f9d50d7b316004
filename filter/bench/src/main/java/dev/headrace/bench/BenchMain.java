package dev.headrace.bench;

import dev.headrace.bench.load.LoadPlan;
import dev.headrace.bench.servers.Peer;
import dev.headrace.bench.servers.Peers;
import dev.headrace.bench.servers.UpstreamProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * The benchmark: upstream and servers are processes of their own, this one is the load generator.
 * All servers of a scenario run at the same time and are measured in turn, so that what disturbs
 * the machine disturbs all of them; the order changes with every round.
 */
public final class BenchMain {

  /** Warm-up ends when two rounds in a row cost the same CPU time per event, within this share. */
  private static final double SETTLED = 0.05;

  private static final int MOST_WARM_UPS = 6;

  private final Options options;
  private final int upstreamPort;
  private final Report report = new Report();

  private BenchMain(Options options, int upstreamPort) {
    this.options = options;
    this.upstreamPort = upstreamPort;
  }

  /** Runs what the command line asks for; ends with 1 if a stream was lost. */
  @SuppressWarnings("SystemOut") // a program
  public static void main(String... arguments) throws IOException {
    Options options;
    try {
      options = Options.parse(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.err.print(Options.USAGE);
      System.exit(2);
      return;
    }
    Files.createDirectories(options.directory());
    int lost;
    try (UpstreamProcess upstream = UpstreamProcess.start(options.directory())) {
      BenchMain bench = new BenchMain(options, upstream.port());
      for (Scenario scenario : options.scenarios()) {
        bench.run(scenario);
      }
      bench.report.write(options.directory());
      System.out.println(bench.report.markdown());
      lost = bench.report.lostStreams();
    }
    if (lost > 0) {
      System.err.println(lost + " streams were lost");
      System.exit(1);
    }
  }

  private List<Peer> peers() {
    List<Peer> peers = new ArrayList<>();
    for (Peer peer : Peers.all(options.jvm())) {
      boolean named = options.servers().contains(peer.name());
      String missing = peer.missing();
      if (missing != null && (named || options.servers().isEmpty())) {
        say("%s is left out: %s", peer.name(), missing);
      } else if (named || options.servers().isEmpty()) {
        peers.add(peer);
      }
    }
    return peers;
  }

  private void run(Scenario scenario) throws IOException {
    say("%n%s: %s", scenario.argument(), scenario.title());
    if (scenario.isHeld()) {
      runHeld(scenario);
      return;
    }
    List<Target> targets = new ArrayList<>();
    try {
      targets.add(Target.direct(upstreamPort));
      for (Peer peer : peers()) {
        targets.add(start(peer));
      }
      for (Target target : targets) {
        warmUp(target, scenario);
      }
      for (int round = 1; round <= options.rounds(); round++) {
        List<Target> order = new ArrayList<>(targets);
        Collections.rotate(order, round);
        for (Target target : order) {
          measure(target, scenario, round);
        }
      }
      targets.forEach(target -> report.add(scenario, target));
    } finally {
      targets.forEach(Target::close);
    }
  }

  /** Each round in a new process, since what was allocated once is seldom given back. */
  private void runHeld(Scenario scenario) throws IOException {
    for (Peer peer : peers()) {
      Target last = null;
      List<Measurement> measurements = new ArrayList<>();
      for (int round = 1; round <= options.rounds(); round++) {
        try (Target target = start(peer)) {
          target.run(warmUpBeforeHolding());
          measure(target, scenario, round);
          measurements.addAll(target.measurements());
          last = target;
        }
      }
      if (last != null) {
        last.measurements().clear();
        last.measurements().addAll(measurements);
        report.add(scenario, last);
      }
    }
  }

  private static LoadPlan warmUpBeforeHolding() {
    return Scenario.SHORT.plan(0.3);
  }

  private Target start(Peer peer) throws IOException {
    Path directory = Files.createTempDirectory(options.directory().toAbsolutePath(), peer.name());
    return Target.of(peer, peer.start(upstreamPort, directory));
  }

  private void warmUp(Target target, Scenario scenario) throws IOException {
    if (scenario == Scenario.PACED || scenario == Scenario.NEVER_READING) {
      target.run(Scenario.SATURATION.plan(options.scale())); // many events in a short time
    }
    double before = Double.MAX_VALUE;
    for (int i = 1; i <= MOST_WARM_UPS; i++) {
      Measurement measurement = target.run(scenario.plan(options.scale()));
      double cost = measurement.cpuMicrosPerEvent();
      say("  warm-up %d %s", i, describe(target, measurement));
      if (Math.abs(before - cost) <= SETTLED * before) {
        return;
      }
      before = cost;
    }
    say("  %s had not settled after %d rounds", target.name(), MOST_WARM_UPS);
  }

  private void measure(Target target, Scenario scenario, int round) throws IOException {
    Measurement measurement = target.run(scenario.plan(options.scale()));
    target.measurements().add(measurement);
    say("  round %d %s", round, describe(target, measurement));
  }

  private static String describe(Target target, Measurement measurement) {
    return String.format(
        Locale.ROOT,
        "%-22s %6.1f us CPU/event, delay p50 %6.0f p99 %7.0f us, %8.0f events/s, %6.0f answers/s, %4d MiB, lost %d",
        target.name(),
        measurement.cpuMicrosPerEvent(),
        measurement.delayMicros(50),
        measurement.delayMicros(99),
        measurement.eventsPerSecond(),
        measurement.answersPerSecond(),
        measurement.residentBytes() >> 20,
        measurement.load().lostStreams());
  }

  @SuppressWarnings("SystemOut") // progress of a program
  private static void say(String format, Object... arguments) {
    System.out.println(String.format(Locale.ROOT, format, arguments));
  }
}
