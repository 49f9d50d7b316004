package dev.headrace.containers;

import static dev.headrace.containers.JavaSdk.failure;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.http.HttpResponseFor;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.OverloadedException;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.Secret;
import dev.headrace.containers.JavaSdk.RecordingSleeper;
import dev.headrace.containers.RepeatedFault.Asked;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What the official Java SDK sees when another model, or another member of the upstream pool,
 * stands in for the one that fails.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class SdkFallbackTest extends GatewayContract {

  private static final String FIRST = "claude-opus-5-5";
  private static final String SECOND = "claude-sonnet-5-5";
  private static final String CLIENT_KEY = "sk-of-the-application-not-for-the-api";

  /** Names the first model in other places, too, where it has to stay. */
  private static final MessageCreateParams PARAMS =
      MessageCreateParams.builder()
          .model(FIRST)
          .maxTokens(1024)
          .system("Größe: \"model\":\"" + FIRST + "\"")
          .addUserMessage("Are you " + FIRST + "?")
          .build();

  private final List<AnthropicClient> clients = new ArrayList<>();
  private final RecordingSleeper sleeper = new RecordingSleeper();

  SdkFallbackTest(ContainerKind kind) {
    super(kind);
  }

  /** The SDK writes the same bytes every time, so one call past the gateway shows them. */
  private byte[] sentByTheSdk(Asked asked) {
    try (ClaudeSimulator claude = ClaudeSimulator.builder().apiKey(KEY).start()) {
      ask(sdk(claude.baseUrl(), KEY), asked);
      return claude.lastRequest().body();
    }
  }

  @AfterEach
  void closeClients() {
    clients.forEach(AnthropicClient::close);
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void overloadedModelIsReplacedByItsFallbackAndTheAnswerSaysSo(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(SdkFallbackTest::withFallback);
    headrace.claude().answersBy(SdkFallbackTest::overloadedButForTheSecond);

    Replied replied = ask(sdk(headrace.baseUrl(), CLIENT_KEY), asked);

    assertThat(JavaSdk.text(replied.message)).isEqualTo("I am the second");
    assertThat(replied.message.model().asString()).isEqualTo(SECOND);
    assertThat(replied.models).containsExactly(SECOND);
    assertThat(replied.requestId).isEqualTo(headrace.claude().lastRequest().requestId());
    assertThat(headrace.claude().requests())
        .extracting(SeenRequest::model)
        .containsExactly(FIRST, FIRST, SECOND);
    assertThat(sleeper.slept()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void onlyTheModelTokenDiffersFromTheBytesOfTheSdk(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(SdkFallbackTest::withFallback);
    headrace.claude().answersBy(SdkFallbackTest::overloadedButForTheSecond);
    byte[] sent = sentByTheSdk(asked);

    ask(sdk(headrace.baseUrl(), CLIENT_KEY), asked);

    String token = "\"model\":\"" + FIRST + "\"";
    String text = new String(sent, UTF_8);
    assertThat(text.split(token, -1)).as("the model stands once as a field").hasSize(2);
    List<SeenRequest> requests = headrace.claude().requests();
    assertThat(requests).hasSize(3);
    assertThat(requests.get(0).body()).isEqualTo(sent);
    assertThat(requests.get(1).body()).isEqualTo(sent);
    assertThat(requests.get(2).body())
        .isEqualTo(text.replace(token, "\"model\":\"" + SECOND + "\"").getBytes(UTF_8));
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void modelWithoutFailuresIsNotReplaced(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(SdkFallbackTest::withFallback);
    headrace.claude().answers(Answer.status(529)).answersAlways(Answer.text("I am the first"));

    Replied replied = ask(sdk(headrace.baseUrl(), CLIENT_KEY), asked);

    assertThat(JavaSdk.text(replied.message)).isEqualTo("I am the first");
    assertThat(replied.models).isEmpty();
    assertThat(headrace.claude().requests())
        .extracting(SeenRequest::model)
        .containsExactly(FIRST, FIRST);
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void overloadOfBothModelsIsOneTypedExceptionAfterAllAttempts(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(SdkFallbackTest::withFallback);
    headrace.claude().answersAlways(Answer.status(529));
    AnthropicClient client = sdk(headrace.baseUrl(), CLIENT_KEY);

    OverloadedException e = failure(OverloadedException.class, () -> ask(client, asked));

    assertThat(e.headers().values("x-should-retry")).containsExactly("false");
    assertThat(e.headers().values("headrace-model")).containsExactly(SECOND);
    assertThat(e.requestId()).hasValue(headrace.claude().lastRequest().requestId());
    assertThat(headrace.claude().requests())
        .extracting(SeenRequest::model)
        .containsExactly(FIRST, FIRST, SECOND);
    assertThat(sleeper.slept()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void otherModelHasNoFallback(Asked asked) throws Exception {
    GatewayUnderTest headrace =
        start(settings -> withFallback(settings).retryFallbacks(Map.of(SECOND, List.of(FIRST))));
    headrace.claude().answersAlways(Answer.status(529));
    AnthropicClient client = sdk(headrace.baseUrl(), CLIENT_KEY);

    OverloadedException e = failure(OverloadedException.class, () -> ask(client, asked));

    assertThat(e.headers().values("headrace-model")).isEmpty();
    assertThat(headrace.claude().requests())
        .extracting(SeenRequest::model)
        .containsExactly(FIRST, FIRST, FIRST);
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void memberThatFailsIsFollowedByTheNextWithTheSameBytesAndItsOwnKey(Asked asked)
      throws Exception {
    byte[] sent = sentByTheSdk(asked);
    try (ClaudeSimulator spare = ClaudeSimulator.builder().apiKey("sk-ant-spare").start()) {
      spare.answersAlways(Answer.text("I am the spare"));
      GatewayUnderTest headrace =
          start(
              settings ->
                  quick(settings)
                      .upstreamSelection(GatewaySettings.Selection.ORDERED)
                      .upstreamMembers(
                          List.of(
                              new GatewaySettings.Member("main", null, null, null, 1),
                              new GatewaySettings.Member(
                                  "spare", spare.baseUrl(), Secret.of("sk-ant-spare"), null, 1))));
      headrace.claude().answersAlways(Answer.status(529).retryAfter(Duration.ofMinutes(1)));

      Replied replied = ask(sdk(headrace.baseUrl(), CLIENT_KEY), asked);

      assertThat(JavaSdk.text(replied.message)).isEqualTo("I am the spare");
      assertThat(headrace.claude().attempts()).isEqualTo(1);
      assertThat(spare.attempts()).isEqualTo(1);
      assertThat(headrace.claude().lastRequest().body()).isEqualTo(sent);
      assertThat(spare.lastRequest().body()).isEqualTo(sent);
      assertThat(spare.lastRequest().headers().get("x-api-key")).containsExactly("sk-ant-spare");
      headrace.awaitIdle(Duration.ofSeconds(5));
    }
  }

  // ---- Helpers ----------------------------------------------------------------------------------

  private static GatewaySettingsBuilder quick(GatewaySettingsBuilder settings) {
    return settings.retryWaitDuration(Duration.ofMillis(20)).retryBudgetPerSecond(1000);
  }

  private static GatewaySettingsBuilder withFallback(GatewaySettingsBuilder settings) {
    return quick(settings).retryFallbacks(Map.of(FIRST, List.of(SECOND)));
  }

  private static Answer overloadedButForTheSecond(SeenRequest request) {
    return request.model().equals(SECOND) ? Answer.text("I am the second") : Answer.status(529);
  }

  /** With the SDK's default of two retries. */
  private AnthropicClient sdk(URI baseUrl, String key) {
    AnthropicClient client =
        AnthropicOkHttpClient.builder()
            .baseUrl(baseUrl.toString())
            .apiKey(key)
            .sleeper(sleeper)
            .build();
    clients.add(client);
    return client;
  }

  /** A message with what the head of its answer tells. */
  private record Replied(Message message, List<String> models, String requestId) {}

  private static Replied ask(AnthropicClient client, Asked asked) {
    if (asked == Asked.STREAM) {
      try (HttpResponseFor<StreamResponse<RawMessageStreamEvent>> response =
              client.messages().withRawResponse().createStreaming(PARAMS);
          StreamResponse<RawMessageStreamEvent> stream = response.parse()) {
        return new Replied(
            JavaSdk.accumulate(stream),
            response.headers().values("headrace-model"),
            response.requestId().orElse(""));
      }
    }
    try (HttpResponseFor<Message> response = client.messages().withRawResponse().create(PARAMS)) {
      return new Replied(
          response.parse(),
          response.headers().values("headrace-model"),
          response.requestId().orElse(""));
    }
  }
}
