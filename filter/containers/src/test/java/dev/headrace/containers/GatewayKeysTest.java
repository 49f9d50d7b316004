package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.errors.UnauthorizedException;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.IdentitySource;
import dev.headrace.config.RequestRate;
import dev.headrace.identity.GatewayKey;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import dev.headrace.spi.UsageRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** Gateway keys from a file: whom they let in, what they open, and where they never stand. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class GatewayKeysTest extends GatewayContract {

  private static final String ALICES_KEY = GatewayKey.create(new SecureRandom());
  private static final String ROBOTS_KEY = GatewayKey.create(new SecureRandom());
  private static final String OLD_KEY = GatewayKey.create(new SecureRandom());
  private static final String STRANGERS_KEY = GatewayKey.create(new SecureRandom());
  private static final String OTHER_GROUPS_KEY = GatewayKey.create(new SecureRandom());
  private static final List<String> ALL_KEYS =
      List.of(ALICES_KEY, ROBOTS_KEY, OLD_KEY, STRANGERS_KEY, OTHER_GROUPS_KEY, "hr_malformed");

  private final RecordingSink sink = new RecordingSink();
  private final Queue<String> log = new ConcurrentLinkedQueue<>();
  private final Queue<String> replies = new ConcurrentLinkedQueue<>();
  private final Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
  private final Logger ours = (Logger) LoggerFactory.getLogger("dev.headrace");
  private final AppenderBase<ILoggingEvent> appender =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          String stack =
              event.getThrowableProxy() == null
                  ? ""
                  : ThrowableProxyUtil.asString(event.getThrowableProxy());
          log.add(event.getLoggerName() + " " + event.getFormattedMessage() + " " + stack);
        }
      };
  private Level levelBefore = Level.INFO;
  @TempDir private Path folder = Path.of("unused");

  GatewayKeysTest(ContainerKind kind) {
    super(kind);
  }

  @BeforeEach
  void captureTheLog() {
    levelBefore = ours.getLevel();
    root.getAppender("CONSOLE").stop();
    appender.setContext(root.getLoggerContext());
    appender.start();
    root.addAppender(appender);
    ours.setLevel(Level.TRACE);
  }

  @AfterEach
  void releaseTheLog() {
    ours.setLevel(levelBefore);
    root.detachAppender(appender);
    root.getAppender("CONSOLE").start();
  }

  /** After everything is closed, so that the last lines are seen too. */
  @Override
  void afterClosing() {
    assertThat(log).isNotEmpty();
    for (String key : ALL_KEYS) {
      for (String line : log) {
        assertThat(line).doesNotContain(key, GatewayKey.sha256(key));
      }
      for (String reply : replies) {
        assertThat(reply).doesNotContain(key, GatewayKey.sha256(key));
      }
    }
  }

  private Path keyFile() {
    return folder.resolve("keys.yaml");
  }

  private void writeKeys(String... entries) throws IOException {
    Path fresh = folder.resolve("keys.new");
    Files.writeString(fresh, "keys:\n" + String.join("", entries));
    Files.move(fresh, keyFile(), StandardCopyOption.REPLACE_EXISTING);
  }

  private static String entry(String name, String key, String group, String more) {
    return "  - {name: %s, sha256: \"%s\", group: %s%s}%n"
        .formatted(name, GatewayKey.sha256(key), group, more);
  }

  private GatewayUnderTest headrace() throws Exception {
    writeKeys(
        entry("alice", ALICES_KEY, "staff", ""),
        entry("robot", ROBOTS_KEY, "machines", ""),
        entry("old", OLD_KEY, "staff", ", expires: 2020-01-01"),
        entry("other", OTHER_GROUPS_KEY, "nobodys", ""));
    Map<String, Plan> plans = new LinkedHashMap<>();
    plans.put(
        "people",
        Plan.builder("people")
            .roles("staff")
            .requests(new RequestRate(500, Duration.ofMinutes(1)))
            .build());
    plans.put(
        "machines",
        Plan.builder("machines")
            .roles("machines")
            .requests(new RequestRate(7, Duration.ofMinutes(1)))
            .build());
    return startWith(
        ClaudeSimulator.builder().apiKey(KEY),
        s ->
            s.identitySources(List.of(IdentitySource.KEY))
                .identityKeysFile(keyFile())
                .plans(plans)
                .retryMaxAttempts(1),
        gateway -> gateway.sink("test", sink));
  }

  private RawClient.Reply ask(GatewayUnderTest headrace, String... headerLines) throws Exception {
    try (RawClient client = RawClient.connect(headrace.port())) {
      RawClient.Reply reply = client.post("/claude/v1/messages", STREAMING, headerLines).reply();
      replies.add(reply.fields() + reply.body());
      return reply;
    }
  }

  @Test
  void aKeyIsTakenFromEitherHeaderAndStaysHere() throws Exception {
    GatewayUnderTest headrace = headrace();
    String bearer = "Authorization: Bearer " + ALICES_KEY;
    String apiKey = "x-api-key: " + ALICES_KEY;
    assertThat(ask(headrace, bearer).status()).isEqualTo(200);
    assertThat(ask(headrace, apiKey).status()).isEqualTo(200);
    assertThat(ask(headrace, bearer, apiKey).status()).isEqualTo(200);
    for (SeenRequest seen : headrace.claude().requests()) {
      assertThat(seen.headers().get("x-api-key")).containsExactly(KEY);
      assertThat(seen.headers().toString()).doesNotContain(ALICES_KEY);
    }
    for (UsageRecord record : sink.await(3)) {
      assertThat(record.user()).isEqualTo("key:alice");
      assertThat(record.role()).isEqualTo("staff");
    }
  }

  @Test
  void everythingElseGetsTheSame401() throws Exception {
    GatewayUnderTest headrace = headrace();
    RawClient.Reply first =
        ask(headrace, "Authorization: Bearer " + ALICES_KEY, "x-api-key: " + ROBOTS_KEY);
    assertThat(first.status()).as("two different keys").isEqualTo(401);
    assertThat(first.header("www-authenticate")).hasValue("Bearer");
    assertThat(first.body())
        .startsWith("{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\"");
    for (String line :
        List.of(
            "x-api-key: " + STRANGERS_KEY,
            "Authorization: Bearer " + STRANGERS_KEY,
            "x-api-key: " + OLD_KEY,
            "x-api-key: hr_malformed",
            "x-api-key: " + ALICES_KEY + "x",
            "x-api-key: " + ALICES_KEY.substring(0, ALICES_KEY.length() - 1),
            "x-api-key: " + GatewayKey.sha256(ALICES_KEY),
            "x-api-key: sk-ant-api03-something",
            "x-api-key: " + KEY,
            "x-api-key: " + "x".repeat(3000))) {
      RawClient.Reply reply = ask(headrace, line);
      assertThat(reply.status()).isEqualTo(401);
      assertThat(reply.body()).isEqualTo(first.body());
    }
    RawClient.Reply none = ask(headrace);
    assertThat(none.status()).isEqualTo(401);
    assertThat(none.body()).contains("x-api-key");
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void theGroupOfAKeyChoosesThePlan() throws Exception {
    GatewayUnderTest headrace = headrace();
    assertThat(
            ask(headrace, "x-api-key: " + ALICES_KEY).header("anthropic-ratelimit-requests-limit"))
        .hasValue("500");
    assertThat(
            ask(headrace, "x-api-key: " + ROBOTS_KEY).header("anthropic-ratelimit-requests-limit"))
        .hasValue("7");
    RawClient.Reply none = ask(headrace, "x-api-key: " + OTHER_GROUPS_KEY);
    assertThat(none.status()).isEqualTo(403);
    assertThat(none.body()).contains("permission_error");
  }

  @Test
  void theJavaSdkTakesAGatewayKeyForAnApiKey() throws Exception {
    GatewayUnderTest headrace = headrace();
    headrace.claude().answersAlways(Answer.text("Hello", " there"));
    try (JavaSdk.Closing sdk = new JavaSdk.Closing(builder(headrace).apiKey(ALICES_KEY).build())) {
      assertThat(JavaSdk.text(JavaSdk.accumulate(sdk.client(), JavaSdk.hello())))
          .isEqualTo("Hello there");
      assertThat(JavaSdk.text(sdk.client().messages().create(JavaSdk.hello())))
          .isEqualTo("Hello there");
    }
    try (JavaSdk.Closing sdk =
        new JavaSdk.Closing(builder(headrace).authToken(ALICES_KEY).build())) {
      assertThat(JavaSdk.text(JavaSdk.accumulate(sdk.client(), JavaSdk.hello())))
          .isEqualTo("Hello there");
    }
    try (JavaSdk.Closing sdk =
        new JavaSdk.Closing(builder(headrace).apiKey(STRANGERS_KEY).build())) {
      AnthropicClient client = sdk.client();
      UnauthorizedException refused =
          JavaSdk.failure(
              UnauthorizedException.class, () -> client.messages().create(JavaSdk.hello()));
      replies.add(refused.body() + refused.getMessage());
    }
  }

  private static AnthropicOkHttpClient.Builder builder(GatewayUnderTest headrace) {
    return AnthropicOkHttpClient.builder().baseUrl(headrace.baseUrl().toString()).maxRetries(0);
  }

  @Test
  void aRevokedKeyStartsNothingMoreAndWhatItHasStartedGoesOn() throws Exception {
    GatewayUnderTest headrace = headrace();
    headrace
        .claude()
        .answersAlways(Answer.text("Hello", " there").pauseAfterEvents(3, Duration.ofSeconds(6)));
    RawClient running = client(headrace);
    running.post("/claude/v1/messages", STREAMING, "x-api-key: " + ALICES_KEY);
    assertThat(running.replyHead().status()).isEqualTo(200);
    String start = running.readBodyUntil("message_start");
    headrace.claude().answersAlways(Answer.text("Hi"));

    writeKeys(entry("robot", ROBOTS_KEY, "machines", ""));
    long revoked = System.nanoTime();
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(50))
        .until(() -> ask(headrace, "x-api-key: " + ALICES_KEY).status() == 401);
    Figures.note(
        kind(),
        "revoked gateway key refused after",
        Duration.ofNanos(System.nanoTime() - revoked).toMillis() + " ms");
    assertThat(ask(headrace, "x-api-key: " + ROBOTS_KEY).status()).isEqualTo(200);
    assertThat(headrace.gateway().runningExchanges()).as("its stream").isEqualTo(1);

    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    assertThat(running.readBody(rest, Long.MAX_VALUE)).isEqualTo(RawClient.End.COMPLETE);
    assertThat(start + rest.toString(StandardCharsets.UTF_8))
        .contains(" there")
        .contains("event: message_stop");
  }
}
