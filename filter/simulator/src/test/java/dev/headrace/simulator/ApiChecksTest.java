package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class ApiChecksTest {
  private final ClaudeSimulator claude = ClaudeSimulator.start();
  private final HttpCaller http = new HttpCaller(claude);

  @AfterEach
  void close() {
    claude.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      textBlock =
          """
          {}                                                     | 400 | model: Field required
          {"model":"m"}                                          | 400 | max_tokens: Field required
          {"model":"m","max_tokens":5}                           | 400 | messages: Field required
          {"model":"m","max_tokens":5,"messages":[]}             | 400 | messages: at least one message is required
          {"model":"m","max_tokens":5,"messages":[{}],"foo":1}   | 400 | foo: Extra inputs are not permitted
          {"model":"m","max_tokens":5,"messages":[{}],"top_k":1} | 400 | top_k: Extra inputs are not permitted
          {"model":"m","max_tokens":5,"messages":[{"content":"x"}]} | 400 | messages.0.role: Field required
          {"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"},{"role":"tool"}]} | 400 | messages.1.role: Input should be 'user', 'assistant' or 'system'
          {"model":"claude-nope-9","max_tokens":5,"messages":[{"role":"user","content":"x"}]} | 404 | model: claude-nope-9
          {"model":"claude-opus-5","max_tokens":128001,"messages":[{}]} | 400 | max_tokens: 128001 > 128000, which is the maximum allowed number of output tokens for claude-opus-5
          {"model":"claude-opus-5","max_tokens":5,"messages":[{"role":"assistant","content":"x"}]} | 400 | This model does not support assistant message prefill. The conversation must end with a user message.
          {"model":"m","max_tokens":0,"stream":true,"messages":[{}]} | 400 | max_tokens: 0 is not permitted with stream
          not json                                               | 400 | The request body is not valid JSON
          """)
  void aBodyThatTheApiRefusesGetsItsMessage(String body, int status, String message)
      throws Exception {
    HttpResponse<String> response = http.post("/v1/messages", body);

    assertThat(response.statusCode()).isEqualTo(status);
    JsonNode json = Json.parse(response.body());
    assertThat(json.path("type").asString()).isEqualTo("error");
    assertThat(json.path("error").path("message").asString()).isEqualTo(message);
    assertThat(json.path("request_id").asString())
        .isEqualTo(response.headers().firstValue("request-id").orElseThrow())
        .startsWith("req_");
  }

  @Test
  void aRequestThatOnlyWarmsTheCacheGetsTheScriptWithoutItsContent() throws Exception {
    String warming = HttpCaller.BODY.replace("\"max_tokens\":1024", "\"max_tokens\":0");
    claude.answers(Answer.text("never written").header("x-scripted", "yes").usage(Usage.of(7, 90)));

    HttpResponse<String> scripted = http.post("/v1/messages", warming);
    HttpResponse<String> usual = http.post("/v1/messages", warming);

    JsonNode message = Json.parse(scripted.body());
    assertThat(scripted.headers().firstValue("x-scripted")).contains("yes");
    assertThat(message.path("content").isEmpty()).isTrue();
    assertThat(message.path("stop_reason").asString()).isEqualTo("max_tokens");
    assertThat(message.at("/usage/input_tokens").asInt()).isEqualTo(7);
    assertThat(message.at("/usage/output_tokens").asInt()).isZero();
    assertThat(Json.parse(usual.body()).at("/usage/cache_creation_input_tokens").asInt())
        .isPositive();
  }

  @Test
  void theDateHasTwoDigitsForTheDay() throws Exception {
    assertThat(http.get("/v1/models").headers().firstValue("date").orElseThrow())
        .matches("[A-Z][a-z]{2}, \\d\\d [A-Z][a-z]{2} \\d{4} \\d\\d:\\d\\d:\\d\\d GMT");
  }

  @Test
  void aRefusedRequestUsesUpNoScript() throws Exception {
    claude.answers(Answer.text("scripted"));

    assertThat(http.post("/v1/messages", "{}").statusCode()).isEqualTo(400);
    assertThat(http.stream().body()).contains("scripted");
  }

  @Test
  void samplingParametersAreFineWithTheOlderVersionOnly() throws Exception {
    String body = HttpCaller.BODY.replace("{\"model\"", "{\"temperature\":1,\"model\"");

    assertThat(http.send(older(body)).statusCode()).isEqualTo(200);
    assertThat(http.post("/v1/messages", body).body())
        .contains("temperature: Extra inputs are not permitted");
  }

  @Test
  void aSystemMessageIsFine() throws Exception {
    String body =
        HttpCaller.BODY.replace(
            "\"messages\":[", "\"messages\":[{\"role\":\"system\",\"content\":\"Be kind.\"},");

    assertThat(http.post("/v1/messages", body).statusCode()).isEqualTo(200);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\'',
      textBlock =
          """
          {"type":"text","text":"a","citations":[{}]} | messages.0.content.0.text.citations
          {"type":"search_result","content":[{"type":"text","text":"a"},{"type":"text","text":"b","citations":[{}]}]} | messages.0.content.0.search_result.content.1.text.citations
          {"type":"tool_result","content":[{"type":"search_result","content":[{"type":"text","text":"a","citations":[{}]}]}]} | messages.0.content.0.tool_result.content.0.search_result.content.0.text.citations
          {"type":"search_result","citations":{"enabled":true},"content":[{"type":"text","text":"a","citations":[]}]} |
          """)
  void citationsOfATextThatIsSentAreFineWithTheOlderVersionOnly(String block, String refused)
      throws Exception {
    String body = HttpCaller.BODY.replace("\"Hello?\"", "[" + block + "]");

    HttpResponse<String> response = http.post("/v1/messages", body);

    if (refused == null) {
      assertThat(response.statusCode()).isEqualTo(200);
    } else {
      assertThat(response.statusCode()).isEqualTo(400);
      assertThat(response.body()).contains(refused + ": Extra inputs are not permitted");
    }
    assertThat(http.send(older(body)).statusCode()).isEqualTo(200);
  }

  private HttpRequest older(String body) {
    return HttpRequest.newBuilder(claude.baseUrl().resolve("/v1/messages"))
        .header("authorization", "Bearer sk-test")
        .header("anthropic-version", "2023-06-01")
        .header("content-type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body))
        .build();
  }

  @Test
  void aMissingContentTypeIsRefused() throws Exception {
    HttpRequest untyped =
        HttpRequest.newBuilder(claude.baseUrl().resolve("/v1/messages"))
            .header("x-api-key", "k")
            .header("anthropic-version", "2026-10-21")
            .POST(HttpRequest.BodyPublishers.ofString(HttpCaller.BODY))
            .build();

    HttpResponse<String> response = http.send(untyped);

    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(response.body()).contains("content-type: header is required");
  }

  @Test
  void aMissingVersionAndAMissingKeyAreRefused() throws Exception {
    HttpRequest.Builder bare =
        HttpRequest.newBuilder(claude.baseUrl().resolve("/v1/messages"))
            .POST(HttpRequest.BodyPublishers.ofString(HttpCaller.BODY));

    assertThat(http.send(bare.build()).body())
        .contains("authentication_error", "invalid x-api-key");
    assertThat(http.send(bare.header("x-api-key", "k").build()).body())
        .contains("anthropic-version: header is required");
  }

  @Test
  void onlyTheRequiredKeyIsAccepted() throws Exception {
    try (ClaudeSimulator strict = ClaudeSimulator.builder().apiKey("sk-other").start()) {
      assertThat(new HttpCaller(strict).stream().statusCode()).isEqualTo(401);
    }
  }

  @Test
  void aKeyThatNoRequestCouldPresentIsRefused() {
    assertThatThrownBy(() -> ClaudeSimulator.builder().apiKey(" "))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the only key to accept");
  }

  @Test
  void aForwardedOriginIsRefused() throws Exception {
    HttpRequest request =
        http.request("/v1/messages")
            .header("Origin", "https://app.example")
            .POST(HttpRequest.BodyPublishers.ofString(HttpCaller.BODY))
            .build();

    assertThat(http.send(request).statusCode()).isEqualTo(401);
  }

  @ParameterizedTest
  @CsvSource({
    "400,invalid_request_error",
    "401,authentication_error",
    "402,billing_error",
    "403,permission_error",
    "404,not_found_error",
    "409,conflict_error",
    "429,rate_limit_error",
    "500,api_error",
    "504,timeout_error",
    "529,overloaded_error"
  })
  void aStatusComesWithTheErrorOfTheApi(int status, String type) throws Exception {
    claude.answers(Answer.status(status));

    HttpResponse<String> response = http.stream();

    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(response.headers().firstValue("content-type")).hasValue("application/json");
    assertThat(Json.parse(response.body()).path("error").path("type").asString()).isEqualTo(type);
  }

  @Test
  void aRateLimitSaysWhenAndASpendLimitDoesNot() throws Exception {
    claude.answers(Answer.status(429).retryAfter(Duration.ofSeconds(7)));
    claude.answers(Answer.spendLimit());

    HttpResponse<String> limited = http.stream();
    assertThat(limited.headers().firstValue("retry-after")).hasValue("7");
    assertThat(limited.headers().firstValue("x-should-retry")).hasValue("true");
    HttpResponse<String> spent = http.stream();
    assertThat(spent.statusCode()).isEqualTo(429);
    assertThat(spent.headers().firstValue("retry-after")).isEmpty();
  }

  @Test
  void theEdgeAnswersInItsOwnShapes() throws Exception {
    claude.answers(Answer.html(503)).answers(Answer.edge413());

    HttpResponse<String> html = http.stream();
    assertThat(html.statusCode()).isEqualTo(503);
    assertThat(html.body()).contains("<html>");
    assertThat(html.headers().firstValue("request-id")).isEmpty();
    HttpResponse<String> tooLarge = http.stream();
    assertThat(tooLarge.statusCode()).isEqualTo(413);
    assertThat(Json.parse(tooLarge.body()).has("type")).isFalse();
  }

  @Test
  void aBodyOverTheLimitGetsTheEdges413() throws Exception {
    byte[] large = new byte[(32 << 20) + 1];
    java.util.Arrays.fill(large, (byte) ' ');
    HttpResponse<String> response = http.post("/v1/messages", new String(large, UTF_8));

    assertThat(response.statusCode()).isEqualTo(413);
  }

  @Test
  void answersCarryTheRateLimitHeaders() throws Exception {
    HttpResponse<String> response = http.message();

    assertThat(response.headers().firstValue("anthropic-ratelimit-requests-limit")).hasValue("50");
    assertThat(
            Instant.parse(
                response.headers().firstValue("anthropic-ratelimit-tokens-reset").orElseThrow()))
        .isAfter(Instant.EPOCH);
    assertThat(response.headers().firstValue("anthropic-organization-id")).isPresent();
  }

  @Test
  void tokensAreCountedAndCountingUsesUpNoScript() throws Exception {
    claude.answers(Answer.text("scripted"));

    HttpResponse<String> response =
        http.post(
            "/v1/messages/count_tokens",
            "{\"model\":\"claude-opus-5-5\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");

    assertThat(Json.parse(response.body()).path("input_tokens").asInt()).isPositive();
    assertThat(http.stream().body()).contains("scripted");
  }

  @Test
  void modelsAreListedInPagesAndGivenOneByOne() throws Exception {
    JsonNode page = Json.parse(http.get("/v1/models?limit=2").body());
    assertThat(page.path("data").size()).isEqualTo(2);
    assertThat(page.path("has_more").asBoolean()).isTrue();
    String last = page.path("last_id").asString();
    JsonNode next = Json.parse(http.get("/v1/models?limit=1000&after_id=" + last).body());
    assertThat(next.path("data").path(0).path("id").asString()).isNotEqualTo(last);
    assertThat(next.path("has_more").asBoolean()).isFalse();
    assertThat(Json.parse(http.get("/v1/models/claude-opus-5-5").body()).path("display_name"))
        .hasToString("\"Claude Opus 5.5\"");
    assertThat(http.get("/v1/models/claude-nope-9").statusCode()).isEqualTo(404);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/v1/v1/messages", "/", "/v1/skills"})
  void otherPathsAreNotFound(String path) throws Exception {
    assertThat(http.post(path, "{}").statusCode()).isEqualTo(404);
  }

  @Test
  void theReachabilityProbeNeedsNoKeyAndKeepsTheConnection() throws Exception {
    HttpRequest probe =
        HttpRequest.newBuilder(claude.baseUrl().resolve("/api/hello"))
            .method("HEAD", HttpRequest.BodyPublishers.noBody())
            .build();

    assertThat(http.send(probe).statusCode()).isEqualTo(200);
    assertThat(http.send(probe).statusCode()).isEqualTo(200);
    assertThat(claude.requests().get(0).connectionId())
        .isEqualTo(claude.requests().get(1).connectionId());
  }

  @Test
  void aPathCanBeScripted() throws Exception {
    claude.answersTo("GET", "/v1/models", Answer.status(529));

    assertThat(http.get("/v1/models").statusCode()).isEqualTo(529);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/v1/messages", "/proxy/v1/messages"})
  void aMessageOfAScriptedPathIsStreamedWhenTheRequestAsksForIt(String path) throws Exception {
    claude.answersTo("POST", path, Answer.text("Hi"));

    assertThat(http.post(path, HttpCaller.STREAMING_BODY).body())
        .startsWith("event: message_start")
        .contains("\"model\":\"claude-opus-5-5\"")
        .contains("message_stop");
    assertThat(claude.lastRequest().streaming()).isTrue();
    assertThat(claude.lastRequest().model()).isEqualTo("claude-opus-5-5");
    assertThat(Json.parse(http.post(path, HttpCaller.BODY).body()).path("type").asString())
        .isEqualTo("message");
    assertThat(claude.lastRequest().streaming()).isFalse();
  }

  @Test
  void anErrorAsTheFirstEventOfAScriptedPathComesWithStatus200() throws Exception {
    claude.answersTo("POST", "/v1/messages", Answer.errorFirst("overloaded_error"));

    HttpResponse<String> response = http.stream();

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body()).startsWith("event: error");
  }

  @Test
  void theReachabilityProbeCanBeScripted() throws Exception {
    claude.answersTo("HEAD", "/api/hello", Answer.status(503));
    HttpRequest probe =
        HttpRequest.newBuilder(claude.baseUrl().resolve("/api/hello"))
            .method("HEAD", HttpRequest.BodyPublishers.noBody())
            .build();

    assertThat(http.send(probe).statusCode()).isEqualTo(503);
  }

  @Test
  void theRequestIsReportedAsItCame() throws Exception {
    HttpRequest request =
        http.request("/v1/messages?beta=true")
            .header("anthropic-beta", "one")
            .header("anthropic-beta", "two")
            .POST(HttpRequest.BodyPublishers.ofString(HttpCaller.BODY))
            .build();

    assertThat(http.send(request).statusCode()).isEqualTo(200);

    SeenRequest seen = claude.lastRequest();
    assertThat(seen.method()).isEqualTo("POST");
    assertThat(seen.path()).isEqualTo("/v1/messages");
    assertThat(seen.query()).isEqualTo("beta=true");
    assertThat(seen.headers().get("ANTHROPIC-Beta")).containsExactly("one", "two");
    assertThat(seen.bodyText()).isEqualTo(HttpCaller.BODY);
    assertThat(seen.model()).isEqualTo("claude-opus-5-5");
    assertThat(seen.streaming()).isFalse();
  }
}
