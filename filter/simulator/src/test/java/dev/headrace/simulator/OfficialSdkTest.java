package dev.headrace.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.AnthropicIoException;
import com.anthropic.errors.NotFoundException;
import com.anthropic.errors.OverloadedException;
import com.anthropic.errors.RateLimitException;
import com.anthropic.errors.SseException;
import com.anthropic.errors.UnauthorizedException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.ContentBlock;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCountTokensParams;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import com.anthropic.models.models.ModelInfo;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The official Java SDK as the judge of what the simulator says. */
class OfficialSdkTest {
  private static final SearchResult GAUGE =
      new SearchResult("Rhine gauge Cologne", "https://gauge.example/cologne", "Gauge 2.41 m");

  private final ClaudeSimulator claude = ClaudeSimulator.start();
  private final AnthropicClient sdk = sdk(claude, 0);

  @AfterEach
  void close() {
    sdk.close();
    claude.close();
  }

  @Test
  void textIsStreamedAndPutTogether() {
    claude.answers(Answer.text("Grüße", " aus Köln! 👋").usage(14, 12));

    Message message = stream();

    assertThat(text(message)).isEqualTo("Grüße aus Köln! 👋");
    assertThat(message.stopReason().orElseThrow()).hasToString("end_turn");
    assertThat(message.usage().inputTokens()).isEqualTo(14);
    assertThat(message.usage().outputTokens()).isEqualTo(12);
    assertThat(claude.lastRequest().header("authorization")).hasValue("Bearer sk-test");
    assertThat(claude.lastRequest().header("accept-encoding")).hasValue("gzip");
  }

  @Test
  void thinkingIsStreamedWithItsSignature() {
    claude.answers(Answer.thinking("84 = 36·2 + 12, ", "so 12.").thenText("The gcd is **12**."));

    List<ContentBlock> content = stream().content();

    assertThat(content.get(0).asThinking().thinking()).isEqualTo("84 = 36·2 + 12, so 12.");
    assertThat(content.get(0).asThinking().signature()).isNotEmpty();
    assertThat(content.get(1).asText().text()).isEqualTo("The gcd is **12**.");
  }

