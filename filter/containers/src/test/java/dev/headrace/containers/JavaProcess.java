package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A look into another JVM by the tools of its own JDK. */
final class JavaProcess {

  private final Path javaHome;
  private final long pid;

  JavaProcess(Path javaHome, long pid) {
    this.javaHome = javaHome;
    this.pid = pid;
  }

  /** How many objects of a class live, after a full collection. */
  long liveObjects(String className) throws IOException, InterruptedException {
    Pattern row =
        Pattern.compile("^\\s*\\d+:\\s+(\\d+)\\s+\\d+\\s+" + Pattern.quote(className) + "\\b");
    return run("jcmd", Long.toString(pid), "GC.class_histogram")
        .lines()
        .map(row::matcher)
        .filter(Matcher::find)
        .mapToLong(matcher -> Long.parseLong(matcher.group(1)))
        .sum();
  }

  /** Metaspace in use, in KiB. */
  long metaspaceKib() throws IOException, InterruptedException {
    List<String> lines = run("jstat", "-gc", Long.toString(pid)).lines().toList();
    List<String> names = List.of(lines.get(0).strip().split("\\s+", -1));
    String[] values = lines.get(1).strip().split("\\s+", -1);
    return (long) Double.parseDouble(values[names.indexOf("MU")]);
  }

  /** The names of all Java threads, in alphabetical order. */
  List<String> threads() throws IOException, InterruptedException {
    Pattern head = Pattern.compile("^\"(.*?)\" ");
    return run("jcmd", Long.toString(pid), "Thread.print")
        .lines()
        .map(head::matcher)
        .filter(Matcher::find)
        .map(matcher -> matcher.group(1))
        .sorted()
        .toList();
  }

  private String run(String tool, String... arguments) throws IOException, InterruptedException {
    List<String> command =
        Stream.concat(
                Stream.of(javaHome.resolve("bin").resolve(tool).toString()), Stream.of(arguments))
            .toList();
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(command + ": " + output);
    }
    return output;
  }
}
