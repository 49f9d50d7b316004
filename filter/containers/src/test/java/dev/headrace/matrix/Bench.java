package dev.headrace.matrix;

import dev.headrace.identity.GatewayKey;
import dev.headrace.servers.ServerProcess;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * One cell set up: simulators here, server there, with every {@link Context} deployed and the
 * streams under way that are silent for long.
 */
final class Bench implements AutoCloseable {

  /** The key that the gateway calls the simulator with; must appear nowhere else. */
  static final String API_KEY = "sk-ant-test-key-that-must-stay-secret";

  /**
   * What the server's own limits for silence are set to. Longer than a client reads nothing in any
   * case: Tomcat's is one for that, too.
   */
  static final Duration IDLE_LIMIT = Duration.ofSeconds(5);

  private final Cell cell;
  private final ClaudeSimulator claude;
  private final ClaudeSimulator drainedClaude;
  private final Map<String, String> keys;
  private final ServerProcess server;
  private final Silence silence;

  private Bench(
      Cell cell,
      ClaudeSimulator claude,
      ClaudeSimulator drainedClaude,
      Map<String, String> keys,
      ServerProcess server)
      throws IOException {
    this.cell = cell;
    this.claude = claude;
    this.drainedClaude = drainedClaude;
    this.keys = keys;
    this.server = server;
    awaitReady();
    drainedClaude.answersAlways(
        Answer.transcript(CellTest.TEXT)
            .pauseAfterEvents(4, IDLE_LIMIT.multipliedBy(3).dividedBy(2)));
    this.silence = new Silence(cell.protocols(), server.port(), Context.DRAINED);
  }

  static Bench start(Cell cell) throws Exception {
    Path javaHome = cell.javaHome();
    Path folder = Path.of("target", "matrix", cell.id()).toAbsolutePath();
    Files.createDirectories(folder);
    ClaudeSimulator claude = simulator();
    ClaudeSimulator drainedClaude = simulator();
    @Nullable ServerProcess server = null;
    try {
      Map<String, String> keys = new LinkedHashMap<>();
      for (String plan : new String[] {"two", "three", "fifty"}) {
        keys.put(plan, GatewayKey.create(new SecureRandom()));
      }
      Path keyFile = writeKeys(folder.resolve("keys.yaml"), keys);
      ServerProcess.Builder builder =
          ServerProcess.of(cell.kind())
              .javaHome(javaHome)
              .jvmArgument("-Xmx768m")
              .idleLimit(IDLE_LIMIT);
      if (!Cell.inProfile()) {
        // A short life: what the second compiler would do is never paid back. The profile runs
        // servers as they are.
        builder.jvmArgument("-XX:TieredStopAtLevel=1").jvmArgument("-XX:+UseSerialGC");
      }
      if (cell.jakartaEe() != null) {
        builder.jakartaEe(cell.jakartaEe());
      }
      for (Context context : Context.values()) {
        ClaudeSimulator upstream = context == Context.DRAINED ? drainedClaude : claude;
        String settings = context.settings(upstream.baseUrl().toString(), API_KEY, keyFile);
        builder.war(
            context.contextName(),
            HeadraceWar.write(folder.resolve(context.contextName() + ".war"), settings));
      }
      server = builder.start();
      return new Bench(cell, claude, drainedClaude, keys, server);
    } catch (Exception | Error e) {
      if (server != null) {
        server.close();
      }
      claude.close();
      drainedClaude.close();
      throw e;
    }
  }

  private static ClaudeSimulator simulator() {
    return ClaudeSimulator.builder().apiKey(API_KEY).noPadding().recordEventTimes().start();
  }

  private static Path writeKeys(Path file, Map<String, String> keys) throws IOException {
    StringBuilder text = new StringBuilder("keys:\n");
    keys.forEach(
        (plan, key) ->
            text.append(
                "  - {name: %s, sha256: \"%s\", group: %s}%n"
                    .formatted(plan, GatewayKey.sha256(key), plan)));
    return Files.writeString(file, text);
  }

  private void awaitReady() {
    for (Context context : Context.values()) {
      Awaitility.await(context + " in " + cell)
          .atMost(Duration.ofSeconds(60))
          .pollDelay(Duration.ZERO)
          .ignoreExceptions()
          .until(() -> ServerContract.isReady(server.port(), context));
    }
  }

  Cell cell() {
    return cell;
  }

  /** The upstream of all contexts but {@link Context#DRAINED}. */
  ClaudeSimulator claude() {
    return claude;
  }

  ClaudeSimulator claude(Context context) {
    return context == Context.DRAINED ? drainedClaude : claude;
  }

  /** The streams on {@link Context#DRAINED} that are silent for longer than the server's limits. */
  Silence silence() {
    return silence;
  }

  ServerProcess server() {
    return server;
  }

  /** The gateway key of the plan. */
  String key(String plan) {
    return java.util.Objects.requireNonNull(keys.get(plan), plan);
  }

  @Override
  public void close() throws IOException {
    silence.close();
    server.close();
    claude.close();
    drainedClaude.close();
  }
}
