package dev.headrace.containers;

import static dev.headrace.containers.JavaSdk.failure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.errors.AnthropicException;
import com.anthropic.errors.AnthropicServiceException;
import com.anthropic.errors.ConflictException;
import com.anthropic.errors.GatewayTimeoutException;
import com.anthropic.errors.InternalServerException;
import com.anthropic.errors.OverloadedException;
import com.anthropic.errors.RateLimitException;
import com.anthropic.errors.RequestTimeoutException;
import com.anthropic.errors.ServiceUnavailableException;
import com.anthropic.errors.SseException;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;
import dev.headrace.ManualTime;
import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.containers.JavaSdk.RecordingSleeper;
import dev.headrace.containers.RepeatedFault.Asked;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The retries of the official Java SDK and those of the gateway, both with their defaults: together
 * they never send more than {@code retry.max-attempts}.
 */
@Tag("long")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class SdkRetriesTest extends GatewayContract {

  private static final int MAX_ATTEMPTS = 3; // the default of retry.max-attempts
  private static final String CLIENT_KEY = "sk-of-the-application-not-for-the-api";

  /** Longer than the default of {@code timeouts.first-event}. */
  private static final Duration PAST_FIRST_EVENT = Duration.ofSeconds(121);

  private static final MessageCreateParams PARAMS =
      MessageCreateParams.builder()
          .model("claude-sonnet-5-5")
          .maxTokens(1024)
          .addUserMessage("Hello?")
          .build();

  private static final Map<Integer, Class<? extends AnthropicServiceException>> EXCEPTIONS =
      Map.of(
          408, RequestTimeoutException.class,
          429, RateLimitException.class,
          500, InternalServerException.class,
          502, InternalServerException.class,
          503, ServiceUnavailableException.class,
          504, GatewayTimeoutException.class,
          529, OverloadedException.class);

  private final List<AnthropicClient> clients = new ArrayList<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountedAttempts attempts = new CountedAttempts();
  private final RecordingSleeper sleeper = new RecordingSleeper();

  SdkRetriesTest(ContainerKind kind) {
    super(kind);
  }

  @AfterEach
  void closeClients() {
    clients.forEach(AnthropicClient::close);
    threads.shutdownNow();
  }

  static Stream<Arguments> faults() {
    return Arrays.stream(RepeatedFault.values())
        .flatMap(
            fault ->
                Arrays.stream(Asked.values())
                    .filter(fault::happensTo)
                    .map(asked -> arguments(fault, asked)));
  }

  // ---- Faults that the gateway repeats ----------------------------------------------------------

  @ParameterizedTest
  @MethodSource("faults")
  void faultThatDoesNotEndCostsThreeAttemptsAndIsOneTypedException(RepeatedFault fault, Asked asked)
      throws Exception {
    ManualTime time = new ManualTime();
    GatewayUnderTest headrace = start(fault, time);
    AnthropicClient client = sdk(headrace);
    fault.happens(headrace.claude());

    Future<? extends AnthropicServiceException> call =
        threads.submit(() -> failure(exceptionOf(fault.status), () -> ask(client, asked)));
    if (fault.endsByFirstEvent()) {
      letTimeOut(0, MAX_ATTEMPTS, headrace, time);
    }
    AnthropicServiceException e = call.get(30, TimeUnit.SECONDS);

    assertThat(e.statusCode()).isEqualTo(fault.status);
    assertThat(e.type().map(type -> type.asString()).orElse(null)).isEqualTo(fault.type);
    assertThat(e.headers().values("x-should-retry")).containsExactly("false");
    boolean reached = fault != RepeatedFault.CONNECTION_REFUSED;
    assertThat(headrace.claude().attempts()).isEqualTo(reached ? MAX_ATTEMPTS : 0);
    if (!fault.endsByFirstEvent()) {
      assertThat(attempts.count()).isEqualTo(MAX_ATTEMPTS);
    }
    if (fault.hasRequestId()) {
      assertThat(e.requestId()).hasValue(headrace.claude().lastRequest().requestId());
    } else {
      assertThat(e.requestId()).isEmpty();
    }
    assertSdkAskedOnce(headrace);
  }

  @ParameterizedTest
  @MethodSource("faults")
  void faultThatEndsAfterTwoAttemptsIsNotSeenBehindTheGateway(RepeatedFault fault, Asked asked)
      throws Exception {
    ManualTime time = new ManualTime();
    GatewayUnderTest headrace = start(fault, time);
    headrace.claude().answersAlways(SdkAnswers.named("thinking"));
    Message expected = ask(sdkWithoutGateway(headrace), asked);
    int before = headrace.claude().attempts();
    AnthropicClient client = sdk(headrace);
    fault.happens(MAX_ATTEMPTS - 1, headrace.claude(), attempts);

    Future<Message> call = threads.submit(() -> ask(client, asked));
    if (fault.endsByFirstEvent()) {
      letTimeOut(before, MAX_ATTEMPTS - 1, headrace, time);
    }
    Message message = call.get(30, TimeUnit.SECONDS);

    assertThat(JavaSdk.withoutId(message)).isEqualTo(JavaSdk.withoutId(expected));
    boolean reached = fault != RepeatedFault.CONNECTION_REFUSED;
    assertThat(headrace.claude().attempts() - before).isEqualTo(reached ? MAX_ATTEMPTS : 1);
    if (!fault.endsByFirstEvent()) {
      assertThat(attempts.count()).isEqualTo(MAX_ATTEMPTS);
    }
    assertSdkAskedOnce(headrace);
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void differentFaultsCountTogether(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(attempts, SdkRetriesTest::quick);
    headrace
        .claude()
        .answers(Answer.text("Hello").resetBeforeHead())
        .answers(Answer.status(529))
        .answers(Answer.text("Hello").cutAtByte(20))
        .answersAlways(Answer.text("too late"));
    AnthropicClient client = sdk(headrace);

    InternalServerException e = failure(InternalServerException.class, () -> ask(client, asked));

    assertThat(e.statusCode()).isEqualTo(502);
    assertThat(headrace.claude().attempts()).isEqualTo(MAX_ATTEMPTS);
    assertSdkAskedOnce(headrace);
  }

  @Test
  void waitThatTheApiAsksForIsTheGatewaysAndNotTheSdks() throws Exception {
    GatewayUnderTest headrace = start(attempts, SdkRetriesTest::quick);
    headrace.claude().answers(Answer.status(429)); // after a second
    Message message = ask(sdk(headrace), Asked.STREAM);

    assertThat(message.stopReason()).isPresent();
    List<SeenRequest> requests = headrace.claude().requests();
    assertThat(requests).hasSize(2);
    assertThat(requests.get(1).receivedAtNanos() - requests.get(0).receivedAtNanos())
        .isGreaterThanOrEqualTo(Duration.ofSeconds(1).toNanos());
    assertSdkAskedOnce(headrace);
  }

  // ---- Faults that nobody repeats ---------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(Asked.class)
  void spendLimitIsAskedOnceByBothTogether(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(attempts, SdkRetriesTest::quick);
    headrace.claude().answersAlways(Answer.spendLimit());
    AnthropicClient client = sdk(headrace);

    RateLimitException e = failure(RateLimitException.class, () -> ask(client, asked));

    assertThat(e.errorCode()).hasValue("enforced_spend_limit_reached");
    assertThat(e.headers().values("x-should-retry")).containsExactly("false");
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertSdkAskedOnce(headrace);
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void rateLimitForAnHourIsAskedOnceAndDoesNotLetTheSdkSleepForAnHour(Asked asked)
      throws Exception {
    GatewayUnderTest headrace = start(attempts, SdkRetriesTest::quick);
    headrace.claude().answersAlways(Answer.status(429).retryAfter(Duration.ofHours(1)));
    AnthropicClient client = sdk(headrace);

    RateLimitException e = failure(RateLimitException.class, () -> ask(client, asked));

    assertThat(e.headers().values("retry-after")).containsExactly("3600");
    assertThat(e.headers().values("x-should-retry")).containsExactly("false");
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertSdkAskedOnce(headrace);
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void overloadThatForbidsRetriesIsAskedOnceByBothTogether(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(attempts, SdkRetriesTest::quick);
    headrace.claude().answersAlways(Answer.status(529).shouldRetry(false));
    AnthropicClient client = sdk(headrace);

    failure(OverloadedException.class, () -> ask(client, asked));

    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertSdkAskedOnce(headrace);
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void usedUpRetryBudgetIsNotReplacedByRetriesOfTheSdk(Asked asked) throws Exception {
    GatewayUnderTest headrace =
        start(attempts, settings -> settings.retryBudgetPercent(0).retryBudgetPerSecond(0));
    headrace.claude().answersAlways(Answer.status(529));
    AnthropicClient client = sdk(headrace);

    OverloadedException e = failure(OverloadedException.class, () -> ask(client, asked));

    assertThat(e.headers().values("x-should-retry")).containsExactly("false");
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertSdkAskedOnce(headrace);
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void openCircuitBreakerIsNotAskedAgainByTheSdkAndReachesNoUpstream(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(attempts, SdkRetriesTest::quick);
    headrace.claude().answersAlways(Answer.status(529));
    AnthropicClient client = sdk(headrace);
    for (int call = 0; call < 7; call++) { // 20 failures open it, in the middle of the seventh
      failure(OverloadedException.class, () -> ask(client, asked));
    }
    assertThat(headrace.claude().attempts()).isEqualTo(20);

    OverloadedException e = failure(OverloadedException.class, () -> ask(client, asked));

    assertThat(e.apiMessage().orElseThrow()).contains("(breaker.*)");
    assertThat(e.type().orElseThrow().asString()).isEqualTo("overloaded_error");
    assertThat(e.headers().values("x-should-retry")).containsExactly("false");
    assertThat(e.headers().values("retry-after")).hasSize(1);
    assertThat(headrace.claude().attempts()).isEqualTo(20);
    assertThat(attempts.count()).isEqualTo(20);
    assertThat(sleeper.slept()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void answerThatBreaksOffAfterItsBeginWasPassedOnIsNotRepeatedByAnybody(Asked asked)
      throws Exception {
    GatewayUnderTest headrace =
        start(attempts, settings -> quick(settings).buffersHold(ByteSize.ofKibibytes(4)));
    headrace.claude().answersAlways(Answer.text("Hello ".repeat(20_000)).cutAtByte(60_000));
    AnthropicClient client = sdk(headrace);

    failure(AnthropicException.class, () -> ask(client, asked));

    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertSdkAskedOnce(headrace);
  }

  @Test
  void failureAfterAnEarlyHeadIsOneExceptionOfTheStreamAfterThreeAttempts() throws Exception {
    GatewayUnderTest headrace =
        start(attempts, settings -> quick(settings).timeoutsEarlyCommit(Duration.ofMillis(100)));
    headrace.claude().answersAlways(Answer.status(529).beforeHead(Duration.ofMillis(300)));
    AnthropicClient client = sdk(headrace);

    SseException e = failure(SseException.class, () -> ask(client, Asked.STREAM));

    assertThat(e.type().orElseThrow().asString()).isEqualTo("overloaded_error");
    assertThat(headrace.claude().attempts()).isEqualTo(MAX_ATTEMPTS);
    assertSdkAskedOnce(headrace);
  }

  // ---- Ends in the middle of the attempts -------------------------------------------------------

  @ParameterizedTest
  @EnumSource(Asked.class)
  void requestThatIsEndedByTheTotalClockIsNotRepeatedByTheSdk(Asked asked) throws Exception {
    ManualTime time = new ManualTime();
    GatewayUnderTest headrace =
        start(time, settings -> settings.timeoutsTotal(Duration.ofSeconds(200)));
    headrace.claude().answersAlways(Answer.text("Hello").stallBeforeHead());
    AnthropicClient client = sdk(headrace);

    Future<GatewayTimeoutException> call =
        threads.submit(() -> failure(GatewayTimeoutException.class, () -> ask(client, asked)));
    letTimeOut(0, 2, headrace, time);
    await("the end of the call, or a repetition")
        .atMost(Duration.ofSeconds(10))
        .until(() -> call.isDone() || headrace.claude().attempts() > 2);

    assertThat(headrace.claude().attempts()).isEqualTo(2);
    GatewayTimeoutException e = call.get(10, TimeUnit.SECONDS);
    assertThat(e.apiMessage().orElseThrow()).contains("timeouts.total");
    assertSdkAskedOnce(headrace);
  }

  /** The SDK repeats a 409, which the gateway does not: after repetitions it is told not to. */
  @ParameterizedTest
  @EnumSource(Asked.class)
  void errorThatOnlyTheSdkRepeatsIsNotRepeatedAfterTheGatewaysRepetitions(Asked asked)
      throws Exception {
    GatewayUnderTest headrace = start(attempts, SdkRetriesTest::quick);
    headrace
        .claude()
        .answersBy(request -> Answer.status(request.index() % MAX_ATTEMPTS == 2 ? 409 : 529));
    AnthropicClient client = sdk(headrace);

    failure(ConflictException.class, () -> ask(client, asked));

    assertThat(headrace.claude().attempts()).isEqualTo(MAX_ATTEMPTS);
    assertSdkAskedOnce(headrace);
  }

  // ---- What is left to the SDK ------------------------------------------------------------------

  @ParameterizedTest
  @EnumSource(Asked.class)
  void drainingGatewayMayBeAskedAgainAndAsksNoUpstream(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(attempts, SdkRetriesTest::quick);
    headrace.gateway().drain();
    AnthropicClient client = sdk(headrace);

    ServiceUnavailableException e =
        failure(ServiceUnavailableException.class, () -> ask(client, asked));

    assertThat(e.apiMessage().orElseThrow()).contains("shutting down");
    assertThat(e.headers().values("retry-after")).containsExactly("5");
    assertThat(e.headers().values("x-should-retry")).isEmpty();
    assertThat(sleeper.slept()).containsExactly(Duration.ofSeconds(5), Duration.ofSeconds(5));
    assertThat(headrace.claude().attempts()).isZero();
    assertThat(attempts.count()).isZero();
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void gatewayThatRepeatsNothingLeavesTheRetriesToTheSdk(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(attempts, settings -> quick(settings).retryMaxAttempts(1));
    headrace.claude().answersAlways(Answer.status(529));
    AnthropicClient client = sdk(headrace);

    OverloadedException e = failure(OverloadedException.class, () -> ask(client, asked));

    assertThat(e.headers().values("x-should-retry")).isEmpty();
    assertThat(headrace.claude().attempts()).isEqualTo(3); // two retries of the SDK
    assertThat(sleeper.slept()).hasSize(2);
  }

  @ParameterizedTest
  @EnumSource(Asked.class)
  void attemptsOfBothStayWithinAnyOtherLimit(Asked asked) throws Exception {
    for (int most : new int[] {2, 5}) {
      GatewayUnderTest headrace =
          start(new CountedAttempts(), settings -> quick(settings).retryMaxAttempts(most));
      headrace.claude().answersAlways(Answer.status(529));
      AnthropicClient client = sdk(headrace);

      failure(OverloadedException.class, () -> ask(client, asked));

      assertThat(headrace.claude().attempts()).isEqualTo(most);
      assertSdkAskedOnce(headrace);
    }
  }

  // ---- Helpers ----------------------------------------------------------------------------------

  /** Only waits and budget differ from the defaults, so that a test is over soon. */
  private static GatewaySettingsBuilder quick(GatewaySettingsBuilder settings) {
    return settings.retryWaitDuration(Duration.ofMillis(20)).retryBudgetPerSecond(1000);
  }

  /** With the clock of the test where {@code first-event} must run out, else with the real one. */
  private GatewayUnderTest start(RepeatedFault fault, ManualTime time) throws Exception {
    return fault.endsByFirstEvent()
        ? start(time, SdkRetriesTest::quick)
        : start(attempts, settings -> quick(settings).timeoutsIdle(fault.idle()));
  }

  /** With the SDK's default of two retries. */
  private AnthropicClient sdk(GatewayUnderTest headrace) {
    return sdk(headrace.baseUrl().toString(), CLIENT_KEY);
  }

  private AnthropicClient sdkWithoutGateway(GatewayUnderTest headrace) {
    return sdk(headrace.claude().baseUrl().toString(), KEY);
  }

  private AnthropicClient sdk(String baseUrl, String key) {
    AnthropicClient client =
        AnthropicOkHttpClient.builder().baseUrl(baseUrl).apiKey(key).sleeper(sleeper).build();
    clients.add(client);
    return client;
  }

  private static Message ask(AnthropicClient client, Asked asked) {
    return asked == Asked.STREAM
        ? JavaSdk.accumulate(client, PARAMS)
        : client.messages().create(PARAMS);
  }

  private static Class<? extends AnthropicServiceException> exceptionOf(int status) {
    return Objects.requireNonNull(EXCEPTIONS.get(status));
  }

  /** Lets {@code first-event} run out for each attempt as soon as the simulator has seen it. */
  private static void letTimeOut(
      int firstRequest, int times, GatewayUnderTest headrace, ManualTime time) {
    for (int i = 0; i < times; i++) {
      headrace.claude().awaitRequest(firstRequest + i, Duration.ofSeconds(10));
      time.advance(PAST_FIRST_EVENT);
    }
  }

  private void assertSdkAskedOnce(GatewayUnderTest headrace) {
    await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(
            () ->
                assertThat(
                        headrace.gateway().outcomes().values().stream()
                            .mapToLong(Long::longValue)
                            .sum())
                    .isEqualTo(1));
    assertThat(sleeper.slept()).isEmpty();
  }
}
