package dev.headrace.war;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.InternalServerException;
import com.anthropic.errors.UnauthorizedException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import dev.headrace.identity.GatewayKey;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** The WAR as its operator and its users meet it. */
@ParameterizedClass
@EnumSource(WarContainer.class)
class WarTest {

  private static final String API_KEY = "sk-test-upstream";
  private static final String ALICES_KEY = GatewayKey.create(new SecureRandom());

  private final WarContainer kind;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.headrace");

  @TempDir private Path directory;
  private ClaudeSimulator claude;

  WarTest(WarContainer kind) {
    this.kind = kind;
    claude = ClaudeSimulator.builder().apiKey(API_KEY).start();
  }

  @BeforeEach
  void listen() throws IOException {
    claude.answersAlways(Answer.text("Hello, ", "World!"));
    log.start();
    logger.setLevel(Level.INFO);
    logger.addAppender(log);
    Files.writeString(
        directory.resolve("keys.yaml"),
        "keys:\n  - {name: alice, group: users, sha256: " + GatewayKey.sha256(ALICES_KEY) + "}\n");
  }

  @AfterEach
  void stop() {
    logger.detachAppender(log);
    claude.close();
  }

  // ---- configured ----

  @ParameterizedTest
  @ValueSource(strings = {"", "/headrace"})
  void anSdkStreamsWithTheBaseUrlOfThePageAndAGatewayKey(String contextPath) throws Exception {
    try (WarContainer.Deployed war = deploy(contextPath, withKeys(""))) {
      String base = "http://127.0.0.1:" + war.port() + contextPath;
      assertThat(get(war, contextPath + "/").body()).contains(">" + base + "</span></pre>");

      assertThat(stream(base, ALICES_KEY)).isEqualTo("Hello, World!");
      assertThatThrownBy(() -> stream(base, "hr_wrong")).isInstanceOf(UnauthorizedException.class);
      assertThat(claude.attempts()).isEqualTo(1);
      assertThat(get(war, contextPath + "/ops/ready").body()).isEqualTo("{\"status\":\"ready\"}");
    }
  }

  @Test
  void thePathWithoutItsSlashLeadsToThePage() throws Exception {
    try (WarContainer.Deployed war = deploy("/headrace", withKeys(""))) {
      HttpResponse<String> answer = get(war, "/headrace");
      assertThat(answer.statusCode()).isIn(301, 302);
      assertThat(answer.headers().firstValue("location").orElseThrow()).endsWith("/headrace/");
    }
  }

  @Test
  void anExplicitMountIsRespectedAndShown() throws Exception {
    try (WarContainer.Deployed war = deploy("/headrace", withKeys("mount: /ai\n"))) {
      String base = "http://127.0.0.1:" + war.port() + "/headrace/ai";
      assertThat(get(war, "/headrace/").body())
          .contains(">" + base + "</span></pre>", "<code>/ai</code>");

      assertThat(stream(base, ALICES_KEY)).isEqualTo("Hello, World!");
      assertThat(get(war, "/headrace/ops/ready").statusCode()).isEqualTo(200);
      assertThat(get(war, "/headrace/ai/ops/ready").statusCode()).isEqualTo(200);
      assertThat(post(war, "/headrace/v1/messages").statusCode()).isEqualTo(404);
      assertThat(post(war, "/headrace/v1/messages").body()).contains("not_found_error");
    }
  }

  @Test
  void theJarDoesNotRegisterASecondGateway() throws Exception {
    try (WarContainer.Deployed war = deploy("/headrace", withKeys(""))) {
      assertThat(messages(Level.INFO))
          .filteredOn(line -> line.startsWith("Headrace starts"))
          .hasSize(1);
      assertThat(get(war, "/headrace/claude/v1/models").statusCode()).isEqualTo(404);
    }
  }

  @Test
  void jndiNamesTheSettingsFile() throws Exception {
    String settings = withKeys("").toString();
    try (WarContainer.Deployed war = kind.deploy("/headrace", directory, null, settings)) {
      assertThat(get(war, "/headrace/ops/ready").statusCode()).isEqualTo(200);
    }
  }

  @Test
  void thePageIsHarmless() throws Exception {
    try (WarContainer.Deployed war = deploy("/headrace", withKeys(""))) {
      stream("http://127.0.0.1:" + war.port() + "/headrace", ALICES_KEY);
      HttpResponse<String> page = get(war, "/headrace/");

      assertThat(page.statusCode()).isEqualTo(200);
      assertThat(page.body())
          .contains("Ready", "Version", "in force", "$GATEWAY_KEY", "ops/metrics")
          .doesNotContain(
              API_KEY,
              ALICES_KEY,
              GatewayKey.sha256(ALICES_KEY),
              "alice",
              directory.toString(),
              claude.baseUrl().toString(),
              "identity.sources</code>")
          .doesNotContainPattern("(src|href)=\"(https?:)?//");
      assertThat(page.headers().firstValue("content-security-policy").orElseThrow())
          .startsWith("default-src 'none'");
      assertThat(page.headers().firstValue("cache-control")).hasValue("no-store");
      HttpResponse<String> fromOutside = get(war, "/headrace/", "X-Forwarded-For", "203.0.113.9");
      assertThat(fromOutside.body())
          .contains("Ready", "Base URL")
          .doesNotContain("Version", "Running exchanges", "<dt>");
    }
  }

