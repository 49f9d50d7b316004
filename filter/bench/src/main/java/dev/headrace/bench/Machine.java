package dev.headrace.bench;

import dev.headrace.bench.servers.Peer;
import dev.headrace.bench.servers.ServerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What a benchmark ran on (Linux, {@code /proc}). */
final class Machine {

  private Machine() {}

  /** A line each: the machine, the JVMs with their options, the servers with their versions. */
  static List<String> describe(Options options, List<Peer> peers) throws IOException {
    List<String> names = peers.stream().map(Peer::name).toList();
    List<String> lines = new ArrayList<>();
    lines.add(LocalDate.now(ZoneOffset.UTC) + ", Linux " + System.getProperty("os.version"));
    lines.add(
        String.format(
            Locale.ROOT,
            "%s, %d cores, %.0f GiB; load over the last minute when it began: %s",
            field("/proc/cpuinfo", "model name"),
            Runtime.getRuntime().availableProcessors(),
            Long.parseLong(field("/proc/meminfo", "MemTotal").replace(" kB", "")) / 1048576.0,
            Files.readString(Path.of("/proc/loadavg")).split(" ", 2)[0]));
    lines.add(
        options.rounds()
            + " rounds, scale "
            + options.scale()
            + (options.scale() < 1 ? " (shorter than full length: rounds differ by more)" : ""));
    lines.add("JVM of all servers on it: " + jvm(options.java(), options.jvm()));
    options
        .variants()
        .forEach(
            variant ->
                lines.add("@" + variant.name() + ": " + jvm(variant.java(), variant.options())));
    for (Peer peer : peers) {
      if (!peer.version().isEmpty()) {
        lines.add(peer.name() + ": " + peer.version());
      }
    }
    List<String> leftOut =
        options.servers().stream().filter(server -> !names.contains(server)).toList();
    if (!leftOut.isEmpty()) {
      lines.add("left out, since they cannot run here: " + String.join(", ", leftOut));
    }
    return lines;
  }

  private static String jvm(Path java, List<String> options) {
    String version = ServerProcess.firstLineOf(java.resolve("bin/java").toString(), "-version");
    return version + ", `" + String.join(" ", options) + "`";
  }

  private static String field(String file, String name) throws IOException {
    for (String line : Files.readAllLines(Path.of(file))) {
      if (line.startsWith(name)) {
        return line.substring(line.indexOf(':') + 1).strip();
      }
    }
    return "?";
  }
}
