package dev.headrace;

import dev.headrace.bench.clients.JdkUpstreamClient;
import dev.headrace.bench.clients.JettyUpstreamClient;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.LoadedSettings;
import dev.headrace.upstream.ApacheUpstreamClient;
import dev.headrace.upstream.UpstreamClient;
import java.util.function.Function;

/**
 * Starts gateways with HTTP clients that do not ship. In this package because nobody but the
 * benchmark may choose one.
 */
public final class BenchGateway {

  private BenchGateway() {}

  /**
   * Starts a gateway.
   *
   * @param client {@code apache}, {@code jdk} or {@code jetty}
   * @throws IllegalArgumentException for another one
   */
  public static Gateway start(LoadedSettings settings, String client) {
    return Gateway.builder(settings).upstreamClient(named(client)).start();
  }

  private static Function<GatewaySettings, UpstreamClient> named(String client) {
    return switch (client) {
      case "apache" -> ApacheUpstreamClient::new;
      case "jdk" -> JdkUpstreamClient::new;
      case "jetty" -> JettyUpstreamClient::new;
      default ->
          throw new IllegalArgumentException(
              "--client " + client + " (expected: apache, jdk or jetty)");
    };
  }
}
