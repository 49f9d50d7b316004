package dev.headrace.containers;

import dev.headrace.GatewayBuilder;
import dev.headrace.ManualTime;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.simulator.ClaudeSimulator;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;

/**
 * What all contracts share: they run in each container, and after each test every permit, exchange
 * and upstream connection is back.
 */
abstract class GatewayContract {

  static final String KEY = GatewayUnderTest.API_KEY;

  /** A Messages request that asks for a stream. */
  static final String STREAMING = Requests.streaming("Hello");

  private final ContainerKind kind;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<GatewayUnderTest> gateways = new ArrayList<>();

  GatewayContract(ContainerKind kind) {
    this.kind = kind;
  }

  final ContainerKind kind() {
    return kind;
  }

  final GatewayUnderTest start() throws Exception {
    return start(settings -> settings);
  }

  final GatewayUnderTest start(UnaryOperator<GatewaySettingsBuilder> change) throws Exception {
    return start(ClaudeSimulator.builder().apiKey(KEY), change);
  }

  final GatewayUnderTest start(
      ClaudeSimulator.Builder simulator, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return keep(GatewayUnderTest.start(kind, simulator.start(), change));
  }

  /** With listeners or sinks of the application's. */
  final GatewayUnderTest startWith(
      ClaudeSimulator.Builder simulator,
      UnaryOperator<GatewaySettingsBuilder> change,
      UnaryOperator<GatewayBuilder> addition)
      throws Exception {
    return keep(GatewayUnderTest.startWith(kind, simulator.start(), change, addition));
  }

  /** With a clock that the test moves; what that sets off happens a tenth of a second later. */
  final GatewayUnderTest start(ManualTime time, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return keep(
        GatewayUnderTest.start(kind, ClaudeSimulator.builder().apiKey(KEY).start(), time, change));
  }

  /** With every attempt counted, also those that do not reach the simulator. */
  final GatewayUnderTest start(
      CountedAttempts attempts, UnaryOperator<GatewaySettingsBuilder> change) throws Exception {
    return keep(GatewayUnderTest.start(kind, attempts, change));
  }

  final GatewayUnderTest keep(GatewayUnderTest headrace) {
    gateways.add(headrace);
    return headrace;
  }

  /** A client that is closed after the test. */
  final RawClient client(GatewayUnderTest headrace) throws IOException {
    RawClient client = RawClient.connect(headrace.port());
    open.add(client);
    return client;
  }

  /** A client that cannot take much without reading; closed after the test. */
  final RawClient clientWithSmallBuffer(GatewayUnderTest headrace) throws IOException {
    RawClient client = RawClient.connectWithSmallBuffer(headrace.port());
    open.add(client);
    return client;
  }

  /** One answer on a connection of its own. */
  final RawClient.Reply post(GatewayUnderTest headrace, String body) throws IOException {
    try (RawClient client = RawClient.connect(headrace.port())) {
      return client.post(body).reply();
    }
  }

  @AfterEach
  final void everythingIsGivenBack() throws Exception {
    for (AutoCloseable closeable : open) {
      closeable.close();
    }
    try {
      for (GatewayUnderTest headrace : gateways) {
        headrace.awaitIdle(Duration.ofSeconds(15));
      }
    } finally {
      gateways.forEach(GatewayUnderTest::close);
    }
    afterClosing();
  }

  /** What a contract wants to see when everything is closed; nothing by default. */
  void afterClosing() {}
}
