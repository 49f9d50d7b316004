package dev.headrace.containers;

import static dev.headrace.containers.JavaSdk.failure;
import static dev.headrace.containers.JavaSdk.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.JsonValue;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.AnthropicIoException;
import com.anthropic.errors.AnthropicServiceException;
import com.anthropic.errors.BadRequestException;
import com.anthropic.errors.ContentTooLargeException;
import com.anthropic.errors.GatewayTimeoutException;
import com.anthropic.errors.InternalServerException;
import com.anthropic.errors.NotFoundException;
import com.anthropic.errors.OverloadedException;
import com.anthropic.errors.PermissionDeniedException;
import com.anthropic.errors.RateLimitException;
import com.anthropic.errors.ServiceUnavailableException;
import com.anthropic.errors.SseException;
import com.anthropic.errors.UnauthorizedException;
import com.anthropic.models.messages.CitationsWebSearchResultLocation;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.messages.RefusalStopDetails;
import com.anthropic.models.messages.StopReason;
import com.anthropic.models.messages.WebSearchResultBlock;
import com.anthropic.models.models.ModelInfo;
import com.anthropic.models.models.ModelListPage;
import com.anthropic.models.models.ModelListParams;
import dev.headrace.containers.JavaSdk.Closing;
import dev.headrace.containers.JavaSdk.RecordingSleeper;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The official Java SDK as the gateway's client. What the SDK makes of a scripted answer is
 * compared with what it makes of the same answer without a gateway. The gateway makes one attempt,
 * so that one answer of the upstream is what the SDK gets; {@link SdkRetriesTest} is about more.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
@Tag("slow")
class JavaSdkTest {

  private static final String CLIENT_KEY = "sk-of-the-application-not-for-the-api";
  private static final Duration SOON = Duration.ofSeconds(2);

  private static final MessageCreateParams PARAMS =
      MessageCreateParams.builder()
          .model("claude-sonnet-5-5")
          .maxTokens(1024)
          .addUserMessage("Hello?")
          .build();

  private final ContainerKind kind;
  private GatewayUnderTest headrace;
  private AnthropicClient client;
  private AnthropicClient direct;
  private final RecordingSleeper sleeper = new RecordingSleeper();

  JavaSdkTest(ContainerKind kind) {
    this.kind = kind;
  }

  @BeforeEach
  void start() throws Exception {
    headrace =
        GatewayUnderTest.start(
            kind,
            settings -> settings.timeoutsHeartbeat(Duration.ofMillis(200)).retryMaxAttempts(1));
    client = client(headrace.baseUrl().toString(), CLIENT_KEY, 0);
    direct = client(headrace.claude().baseUrl().toString(), GatewayUnderTest.API_KEY, 0);
  }

  private AnthropicClient client(String baseUrl, String key, int retries) {
    return AnthropicOkHttpClient.builder()
        .baseUrl(baseUrl)
        .apiKey(key)
        .maxRetries(retries)
        .sleeper(sleeper)
        .build();
  }

  @AfterEach
  void nothingIsLeftAndTheClientsKeyWentNowhere() {
    try {
      await()
          .atMost(Duration.ofSeconds(5))
          .untilAsserted(
              () -> {
                assertThat(headrace.gateway().permitsInUse()).isZero();
                assertThat(headrace.gateway().runningExchanges()).isZero();
                assertThat(headrace.gateway().upstreamConnectionsInUse()).isZero();
              });
      for (SeenRequest request : headrace.claude().requests()) {
        assertThat(request.headers().toString() + request.query() + request.bodyText())
            .doesNotContain(CLIENT_KEY);
      }
    } finally {
      client.close();
      direct.close();
      headrace.close();
    }
  }

  // ---- Messages ---------------------------------------------------------------------------------

  static Set<String> messages() {
    return SdkAnswers.MESSAGES.keySet();
  }

  @ParameterizedTest
  @MethodSource("messages")
  void streamedMessageIsTheSameAsWithoutGateway(String answer) {
    Message expected = accumulated(direct, answer);
    Message message = accumulated(client, answer);

    assertThat(withoutIds(message)).isEqualTo(withoutIds(expected));
    assertThat(headrace.claude().attempts()).isEqualTo(2);
    SeenRequest upstream = headrace.claude().lastRequest();
    assertThat(upstream.headers().get("x-api-key")).containsExactly(GatewayUnderTest.API_KEY);
    assertThat(upstream.headers()).doesNotContainKeys("authorization", "x-stainless-lang");
  }

  @ParameterizedTest
  @MethodSource("messages")
  void streamedEventsAreTheSameAsWithoutGateway(String answer) {
    List<RawMessageStreamEvent> expected = events(direct, answer);
    List<RawMessageStreamEvent> events = events(client, answer);

    assertThat(events.get(0).isMessageStart()).isTrue();
    assertThat(withoutIds(events)).isEqualTo(withoutIds(expected));
  }

