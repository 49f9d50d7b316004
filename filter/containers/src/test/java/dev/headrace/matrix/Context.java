package dev.headrace.matrix;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The applications that are deployed in each server: the same gateway with different settings. */
enum Context {
  /** Patient: no heartbeat comes into a test. Takes no stream that would need a thread. */
  OPEN("ROOT", ""),
  /** Impatient and small. */
  BEAT("beat", "/beat"),
  /** With keys and plans. */
  PLANS("plans", "/plans"),
  /** With a simulator of its own: silent beside the other cases, then to be undeployed. */
  DRAINED("drained", "/drained");

  /** Streams at the same time in {@link #BEAT}. */
  static final int CONNECTIONS = 16;

  static final int HEARTBEAT_MILLIS = 150;
  static final int MAX_BODY = 64 * 1024;
  static final int DRAIN_SECONDS = 2;

  private final String name;
  private final String path;

  Context(String name, String path) {
    this.name = name;
    this.path = path;
  }

  /** What the WAR is called in the server. */
  String contextName() {
    return name;
  }

  /** The path of one of the gateway's own. */
  String path(String endpoint) {
    return path + "/claude" + endpoint;
  }

  String messages() {
    return path("/v1/messages");
  }

  /**
   * @param upstream base URL of the simulator
   * @param keys the file of gateway keys
   */
  String settings(String upstream, String apiKey, Path keys) throws IOException {
    String text =
        """
        mount: /claude
        upstream:
          base-url: %s
          api-key: %s
          max-connections: %d
        retry:
          wait-duration: 20ms
          max-wait-duration: 40ms
          budget-per-second: 10000
        breaker:
          enabled: false
        blocking:
          max-concurrent: 0
        usage:
          log: false
        shutdown:
          drain: %ds
        timeouts:
          heartbeat: %s
        """
            .formatted(
                upstream,
                apiKey,
                this == BEAT ? CONNECTIONS : 600,
                DRAIN_SECONDS,
                this == BEAT ? HEARTBEAT_MILLIS + "ms" : "60s");
    return switch (this) {
      case BEAT -> text + "request:\n  max-body: " + MAX_BODY / 1024 + "KiB\n";
      case PLANS ->
          text
              + """
              identity:
                sources: [key]
                keys-file: %s
              plans:
                two:
                  roles: [two]
                  concurrent: 2
                three:
                  roles: [three]
                  requests: 3/1h
                fifty:
                  roles: [fifty]
                  budgets: [50 output-tokens/day]
                  shortfall: stop-at-budget
              """
                  .formatted(Files.exists(keys) ? keys.toAbsolutePath() : keys);
      default -> text;
    };
  }
}
