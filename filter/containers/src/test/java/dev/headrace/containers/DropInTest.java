package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import dev.headrace.GatewayServlet;
import dev.headrace.identity.GatewayKey;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.ServletRegistration;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A web application that gets the jar and a settings file, and nothing else. */
class DropInTest {

  private static final String ON_STARTUP = "<load-on-startup>1</load-on-startup>";

  private static final String REQUEST =
      """
      {"model":"claude-sonnet-5-5","max_tokens":100,"stream":true,\
      "messages":[{"role":"user","content":"Hello"}]}""";

  private static final String FILES =
      """
      identity:
        sources: [key]
        keys-file: keys.yaml
      presets:
        support:
          model: claude-sonnet-5-5
          system: file:prompts/support.md
          max-tokens: 100
      """;

  @TempDir private Path directory;
  private ClaudeSimulator claude;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @BeforeEach
  void startClaude() throws IOException {
    claude = ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).start();
    claude.answersAlways(Answer.transcript(Transcripts.text()));
    Files.createDirectories(directory.resolve("app/WEB-INF"));
    Files.writeString(directory.resolve("app/index.txt"), "the application");
  }

  @AfterEach
  void stopClaude() {
    claude.close();
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void jarAndSettingsFileAreEnough(WebApplication kind) throws Exception {
    settings("mount: /ai\n" + upstream());
    try (WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      HttpResponse<byte[]> answer = post(application.port(), "/shop/ai/v1/messages");

      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body()).isEqualTo(Transcripts.text());
      assertThat(get(application.port(), "/shop/index.txt").body()).isEqualTo("the application");
    }
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void declarationInWebXmlIsNotRegisteredOnceMore(WebApplication kind) throws Exception {
    settings(upstream());
    Files.writeString(
        directory.resolve("app/WEB-INF/web.xml"),
        """
        <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0" metadata-complete="true">
          <servlet>
            <servlet-name>claude</servlet-name>
            <servlet-class>dev.headrace.GatewayServlet</servlet-class>
            <load-on-startup>1</load-on-startup>
            <async-supported>true</async-supported>
          </servlet>
          <servlet-mapping>
            <servlet-name>claude</servlet-name>
            <url-pattern>/elsewhere/*</url-pattern>
          </servlet-mapping>
        </web-app>
        """);
    try (WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      assertThat(post(application.port(), "/shop/elsewhere/v1/messages").statusCode())
          .isEqualTo(200);
      assertThat(get(application.port(), "/shop/claude/v1/models").statusCode()).isEqualTo(404);
    }
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void registersAlsoWhenAnnotationsAreSwitchedOff(WebApplication kind) throws Exception {
    settings(upstream());
    Files.writeString(
        directory.resolve("app/WEB-INF/web.xml"),
        """
        <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0" metadata-complete="true"/>
        """);
    try (WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      assertThat(post(application.port(), "/shop/claude/v1/messages").statusCode()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void switchedOffMeansNothingIsThere(WebApplication kind) throws Exception {
    settings("enabled: false\n" + upstream());
    try (WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      assertThat(get(application.port(), "/shop/claude/v1/models").statusCode()).isEqualTo(404);
      assertThat(get(application.port(), "/shop/index.txt").statusCode()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void switchedOffTheServletOfWebXmlNeedsNoKeyAndRefusesEverything(WebApplication kind)
      throws Exception {
    settings("enabled: false\nupstream: {api-key: '${NO_SUCH_VARIABLE}'}\n");
    servletInWebXml("", "/claude/*");
    try (LogLines log = new LogLines("dev.headrace.GatewayStart");
        WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      for (int i = 0; i < 2; i++) {
        HttpResponse<byte[]> answer = post(application.port(), "/shop/claude/v1/messages");
        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("x-should-retry")).contains("false");
        assertThat(new String(answer.body(), UTF_8))
            .contains("\"type\":\"error\"", "api_error", "switched off");
      }
      assertThat(log.at(Level.INFO)).singleElement().asString().contains("enabled: false");
    }
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void switchedOffTheFilterOfWebXmlPassesOnEverything(WebApplication kind) throws Exception {
    settings("enabled: false\n" + upstream());
    Files.createDirectories(directory.resolve("app/claude"));
    Files.writeString(directory.resolve("app/claude/page.txt"), "the application");
    webXml(
        """
          <filter>
            <filter-name>claude</filter-name>
            <filter-class>dev.headrace.GatewayFilter</filter-class>
            <async-supported>true</async-supported>
          </filter>
          <filter-mapping>
            <filter-name>claude</filter-name>
            <url-pattern>/*</url-pattern>
          </filter-mapping>
        """);
    try (WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      assertThat(get(application.port(), "/shop/claude/page.txt").body())
          .isEqualTo("the application");
      assertThat(get(application.port(), "/shop/claude/v1/models").body())
          .doesNotContain("not_found_error");
      assertThat(claude.requests()).isEmpty();
    }
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void withoutSettingsTheApplicationIsLeftAlone(WebApplication kind) throws Exception {
    try (WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      assertThat(get(application.port(), "/shop/claude/v1/models").statusCode()).isEqualTo(404);
      assertThat(get(application.port(), "/shop/index.txt").statusCode()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void filesBesideTheSettingsFileAreFound(WebApplication kind) throws Exception {
    Path folder = directory.resolve("app/WEB-INF");
    String key = GatewayKey.create(new SecureRandom());
    Files.writeString(
        folder.resolve("keys.yaml"),
        "keys:\n  - {name: alice, sha256: \"" + GatewayKey.sha256(key) + "\", group: staff}\n");
    Files.createDirectories(folder.resolve("prompts"));
    Files.writeString(folder.resolve("prompts/support.md"), "Answer in one sentence.");
    settings(upstream() + FILES);
    try (WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      assertThat(post(application.port(), "/shop/claude/v1/messages").statusCode()).isEqualTo(401);
      HttpRequest chat =
          HttpRequest.newBuilder(uri(application.port(), "/shop/claude/chat/support"))
              .header("content-type", "application/json")
              .header("x-api-key", key)
              .POST(
                  HttpRequest.BodyPublishers.ofString(
                      "{\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}"))
              .build();
      assertThat(client.send(chat, HttpResponse.BodyHandlers.discarding()).statusCode())
          .isEqualTo(200);
      assertThat(claude.lastRequest().bodyText()).contains("Answer in one sentence.");
    }
  }

  @Test
  void inAnApplicationThatIsNotUnpackedARelativePathStopsTheStart() throws Exception {
    settings(upstream() + FILES);
    Path war = directory.resolve("shop.war");
    try (FileSystem zip =
        FileSystems.newFileSystem(URI.create("jar:" + war.toUri()), Map.of("create", "true"))) {
      Files.createDirectory(zip.getPath("WEB-INF"));
      Files.copy(
          directory.resolve("app/WEB-INF/headrace.yaml"), zip.getPath("WEB-INF/headrace.yaml"));
    }
    assertThatThrownBy(() -> WebApplication.TOMCAT.deploy(war).close())
        .hasStackTraceContaining("keys.yaml is a relative path, and WEB-INF/headrace.yaml is in no")
        .hasStackTraceContaining("file:prompts/support.md\" is a relative path");
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void wrongSettingsStopTheStartAndAreAllNamed(WebApplication kind) throws Exception {
    settings("mount: claude\n" + upstream() + "timeouts:\n  idel: 5s\n");

    assertThatThrownBy(() -> kind.deploy(directory.resolve("app")).close())
        .hasStackTraceContaining("headrace.yaml:1")
        .hasStackTraceContaining("timeouts.idel is not a setting")
        .hasStackTraceContaining("Did you mean timeouts.idle?");
  }

  /** A servlet that fails stops the start in some containers only, and others would show why. */
  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void withWrongSettingsTheServletOfWebXmlRefusesEverythingAndTheLogSaysWhy(WebApplication kind)
      throws Exception {
    settings("mont: /claude\n" + upstream());
    servletInWebXml(ON_STARTUP, "/claude/*");
    try (LogLines log = new LogLines("dev.headrace.GatewayServlet");
        WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      assertThat(log.at(Level.ERROR))
          .singleElement()
          .asString()
          .contains("from WEB-INF/headrace.yaml:", "Did you mean mount? (headrace.yaml:1)");
      HttpResponse<byte[]> answer = post(application.port(), "/shop/claude/v1/messages");
      assertThat(answer.statusCode()).isEqualTo(503);
      assertThat(new String(answer.body(), UTF_8))
          .contains("\"type\":\"error\"", "did not start")
          .doesNotContain("mont");
      assertThat(get(application.port(), "/shop/claude/ops/ready").statusCode()).isEqualTo(503);
      assertThat(get(application.port(), "/shop/index.txt").body()).isEqualTo("the application");
    }
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void theServletOfWebXmlSaysWhereItAnswersAndThatMountIsNotItsOwn(WebApplication kind)
      throws Exception {
    settings("mount: /chat\n" + upstream());
    servletInWebXml(ON_STARTUP, "/ai/*", "/ai2");
    try (LogLines log = new LogLines("dev.headrace.GatewayServlet");
        WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      assertThat(post(application.port(), "/shop/ai/v1/messages").statusCode()).isEqualTo(200);
      assertThat(log.at(Level.INFO)).containsExactly("Headrace answers at /shop/ai/v1/messages");
      assertThat(log.warnings("mount is /chat, but the servlet claude is mapped to /ai/*"))
          .hasSize(1);
      assertThat(log.warnings("is mapped to /ai2, below which nothing reaches it")).hasSize(1);
    }
  }

  /** As in the README, by an application that has a settings file where it is found as well. */
  public static final class RegisteringListener implements ServletContextListener {
    @Override
    public void contextInitialized(ServletContextEvent event) {
      ServletRegistration.Dynamic claude =
          event.getServletContext().addServlet("claude", new GatewayServlet());
      claude.addMapping("/claude/*");
      claude.setAsyncSupported(true);
    }
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void aGatewayThatCodeRegistersBesideTheSettingsFileStopsTheStart(WebApplication kind)
      throws Exception {
    settings(upstream());
    webXml(
        "<listener><listener-class>%s</listener-class></listener>"
            .formatted(RegisteringListener.class.getName()));
    assertThatThrownBy(() -> kind.deploy(directory.resolve("app")).close())
        .hasStackTraceContaining("Headrace is there twice: the servlet headrace at /claude/*")
        .hasStackTraceContaining("because of the settings file WEB-INF/headrace.yaml")
        .hasStackTraceContaining("the servlet claude at");
    assertNoThreadIsLeft();
  }

  /** As Spring's, when the database is down. */
  public static final class FailingListener implements ServletContextListener {
    @Override
    public void contextInitialized(ServletContextEvent event) {
      throw new IllegalStateException("the application cannot start");
    }
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void anApplicationThatCannotStartLeavesNoGatewayBehind(WebApplication kind) throws Exception {
    settings(upstream());
    webXml(
        "<listener><listener-class>%s</listener-class></listener>"
            .formatted(FailingListener.class.getName()));
    assertThatThrownBy(() -> kind.deploy(directory.resolve("app")).close())
        .hasStackTraceContaining("the application cannot start");
    assertNoThreadIsLeft();
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void clientForPagesIsServedFromTheJar(WebApplication kind) throws Exception {
    RuntimeJars.install(directory.resolve("app"));
    settings(upstream());
    try (WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      assertServesTheClientForPages(application.port());
      assertThat(post(application.port(), "/shop/claude/v1/messages").statusCode()).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @CsvSource({"JETTY, /", "JETTY, /headrace", "TOMCAT, /", "TOMCAT, /headrace"})
  void clientForPagesIsServedAlsoWhereTheFilterAnswersAllAround(WebApplication kind, String mount)
      throws Exception {
    RuntimeJars.install(directory.resolve("app"));
    settings("mount: " + mount + "\n" + upstream());
    Files.writeString(
        directory.resolve("app/WEB-INF/web.xml"),
        """
        <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0">
          <filter>
            <filter-name>claude</filter-name>
            <filter-class>dev.headrace.GatewayFilter</filter-class>
            <async-supported>true</async-supported>
          </filter>
          <filter-mapping>
            <filter-name>claude</filter-name>
            <url-pattern>/*</url-pattern>
            <dispatcher>REQUEST</dispatcher>
            <dispatcher>ASYNC</dispatcher>
          </filter-mapping>
        </web-app>
        """);
    String below = "/shop" + (mount.equals("/") ? "" : mount);
    try (WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      int port = application.port();
      assertServesTheClientForPages(port);
      assertThat(get(port, "/shop/headrace/headrace.js;jsessionid=0").statusCode()).isEqualTo(200);
      assertThat(post(port, "/shop/headrace/headrace.js").statusCode()).isEqualTo(404);
      assertThat(get(port, "/shop/headrace/headrace.json").statusCode()).isEqualTo(404);
      assertThat(get(port, below + "/nothing").body()).contains("not_found_error");
      HttpResponse<byte[]> answer = post(port, below + "/v1/messages");
      assertThat(answer.body()).isEqualTo(Transcripts.text());
    }
  }

  private void assertServesTheClientForPages(int port) throws Exception {
    HttpResponse<String> script = get(port, "/shop/headrace/headrace.js");
    assertThat(script.statusCode()).isEqualTo(200);
    assertThat(script.body()).contains("export ");
    // Browsers run a module under no other type.
    assertThat(script.headers().firstValue("content-type").orElseThrow())
        .matches("(text|application)/javascript(;.*)?");
    assertThat(get(port, "/shop/headrace/headrace.d.ts").body()).contains("export ");
    HttpResponse<Void> head =
        client.send(
            HttpRequest.newBuilder(uri(port, "/shop/headrace/headrace.js"))
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .build(),
            HttpResponse.BodyHandlers.discarding());
    assertThat(head.statusCode()).isEqualTo(200);
  }

  @ParameterizedTest
  @EnumSource(WebApplication.class)
  void listenerAndSinkThatTheApplicationNamesAreCalled(WebApplication kind) throws Exception {
    Path notes = directory.resolve("notes");
    RuntimeJars.install(directory.resolve("app"));
    ApplicationExtensions.install(directory.resolve("app"), notes);
    settings(upstream());
    try (WebApplication.Deployed application = kind.deploy(directory.resolve("app"))) {
      assertThat(post(application.port(), "/shop/claude/v1/messages").statusCode()).isEqualTo(200);
      Awaitility.await()
          .untilAsserted(
              () ->
                  assertThat(Files.readAllLines(notes))
                      .containsExactlyInAnyOrder("heard Grüße aus Köln! 👋", "kept COMPLETED"));
    }
  }

  private static void assertNoThreadIsLeft() {
    Awaitility.await()
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.startsWith("headrace-")));
  }

  /**
   * @param loadOnStartup {@link #ON_STARTUP}, or nothing
   */
  private void servletInWebXml(String loadOnStartup, String... patterns) throws IOException {
    StringBuilder mappings = new StringBuilder();
    for (String pattern : patterns) {
      mappings.append("<url-pattern>").append(pattern).append("</url-pattern>");
    }
    webXml(
        """
          <servlet>
            <servlet-name>claude</servlet-name>
            <servlet-class>dev.headrace.GatewayServlet</servlet-class>
            %s
            <async-supported>true</async-supported>
          </servlet>
          <servlet-mapping>
            <servlet-name>claude</servlet-name>
            %s
          </servlet-mapping>
        """
            .formatted(loadOnStartup, mappings));
  }

  private void webXml(String declarations) throws IOException {
    Files.writeString(
        directory.resolve("app/WEB-INF/web.xml"),
        """
        <web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="5.0">
        %s</web-app>
        """
            .formatted(declarations));
  }

  private void settings(String yaml) throws IOException {
    Files.writeString(directory.resolve("app/WEB-INF/headrace.yaml"), yaml);
  }

  private String upstream() {
    return "upstream:\n  base-url: "
        + claude.baseUrl()
        + "\n  api-key: "
        + GatewayUnderTest.API_KEY
        + "\n";
  }

  private HttpResponse<byte[]> post(int port, String path) throws Exception {
    return client.send(
        HttpRequest.newBuilder(uri(port, path))
            .header("content-type", "application/json")
            .header("anthropic-version", "2026-10-21")
            .POST(HttpRequest.BodyPublishers.ofString(REQUEST))
            .build(),
        HttpResponse.BodyHandlers.ofByteArray());
  }

  private HttpResponse<String> get(int port, String path) throws Exception {
    return client.send(
        HttpRequest.newBuilder(uri(port, path)).build(), HttpResponse.BodyHandlers.ofString());
  }

  private static URI uri(int port, String path) {
    return URI.create("http://127.0.0.1:" + port + path);
  }
}
