package dev.headrace.containers;

import dev.headrace.Gateway;
import dev.headrace.GatewayServlet;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.Secret;
import dev.headrace.containers.ContainerKind.Deployment;
import dev.headrace.containers.ContainerKind.RunningContainer;
import dev.headrace.simulator.ClaudeSimulator;
import java.net.URI;
import java.util.function.UnaryOperator;

/** Simulator, gateway and container together, each on a port of its own. */
final class GatewayUnderTest implements AutoCloseable {

  /** The key that the gateway calls the simulator with; must appear nowhere else. */
  static final String API_KEY = "sk-ant-test-key-that-must-stay-secret";

  private final ClaudeSimulator claude;
  private final Gateway gateway;
  private final RunningContainer container;

  private GatewayUnderTest(ClaudeSimulator claude, Gateway gateway, RunningContainer container) {
    this.claude = claude;
    this.gateway = gateway;
    this.container = container;
  }

  static GatewayUnderTest start(ContainerKind kind) throws Exception {
    return start(kind, settings -> settings);
  }

  static GatewayUnderTest start(ContainerKind kind, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return start(kind, ClaudeSimulator.builder().apiKey(API_KEY).start(), change);
  }

  static GatewayUnderTest start(
      ContainerKind kind, ClaudeSimulator claude, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    GatewaySettings settings =
        change
            .apply(
                GatewaySettings.builder()
                    .upstreamBaseUrl(claude.baseUrl())
                    .upstreamApiKey(Secret.of(API_KEY)))
            .build();
    Gateway gateway = Gateway.start(settings);
    RunningContainer container = kind.start(new Deployment("", new GatewayServlet(gateway), null));
    return new GatewayUnderTest(claude, gateway, container);
  }

  ClaudeSimulator claude() {
    return claude;
  }

  Gateway gateway() {
    return gateway;
  }

  int port() {
    return container.port();
  }

  /** What a client of the API is given as its base URL. */
  URI baseUrl() {
    return URI.create("http://127.0.0.1:" + container.port() + "/claude");
  }

  @Override
  public void close() {
    container.close(); // destroys the servlet, which closes the gateway
    gateway.close();
    claude.close();
  }
}