  @ParameterizedTest
  @MethodSource("messages")
  void messageThatIsNotStreamedIsTheSameAsWithoutGateway(String answer) {
    Message expected = created(direct, answer);
    Message message = created(client, answer);

    assertThat(withoutIds(message)).isEqualTo(withoutIds(expected));
  }

  @Test
  void streamedTextIsWhole() {
    Message message = accumulated(client, "text");

    assertThat(text(message)).isEqualTo("Grüße aus Köln! 👋");
    assertThat(message.stopReason()).hasValue(StopReason.END_TURN);
    assertThat(message.usage().inputTokens()).isPositive();
    assertThat(message.usage().outputTokens())
        .isEqualTo(headrace.claude().lastRequest().usageSent().outputTokens());
  }

  @Test
  void streamedThinkingKeepsItsSignature() {
    Message message = accumulated(client, "thinking");

    assertThat(message.content().get(0).asThinking().thinking())
        .isEqualTo("84 = 36·2 + 12, 36 = 12·3, so 12.");
    assertThat(message.content().get(0).asThinking().signature()).startsWith("EqQBCgIYAhIM");
    assertThat(text(message)).isEqualTo("The gcd is 12.");
  }

  @Test
  void streamedToolInputIsWhole() {
    Message message = accumulated(client, "tool-use");

    assertThat(message.stopReason()).hasValue(StopReason.TOOL_USE);
    assertThat(message.content().get(1).asToolUse().name()).isEqualTo("get_weather");
    assertThat(message.content().get(1).asToolUse()._input())
        .isEqualTo(JsonValue.from(Map.of("location", "Lyon, FR", "days", List.of(1, 2))));
    assertThat(message.content().get(2).asToolUse()._input()).isEqualTo(JsonValue.from(Map.of()));
  }

  @Test
  void streamedWebSearchKeepsQueryResultsAndCitation() {
    Message message = accumulated(client, "web-search");

    assertThat(message.content().get(0).asServerToolUse()._input())
        .isEqualTo(JsonValue.from(Map.of("query", "river level Cologne")));
    assertThat(message.content().get(1).asWebSearchToolResult().content().asResultBlocks())
        .extracting(WebSearchResultBlock::url)
        .containsExactly("https://gauge.example/cologne");
    CitationsWebSearchResultLocation citation =
        message
            .content()
            .get(2)
            .asText()
            .citations()
            .orElseThrow()
            .get(0)
            .asWebSearchResultLocation();
    assertThat(citation.citedText()).isEqualTo("Gauge 2.41 m");
    assertThat(text(message)).isEqualTo("The gauge stands at 2.41 m");
  }

  @Test
  void streamedRefusalKeepsItsDetails() {
    Message message = accumulated(client, "refusal");

    assertThat(message.stopReason()).hasValue(StopReason.REFUSAL);
    assertThat(message.stopDetails().flatMap(RefusalStopDetails::category))
        .hasValue(RefusalStopDetails.Category.CYBER);
  }

  // ---- Other endpoints --------------------------------------------------------------------------

  @Test
  void tokensAreCounted() {
    MessageCountTokensParams params =
        MessageCountTokensParams.builder()
            .model("claude-sonnet-5-5")
            .addUserMessage("How many tokens is this?")
            .build();

    assertThat(client.messages().countTokens(params))
        .isEqualTo(direct.messages().countTokens(params));
  }

  @Test
  void modelsAreListedPageByPage() {
    ModelListPage first = client.models().list(ModelListParams.builder().limit(5).build());
    List<String> ids = first.autoPager().stream().map(ModelInfo::id).toList();

    assertThat(first.data()).hasSize(5);
    assertThat(ids).hasSizeGreaterThan(15).doesNotHaveDuplicates();
    assertThat(direct.models().list().data()).extracting(ModelInfo::id).isEqualTo(ids);
  }

  @Test
  void modelIsRetrieved() {
    assertThat(client.models().retrieve("claude-opus-5-5"))
        .isEqualTo(direct.models().retrieve("claude-opus-5-5"));
  }

  @Test
  void unknownModelIsNotFound() {
    NotFoundException e =
        failure(NotFoundException.class, () -> client.models().retrieve("claude-nope-9"));

    assertThat(e.apiMessage()).hasValue("model: claude-nope-9");
  }

  // ---- Errors -----------------------------------------------------------------------------------

