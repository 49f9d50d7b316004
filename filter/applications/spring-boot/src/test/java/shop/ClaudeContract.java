package shop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.Gateway;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.CookieManager;
import java.net.HttpCookie;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.core.env.Environment;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** What the gateway must do behind Spring Security, however it is registered. */
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT)
@Timeout(180)
abstract class ClaudeContract {

  static final String API_KEY = "sk-ant-test-key-that-must-stay-secret";

  private static final ClaudeSimulator CLAUDE = ClaudeSimulator.builder().apiKey(API_KEY).start();

  @Autowired private Environment environment;
  @Autowired private Gateway gateway;
  @Autowired private MeterRegistry meters;

  private final CookieManager cookies = new CookieManager();
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).cookieHandler(cookies).build();

  @DynamicPropertySource
  static void useSimulator(DynamicPropertyRegistry properties) {
    properties.add("claude.base-url", CLAUDE::baseUrl);
    properties.add("claude.api-key", () -> API_KEY);
  }

  @BeforeEach
  void reset() {
    CLAUDE.reset();
  }

  @Test
  void streamIsTheApisByteForByte() throws Exception {
    for (byte[] transcript :
        List.of(Transcripts.text(), Transcripts.thinking(), Transcripts.toolUse())) {
      CLAUDE.answers(Answer.transcript(transcript));

      HttpResponse<InputStream> answer = ask("alice:wonderland");

      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body().readAllBytes()).isEqualTo(transcript);
    }
    assertThat(CLAUDE.lastRequest().header("authorization").orElse("")).doesNotContain("Basic");
  }

  @Test
  void eventsArriveOneByOne() throws Exception {
    CLAUDE.answers(Answer.text("Hel", "lo").stallAfterEvents(4));

    HttpResponse<InputStream> answer = ask("alice:wonderland");

    assertThat(readUntil(answer.body(), "Hel")).contains("message_start");
    assertThat(CLAUDE.openStreams()).isEqualTo(1);
    answer.body().close();
    awaitIdle();
  }

  @Test
  void clientThatLeavesEndsTheCallToTheApi() throws Exception {
    CLAUDE.answers(Answer.text("Hel", "lo").stallAfterEvents(4));
    HttpResponse<InputStream> answer = ask("alice:wonderland");
    readUntil(answer.body(), "Hel");
    String id = answer.headers().firstValue("headrace-exchange-id").orElseThrow();

    assertThat(gateway.cancel(id)).isTrue();

    assertThat(new String(answer.body().readAllBytes(), UTF_8)).contains("event: error");
    awaitIdle();
  }

  @Test
  void answerThatIsCutInTheMiddleOfAnEventNeverLooksComplete() throws Exception {
    byte[] transcript = Transcripts.text();
    CLAUDE.answers(Answer.transcript(transcript).cutAtByte(transcript.length - 10L));
    HttpResponse<InputStream> answer = ask("alice:wonderland");

    assertThatThrownBy(() -> answer.body().readAllBytes()).isInstanceOf(IOException.class);
    awaitIdle();
  }

  @Test
  void nobodyComesInWithoutALogin() throws Exception {
    HttpResponse<InputStream> answer = ask(null);
    assertThat(answer.statusCode()).isEqualTo(401);
    assertThat(ask("alice:wrong").statusCode()).isEqualTo(401);
    assertThat(CLAUDE.attempts()).isZero();
    HttpResponse<String> page =
        client.send(
            HttpRequest.newBuilder(uri("/public")).build(), HttpResponse.BodyHandlers.ofString());
    assertThat(page.body()).isEqualTo("the application");
    HttpResponse<String> ready =
        client.send(
            HttpRequest.newBuilder(uri("/claude/ops/ready")).build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(ready.statusCode()).isEqualTo(200);
    assertThat(ready.body()).contains("ready");
  }

  @Test
  void planIsChosenByRoleWithOrWithoutSpringsPrefix() throws Exception {
    CLAUDE.answersAlways(Answer.text("Hello"));

    HttpResponse<InputStream> otherModel = ask("bob:builder");
    assertThat(otherModel.statusCode()).isEqualTo(403);
    assertThat(text(otherModel)).contains("claude-haiku-5-5");
    for (int i = 0; i < 2; i++) {
      assertThat(ask("bob:builder", "claude-haiku-5-5").statusCode()).isEqualTo(200);
    }
    HttpResponse<InputStream> third = ask("bob:builder", "claude-haiku-5-5");
    assertThat(third.statusCode()).isEqualTo(429);
    assertThat(text(third)).contains("rate_limit_error");
    assertThat(third.headers().firstValue("retry-after")).isPresent();
    HttpResponse<InputStream> noPlan = ask("mallory:mischief");
    assertThat(noPlan.statusCode()).isEqualTo(403);
    assertThat(text(noPlan)).contains("permission_error");
  }

  @Test
  void errorsOfTheApiComeThroughAsTheyAre() throws Exception {
    CLAUDE.answers(Answer.error(400, "invalid_request_error", "messages: too short"));

    HttpResponse<InputStream> answer = ask("alice:wonderland");

    assertThat(answer.statusCode()).isEqualTo(400);
    assertThat(text(answer)).contains("invalid_request_error", "messages: too short");
  }

  @Test
  void tokenOfTheCookieIsWhatAPageMustSend() throws Exception {
    CLAUDE.answersAlways(Answer.text("Hello"));
    client.send(
        HttpRequest.newBuilder(uri("/public")).build(), HttpResponse.BodyHandlers.discarding());
    String token =
        cookies.getCookieStore().getCookies().stream()
            .filter(cookie -> cookie.getName().equals("XSRF-TOKEN"))
            .map(HttpCookie::getValue)
            .findFirst()
            .orElseThrow();

    assertThat(client.send(login(token), HttpResponse.BodyHandlers.discarding()).statusCode())
        .isEqualTo(302);
    HttpRequest.Builder byPage = request(null, "claude-sonnet-5-5");
    assertThat(
            client.send(byPage.copy().build(), HttpResponse.BodyHandlers.discarding()).statusCode())
        .as("without the token")
        .isEqualTo(403);
    String fresh =
        cookies.getCookieStore().getCookies().stream()
            .filter(cookie -> cookie.getName().equals("XSRF-TOKEN"))
            .map(HttpCookie::getValue)
            .findFirst()
            .orElseThrow();
    HttpResponse<String> withToken =
        client.send(
            byPage.copy().header("X-XSRF-TOKEN", fresh).build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(withToken.statusCode()).isEqualTo(200);
    assertThat(withToken.body()).contains("message_stop");
  }

  private HttpRequest login(String token) {
    return HttpRequest.newBuilder(uri("/login"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("X-XSRF-TOKEN", token)
        .POST(HttpRequest.BodyPublishers.ofString("username=alice&password=wonderland"))
        .build();
  }

  @Test
  void clientForPagesIsServed() throws Exception {
    HttpResponse<String> script =
        client.send(
            HttpRequest.newBuilder(uri("/headrace/headrace.js"))
                .header("authorization", basic("alice:wonderland"))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(script.statusCode()).isEqualTo(200);
    assertThat(script.body()).contains("export ");
  }

  @Test
  void figuresAreInTheRegistryOfTheApplication() throws Exception {
    CLAUDE.answersAlways(Answer.text("Hello"));
    text(ask("alice:wonderland"));
    awaitIdle();

    Awaitility.await()
        .until(
            () ->
                meters
                        .get("headrace.exchanges")
                        .tag("outcome", "completed")
                        .functionCounter()
                        .count()
                    >= 1);
    assertThat(meters.get("headrace.exchanges.running").gauge().value()).isZero();
  }

  HttpResponse<InputStream> ask(String login) throws Exception {
    return ask(login, "claude-sonnet-5-5");
  }

  /**
   * Sends a request as a program does: with HTTP Basic, which needs a token of CSRF all the same.
   */
  HttpResponse<InputStream> ask(String login, String model) throws Exception {
    HttpRequest request =
        request(login, model)
            .header("cookie", "XSRF-TOKEN=of-a-program")
            .header("X-XSRF-TOKEN", "of-a-program")
            .build();
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .build()
        .send(request, HttpResponse.BodyHandlers.ofInputStream());
  }

  private HttpRequest.Builder request(String login, String model) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri("/claude/v1/messages"))
            .timeout(Duration.ofSeconds(30))
            .header("content-type", "application/json")
            .header("anthropic-version", "2026-10-21")
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"model\":\""
                        + model
                        + "\",\"max_tokens\":100,\"stream\":true,"
                        + "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}"));
    return login == null ? request : request.header("authorization", basic(login));
  }

  static String basic(String login) {
    return "Basic " + Base64.getEncoder().encodeToString(login.getBytes(UTF_8));
  }

  private URI uri(String path) {
    return URI.create(
        "http://127.0.0.1:" + environment.getRequiredProperty("local.server.port") + path);
  }

  private void awaitIdle() {
    Awaitility.await()
        .until(
            () ->
                gateway.permitsInUse() == 0
                    && gateway.runningExchanges() == 0
                    && gateway.upstreamConnectionsInUse() == 0
                    && CLAUDE.openStreams() == 0);
  }

  private static String text(HttpResponse<InputStream> answer) throws IOException {
    return new String(answer.body().readAllBytes(), UTF_8);
  }

  private static String readUntil(InputStream body, String text) throws IOException {
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    while (!read.toString(UTF_8).contains(text)) {
      int next = body.read();
      assertThat(next).as("more of %s", read).isNotNegative();
      read.write(next);
    }
    return read.toString(UTF_8);
  }
}
