package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.Gateway;
import dev.headrace.GatewayServlet;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import io.undertow.Undertow;
import io.undertow.servlet.Servlets;
import io.undertow.servlet.api.DeploymentManager;
import io.undertow.servlet.util.ImmediateInstanceFactory;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Undertow waits for a body as long as its client likes, unless somebody calls its thread back. */
final class SilentUploadInUndertowTest {

  @Test
  @Timeout(60)
  void behindAFilterWithoutAsyncTheBodyClockEndsItAndFreesTheThread() throws Exception {
    Filter legacy = (request, response, chain) -> chain.doFilter(request, response);
    Gateway gateway =
        Gateway.start(
            GatewaySettings.builder()
                .upstreamApiKey(Secret.of("unused"))
                .requestBodyTimeout(Duration.ofMillis(300))
                .blockingMaxConcurrent(1)
                .build());
    DeploymentManager application =
        Servlets.defaultContainer()
            .addDeployment(
                Servlets.deployment()
                    .setClassLoader(getClass().getClassLoader())
                    .setContextPath("/")
                    .setDeploymentName("headrace")
                    .addFilter(
                        Servlets.filter(
                            "legacy", legacy.getClass(), new ImmediateInstanceFactory<>(legacy)))
                    .addFilterUrlMapping("legacy", "/*", DispatcherType.REQUEST)
                    .addServlet(
                        Servlets.servlet(
                                "claude",
                                GatewayServlet.class,
                                new ImmediateInstanceFactory<>(new GatewayServlet(gateway)))
                            .addMapping("/claude/*")
                            .setAsyncSupported(true)));
    application.deploy();
    Undertow server =
        Undertow.builder().addHttpListener(0, "127.0.0.1").setHandler(application.start()).build();
    server.start();
    try {
      int port = ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
      for (int i = 0; i < 2; i++) { // the second one gets the only place that the first one had
        try (RawClient silent = RawClient.connect(port)) {
          String head =
              RawClient.head("POST", "/claude/v1/messages", "Content-Length: 100") + "\r\n";
          assertThat(silent.send(head, new byte[0]).reply().status()).isEqualTo(408);
        }
      }
      FailureContract.quickly() // an exchange ends behind its last byte
          .untilAsserted(
              () ->
                  assertThat(gateway.outcomes()).containsExactly(Map.entry("TIMED_OUT(body)", 2L)));
    } finally {
      server.stop();
      application.stop();
      gateway.close();
    }
  }
}