  static Stream<Arguments> statuses() {
    return Stream.of(
        arguments(400, BadRequestException.class, "invalid_request_error"),
        arguments(401, UnauthorizedException.class, "authentication_error"),
        arguments(403, PermissionDeniedException.class, "permission_error"),
        arguments(404, NotFoundException.class, "not_found_error"),
        arguments(413, ContentTooLargeException.class, "request_too_large"),
        arguments(429, RateLimitException.class, "rate_limit_error"),
        arguments(500, InternalServerException.class, "api_error"),
        arguments(503, ServiceUnavailableException.class, "api_error"),
        arguments(504, GatewayTimeoutException.class, "timeout_error"),
        arguments(529, OverloadedException.class, "overloaded_error"));
  }

  @ParameterizedTest
  @MethodSource("statuses")
  void errorOfTheApiIsTheSameTypedExceptionForBothKindsOfRequest(
      int status, Class<? extends AnthropicServiceException> expected, String type) {
    for (boolean streaming : new boolean[] {true, false}) {
      headrace.claude().reset();
      headrace.claude().answers(SdkAnswers.named("status-" + status));

      AnthropicServiceException e =
          failure(
              expected,
              () -> {
                if (streaming) {
                  accumulate(client);
                } else {
                  client.messages().create(PARAMS);
                }
              });

      assertThat(e.statusCode()).isEqualTo(status);
      assertThat(e.type().orElseThrow().asString()).isEqualTo(type);
      assertThat(e.requestId()).hasValue(headrace.claude().lastRequest().requestId());
      assertThat(headrace.claude().attempts()).isEqualTo(1);
    }
  }

  @Test
  void retryAfterOfRateLimitReachesTheClient() {
    headrace.claude().answers(SdkAnswers.named("status-429-after-7s"));

    RateLimitException e =
        failure(RateLimitException.class, () -> client.messages().create(PARAMS));

    assertThat(e.headers().values("retry-after")).containsExactly("7");
    assertThat(e.headers().values("x-should-retry")).containsExactly("true");
    assertThat(e.headers().values("anthropic-ratelimit-requests-limit")).hasSize(1);
  }

  @Test
  void baseUrlWithVersionIsExplained() {
    try (Closing wrong = new Closing(client(headrace.baseUrl() + "/v1", CLIENT_KEY, 0))) {
      NotFoundException e = failure(NotFoundException.class, () -> accumulate(wrong.client()));

      assertThat(e.apiMessage().orElseThrow()).contains("Remove /v1");
      assertThat(headrace.claude().attempts()).isZero();
    }
  }

