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
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.catalina.Context;
import org.apache.catalina.Wrapper;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.descriptor.web.ErrorPage;
import org.apache.tomcat.util.descriptor.web.FilterDef;
import org.apache.tomcat.util.descriptor.web.FilterMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What an application has set up for exceptions does not complete an answer that was cut. */
final class CutAnswersInTomcatTest {

  private final ClaudeSimulator claude = ClaudeSimulator.start();
  private final Gateway gateway =
      Gateway.start(
          GatewaySettings.builder()
              .upstreamBaseUrl(claude.baseUrl())
              .upstreamApiKey(Secret.of("sk-test"))
              .build());
  private final Tomcat tomcat = new Tomcat();
  private final Context application;

  CutAnswersInTomcatTest(@TempDir Path folder) {
    tomcat.setBaseDir(folder.toString());
    Connector connector = new Connector();
    connector.setPort(0);
    connector.setProperty("address", "127.0.0.1");
    tomcat.setConnector(connector);
    application = tomcat.addContext("", folder.toString());
    Wrapper servlet = Tomcat.addServlet(application, "claude", new GatewayServlet(gateway));
    servlet.setAsyncSupported(true);
    servlet.addMapping("/claude/*");
  }

  @BeforeEach
  void answersBreakOff() {
    claude.answersAlways(Answer.transcript(Transcripts.text()).cutAfterEvents(4));
  }

  @AfterEach
  void stop() throws Exception {
    tomcat.stop();
    tomcat.destroy();
    gateway.close();
    claude.close();
  }

  private void assertCut() throws Exception {
    tomcat.start();
    try (RawClient client = RawClient.connect(tomcat.getConnector().getLocalPort())) {
      RawClient.Reply reply =
          client.post("/claude/v1/messages?format=text", GatewayContract.STREAMING).reply();
      assertThat(reply.body()).isEqualTo("Grüße");
      assertThat(reply.end()).isNotEqualTo(End.COMPLETE);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"java.lang.Throwable", "java.io.IOException"})
  void anErrorPage(String exception) throws Exception {
    HttpServlet sorry =
        new HttpServlet() {
          private static final long serialVersionUID = 1L;

          @Override
          protected void service(HttpServletRequest request, HttpServletResponse response)
              throws IOException {
            response.getOutputStream().print("<html>Sorry</html>");
          }
        };
    Tomcat.addServlet(application, "sorry", sorry).addMapping("/sorry");
    ErrorPage page = new ErrorPage();
    page.setExceptionType(exception);
    page.setLocation("/sorry");
    application.addErrorPage(page);
    assertCut();
  }

  @Test
  void aFilterThatCatchesWhatADispatchThrows() throws Exception {
    FilterDef filter = new FilterDef();
    filter.setFilterName("catching");
    filter.setFilter(CutAnswersTest.CATCHING);
    filter.setAsyncSupported("true");
    application.addFilterDef(filter);
    FilterMap map = new FilterMap();
    map.setFilterName("catching");
    map.addURLPattern("/*");
    map.setDispatcher("REQUEST");
    map.setDispatcher("ASYNC");
    application.addFilterMap(map);
    assertCut();
  }
}
