package dev.headrace.bench;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The command line.
 *
 * @param scenarios to run, in their order
 * @param servers by name; empty for all that can run here
 * @param rounds measured ones
 * @param scale of the times of a round; below 1 the figures are only for trying out
 * @param jvm options for servers on the JVM
 * @param directory for results
 */
record Options(
    List<Scenario> scenarios,
    List<String> servers,
    int rounds,
    double scale,
    List<String> jvm,
    Path directory) {

  static final String USAGE =
      """
      Usage: headrace-bench [--scenario NAME,...] [--server NAME,...] [--rounds 5] [--scale 1]
                            [--jvm "-Xmx512m ..."] [--out filter/bench/target/results]

        --scenario  %s
        --server    nginx, haproxy, headrace-jetty, headrace-tomcat, ...; all by default.
                    "direct", without a server between, always runs
        --rounds    measured rounds of each server; medians are shown
        --scale     1: full times; 0.2: five times shorter, for trying out
        --jvm       options of the JVM for all servers on it
        --out       where tables, the plot and the raw figures go
      """
          .formatted(String.join(", ", Scenario.names()));

  /**
   * @throws IllegalArgumentException if it is wrong; the message says where
   */
  static Options parse(String... arguments) {
    List<Scenario> scenarios = Arrays.asList(Scenario.values());
    List<String> servers = List.of();
    int rounds = 5;
    double scale = 1;
    List<String> jvm = List.of("-Xmx512m");
    Path directory = Path.of("filter/bench/target/results");
    for (int i = 0; i < arguments.length; i += 2) {
      String option = arguments[i];
      if (i + 1 == arguments.length) {
        throw new IllegalArgumentException(option + " needs a value");
      }
      String value = arguments[i + 1];
      switch (option) {
        case "--scenario" -> scenarios = scenarios(value);
        case "--server" -> servers = List.of(value.split(",", -1));
        case "--rounds" -> rounds = Math.max(1, Integer.parseInt(value));
        case "--scale" -> scale = Double.parseDouble(value);
        case "--jvm" -> jvm = List.of(value.strip().split("\\s+", -1));
        case "--out" -> directory = Path.of(value);
        default -> throw new IllegalArgumentException(option + " is not an option");
      }
    }
    return new Options(scenarios, servers, rounds, scale, jvm, directory);
  }

  private static List<Scenario> scenarios(String names) {
    List<Scenario> scenarios = new ArrayList<>();
    for (String name : names.split(",", -1)) {
      if (!Scenario.names().contains(name)) {
        throw new IllegalArgumentException(
            "--scenario " + name + ": expected of " + Scenario.names());
      }
      scenarios.add(Scenario.valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_')));
    }
    return scenarios;
  }
}
