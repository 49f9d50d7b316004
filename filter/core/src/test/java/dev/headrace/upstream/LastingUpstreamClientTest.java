package dev.headrace.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LastingUpstreamClientTest {

  private final List<UpstreamClient> made = new ArrayList<>();

  private UpstreamClient make() {
    UpstreamClient client =
        new ApacheUpstreamClient(
            GatewaySettings.builder().upstreamApiKey(Secret.of("k")).upstreamIoThreads(1).build());
    made.add(client);
    return client;
  }

  private static void call(UpstreamClient client, ServerSocket server) throws Exception {
    Deaf listener = new Deaf();
    URI origin = URI.create("http://127.0.0.1:" + server.getLocalPort());
    client.start(
        new UpstreamRequest(origin, "GET", "/v1/models", List.of(), new byte[0], 0), listener);
    try (Socket connection = server.accept()) {
      assertThat(connection.getInputStream().read()).isEqualTo('G');
    }
    assertThat(listener.failure.get().kind()).isEqualTo(UpstreamFailure.Kind.NO_RESPONSE);
  }

  @Test
  @Timeout(60)
  void aClientThatHasDiedIsReplaced() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 9, InetAddress.getLoopbackAddress());
        LastingUpstreamClient client = new LastingUpstreamClient(this::make)) {
      call(client, server);
      assertThat(made).hasSize(1);

      made.get(0).close(); // what HttpCore does when an I/O thread has ended

      call(client, server);
      call(client, server);
      assertThat(made).hasSize(2);
      client.closeExpired();
      assertThat(client.connectionsInUse()).isZero();
    }
    assertThat(made).noneMatch(UpstreamClient::isRunning);
  }

  @Test
  @Timeout(60)
  void afterTheEndNothingIsMadeAnew() {
    LastingUpstreamClient client = new LastingUpstreamClient(this::make);
    client.close();
    try {
      client.start(
          new UpstreamRequest(
              URI.create("http://127.0.0.1:1"), "GET", "/", List.of(), new byte[0], 0),
          new Deaf());
    } catch (IllegalStateException e) {
      // of a client that has ended
    }
    assertThat(made).hasSize(1);
  }
}
