package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.servers.ServerKind;
import dev.headrace.servers.ServerProcess;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import java.io.IOException;
import java.net.CookieManager;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The sample legacy application as it is, in real servers with JSP: people log in with its form and
 * ask on its page, and the gateway is there by jar and YAML only.
 */
@Tag("slow")
class LegacyApplicationTest {

  private static final String STREAMING = Requests.streaming("Hello");
  private static final String TEXT = new String(Transcripts.text(), UTF_8);

  @TempDir private Path directory;
  private ClaudeSimulator claude;

  @BeforeEach
  void startClaude() throws IOException {
    claude = ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).start();
    claude.answersAlways(Answer.transcript(TEXT));
  }

  @AfterEach
  void stopClaude() {
    claude.close();
  }

  private ServerProcess start(ServerKind kind) throws Exception {
    Path application =
        LegacyApplication.in(directory.resolve("orders"))
            .with(
                """
                upstream:
                  base-url: %s
                  api-key: %s
                timeouts:
                  heartbeat: 200ms
                identity:
                  sources: [principal]
                plans:
                  clerks:
                    roles: [clerk]
                  visitors:
                    roles: [visitor]
                    requests: 1/1h
                """
                    .formatted(claude.baseUrl(), GatewayUnderTest.API_KEY));
    RuntimeJars.install(application);
    RuntimeJars.installLogback(application);
    return ServerProcess.of(kind).war("orders", application).start();
  }

  @ParameterizedTest
  @EnumSource(names = {"TOMCAT_11", "JETTY_12_1"})
  void whoHasLoggedInWithTheFormStreamsBehindTheOldFilters(ServerKind kind) throws Exception {
    try (ServerProcess server = start(kind)) {
      Browser alice = new Browser(server);
      assertThat(alice.logIn("alice", "wrong")).contains("Wrong name or password");
      assertThat(alice.logIn("alice", "wonder"))
          .contains("<b id=\"user\">alice</b>", "(clerk)", "/orders/headrace/headrace.js");
      assertThat(alice.get("/orders/headrace/headrace.js")).contains("export ");

      claude.answersAlways(Answer.text("one", "two").stallAfterEvents(4));
      try (RawClient client = alice.post()) {
        assertThat(client.replyHead().status()).isEqualTo(200);
        assertThat(client.readBodyUntil("\"one\"")).doesNotContain("two");
      }
      Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> claude.openStreams() == 0);

      claude.answersAlways(Answer.transcript(TEXT));
      Reply whole = alice.post().reply();
      assertThat(whole.end()).isEqualTo(End.COMPLETE);
      assertThat(whole.body()).isEqualTo(TEXT);
      assertThat(alice.post().reply().status()).isEqualTo(200);

      // The role of the container's login chooses the plan.
      Browser bob = new Browser(server);
      assertThat(bob.logIn("bob", "builder")).contains("<b id=\"user\">bob</b>");
      assertThat(bob.post().reply().status()).isEqualTo(200);
      Reply refused = bob.post().reply();
      assertThat(refused.status()).isEqualTo(429);
      assertThat(refused.body()).contains("rate_limit_error");

      String log = Files.readString(server.log());
      assertThat(log)
          .contains(
              "Filters in front of Headrace at /claude/*",
              "<filter><filter-name>logging</filter-name>"
                  + "<filter-class>com.example.orders.LoggingFilter</filter-class>"
                  + "<async-supported>true</async-supported></filter>",
              "Async is off for /claude")
          .doesNotContain("seems to compress", GatewayUnderTest.API_KEY);
    }
  }

  /** The application says what then happens; nothing of it may look like an answer of Claude's. */
  @ParameterizedTest
  @EnumSource(names = {"TOMCAT_11", "JETTY_12_1"})
  void whoHasNoSessionGetsTheApplicationsLoginAndNoAnswer(ServerKind kind) throws Exception {
    try (ServerProcess server = start(kind);
        RawClient nobody = RawClient.connect(server.port())) {
      Reply reply = nobody.post("/orders/claude/v1/messages", STREAMING).reply();
      if (reply.status() == 200) {
        assertThat(reply.body()).contains("j_security_check");
        assertThat(reply.header("content-type").orElseThrow()).startsWith("text/html");
      } else {
        assertThat(reply.status()).isIn(302, 303, 401);
      }
      assertThat(reply.body()).doesNotContain("event:");
      assertThat(claude.attempts()).isZero();
    }
  }

  /** Keeps its session and follows redirects. */
  private static final class Browser {

    private final ServerProcess server;
    private final CookieManager cookies = new CookieManager();
    private final HttpClient http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .cookieHandler(cookies)
            .followRedirects(HttpClient.Redirect.NORMAL)
            .build();

    Browser(ServerProcess server) {
      this.server = server;
    }

    private URI uri(String path) {
      return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    String get(String path) throws Exception {
      return http.send(
              HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString())
          .body();
    }

    /** The page that follows the form. */
    String logIn(String name, String password) throws Exception {
      assertThat(get("/orders/index.jsp")).contains("j_security_check");
      String form = "j_username=" + URLEncoder.encode(name, UTF_8) + "&j_password=" + password;
      return http.send(
              HttpRequest.newBuilder(uri("/orders/j_security_check"))
                  .header("Content-Type", "application/x-www-form-urlencoded")
                  .POST(HttpRequest.BodyPublishers.ofString(form))
                  .build(),
              HttpResponse.BodyHandlers.ofString())
          .body();
    }

    /** Asks as the page does. */
    RawClient post() throws IOException {
      String session =
          cookies.getCookieStore().get(uri("/orders/claude/v1/messages")).stream()
              .filter(cookie -> cookie.getName().equals("JSESSIONID"))
              .findFirst()
              .orElseThrow()
              .getValue();
      return RawClient.connect(server.port())
          .post(
              "/orders/claude/v1/messages",
              STREAMING,
              "Cookie: JSESSIONID=" + session,
              "Sec-Fetch-Site: same-origin");
    }
  }
}
