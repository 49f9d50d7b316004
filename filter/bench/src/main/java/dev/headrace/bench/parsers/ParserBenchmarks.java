package dev.headrace.bench.parsers;

import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs the benchmarks of this package with JMH, each in a JVM of its own, and counts what they
 * allocate.
 */
public final class ParserBenchmarks {

  private ParserBenchmarks() {}

  /**
   * Runs them; results go to the standard output.
   *
   * @param arguments those of JMH, such as a pattern of names; empty for all of them
   */
  public static void run(String... arguments) throws RunnerException, CommandLineOptionException {
    new Runner(
            new OptionsBuilder()
                .parent(new CommandLineOptions(arguments))
                .addProfiler(GCProfiler.class)
                .build())
        .run();
  }
}