  @Test
  void whatARequestWritesIntoItsHostHeaderIsNoMarkup() throws Exception {
    try (WarContainer.Deployed war = deploy("/headrace", withKeys(""))) {
      String raw = RawHttp.get(war.port(), "/headrace/", "x\"><b>y");
      assertThat(raw).doesNotContain("<b>y");
    }
  }

  @Test
  void withoutIdentitySourcesItWarnsInTheLogAndOnThePage() throws Exception {
    try (WarContainer.Deployed war = deploy("/headrace", settings(""))) {
      assertThat(messages(Level.WARN))
          .singleElement()
          .asString()
          .contains("open", "identity.sources");
      assertThat(get(war, "/headrace/", "X-Forwarded-For", "203.0.113.9").body())
          .contains("Open to everybody")
          .doesNotContain("GATEWAY_KEY");
    }
  }

  // ---- metrics ----

  @Test
  void metricsAreForThisMachineByDefault() throws Exception {
    try (WarContainer.Deployed war = deploy("/headrace", withKeys(""))) {
      stream("http://127.0.0.1:" + war.port() + "/headrace", ALICES_KEY);
      HttpResponse<String> metrics = get(war, "/headrace/ops/metrics");

      assertThat(metrics.statusCode()).isEqualTo(200);
      assertThat(metrics.headers().firstValue("content-type").orElseThrow())
          .startsWith("text/plain")
          .contains("version=0.0.4");
      assertThat(metrics.body())
          .contains(
              "headrace_exchanges_total{detail=\"none\",outcome=\"completed\"} 1.0",
              "headrace_ready 1.0",
              "jvm_memory_used_bytes{")
          .doesNotContain("alice", ALICES_KEY);
      HttpResponse<String> throughAProxy =
          get(war, "/headrace/ops/metrics", "X-Forwarded-For", "127.0.0.1");
      assertThat(throughAProxy.statusCode()).isEqualTo(403);
      assertThat(throughAProxy.body()).contains("permission_error").doesNotContain("headrace_");
    }
  }

  @Test
  void metricsCanBeForOtherAddressesInstead() throws Exception {
    Path settings =
        withKeys(
            "metrics:\n  addresses: [192.0.2.0/24]\n",
            "  trusted-proxies: [127.0.0.1]\n  trusted-hops: 1\n");
    try (WarContainer.Deployed war = deploy("/headrace", settings)) {
      assertThat(get(war, "/headrace/ops/metrics").statusCode()).isEqualTo(403);
      assertThat(get(war, "/headrace/ops/metrics", "X-Forwarded-For", "192.0.2.7").statusCode())
          .isEqualTo(200);
      assertThat(
              get(war, "/headrace/ops/metrics", "X-Forwarded-For", "192.0.2.7, 203.0.113.9")
                  .statusCode())
          .isEqualTo(403);
    }
  }

  // ---- not configured ----

  @Test
  void notConfiguredItTellsBrowserClientAndLogWhatToDo() throws Exception {
    try (WarContainer.Deployed war = deploy("/headrace", null)) {
      HttpResponse<String> page = get(war, "/headrace/");
      assertThat(page.statusCode()).isEqualTo(503);
      assertThat(page.headers().firstValue("content-type").orElseThrow()).startsWith("text/html");
      assertThat(page.body())
          .contains("Not configured", "HEADRACE_CONFIG", "sources: [key]", "new-key");

      assertRefuses(war, "not configured");
      assertThat(log.list)
          .singleElement()
          .satisfies(
              event -> {
                assertThat(event.getLevel()).isEqualTo(Level.WARN);
                assertThat(event.getThrowableProxy()).isNull();
                assertThat(event.getFormattedMessage())
                    .contains("not configured", "HEADRACE_CONFIG")
                    .doesNotContain("\n");
              });
    }
  }

  @Test
  void wrongSettingsAreAllInTheLogAndNoneOnThePage() throws Exception {
    Path settings = settings("mount: ai\ntimeouts:\n  idel: 5s\n");
    try (WarContainer.Deployed war = deploy("/headrace", settings)) {
      HttpResponse<String> page = get(war, "/headrace/");
      assertThat(page.statusCode()).isEqualTo(503);
      assertThat(page.body())
          .contains("Settings are wrong", "log")
          .doesNotContain("idel", "headrace.yaml");

      assertRefuses(war, "wrong");
      assertThat(log.list)
          .singleElement()
          .satisfies(
              event -> {
                assertThat(event.getLevel()).isEqualTo(Level.ERROR);
                assertThat(event.getThrowableProxy()).isNull();
                assertThat(event.getFormattedMessage())
                    .contains("timeouts.idel is not a setting", "mount: ");
              });
    }
  }