  @Test
  void errorInPlaceOfFirstEventIsTypedException() {
    headrace.claude().answers(SdkAnswers.named("error-first"));

    OverloadedException e = failure(OverloadedException.class, () -> accumulate(client));

    assertThat(e.statusCode()).isEqualTo(529);
    assertThat(e.type().orElseThrow().asString()).isEqualTo("overloaded_error");
    assertThat(e.requestId()).hasValue(headrace.claude().lastRequest().requestId());
    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  @Test
  void errorInMidstreamIsExceptionOfTheStream() {
    List<RawMessageStreamEvent> before = new ArrayList<>();

    SseException e = failure(SseException.class, () -> readAll("error-in-midstream", before));

    assertThat(e.type().orElseThrow().asString()).isEqualTo("overloaded_error");
    assertThat(e.requestId()).hasValue(headrace.claude().lastRequest().requestId());
    assertThat(textOf(before)).isEqualTo("Hel");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cut-in-mid-event", "reset-in-mid-event"})
  void streamCutInMidEventIsExceptionOfTheConnection(String answer) {
    List<RawMessageStreamEvent> before = new ArrayList<>();

    AnthropicIoException e = failure(AnthropicIoException.class, () -> readAll(answer, before));

    assertThat(e).isNotNull();
    assertThat(textOf(before)).isEqualTo("Hel");
  }

  @ParameterizedTest
  @ValueSource(strings = {"cut-between-events", "end-without-message-stop"})
  void streamThatEndsBetweenEventsIsExceptionOfTheStream(String answer) {
    List<RawMessageStreamEvent> before = new ArrayList<>();

    SseException e = failure(SseException.class, () -> readAll(answer, before));

    assertThat(e.type().orElseThrow().asString()).isEqualTo("api_error");
    assertThat(e.apiMessage().orElseThrow()).contains("before", "complete");
    assertThat(e.requestId()).hasValue(headrace.claude().lastRequest().requestId());
    assertThat(textOf(before)).isEqualTo("Hel");
  }

  @Test
  void messageCutInMidBodyIsTypedException() {
    headrace.claude().answers(SdkAnswers.named("cut-json"));

    InternalServerException e =
        failure(InternalServerException.class, () -> client.messages().create(PARAMS));

    assertThat(e.statusCode()).isEqualTo(502);
  }

  // ---- Retries of the SDK -----------------------------------------------------------------------

  @Test
  void eachRetryOfTheSdkIsOneAttemptUpstream() {
    headrace.claude().answersAlways(Answer.status(529));
    try (Closing retrying = new Closing(client(headrace.baseUrl().toString(), CLIENT_KEY, 2))) {
      failure(OverloadedException.class, () -> accumulate(retrying.client()));
    }

    assertThat(headrace.claude().attempts()).isEqualTo(3);
    assertThat(sleeper.slept()).hasSize(2);
  }

  @Test
  void sdkWaitsAsLongAsTheApiSaysAndThenSucceeds() {
    headrace.claude().answers(SdkAnswers.named("status-429-after-7s"));
    headrace.claude().answers(SdkAnswers.named("text"));
    try (Closing retrying = new Closing(client(headrace.baseUrl().toString(), CLIENT_KEY, 2))) {
      assertThat(text(accumulate(retrying.client()))).isEqualTo("Grüße aus Köln! 👋");
    }

    assertThat(headrace.claude().attempts()).isEqualTo(2);
    assertThat(sleeper.slept()).containsExactly(Duration.ofSeconds(7));
  }

  @Test
  void sdkRetriesAnErrorInPlaceOfFirstEvent() {
    headrace.claude().answers(SdkAnswers.named("error-first"));
    headrace.claude().answers(SdkAnswers.named("text"));
    try (Closing retrying = new Closing(client(headrace.baseUrl().toString(), CLIENT_KEY, 2))) {
      assertThat(text(accumulate(retrying.client()))).isEqualTo("Grüße aus Köln! 👋");
    }

    assertThat(headrace.claude().attempts()).isEqualTo(2);
  }

  @Test
  void nothingIsRetriedAfterTheFirstEvent() {
    try (Closing retrying = new Closing(client(headrace.baseUrl().toString(), CLIENT_KEY, 2))) {
      headrace.claude().answers(SdkAnswers.named("error-in-midstream"));
      failure(SseException.class, () -> accumulate(retrying.client()));
    }

    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  // ---- Cancelling -------------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(strings = {"flowing", "stalled"})
  void clientThatClosesTheStreamEndsTheUpstreamCall(String answer) {
    headrace.claude().answers(SdkAnswers.named(answer));
    List<RawMessageStreamEvent> before = new ArrayList<>();
    try (StreamResponse<RawMessageStreamEvent> stream = client.messages().createStreaming(PARAMS)) {
      Iterator<RawMessageStreamEvent> events = stream.stream().iterator();
      while (textOf(before).isEmpty()) {
        before.add(events.next());
      }
      assertThat(headrace.gateway().permitsInUse()).isEqualTo(1);
    }

    headrace.claude().lastRequest().awaitClientGone(SOON);
    await().atMost(SOON).until(() -> headrace.gateway().permitsInUse() == 0);
    assertThat(textOf(before)).isEqualTo("Hel");
  }

  // ---- Helpers ----------------------------------------------------------------------------------

  private Message accumulated(AnthropicClient from, String answer) {
    headrace.claude().answers(SdkAnswers.named(answer));
    return accumulate(from);
  }

  private static Message accumulate(AnthropicClient from) {
    return JavaSdk.accumulate(from, PARAMS);
  }

  private List<RawMessageStreamEvent> events(AnthropicClient from, String answer) {
    headrace.claude().answers(SdkAnswers.named(answer));
    try (StreamResponse<RawMessageStreamEvent> stream = from.messages().createStreaming(PARAMS)) {
      return stream.stream().toList();
    }
  }

  private Message created(AnthropicClient from, String answer) {
    headrace.claude().answers(SdkAnswers.named(answer));
    return from.messages().create(PARAMS);
  }

  /** All that is in it but the ids, of which each answer has its own. */
  private static String withoutIds(Object answer) {
    return answer.toString().replaceAll("\\b(msg|toolu|srvtoolu)_\\w+", "$1");
  }

  /** Reads a stream to its end without an accumulator, which would find fault by itself. */
  private void readAll(String answer, List<RawMessageStreamEvent> into) {
    headrace.claude().answers(SdkAnswers.named(answer));
    try (StreamResponse<RawMessageStreamEvent> stream = client.messages().createStreaming(PARAMS)) {
      stream.stream().forEach(into::add);
    }
  }

  private static String textOf(List<RawMessageStreamEvent> events) {
    StringBuilder text = new StringBuilder();
    for (RawMessageStreamEvent event : events) {
      event
          .contentBlockDelta()
          .flatMap(delta -> delta.delta().text())
          .ifPresent(delta -> text.append(delta.text()));
    }
    return text.toString();
  }
}
