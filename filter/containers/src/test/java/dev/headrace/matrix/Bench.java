package dev.headrace.matrix;

import dev.headrace.identity.GatewayKey;
import dev.headrace.servers.ServerProcess;
import dev.headrace.simulator.ClaudeSimulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.awaitility.Awaitility;

/** One cell set up: simulator here, server there, with every {@link Context} deployed. */
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
  private final Map<String, String> keys;
  private final ServerProcess server;

  private Bench(Cell cell, ClaudeSimulator claude, Map<String, String> keys, ServerProcess server) {
    this.cell = cell;
    this.claude = claude;
    this.keys = keys;
    this.server = server;
  }

  static Bench start(Cell cell) throws Exception {
    Path javaHome = cell.javaHome();
    Path folder = Path.of("target", "matrix", cell.id()).toAbsolutePath();
    Files.createDirectories(folder);
    ClaudeSimulator claude =
        ClaudeSimulator.builder().apiKey(API_KEY).noPadding().recordEventTimes().start();
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
      if (cell.jakartaEe() != null) {
        builder.jakartaEe(cell.jakartaEe());
      }
      for (Context context : Context.values()) {
        String settings = context.settings(claude.baseUrl().toString(), API_KEY, keyFile);
        builder.war(
            context.contextName(),
            HeadraceWar.write(folder.resolve(context.contextName() + ".war"), settings));
      }
      Bench bench = new Bench(cell, claude, keys, builder.start());
      bench.awaitReady();
      return bench;
    } catch (Exception e) {
      claude.close();
      throw e;
    }
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

  ClaudeSimulator claude() {
    return claude;
  }

  ServerProcess server() {
    return server;
  }

  /** The gateway key of the plan. */
  String key(String plan) {
    return java.util.Objects.requireNonNull(keys.get(plan), plan);
  }

  @Override
  public void close() {
    server.close();
    claude.close();
  }
}
