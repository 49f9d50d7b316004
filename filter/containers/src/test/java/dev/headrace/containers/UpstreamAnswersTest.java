package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.ByteSize;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Field;
import dev.headrace.simulator.Answer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Answers other than streams pass with their status, their bytes and a few of their headers. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class UpstreamAnswersTest extends GatewayContract {

  private static final Set<String> ALLOWED =
      Set.of(
          "content-type",
          "cache-control",
          "request-id",
          "retry-after",
          "x-should-retry",
          "x-content-type-options",
          "x-accel-buffering",
          "headrace-exchange-id",
          // the container's own
          "content-length",
          "transfer-encoding",
          "connection",
          "keep-alive",
          "date",
          "server");

  UpstreamAnswersTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void errorAnswersPassWithStatusBytesAndAllowedHeaders() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    Map<String, Answer> answers = new LinkedHashMap<>();
    Map<String, String> bodies = new LinkedHashMap<>();
    for (int status : new int[] {400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 504, 529}) {
      String json =
          "{\"type\":\"error\",  \"error\":{\"type\":\"some_error\",\"message\":\"Größe "
              + status
              + "\"},\"request_id\":\"req_1\"}";
      answers.put(status + "", Answer.json(status, json).header("request-id", "req_1"));
      bodies.put(status + "", json);
    }
    String edge413 =
        "{\"error\":{\"type\":\"request_too_large\",\"message\":\"Request exceeds the maximum size\"}}";
    answers.put("413 edge", Answer.edge413());
    bodies.put("413 edge", edge413);
    String html = "<html><body>\r\n503\r\n</body></html>\r\n";
    answers.put("503 html", Answer.body(503, "text/html; charset=UTF-8", html.getBytes(UTF_8)));
    bodies.put("503 html", html);
    answers.put("500 empty", Answer.body(500, "application/json", new byte[0]));
    bodies.put("500 empty", "");
    for (Map.Entry<String, Answer> entry : answers.entrySet()) {
      String name = entry.getKey();
      headrace
          .claude()
          .answers(
              entry
                  .getValue()
                  .header("retry-after", "7")
                  .header("x-should-retry", "true")
                  .header("anthropic-ratelimit-requests-remaining", "49")
                  .header("set-cookie", "session=1")
                  .header("location", "https://example.com/")
                  .header("alt-svc", "h3=\":443\"")
                  .header("strict-transport-security", "max-age=1")
                  .header("access-control-allow-origin", "*")
                  .header("x-secret", "internal"));
      RawClient.Reply reply = post(headrace, STREAMING);
      assertThat(reply.status()).as(name).isEqualTo(Integer.parseInt(name.substring(0, 3)));
      assertThat(reply.body()).as(name).isEqualTo(bodies.get(name));
      assertThat(reply.end()).as(name).isEqualTo(End.COMPLETE);
      assertThat(reply.header("content-length")).as(name).hasValue(reply.bytes().length + "");
      assertThat(reply.header("retry-after")).as(name).hasValue("7");
      assertThat(reply.header("x-should-retry")).as(name).hasValue("true");
      assertThat(reply.header("anthropic-ratelimit-requests-remaining")).as(name).hasValue("49");
      assertOnlyAllowedHeaders(name, reply);
    }
    assertThat(headrace.claude().attempts()).isEqualTo(answers.size());
  }

  @Test
  void afterThreeAttemptsTheLastAnswerPassesAndTellsTheClientNotToRepeatIt() throws Exception {
    GatewayUnderTest headrace =
        start(
            s ->
                s.retryWaitDuration(Duration.ofMillis(10))
                    .retryBudgetPerSecond(1000)
                    .breakerEnabled(false));
    for (int status : new int[] {408, 429, 500, 502, 503, 504, 529}) {
      headrace.claude().reset();
      for (int attempt = 1; attempt <= 3; attempt++) {
        headrace
            .claude()
            .answers(
                Answer.json(status, errorJson(status, attempt))
                    .header("request-id", "req_" + attempt)
                    .header("retry-after", "0")
                    .header("x-should-retry", "true")
                    .header("anthropic-ratelimit-requests-remaining", "4" + attempt)
                    .header("set-cookie", "session=1"));
      }
      RawClient.Reply reply = post(headrace, STREAMING);
      String name = status + "";
      assertThat(reply.status()).as(name).isEqualTo(status);
      assertThat(reply.body()).as(name).isEqualTo(errorJson(status, 3));
      assertThat(reply.header("request-id")).as(name).hasValue("req_3");
      assertThat(reply.header("retry-after")).as(name).hasValue("0");
      assertThat(reply.header("anthropic-ratelimit-requests-remaining")).as(name).hasValue("43");
      assertThat(valuesOf(reply, "x-should-retry")).as(name).containsExactly("false");
      assertOnlyAllowedHeaders(name, reply);
      assertThat(headrace.claude().attempts()).as(name).isEqualTo(3);
    }
  }

  private static String errorJson(int status, int attempt) {
    return "{\"type\":\"error\",  \"error\":{\"type\":\"some_error\",\"message\":\"Größe "
        + status
        + "\"},\"request_id\":\"req_"
        + attempt
        + "\"}";
  }

  private static List<String> valuesOf(RawClient.Reply reply, String name) {
    return reply.fields().stream()
        .filter(field -> field.name().equalsIgnoreCase(name))
        .map(Field::value)
        .toList();
  }

  @Test
  void anErrorThatNoRepetitionHelpsPassesUnchangedAfterOneAttempt() throws Exception {
    GatewayUnderTest headrace = start();
    for (int status : new int[] {400, 401, 402, 403, 404, 409, 413, 422, 501}) {
      headrace.claude().reset();
      headrace
          .claude()
          .answersAlways(
              Answer.status(status)
                  .header("retry-after", "7")
                  .withoutHeader("x-should-retry")); // the simulator's own says false for some

      RawClient.Reply reply = post(headrace, STREAMING);
      assertThat(reply.status()).isEqualTo(status);
      assertThat(reply.header("request-id")).hasValue(headrace.claude().lastRequest().requestId());
      assertThat(reply.header("retry-after")).hasValue("7");
      assertThat(reply.header("x-should-retry")).as("%d", status).isEmpty();
      assertThat(headrace.claude().attempts()).as("%d", status).isEqualTo(1);
    }
  }

  @Test
  void theApisOwnErrorsPassUnchanged() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    for (int status : new int[] {400, 401, 403, 404, 429, 500, 504, 529}) {
      headrace.claude().answers(Answer.status(status));
      RawClient.Reply reply = post(headrace, STREAMING);
      String requestId = headrace.claude().lastRequest().requestId();
      assertThat(reply.status()).isEqualTo(status);
      assertThat(reply.header("request-id")).hasValue(requestId);
      assertThat(reply.body()).startsWith("{\"type\":\"error\"").contains(requestId);
      assertThat(reply.header("retry-after").isPresent()).isEqualTo(status == 429);
    }
  }

  @Test
  void anErrorInPlaceOfTheFirstEventBecomesItsStatus() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    Map<String, Integer> statuses =
        Map.of(
            "overloaded_error", 529,
            "api_error", 500,
            "rate_limit_error", 429,
            "timeout_error", 504,
            "invalid_request_error", 400);
    statuses.forEach(
        (type, status) -> {
          headrace.claude().answers(Answer.errorFirst(type));
          RawClient.Reply reply;
          try {
            reply = post(headrace, STREAMING);
          } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
          assertThat(reply.status()).as(type).isEqualTo(status);
          assertThat(reply.body()).as(type).startsWith("{\"type\":\"error\"").contains(type);
          assertThat(reply.header("request-id"))
              .hasValue(headrace.claude().lastRequest().requestId());
        });
  }

  @Test
  void jsonAnswersPassByteForByteWithTheirLength() throws Exception {
    GatewayUnderTest headrace = start(s -> s.buffersHold(ByteSize.ofKibibytes(8)));
    for (int length : List.of(0, 1, 8_000, 8_192, 8_193, 20_000, 300_000)) {
      String json = "{\"größe\":\"" + "x".repeat(length) + "\"}";
      headrace.claude().answers(Answer.json(200, json));
      RawClient.Reply reply = post(headrace, Requests.whole("Hello"));
      assertThat(reply.end()).isEqualTo(End.COMPLETE);
      assertThat(reply.body().equals(json)).as("%d characters", length).isTrue();
      if (length <= 8_000) {
        assertThat(reply.header("content-length")).hasValue(json.getBytes(UTF_8).length + "");
      }
    }
  }

  /** Whatever is held is taken by nobody, so nobody but its holder lets more come. */
  @Test
  void aJsonAnswerThatIsHeldIsReadOnThoughMoreOfItHasComeThanAClientMayBeBehind() throws Exception {
    GatewayUnderTest headrace =
        start(
            s ->
                s.buffersSoft(ByteSize.ofKibibytes(32))
                    .buffersHold(ByteSize.ofKibibytes(256))
                    .timeoutsIdle(Duration.ofSeconds(3)));
    for (int length : List.of(30_000, 100_000, 256 * 1024, 1_000_000)) {
      String json = "{\"x\":\"" + "x".repeat(length) + "\"}";
      headrace.claude().answers(Answer.json(200, json));
      RawClient.Reply reply = post(headrace, Requests.whole("Hello"));
      assertThat(reply.status()).as("%d characters", length).isEqualTo(200);
      assertThat(reply.body().equals(json)).as("%d characters", length).isTrue();
    }
    assertThat(headrace.claude().attempts()).as("each read in one go").isEqualTo(4);
  }

  @Test
  void aMessageAsJsonPassesWithItsHeaders() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answers(Answer.text("Hello"));
    RawClient.Reply reply = post(headrace, Requests.whole("Hello"));
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("content-type")).hasValue("application/json");
    assertThat(reply.body()).contains("\"Hello\"");
    assertOnlyAllowedHeaders("json", reply);
  }

  @Test
  void aStreamPassesNoHeaderOfTheUpstreamThatIsNotAllowed() throws Exception {
    GatewayUnderTest headrace = start();
    headrace
        .claude()
        .answers(
            Answer.text("Hello")
                .header("set-cookie", "session=1")
                .header("x-secret", "internal")
                .header("trailer", "x"));
    RawClient.Reply reply = post(headrace, STREAMING);
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("content-type").orElse("")).startsWith("text/event-stream");
    assertThat(reply.header("x-content-type-options")).hasValue("nosniff");
    assertThat(reply.header("anthropic-ratelimit-requests-remaining")).isPresent();
    assertThat(reply.header("request-id")).hasValue(headrace.claude().lastRequest().requestId());
    assertOnlyAllowedHeaders("stream", reply);
  }

  @Test
  void aRedirectOfTheUpstreamIsNotFollowed() throws Exception {
    GatewayUnderTest headrace = start();
    headrace
        .claude()
        .answers(
            Answer.body(307, "text/plain", "elsewhere".getBytes(UTF_8))
                .header("location", headrace.claude().baseUrl() + "/v1/elsewhere"));
    RawClient.Reply reply = post(headrace, STREAMING);
    assertThat(reply.status()).isEqualTo(307);
    assertThat(reply.body()).isEqualTo("elsewhere");
    assertThat(reply.header("location")).isEmpty();
    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  @Test
  void aCompressedStreamPassesAsItIs() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsHeartbeat(Duration.ofMillis(100)));
    headrace
        .claude()
        .answers(Answer.text("Hello").forcedGzip().pauseAfterEvents(3, Duration.ofMillis(500)));
    RawClient.Reply reply = post(headrace, STREAMING);
    assertThat(reply.header("content-encoding")).hasValue("gzip");
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    try (java.util.zip.GZIPInputStream gzip =
        new java.util.zip.GZIPInputStream(new java.io.ByteArrayInputStream(reply.bytes()))) {
      assertThat(new String(gzip.readAllBytes(), UTF_8)).contains("message_stop");
    }
  }

  private static void assertOnlyAllowedHeaders(String name, RawClient.Reply reply) {
    Set<String> others = new TreeSet<>();
    for (Field field : reply.fields()) {
      String lowerCase = field.name().toLowerCase(Locale.ROOT);
      if (!ALLOWED.contains(lowerCase) && !lowerCase.startsWith("anthropic-ratelimit-")) {
        others.add(lowerCase);
      }
    }
    assertThat(others).as(name).isEmpty();
  }
}
