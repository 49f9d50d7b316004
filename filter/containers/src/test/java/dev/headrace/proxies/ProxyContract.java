package dev.headrace.proxies;

import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.containers.ContainerKind;
import dev.headrace.containers.GatewayUnderTest;
import dev.headrace.containers.RawClient;
import dev.headrace.containers.Requests;
import dev.headrace.simulator.ClaudeSimulator;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.provider.Arguments;

/**
 * What all tests with a proxy share: each proxy stands in front of each container, and after each
 * test every permit, exchange and upstream connection is back.
 */
abstract class ProxyContract {

  static final String STREAMING = Requests.streaming("Hello");

  private final ProxyKind kind;
  private final ContainerKind container;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<GatewayUnderTest> gateways = new ArrayList<>();

  ProxyContract(ProxyKind kind, ContainerKind container) {
    this.kind = kind;
    this.container = container;
  }

  static Stream<Arguments> pairs() {
    return Stream.of(ProxyKind.values())
        .flatMap(
            proxy ->
                Stream.of(ContainerKind.values())
                    .map(container -> Arguments.arguments(proxy, container)));
  }

  @BeforeEach
  final void theProxyMustBeInstalled() {
    kind.require();
  }

  final ProxyKind kind() {
    return kind;
  }

  final ContainerKind container() {
    return container;
  }

  /** For the figures. */
  final String pair() {
    return kind + " in front of " + container;
  }

  final GatewayUnderTest gateway(UnaryOperator<GatewaySettingsBuilder> change) throws Exception {
    ClaudeSimulator claude =
        ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).recordEventTimes().start();
    return keep(GatewayUnderTest.start(container, claude, change));
  }

  final GatewayUnderTest keep(GatewayUnderTest gateway) {
    gateways.add(gateway);
    return gateway;
  }

  final ProxyServer inFrontOf(GatewayUnderTest gateway) throws Exception {
    return closing(ProxyServer.of(kind, gateway.port()).start());
  }

  /** Closed after the test, before the gateways. */
  final <T extends AutoCloseable> T closing(T closeable) {
    open.add(closeable);
    return closeable;
  }

  final RawClient client(ProxyServer proxy) throws IOException {
    return closing(RawClient.connect(proxy.port()));
  }

  /** One answer on a connection of its own. */
  static RawClient.Reply post(ProxyServer proxy, String body) throws IOException {
    return post(proxy, "/claude/v1/messages", body);
  }

  static RawClient.Reply post(ProxyServer proxy, String path, String body) throws IOException {
    try (RawClient client = RawClient.connect(proxy.port())) {
      return client.post(path, body).reply();
    }
  }

  @AfterEach
  final void everythingIsGivenBack() throws Exception {
    try {
      for (GatewayUnderTest gateway : gateways) {
        gateway.awaitIdle(Duration.ofSeconds(15));
      }
    } finally {
      for (int i = open.size() - 1; i >= 0; i--) {
        open.get(i).close();
      }
      gateways.forEach(GatewayUnderTest::close);
    }
  }
}
