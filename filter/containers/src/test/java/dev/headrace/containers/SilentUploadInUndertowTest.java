package dev.headrace.containers;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.Gateway;
import dev.headrace.GatewayInside;
import dev.headrace.GatewayServlet;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import io.undertow.Undertow;
import io.undertow.servlet.Servlets;
import io.undertow.servlet.api.DeploymentInfo;
import io.undertow.servlet.api.DeploymentManager;
import io.undertow.servlet.util.ImmediateInstanceFactory;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Undertow waits for a body as long as its client likes: in a read, unless somebody calls its
 * thread back, and when it is to complete a request that was answered before.
 */
final class SilentUploadInUndertowTest {

  private static final int THREADS = 2; // for requests

  private @Nullable Gateway gateway;
  private @Nullable DeploymentManager application;
  private @Nullable Undertow server;

  /** The port of a server with few threads. */
  private int start(DeploymentInfo deployment) throws Exception {
    Gateway running =
        Gateway.start(
            GatewaySettings.builder()
                .upstreamApiKey(Secret.of("unused"))
                .upstreamBaseUrl(URI.create("http://127.0.0.1:1"))
                .requestBodyTimeout(Duration.ofMillis(300))
                .blockingMaxConcurrent(1)
                .build());
    gateway = running;
    DeploymentManager deployed =
        Servlets.defaultContainer()
            .addDeployment(
                deployment
                    .setClassLoader(getClass().getClassLoader())
                    .setContextPath("/")
                    .setDeploymentName("headrace")
                    .addServlet(
                        Servlets.servlet(
                                "claude",
                                GatewayServlet.class,
                                new ImmediateInstanceFactory<>(new GatewayServlet(running)))
                            .addMapping("/claude/*")
                            .setAsyncSupported(true)));
    application = deployed;
    deployed.deploy();
    Undertow started =
        Undertow.builder()
            .setWorkerThreads(THREADS)
            .addHttpListener(0, "127.0.0.1")
            .setHandler(deployed.start())
            .build();
    server = started;
    started.start();
    return ((InetSocketAddress) started.getListenerInfo().get(0).getAddress()).getPort();
  }

  @AfterEach
  void stop() throws Exception {
    if (server != null) {
      server.stop();
    }
    if (application != null) {
      application.stop();
    }
    if (gateway != null) {
      gateway.close();
    }
  }

  @Test
  @Timeout(60)
  void behindAFilterWithoutAsyncTheBodyClockEndsItAndFreesTheThread() throws Exception {
    Filter legacy = (request, response, chain) -> chain.doFilter(request, response);
    int port =
        start(
            Servlets.deployment()
                .addFilter(
                    Servlets.filter(
                        "legacy", legacy.getClass(), new ImmediateInstanceFactory<>(legacy)))
                .addFilterUrlMapping("legacy", "/*", DispatcherType.REQUEST));
    // More than there are threads, and the second one gets the only place that the first one had.
    answersAndLetsGo(port, RawClient.head("POST", "/claude/v1/messages", LENGTH), 408);
    Gateway running = requireNonNull(gateway);
    FailureContract.quickly() // an exchange ends behind its last byte
        .untilAsserted(
            () ->
                assertThat(running.outcomes())
                    .containsExactly(Map.entry("TIMED_OUT(body)", THREADS + 1L)));
  }

  @ParameterizedTest
  @CsvSource({
    "POST, /claude/v1/messages, 408",
    "POST, /claude/nope, 404",
    "GET, /claude/v1/models, 502",
    "GET, /claude/ops/ready, 200",
    "OPTIONS, /claude/v1/messages, 405"
  })
  @Timeout(60)
  void anAnswerBeforeTheBodyHoldsNoThread(String method, String path, int status) throws Exception {
    int port = start(Servlets.deployment());
    answersAndLetsGo(port, RawClient.head(method, path, LENGTH), status);
  }

  private static final String LENGTH = "Content-Length: 100";

  /** While the clients stay, others get their answers. */
  private void answersAndLetsGo(int port, CharSequence head, int status) throws Exception {
    Gateway running = requireNonNull(gateway);
    List<RawClient> silent = new ArrayList<>();
    try {
      for (int i = 0; i <= THREADS; i++) {
        RawClient client = RawClient.connect(port);
        silent.add(client);
        RawClient.Reply reply = client.send(head + "\r\n", new byte[0]).reply();
        assertThat(reply.status()).isEqualTo(status);
        assertThat(reply.end()).isEqualTo(RawClient.End.COMPLETE);
        // The thread comes back behind the last byte, and the next client needs its place.
        FailureContract.quickly().until(() -> GatewayInside.heldThreads(running) == 0);
      }
      try (RawClient other = RawClient.connect(port)) {
        assertThat(other.request("GET", "/claude/ops/ready").reply().status()).isEqualTo(200);
      }
    } finally {
      for (RawClient client : silent) {
        client.close();
      }
    }
  }
}
