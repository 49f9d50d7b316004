package dev.headrace.simulator;

import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.concurrent.CountDownLatch;

/**
 * Runs the simulator as a program: plausible chat answers at a human pace, and faults on demand.
 *
 * <p>Options, each also an environment variable: {@code --port 8788} ({@code SIMULATOR_PORT}),
 * {@code --tokens-per-second 60} ({@code SIMULATOR_TOKENS_PER_SECOND}; 0 is full speed), {@code
 * --first-token-delay 400ms} ({@code SIMULATOR_FIRST_TOKEN_DELAY}), {@code --seed 1} ({@code
 * SIMULATOR_SEED}), {@code --threads 2} ({@code SIMULATOR_THREADS}), {@code --api-key sk-…} ({@code
 * SIMULATOR_API_KEY}; any key by default), {@code --tls} ({@code SIMULATOR_TLS=true}). Options win;
 * an empty variable is as good as none. What to type for which fault: {@link ChatFaults}.
 */
public final class SimulatorMain {
  private SimulatorMain() {}

  /**
   * Starts, prints the address and the commands, and runs until it is stopped. Exits with 2 when an
   * option is wrong and with 1 when it cannot listen, after a line that says what to do.
   */
  @SuppressWarnings("SystemOut") // a program
  public static void main(String... arguments) throws InterruptedException {
    MainOptions options;
    try {
      options = MainOptions.parse(arguments, System.getenv());
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.exit(2);
      return;
    }
    ClaudeSimulator simulator;
    try {
      simulator = start(options);
    } catch (UncheckedIOException e) {
      System.err.println(
          e.getMessage() + ". Choose another port with --port; 0 takes one that is free.");
      System.exit(1);
      return;
    }
    Runtime.getRuntime().addShutdownHook(new Thread(simulator::close, "claude-simulator-stop"));
    print(simulator, options, System.out);
    new CountDownLatch(1).await();
  }

  static ClaudeSimulator start(MainOptions options) {
    ClaudeSimulator.Builder builder =
        ClaudeSimulator.builder()
            .chat()
            .port(options.port())
            .threads(options.threads())
            .pace(new TokenPace(options.tokensPerSecond(), TokenPace.human().jitter()))
            .firstTokenDelay(options.firstTokenDelay())
            // Memory must not grow with the time that somebody leaves it running.
            .rememberRequests(100);
    if (options.seed() != null) {
      builder.paddingSeed(options.seed());
    }
    if (options.apiKey() != null) {
      builder.apiKey(options.apiKey());
    }
    if (options.tls()) {
      builder.tls();
    }
    return builder.start();
  }

  static void print(ClaudeSimulator simulator, MainOptions options, PrintStream out) {
    out.println("A simulated Claude listens on " + simulator.baseUrl());
    if (options.tls()) {
      out.println("Its certificate: " + simulator.certificateFile());
    }
    out.println(
        options.tokensPerSecond() == 0
            ? "Pace: full speed"
            : "Pace: " + options.tokensPerSecond() + " tokens/s");
    out.println("First token after " + options.firstTokenDelay().toMillis() + " ms");
    out.println("What to type as a user message:");
    for (ChatFault fault : ChatFaults.documented()) {
      out.printf(
          "  %-32s %s%n", (fault.command() + " " + fault.argument()).strip(), fault.description());
    }
    out.flush();
  }
}