  @Test
  void aNamedFileThatIsMissingIsWrongAndTheLogTellsWhoNamedIt() throws Exception {
    try (WarContainer.Deployed war = deploy("/headrace", directory.resolve("absent.yaml"))) {
      assertRefuses(war, "wrong");
      assertThat(messages(Level.ERROR))
          .singleElement()
          .asString()
          .contains("the context parameter headrace.config", "absent.yaml does not exist");
    }
  }

  @Test
  void aSettingThatCannotBePutToUseIsWrongToo() throws Exception {
    Path settings = settings("identity: {sources: [resolver]}\n");
    try (WarContainer.Deployed war = deploy("/headrace", settings)) {
      assertRefuses(war, "wrong");
      assertThat(log.list)
          .filteredOn(event -> event.getLevel() == Level.ERROR)
          .singleElement()
          .satisfies(
              event -> {
                assertThat(event.getThrowableProxy()).isNull();
                assertThat(event.getFormattedMessage()).contains("identity.sources: resolver");
              });
    }
  }

  @Test
  void switchedOffItSaysSo() throws Exception {
    try (WarContainer.Deployed war = deploy("/headrace", settings("enabled: false\n"))) {
      assertThat(get(war, "/headrace/").body()).contains("Switched off");
      assertRefuses(war, "switched off");
    }
  }

  /** Perhaps the variable that should have switched it on is misspelt. */
  @Test
  void switchedOffItStillTellsTheWarnings() throws Exception {
    Path settings = settings("enabled: false\nusage: {report-key: '${HEADRACE_ABSENT}'}\n");
    try (WarContainer.Deployed war = deploy("/headrace", settings)) {
      assertRefuses(war, "switched off");
      assertThat(messages(Level.WARN))
          .singleElement()
          .asString()
          .contains("otherwise: usage.report-key: ${HEADRACE_ABSENT} has no value");
    }
  }

  private void assertRefuses(WarContainer.Deployed war, String why) throws Exception {
    HttpResponse<String> answer = post(war, "/headrace/v1/messages");
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("content-type")).hasValue("application/json");
    assertThat(answer.headers().firstValue("x-should-retry")).hasValue("false");
    assertThat(answer.body()).startsWith("{\"type\":\"error\"").contains("api_error", why);
    assertThatThrownBy(() -> stream("http://127.0.0.1:" + war.port() + "/headrace", ALICES_KEY))
        .isInstanceOf(InternalServerException.class);
    HttpResponse<String> ready = get(war, "/headrace/ops/ready");
    assertThat(ready.statusCode()).isEqualTo(503);
    assertThat(ready.body()).startsWith("{\"status\":\"").contains(why);
    assertThat(get(war, "/headrace/ops/metrics").statusCode()).isEqualTo(503);
    assertThat(claude.attempts()).isZero();
  }

  // ---- parts ----

  private WarContainer.Deployed deploy(String contextPath, @Nullable Path settings)
      throws Exception {
    return kind.deploy(contextPath, directory, settings == null ? null : settings.toString(), null);
  }

  private Path settings(String more) throws IOException {
    return Files.writeString(
        directory.resolve("headrace.yaml"),
        "upstream: {api-key: " + API_KEY + ", base-url: \"" + claude.baseUrl() + "\"}\n" + more);
  }

  private Path withKeys(String more) throws IOException {
    return withKeys(more, "");
  }

  private Path withKeys(String more, String moreIdentity) throws IOException {
    return settings("identity:\n  sources: [key]\n  keys-file: keys.yaml\n" + moreIdentity + more);
  }

  private List<String> messages(Level level) {
    return log.list.stream()
        .filter(event -> event.getLevel() == level)
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  private static String stream(String baseUrl, String key) {
    AnthropicClient client = AnthropicOkHttpClient.builder().baseUrl(baseUrl).apiKey(key).build();
    MessageCreateParams hello =
        MessageCreateParams.builder()
            .model("claude-sonnet-5-5")
            .maxTokens(100)
            .addUserMessage("Hello?")
            .build();
    MessageAccumulator message = MessageAccumulator.create();
    try (StreamResponse<RawMessageStreamEvent> stream = client.messages().createStreaming(hello)) {
      stream.stream().forEach(message::accumulate);
    } finally {
      client.close();
    }
    return message.message().content().get(0).asText().text();
  }

  private HttpResponse<String> get(WarContainer.Deployed war, String path, String... headers)
      throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(uri(war, path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private HttpResponse<String> post(WarContainer.Deployed war, String path) throws Exception {
    return http.send(
        HttpRequest.newBuilder(uri(war, path))
            .header("content-type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{}"))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static URI uri(WarContainer.Deployed war, String path) {
    return URI.create("http://127.0.0.1:" + war.port() + path);
  }
}
