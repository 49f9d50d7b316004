package dev.headrace.bench;

import dev.headrace.bench.servers.JvmVariant;
import dev.headrace.bench.servers.Peers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * The command line.
 *
 * @param scenarios to run, in their order
 * @param servers by name, in the order of the tables
 * @param serversNamed whether the command line names them
 * @param rounds measured ones
 * @param warmUps the most rounds before the first measured one
 * @param scale of the times of a round; below 1 the figures are only for trying out
 * @param java the JDK's folder for servers on the JVM
 * @param jvm options for servers on the JVM
 * @param variants further JVMs to run Headrace on
 * @param directory for results
 */
record Options(
    List<Scenario> scenarios,
    List<String> servers,
    boolean serversNamed,
    int rounds,
    int warmUps,
    double scale,
    Path java,
    List<String> jvm,
    List<JvmVariant> variants,
    Path directory) {

  static final String USAGE =
      """
      Usage: headrace-bench [--scenario NAME,...] [--server NAME,...] [--rounds 5] [--scale 1]
                            [--warm-up 10] [--java JDK] [--jvm "-Xmx2g ..."]
                            [--variant NAME=JDK:"OPTION ..."]... [--out filter/bench/target/results]
             headrace-bench jmh [ARGUMENT OF JMH]...

        --scenario  of %s; all by default
        --server    of %s;
                    all by default but those with another upstream client (headrace-jetty-client-...) and
                    the Tomcat with small buffers (headrace-tomcat-lean).
                    "direct", without a server between, always runs
        --rounds    measured rounds of each server, at least 1; medians are shown
        --scale     1: full times; 0.2: five times shorter, for trying out (above 0, at most 10)
        --warm-up   the most rounds of short answers, and then the most of the scenario, before the
                    first measured one, at least 1; fewer if the JIT compiler uses less than 5 %% of
                    the CPU time in two rounds in a row
        --java      folder of the JDK for all servers on the JVM; this one's by default
        --jvm       options of the JVM for all servers on it; 8,000 streams in Tomcat need more
                    than 1 GiB
        --variant   runs headrace-jetty and headrace-tomcat, those of --server, once more with
                    another JVM or other options, as headrace-jetty@NAME; with -cp among the
                    options: another version
        --out       where tables, the plot and the raw figures go, and the logs of servers that have
                    failed or lost streams
        jmh         runs the benchmarks of the parsers instead
      """
          .formatted(String.join(", ", Scenario.names()), String.join(", ", Peers.names()));

  /** The servers that a variant is one of. */
  private static final List<String> VARIED = List.of("headrace-jetty", "headrace-tomcat");

  /**
   * @throws IllegalArgumentException if it is wrong; the message says where, and what was expected
   */
  static Options parse(String... arguments) {
    List<Scenario> scenarios = Arrays.asList(Scenario.values());
    List<String> servers = Peers.namesByDefault();
    boolean serversNamed = false;
    int rounds = 5;
    int warmUps = 10;
    double scale = 1;
    Path java = Path.of(System.getProperty("java.home"));
    List<String> jvm = List.of("-Xmx2g");
    List<JvmVariant> variants = new ArrayList<>();
    Path directory = Path.of("filter/bench/target/results");
    for (int i = 0; i < arguments.length; i += 2) {
      String option = arguments[i];
      if (!option.startsWith("--")) {
        throw wrong(option, "an option such as --scenario");
      }
      String value = i + 1 < arguments.length ? arguments[i + 1] : null;
      if (value == null || value.isBlank()) {
        throw wrong(option, "a value behind it");
      }
      switch (option) {
        case "--scenario" -> scenarios = scenarios(value);
        case "--server" -> {
          servers = servers(value);
          serversNamed = true;
        }
        case "--rounds" -> rounds = atLeastOne(option, value);
        case "--warm-up" -> warmUps = atLeastOne(option, value);
        case "--scale" -> scale = scale(value);
        case "--java" -> java = jdk(option, value);
        case "--jvm" -> jvm = words(value);
        case "--variant" -> variants.add(variant(value, variants));
        case "--out" -> directory = Path.of(value);
        default ->
            throw wrong(
                option,
                "one of --scenario, --server, --rounds, --scale, --warm-up, --java, --jvm,"
                    + " --variant, --out, --help");
      }
    }
    for (JvmVariant variant : variants) {
      if (servers.stream().noneMatch(VARIED::contains)) {
        throw wrong("--variant " + variant.name(), String.join(" or ", VARIED) + " in --server");
      }
    }
    return new Options(
        scenarios,
        servers,
        serversNamed,
        rounds,
        warmUps,
        scale,
        java,
        jvm,
        List.copyOf(variants),
        directory);
  }

  private static IllegalArgumentException wrong(String what, String expected) {
    return new IllegalArgumentException(what + " (expected: " + expected + ")");
  }

  private static List<Scenario> scenarios(String names) {
    List<Scenario> scenarios = new ArrayList<>();
    for (String name : known("--scenario", names, Scenario.names())) {
      scenarios.add(Scenario.valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_')));
    }
    return scenarios;
  }

  /** In the order of the tables, whatever the order on the command line. */
  private static List<String> servers(String names) {
    List<String> named = known("--server", names, Peers.names());
    return Peers.names().stream().filter(named::contains).toList();
  }

  private static List<String> known(String option, String names, List<String> known) {
    List<String> all = List.of(names.split(",", -1));
    for (String name : all) {
      if (!known.contains(name)) {
        throw wrong(option + " " + name, "of " + String.join(", ", known));
      }
      if (Collections.frequency(all, name) > 1) {
        throw wrong(option + " " + name, "each once");
      }
    }
    return all;
  }

  private static int atLeastOne(String option, String value) {
    try {
      int number = Integer.parseInt(value);
      if (number >= 1) {
        return number;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw wrong(option + " " + value, "a whole number from 1");
  }

  private static double scale(String value) {
    try {
      double scale = Double.parseDouble(value);
      if (scale > 0 && scale <= 10) {
        return scale;
      }
    } catch (NumberFormatException e) {
      // said below
    }
    throw wrong("--scale " + value, "a number above 0, at most 10, such as 0.2");
  }

  private static Path jdk(String option, String value) {
    Path folder = Path.of(value);
    if (!Files.isExecutable(folder.resolve("bin/java"))) {
      throw wrong(option + " " + value, "the folder of a JDK, with bin/java in it");
    }
    return folder;
  }

  private static JvmVariant variant(String value, List<JvmVariant> before) {
    int equals = value.indexOf('=');
    int colon = value.indexOf(':', equals + 1);
    if (equals < 1 || colon < 0 || !value.substring(0, equals).matches("[a-z0-9-]+")) {
      throw wrong(
          "--variant " + value, "NAME=JDK:OPTIONS, such as zgc=/usr/lib/jvm/jdk-25:-XX:+UseZGC");
    }
    String name = value.substring(0, equals);
    if (before.stream().anyMatch(each -> each.name().equals(name))) {
      throw wrong("--variant " + name, "another name for each");
    }
    return new JvmVariant(
        name,
        jdk("--variant", value.substring(equals + 1, colon)),
        words(value.substring(colon + 1)));
  }

  private static List<String> words(String value) {
    return value.isBlank() ? List.of() : List.of(value.strip().split("\\s+", -1));
  }
}
