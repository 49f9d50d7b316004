package dev.headrace.bench.servers;

import dev.headrace.BenchGateway;
import dev.headrace.Gateway;
import dev.headrace.GatewayMetrics;
import dev.headrace.GatewayServlet;
import dev.headrace.config.Environment;
import dev.headrace.config.LoadedSettings;
import dev.headrace.config.SettingsReader;
import dev.headrace.identity.GatewayKey;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Headrace in a container: port, upstream port, directory, {@code --container jetty} or {@code
 * tomcat}, {@code --key} with a gateway key where everything is switched on (keys, limits, usage in
 * the log and in metrics), {@code --client} with the upstream client ({@code apache}, {@code jdk},
 * {@code jetty}). The system property {@code bench.io-threads} sets {@code upstream.io-threads}.
 */
public final class HeadraceMain {

  private HeadraceMain() {}

  /** Starts and returns; the container's threads keep the process alive. */
  public static void main(String... arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    Path directory = Path.of(arguments[2]);
    Map<String, String> options = new HashMap<>();
    for (int i = 3; i < arguments.length; i += 2) {
      options.put(arguments[i], arguments[i + 1]);
    }
    String key = options.get("--key");
    Path settings = directory.resolve("headrace.yaml");
    String upstream = upstream(Integer.parseInt(arguments[1]));
    Files.writeString(
        settings,
        key == null ? upstream + "usage:\n  log: false\n" : upstream + everything(directory, key));
    LoadedSettings loaded = SettingsReader.read(settings, Environment.ofProcess());
    Gateway gateway = BenchGateway.start(loaded, options.getOrDefault("--client", "apache"));
    if (key != null) {
      new GatewayMetrics(gateway).bindTo(new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
    }
    ServletContainer.named(options.get("--container"))
        .start(port, new GatewayServlet(gateway), "/claude/*", directory);
  }

  private static String upstream(int port) {
    return """
        mount: /claude
        upstream:
          base-url: http://127.0.0.1:%d
          api-key: bench
          io-threads: %d
        """
        .formatted(port, Integer.getInteger("bench.io-threads", 0));
  }

  private static String everything(Path directory, String key) throws IOException {
    Path keys = directory.resolve("keys.yaml");
    Files.writeString(
        keys,
        """
        keys:
          - name: bench
            group: bench
            sha256: %s
        """
            .formatted(GatewayKey.sha256(key)));
    return """
        identity:
          sources: [key]
          keys-file: %s
        plans:
          bench:
            roles: [bench]
            models: [claude-sonnet-5-5]
            max-tokens: 8192
            requests: 1000000/1s
            concurrent: 100000
            budgets: [4000000 USD/day, 1000000000000 output-tokens/hour]
        """
        .formatted(keys);
  }
}
