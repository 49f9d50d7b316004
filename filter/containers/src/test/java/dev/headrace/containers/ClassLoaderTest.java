package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application that has the gateway and its libraries in {@code WEB-INF/lib}, and a listener and
 * a sink of its own, in Tomcat: when it is gone, its class loader is gone too. Any thread, timer or
 * thread-local of ours would keep it.
 */
class ClassLoaderTest {

  @TempDir private Path directory;

  @Test
  void classLoaderOfAnUndeployedApplicationIsCollected() throws Exception {
    Path application = directory.resolve("app");
    Path notes = directory.resolve("notes");
    install(application, notes);
    try (ClaudeSimulator claude =
        ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).start()) {
      Files.writeString(
          application.resolve("WEB-INF/headrace.yaml"),
          "upstream:\n  base-url: "
              + claude.baseUrl()
              + "\n  api-key: "
              + GatewayUnderTest.API_KEY
              + "\n  forward-headers: [x-tenant]\n  members:\n    - name: a\n    - name: b\n"
              + "retry:\n  wait-duration: 10ms\n  fallbacks:\n    claude-a: [claude-b]\n"
              + "request:\n  extra-endpoints: [\"GET /v1/files\", \"GET /v1/files/{id}\"]\n"
              + "shutdown:\n  drain: 100ms\n"
              + "usage:\n  log: true\n  spool: "
              + directory.resolve("spool")
              + "\n");
      Tomcat tomcat = new Tomcat();
      tomcat.setBaseDir(directory.resolve("tomcat").toString());
      Connector connector = new Connector();
      connector.setPort(0);
      connector.setProperty("address", "127.0.0.1");
      tomcat.setConnector(connector);
      // All of Tomcat's threads are made at its start. Until JDK 23 one that it makes while a
      // thread
      // of ours calls it remembers our code's protection domain; where the pool may grow, the
      // ThreadLocalLeakPreventionListener of the server.xml that Tomcat ships renews such threads.
      connector.setProperty("maxThreads", "40");
      connector.setProperty("minSpareThreads", "40");
      tomcat.start();
      try {
        WeakReference<ClassLoader> loader = useAndUndeploy(tomcat, application, claude);
        assertThat(notes).content().contains("heard Hello\n", "kept COMPLETED\n", "kept CANCELLED");
        Awaitility.await("the class loader is collected")
            .atMost(Duration.ofSeconds(20))
            .until(
                () -> {
                  System.gc();
                  return loader.get() == null;
                });
      } finally {
        tomcat.stop();
        tomcat.destroy();
      }
    }
  }

  /** In a method of its own, so that no local variable keeps anything. */
  private static WeakReference<ClassLoader> useAndUndeploy(
      Tomcat tomcat, Path application, ClaudeSimulator claude) throws Exception {
    StandardContext context =
        (StandardContext) tomcat.addWebapp("/shop", application.toAbsolutePath().toString());
    context.setUnloadDelay(200);
    ClassLoader loader = context.getLoader().getClassLoader();
    assertThat(loader.loadClass("dev.headrace.Gateway").getClassLoader()).isSameAs(loader);
    assertThat(loader.loadClass("tools.jackson.core.JsonParser").getClassLoader()).isSameAs(loader);
    int port = tomcat.getConnector().getLocalPort();

    claude.answers(Answer.status(529)); // so that a second attempt is made
    claude.answers(Answer.text("Hello"));
    try (RawClient client = RawClient.connect(port)) {
      client.post("/shop/claude/v1/messages", Requests.streaming("Hello"));
      assertThat(client.reply().body()).contains("message_stop");
    }
    claude.answersAlways(Answer.text("Hel").stallAfterEvents(4));
    List<RawClient> running = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      RawClient client = RawClient.connect(port);
      running.add(client);
      client.post("/shop/claude/v1/messages", Requests.streaming("Hello")).replyHead();
    }
    tomcat.getHost().removeChild(context);
    for (RawClient client : running) {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      assertThat(client.readBody(body, Long.MAX_VALUE)).isEqualTo(RawClient.End.COMPLETE);
      assertThat(body.toString(UTF_8)).contains("event: error");
      client.close();
    }
    return new WeakReference<>(loader);
  }

  private static void install(Path application, Path notes) throws IOException {
    Files.createDirectories(application.resolve("WEB-INF"));
    // Else the logging of the whole test run ends with this application.
    Files.writeString(
        application.resolve("WEB-INF/web.xml"),
        """
        <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0">
          <context-param>
            <param-name>logbackDisableServletContainerInitializer</param-name>
            <param-value>true</param-value>
          </context-param>
        </web-app>
        """);
    RuntimeJars.install(application);
    ApplicationExtensions.install(application, notes);
  }
}
