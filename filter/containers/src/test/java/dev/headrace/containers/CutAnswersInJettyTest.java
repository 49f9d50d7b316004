package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.Gateway;
import dev.headrace.GatewayServlet;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.containers.RawClient.End;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A Jetty that ends every connection with its answer says so to nobody beforehand. */
final class CutAnswersInJettyTest {

  private final ClaudeSimulator claude = ClaudeSimulator.start();
  private final Gateway gateway =
      Gateway.start(
          GatewaySettings.builder()
              .upstreamBaseUrl(claude.baseUrl())
              .upstreamApiKey(Secret.of("sk-test"))
              .build());
  private final Server server = new Server();
  private final ServerConnector connector;

  CutAnswersInJettyTest() throws Exception {
    HttpConfiguration http = new HttpConfiguration();
    http.setPersistentConnectionsEnabled(false);
    connector = new ServerConnector(server, new HttpConnectionFactory(http));
    connector.setHost("127.0.0.1");
    server.addConnector(connector);
    ServletContextHandler context = new ServletContextHandler();
    ServletHolder holder = new ServletHolder("claude", new GatewayServlet(gateway));
    holder.setAsyncSupported(true);
    context.addServlet(holder, "/claude/*");
    server.setHandler(context);
    server.start();
  }

  @AfterEach
  void stop() throws Exception {
    server.stop();
    gateway.close();
    claude.close();
  }

  private RawClient.Reply ask() throws Exception {
    try (RawClient client = RawClient.connect(connector.getLocalPort())) {
      return client.post("/claude/v1/messages?format=text", GatewayContract.STREAMING).reply();
    }
  }

  @Test
  void withoutPersistentConnections() throws Exception {
    claude.answersAlways(Answer.transcript(Transcripts.text()).cutAfterEvents(4));
    RawClient.Reply cut = ask();
    assertThat(cut.body()).isEqualTo("Grüße");
    assertThat(cut.end()).isNotEqualTo(End.COMPLETE);

    claude.answersAlways(Answer.transcript(Transcripts.text()));
    RawClient.Reply whole = ask();
    assertThat(whole.body()).contains("Köln");
    assertThat(whole.end()).isEqualTo(End.COMPLETE);
  }
}