  @Test
  void omittedAndRedactedThinkingAreStreamed() {
    claude.answers(Answer.omittedThinking().thenRedactedThinking("EmwK").thenText("ok"));

    List<ContentBlock> content = stream().content();

    assertThat(content.get(0).asThinking().thinking()).isEmpty();
    assertThat(content.get(0).asThinking().signature()).isNotEmpty();
    assertThat(content.get(1).asRedactedThinking().data()).isEqualTo("EmwK");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"location\": \"Lyon, FR\", \"unit\": \"celsius\"}", ""})
  void toolCallsAreStreamedWithAndWithoutArguments(String input) {
    claude.answers(Answer.tool("get_weather", input));

    Message message = stream();

    assertThat(message.stopReason().orElseThrow()).hasToString("tool_use");
    assertThat(message.content().get(0).asToolUse().name()).isEqualTo("get_weather");
    assertThat(message.content().get(0).asToolUse()._input().toString())
        .contains(input.isEmpty() ? "" : "Lyon, FR");
  }

  @Test
  void aWebSearchIsStreamedWithResultCitationAndGrownInput() {
    claude.answers(Answer.webSearch("river level", GAUGE).thenCitedText("It is at 2.41 m", GAUGE));

    Message message = stream();

    List<ContentBlock> content = message.content();
    assertThat(content.get(0).isServerToolUse()).isTrue();
    assertThat(content.get(1).isWebSearchToolResult()).isTrue();
    assertThat(content.get(2).asText().citations().orElseThrow()).hasSize(1);
    assertThat(message.usage().inputTokens()).isGreaterThan(7_000);
    assertThat(message.usage().serverToolUse().orElseThrow().webSearchRequests()).isEqualTo(1);
  }

  @Test
  void aRefusalIsStreamedWithItsCategory() {
    claude.answers(Answer.refusal("cyber"));

    Message message = stream();

    assertThat(message.stopReason().orElseThrow()).hasToString("refusal");
    assertThat(message.stopDetails().orElseThrow().category().orElseThrow()).hasToString("cyber");
  }

  @Test
  void anAnswerWithoutStreamIsTheSameMessage() {
    Answer answer =
        Answer.thinking("Hm.")
            .thenWebSearch("river level", GAUGE)
            .thenCitedText("It is at 2.41 m", GAUGE)
            .thenTool("note", "{\"level\": 2.41}")
            .usage(Usage.of(61, 58).withCache(8200, 500, 1000).withThinking(41));
    claude.answersAlways(answer);

    Message streamed = stream();
    Message whole = sdk.messages().create(params());

    assertThat(withoutIds(whole)).isEqualTo(withoutIds(streamed)).contains("toolu");
    assertThat(whole.stopReason()).isEqualTo(streamed.stopReason());
    assertThat(whole.usage()).isEqualTo(streamed.usage());
    assertThat(whole.usage().cacheReadInputTokens()).hasValue(8200L);
  }

  private static String withoutIds(Message message) {
    return message.content().toString().replaceAll("toolu_\\w+", "toolu");
  }

  @Test
  void unknownThingsDoNotDisturbIt() {
    claude.answers(Answer.text("Hi").unknownThings().crlf().withComments());

    assertThat(text(stream())).isEqualTo("Hi");
  }

  @Test
  void splitCharactersArePutTogether() {
    claude.answers(Answer.text("Zwölf Boxkämpfer 🥊").splitEvery(2));

    assertThat(text(stream())).isEqualTo("Zwölf Boxkämpfer 🥊");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a-text",
        "b-thinking",
        "b-omitted-thinking",
        "b-redacted-thinking",
        "c-tool-use",
        "d-web-search",
        "g-refusal",
        "h-mcp",
        "i-compaction",
        "j-fallback"
      })
  void everyCompleteTranscriptIsReadToItsEnd(String name) {
    byte[] transcript = java.util.Objects.requireNonNull(Transcripts.all().get(name));
    claude.answers(Answer.transcript(transcript));

    assertThat(stream().usage().outputTokens())
        .isEqualTo(claude.lastRequest().usageSent().outputTokens());
    assertThat(new String(transcript, StandardCharsets.UTF_8)).contains("message_stop");
  }

  @Test
  void httpErrorsBecomeTheSdksTypes() {
    claude.answers(Answer.status(429)).answers(Answer.status(529));

    assertThatThrownBy(() -> sdk.messages().create(params()))
        .isInstanceOf(RateLimitException.class);
    assertThatThrownBy(this::stream).isInstanceOf(OverloadedException.class);
    NotFoundException notFound =
        catchThrowableOfType(
            NotFoundException.class,
            () ->
                sdk.messages()
                    .create(
                        MessageCreateParams.builder()
                            .model("claude-nope-9")
                            .maxTokens(10)
                            .addUserMessage("Hi")
                            .build()));
    assertThat(notFound.apiMessage()).hasValue("model: claude-nope-9");
    assertThat(notFound.requestId()).hasValue(claude.lastRequest().requestId());
    try (ClaudeSimulator strict = ClaudeSimulator.builder().apiKey("other").start()) {
      AnthropicClient stranger = sdk(strict, 0);
      assertThatThrownBy(() -> stranger.messages().create(params()))
          .isInstanceOf(UnauthorizedException.class);
      stranger.close();
    }
  }

  @Test
  void anOverloadIsRetriedBySdkAndSeenAsTwoAttempts() {
    claude.answers(Answer.status(529).header("retry-after-ms", "1")).answers(Answer.text("Hi"));
    AnthropicClient retrying = sdk(claude, 2);

    assertThat(text(retrying.messages().create(params()))).isEqualTo("Hi");

    retrying.close();
    assertThat(claude.attempts()).isEqualTo(2);
    assertThat(claude.requests())
        .extracting(request -> request.header("x-stainless-retry-count").orElse(""))
        .containsExactly("0", "1");
  }

  @Test
  void errorsInTheStreamAndDeathsOfItAreSeenAsSuch() {
    claude
        .answers(Answer.errorFirst("overloaded_error"))
        .answers(Answer.text("Hel", "lo").errorAfterEvents(4, "api_error"))
        .answers(Answer.text("Hel", "lo").resetAfterEvents(4))
        .answers(Answer.text("Hel", "lo").cutCleanAfterEvents(4));

    assertThatThrownBy(this::stream).isInstanceOf(SseException.class);
    assertThatThrownBy(this::stream).isInstanceOf(SseException.class);
    assertThatThrownBy(this::stream).isInstanceOf(AnthropicIoException.class);
    assertThatThrownBy(this::stream).hasMessageContaining("message_stop");
  }

  @Test
  void tokensAreCountedAndModelsListed() {
    assertThat(
            sdk.messages()
                .countTokens(
                    MessageCountTokensParams.builder()
                        .model("claude-opus-5-5")
                        .addUserMessage("Hi")
                        .build())
                .inputTokens())
        .isPositive();
    assertThat(sdk.models().list().autoPager())
        .extracting(ModelInfo::id)
        .contains("claude-opus-5-5", "claude-haiku-5-5");
    assertThat(sdk.models().retrieve("claude-opus-5-5").displayName()).isEqualTo("Claude Opus 5.5");
  }

  private Message stream() {
    MessageAccumulator accumulator = MessageAccumulator.create();
    try (StreamResponse<RawMessageStreamEvent> events = sdk.messages().createStreaming(params())) {
      events.stream().forEach(accumulator::accumulate);
    }
    return accumulator.message();
  }

  static AnthropicClient sdk(ClaudeSimulator claude, int retries) {
    return AnthropicOkHttpClient.builder()
        .baseUrl(claude.baseUrl().toString())
        .apiKey("sk-test")
        .maxRetries(retries)
        .timeout(Duration.ofSeconds(20))
        .build();
  }

  static MessageCreateParams params() {
    return MessageCreateParams.builder()
        .model("claude-opus-5-5")
        .maxTokens(1024)
        .addUserMessage("Hello?")
        .build();
  }

  static String text(Message message) {
    StringBuilder text = new StringBuilder();
    message.content().forEach(block -> block.text().ifPresent(t -> text.append(t.text())));
    return text.toString();
  }
}
