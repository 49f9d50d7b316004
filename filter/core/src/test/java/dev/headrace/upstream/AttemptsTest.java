package dev.headrace.upstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettings.Member;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.Secret;
import dev.headrace.messages.ApiError;
import dev.headrace.messages.MessageUsage;
import dev.headrace.messages.RequestHead;
import dev.headrace.messages.UsageView;
import dev.headrace.upstream.UpstreamFailure.Kind;
import dev.headrace.upstream.Virtual.Call;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The attempts of one exchange against an upstream that the test plays, with its own clock. */
class AttemptsTest {

  private static final String START =
      "event: message_start\ndata: {\"type\":\"message_start\"}\n\n";
  private static final String PING = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
  private static final String DELTA =
      "event: content_block_delta\ndata: {\"type\":\"content_block_delta\"}\n\n";
  private static final String OVERLOADED =
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
          + "\"message\":\"Overloaded\"}}\n\n";

  private final Virtual.Time time = new Virtual.Time();
  private final Virtual.Client upstream = new Virtual.Client();
  private final Recorder recorder = new Recorder();
  private UpstreamPool pool = pool(settings -> settings);

  private interface Change {
    GatewaySettingsBuilder apply(GatewaySettingsBuilder settings);
  }

  /** Starts attempts on the calling thread, so that a test sees their effect at once. */
  private UpstreamPool pool(Change change) {
    return pool(change, time.source());
  }

  private UpstreamPool pool(Change change, TimeSource at) {
    GatewaySettings settings =
        change.apply(GatewaySettings.builder().upstreamApiKey(Secret.of("sk-test"))).build();
    Executor here = Runnable::run;
    return new UpstreamPool(settings, upstream, at, new Random(7), here);
  }

  private Attempts start() {
    return start(pool, "{\"model\": \"claude-opus-5-5\", \"max_tokens\": 10}");
  }

  private Attempts start(UpstreamPool of, String body) {
    return start(of, call(body, List.of(), true));
  }

  private static UpstreamCall call(String body, List<HeaderField> headers, boolean metered) {
    byte[] bytes = body.getBytes(UTF_8);
    RequestHead head;
    try {
      head = RequestHead.read(bytes, bytes.length);
    } catch (dev.headrace.messages.InvalidBodyException e) {
      throw new IllegalArgumentException(e);
    }
    return new UpstreamCall(
        "POST", "/v1/messages", headers, bytes, bytes.length, head, true, metered);
  }

  private Attempts start(UpstreamPool of, UpstreamCall call) {
    Attempts attempts = of.attempts(call, time.source().nanos(), recorder);
    recorder.attempts = attempts;
    attempts.start();
    return attempts;
  }

  /** Lets the wait that was asked for pass. */
  private void waitAsAsked(Attempts attempts) {
    time.advance(Duration.ofNanos(recorder.lastWait()));
    attempts.startIfDue();
  }

  @AfterEach
  void close() {
    pool.close();
  }

  // ---- where attempts are started

  private static final URI ONE = URI.create("https://one.example");
  private static final URI OTHER = URI.create("https://other.example");

  private final Change one =
      settings -> settings.upstreamBaseUrl(ONE).upstreamApiKey(Secret.of("sk-test"));

  private Attempts startWith(List<Runnable> waiting, Change change) {
    GatewaySettings settings = change.apply(GatewaySettings.builder()).build();
    pool = new UpstreamPool(settings, upstream, time.source(), new Random(7), waiting::add);
    return start();
  }

  @Test
  void firstAttemptIsStartedHereWhenItNeedsNoAddress() {
    upstream.idle.add(ONE);
    List<Runnable> waiting = new ArrayList<>();
    Attempts attempts = startWith(waiting, one);
    assertThat(upstream.calls).hasSize(1);
    assertThat(waiting).isEmpty();

    upstream.call(0).status(529); // on the I/O thread
    waitAsAsked(attempts); // on the one that watches the clocks
    assertThat(upstream.calls).as("later ones are not").hasSize(1);
    waiting.remove(0).run();
    assertThat(upstream.calls).hasSize(2);
  }

  /** A source of keys that hangs may hold all threads that start attempts. */
  @Test
  void theClockOfTheFirstEventRunsWhileAnAttemptWaitsForAThread() {
    List<Runnable> waiting = new ArrayList<>();
    Attempts attempts = startWith(waiting, one);
    Attempts.Reading reading = attempts.reading();
    assertThat(reading.running()).isTrue();
    assertThat(reading.startNanos()).isEqualTo(time.source().nanos());
    attempts.timeOut("first-event", reading.startNanos() + 1); // of another attempt
    assertThat(recorder.seen).isEmpty();
    attempts.timeOut("first-event", reading.startNanos());
    assertThat(recorder.last()).isEqualTo("given up TimedOut, exhausted");
    waiting.remove(0).run();
    assertThat(upstream.calls).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anAttemptForWhichThereIsNoThreadIsGivenUp(boolean afterAFailure) {
    boolean[] failing = {!afterAFailure};
    Executor threads =
        task -> {
          if (failing[0]) {
            throw new OutOfMemoryError("unable to create native thread");
          }
          task.run();
        };
    GatewaySettings settings = GatewaySettings.builder().upstreamApiKey(Secret.of("k")).build();
    pool = new UpstreamPool(settings, upstream, time.source(), new Random(7), threads);
    Attempts attempts = start();
    if (afterAFailure) {
      upstream.call(0).status(529);
      failing[0] = true;
      waitAsAsked(attempts);
    }
    assertThat(recorder.last()).isEqualTo("given up Broken, may retry");
  }

  @Test
  void attemptThatMightLookUpANameIsStartedElsewhere() {
    List<Runnable> waiting = new ArrayList<>();
    startWith(waiting, one);
    assertThat(upstream.calls).isEmpty();
    waiting.remove(0).run();
    assertThat(upstream.calls).hasSize(1);
  }

  @Test
  void attemptThatAsksTheApplicationForAKeyIsStartedElsewhere() {
    upstream.idle.add(ONE);
    List<Runnable> waiting = new ArrayList<>();
    startWith(
        waiting,
        settings -> settings.upstreamBaseUrl(ONE).upstreamApiKeySource(() -> Secret.of("sk-x")));
    assertThat(upstream.calls).isEmpty();
    assertThat(waiting).hasSize(1);
  }

  /** Libraries for logins keep whose request it is where new threads inherit it. */
  @Test
  @Timeout(60)
  void applicationThatIsAskedForAKeySeesNothingOfTheRequestThatMadeTheThread() throws Exception {
    InheritableThreadLocal<String> user = new InheritableThreadLocal<>();
    BlockingQueue<Optional<String>> seen = new LinkedBlockingQueue<>();
    GatewaySettings settings =
        GatewaySettings.builder()
            .upstreamApiKeySource(
                () -> {
                  seen.add(Optional.ofNullable(user.get()));
                  return Secret.of("sk-x");
                })
            .build();
    user.set("alice");
    try (UpstreamPool own = new UpstreamPool(settings, upstream, time.source())) {
      start(own, "{}");
      assertThat(seen.take()).isEmpty();
    } finally {
      user.remove();
    }
  }

  /** For what the upstream has seen nothing of, nobody is charged, and nothing is sent later. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatEndsWhileTheApplicationIsAskedForAKeyCostsNothingAndBlamesNobody(boolean byAClock) {
    List<Runnable> waiting = new ArrayList<>();
    List<Attempts> started = new ArrayList<>();
    List<Boolean> costNothing = new ArrayList<>();
    started.add(
        startWith(
            waiting,
            settings ->
                settings
                    .upstreamBaseUrl(ONE)
                    .retryMaxAttempts(1)
                    .breakerSlidingWindowSize(1)
                    .breakerMinimumNumberOfCalls(1)
                    .upstreamApiKeySource(
                        () -> {
                          Attempts asked = started.get(0);
                          if (byAClock) {
                            asked.timeOut("first-event", asked.reading().startNanos());
                          } else {
                            asked.cancel();
                          }
                          costNothing.add(asked.takeRemainder().nothing());
                          return Secret.of("sk-x");
                        })));
    waiting.remove(0).run();
    assertThat(costNothing).containsExactly(true);
    assertThat(upstream.calls).isEmpty();
    assertThat(pool.members().get(0).breaker()).isEqualTo("closed");
  }

  /** There would be no other clock but that of the whole, and it may be off. */
  @Test
  void attemptThatCannotBeCancelledIsAnsweredAllTheSame() {
    pool = pool(settings -> settings.retryMaxAttempts(1));
    Attempts attempts = start();
    upstream.call(0).failsToCancel = true;
    attempts.timeOut("first-event", attempts.reading().startNanos());
    assertThat(recorder.last()).startsWith("given up TimedOut");
  }

  @Test
  void wholeAnswerThatCannotBePassedOnIsAFailure() {
    pool = pool(settings -> settings.retryMaxAttempts(1));
    start();
    recorder.takesNothingWhole = true;
    upstream.call(0).head(200, "content-type", "application/json");
    upstream.call(0).body("{}");
    assertThatThrownBy(() -> upstream.call(0).end()).isInstanceOf(OutOfMemoryError.class);
    assertThat(recorder.last()).startsWith("given up Broken");
  }

  @Test
  void applicationThatHasNoKeyForABrokenClassEndsTheExchangeAtOnce() {
    List<Runnable> waiting = new ArrayList<>();
    startWith(
        waiting,
        settings ->
            settings
                .upstreamBaseUrl(ONE)
                .upstreamApiKeySource(
                    () -> {
                      throw new NoClassDefFoundError("com/example/Vault");
                    }));
    waiting.remove(0).run();
    assertThat(upstream.calls).isEmpty();
    assertThat(recorder.seen).containsExactly("given up Broken, may retry");
  }

  @Test
  void allMembersMustBeAtHand() {
    upstream.idle.add(ONE);
    List<Runnable> waiting = new ArrayList<>();
    Change two =
        settings ->
            settings
                .upstreamApiKey(Secret.of("sk-test"))
                .upstreamMembers(
                    List.of(
                        new Member("one", ONE, Secret.of("key-1"), null, 1),
                        new Member("other", OTHER, Secret.of("key-2"), null, 1)));
    startWith(waiting, two);
    assertThat(upstream.calls).isEmpty();
    upstream.idle.add(OTHER);
    startWith(waiting, two);
    assertThat(upstream.calls).hasSize(1);
  }

  // ---- what is repeated

  @ParameterizedTest
  @ValueSource(ints = {408, 429, 500, 502, 503, 504, 529})
  void anotherAttemptFollowsAStatusThatMayPass(int status) {
    Attempts attempts = start();
    upstream.call(0).status(status);
    waitAsAsked(attempts);

    assertThat(upstream.calls).hasSize(2);
    upstream.call(1).events();
    upstream.call(1).body(START);
    assertThat(recorder.seen).containsExactly("commit " + START);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 402, 403, 404, 409, 413, 422, 501})
  void aStatusThatWillNotPassIsTheAnswer(int status) {
    start();
    upstream.call(0).status(status);

    assertThat(upstream.calls).hasSize(1);
    assertThat(recorder.seen).containsExactly("given up ErrorStatus " + status + ", may retry");
  }

  @ParameterizedTest
  @ValueSource(ints = {300, 302, 304, 307})
  void aStatusThatIsNoAnswerIsAnErrorOfTheUpstream(int status) {
    start();
    upstream.call(0).head(status);
    upstream.call(0).end();
    start();
    upstream.call(1).head(status);
    longPage(upstream.call(1));

    assertThat(recorder.seen)
        .containsExactly(
            "given up ErrorStatus " + status + ", may retry",
            "given up part of ErrorStatus " + status + ", may retry");
  }

  /** More than {@code buffers.hold}; it goes on until nobody wants it any more. */
  private static void longPage(Call call) {
    for (int i = 0; i < 100 && !call.cancelled; i++) {
      call.body("<html>".repeat(1000));
    }
    if (call.cancelled) {
      call.fails(Kind.CANCELLED);
    } else {
      call.end();
    }
  }

  @Test
  void aStatusCountsHoweverLongItsBodyIs() {
    Attempts attempts = start();
    for (int i = 0; i < 3; i++) {
      Call call = upstream.call(i);
      call.head(503, "content-type", "text/html");
      longPage(call);
      assertThat(call.cancelled).isTrue();
      if (i < 2) {
        waitAsAsked(attempts);
      }
    }
    assertThat(recorder.seen).containsExactly("given up part of ErrorStatus 503, exhausted");
    assertThat(upstream.calls).hasSize(3);
  }

  @ParameterizedTest
  @CsvSource({"500, open", "429, closed", "400, closed"})
  void theBreakerIsToldOfAStatusHoweverLongItsBodyIs(int status, String breaker) {
    pool = pool(settings -> settings.retryMaxAttempts(1).breakerMinimumNumberOfCalls(2));
    for (int i = 0; i < 2; i++) {
      start();
      upstream.call(i).head(status);
      longPage(upstream.call(i));
    }
    assertThat(pool.members().get(0).breaker()).isEqualTo(breaker);
  }

  @ParameterizedTest
  @EnumSource(
      value = Kind.class,
      names = {"CUT", "NO_RESPONSE"})
  void aStatusCountsAlsoWhenItsBodyBreaksOff(Kind kind) {
    Attempts attempts = start();
    upstream.call(0).head(400, "x-should-retry", "false", "content-length", "500");
    upstream.call(0).body("{\"type\":\"e");
    upstream.call(0).fails(kind);
    assertThat(recorder.seen).containsExactly("given up part of ErrorStatus 400, may retry");
    assertThat(upstream.calls).hasSize(1);
    assertThat(attempts.takeRemainder().nothing()).isTrue();
  }

  @Test
  void aStatusCountsAlsoWhenItsBodyNeverComes() {
    Attempts attempts = start();
    upstream.call(0).head(401);
    time.advance(Duration.ofSeconds(121));
    attempts.timeOut("idle", attempts.reading().startNanos());
    assertThat(upstream.call(0).cancelled).isTrue();
    assertThat(recorder.seen).containsExactly("given up part of ErrorStatus 401, may retry");
  }

  @Test
  void aLimitWhoseBodyBreaksOffIsWaitedFor() {
    start();
    upstream.call(0).head(429, "retry-after", "60", "content-length", "500");
    upstream.call(0).fails(Kind.CUT);
    assertThat(recorder.waits).containsExactly(60_000_000_000L);
  }

  @Test
  void aLimitCountsHoweverLongItsBodyIs() {
    pool =
        pool(
            settings ->
                settings
                    .upstreamMembers(TWO)
                    .retryFallbacks(Map.of("claude-opus-5-5", List.of("claude-b"))));
    start();
    for (int i = 0; i < 2; i++) {
      upstream.call(i).head(429, "retry-after", "600");
      longPage(upstream.call(i));
    }
    assertThat(pool.member("a").rests()).isEqualTo(Duration.ofMinutes(10));
    assertThat(bodyOf(upstream.call(2))).contains("claude-b");
  }

  @ParameterizedTest
  @CsvSource({"529, false, 1", "500, FALSE, 1", "400, true, 2", "404, True, 2"})
  void theUpstreamsOwnWordCountsMoreThanItsStatus(int status, String shouldRetry, int attempts) {
    Attempts started = start();
    upstream.call(0).status(status, "x-should-retry", shouldRetry);
    if (attempts > 1) {
      waitAsAsked(started);
    }
    assertThat(upstream.calls).hasSize(attempts);
  }

  @ParameterizedTest
  @EnumSource(
      value = Kind.class,
      names = {"CONNECT", "CONNECT_TIMEOUT", "NO_RESPONSE", "CUT"})
  void anotherAttemptFollowsABrokenOne(Kind kind) {
    Attempts attempts = start();
    upstream.call(0).fails(kind);
    waitAsAsked(attempts);
    assertThat(upstream.calls).hasSize(2);
  }

  @Test
  void aSpendLimitIsNeverRepeatedEvenIfTheUpstreamSaysSo() {
    start();
    Call call = upstream.call(0);
    call.head(429, "x-should-retry", "true", "retry-after", "1");
    call.body(
        "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\","
            + "\"details\":{\"error_code\":\"contract_spend_limit_reached\"}}}");
    call.end();

    assertThat(upstream.calls).hasSize(1);
    assertThat(recorder.seen).containsExactly("given up ErrorStatus 429, exhausted");
  }

  @Test
  void whatMustNotHappenTwiceIsRepeatedOnlyWhenItSurelyDidNotHappen() {
    UpstreamCall batch =
        new UpstreamCall(
            "POST", "/v1/messages/batches", List.of(), new byte[2], 2, null, false, false);
    start(pool, batch);
    upstream.call(0).fails(Kind.NO_RESPONSE);
    assertThat(recorder.seen).containsExactly("given up Broken, may retry");

    recorder.seen.clear();
    Attempts attempts = start(pool, batch);
    upstream.call(1).fails(Kind.CONNECT);
    waitAsAsked(attempts);
    upstream.call(2).status(529);
    waitAsAsked(attempts);
    upstream.call(3).status(500);
    assertThat(recorder.seen).containsExactly("given up ErrorStatus 500, exhausted");
  }

  // ---- how often and how long

  @Test
  void afterThreeAttemptsTheLastAnswerIsPassedOnAndNobodyShallTryAgain() {
    Attempts attempts = start();
    upstream.call(0).status(529);
    waitAsAsked(attempts);
    upstream.call(1).status(500);
    waitAsAsked(attempts);
    upstream.call(2).status(503);

    assertThat(upstream.calls).hasSize(3);
    assertThat(recorder.seen).containsExactly("given up ErrorStatus 503, exhausted");
  }

  @Test
  void withOneAttemptRetriesAreLeftToTheClient() {
    pool = pool(settings -> settings.retryMaxAttempts(1));
    start();
    upstream.call(0).status(529);
    assertThat(recorder.seen).containsExactly("given up ErrorStatus 529, may retry");
  }

  @Test
  void waitsAreRandomGrowAndStayBelowTheirCeiling() {
    UpstreamPool patient =
        pool(
            settings ->
                settings
                    .retryMaxAttempts(6)
                    .retryBudgetPerSecond(10_000)
                    .breakerEnabled(false)
                    .retryMaxWaitDuration(Duration.ofSeconds(4)));
    long sumOfFirst = 0;
    for (int round = 0; round < 200; round++) {
      recorder.waits.clear();
      upstream.calls.clear();
      Attempts attempts = start(patient, "{\"model\": \"claude-opus-5-5\", \"max_tokens\": 10}");
      for (int i = 0; i < 5; i++) {
        upstream.call(i).status(529);
        waitAsAsked(attempts);
      }
      List<Long> millis = recorder.waits.stream().map(nanos -> nanos / 1_000_000).toList();
      assertThat(millis).hasSize(5);
      assertThat(millis.get(0)).isBetween(0L, 500L);
      assertThat(millis.get(1)).isBetween(millis.get(0) + 125, 1_000L);
      assertThat(millis.get(2)).isBetween(millis.get(1) + 125, 2_000L);
      assertThat(millis.get(3)).isBetween(millis.get(2) + 125, 4_000L);
      assertThat(millis.get(4)).isBetween(Math.min(millis.get(3) + 125, 3_000L), 4_000L);
      sumOfFirst += millis.get(0);
    }
    assertThat(sumOfFirst / 200).isBetween(180L, 320L); // 250 if the jitter is a full one
  }

  @Test
  void theUpstreamsRetryAfterIsWaitedForIfItIsLonger() {
    Attempts attempts = start();
    upstream.call(0).status(429, "retry-after", "20");
    assertThat(recorder.lastWait()).isEqualTo(Duration.ofSeconds(20).toNanos());

    time.advance(Duration.ofMillis(19_999));
    attempts.startIfDue();
    assertThat(upstream.calls).hasSize(1);
    time.advance(Duration.ofMillis(1));
    attempts.startIfDue();
    assertThat(upstream.calls).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource({"120, true", "121, false", "3600, false"})
  void aWaitThatDoesNotFitIntoTheFirstEventIsNotBegun(String retryAfter, boolean fits) {
    start();
    upstream.call(0).status(429, "retry-after", retryAfter);
    if (fits) {
      assertThat(recorder.waits).hasSize(1);
    } else {
      assertThat(recorder.seen).containsExactly("given up ErrorStatus 429, exhausted");
    }
  }

  @Test
  void timeThatTheAttemptTookCountsToo() {
    start();
    time.advance(Duration.ofSeconds(30));
    upstream.call(0).status(429, "retry-after", "91");
    assertThat(recorder.seen).containsExactly("given up ErrorStatus 429, exhausted");
  }

  @Test
  void theWholeTimeLimitsTheWaitToo() {
    pool =
        pool(
            settings ->
                settings
                    .timeoutsTotal(Duration.ofSeconds(50))
                    .timeoutsFirstEvent(Duration.ofSeconds(40)));
    Attempts attempts = start();
    upstream.call(0).status(429, "retry-after", "30");
    waitAsAsked(attempts);
    upstream.call(1).status(429, "retry-after", "30");
    assertThat(recorder.seen).containsExactly("given up ErrorStatus 429, exhausted");
  }

  @Test
  void anAttemptThatTookTooLongIsFollowedAtOnce() {
    Attempts attempts = start();
    time.advance(Duration.ofSeconds(121));
    attempts.timeOut("first-event", attempts.reading().startNanos());

    assertThat(upstream.call(0).cancelled).isTrue();
    assertThat(upstream.calls).hasSize(2);
    upstream.call(0).fails(Kind.CANCELLED); // what comes of the first one means nothing any more
    upstream.call(1).events();
    upstream.call(1).body(START);
    assertThat(recorder.seen).containsExactly("dropped 1 with nothing told", "commit " + START);
  }

  /**
   * What the API was at work on it may bill, and only what comes of the last attempt is the
   * exchange's.
   */
  @ParameterizedTest
  @CsvSource({
    "CONNECT, false",
    "CONNECT_TIMEOUT, false",
    "NO_RESPONSE, false", // mostly a connection that was closed while it was idle
    "NO_EVENT, true",
    "CUT, true",
  })
  void anAttemptOfWhichNothingWasToldIsAccountedForOnce(Kind kind, boolean dropped) {
    Attempts attempts = start();
    upstream.call(0).head(200);
    upstream.call(0).fails(kind);
    waitAsAsked(attempts);
    assertThat(recorder.seen)
        .isEqualTo(dropped ? List.of("dropped 1 with nothing told") : List.of());
    assertThat(upstream.calls).hasSize(2);
    assertThat(attempts.takeRemainder().nothing()).as("the next is under way").isFalse();
    upstream.call(1).status(400);
    assertThat(attempts.takeRemainder().nothing()).as("an error is not billed").isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatWasCancelledBeforeItWasSentIsNotBilled(boolean unsent) {
    Attempts attempts = start();
    upstream.call(0).unsent = unsent;
    attempts.cancel();
    assertThat(attempts.takeRemainder().nothing()).isEqualTo(unsent);
  }

  /** It may take as long as it likes; others are not to suffer for it. */
  @ParameterizedTest
  @CsvSource({"true, open", "false, closed"})
  void aMessageInOnePieceThatTakesLongDoesNotOpenTheBreaker(boolean stream, String state) {
    pool = pool(settings -> settings.breakerMinimumNumberOfCalls(2).retryMaxAttempts(1));
    for (int i = 0; i < 2; i++) {
      Attempts attempts = start(pool, "{\"model\": \"m\", \"stream\": " + stream + "}");
      attempts.timeOut("first-event", attempts.reading().startNanos());
    }
    assertThat(pool.members().get(0).breaker()).isEqualTo(state);
  }

  @Test
  void aTimeoutOfAnAttemptThatHasFailedMeanwhileDoesNotHitTheNextOne() {
    Attempts attempts = start();
    long first = attempts.reading().startNanos();
    upstream.call(0).status(529);
    waitAsAsked(attempts);
    attempts.timeOut("first-event", first);

    assertThat(upstream.call(1).cancelled).isFalse();
    assertThat(upstream.calls).hasSize(2);
  }

  @Test
  void retriesStayWithinTheBudget() {
    pool =
        pool(
            settings ->
                settings.retryBudgetPerSecond(2).retryBudgetPercent(0).breakerEnabled(false));
    for (int i = 0; i < 5; i++) {
      start();
      upstream.calls.get(upstream.calls.size() - 1).status(529);
    }
    assertThat(recorder.waits).hasSize(2);
    assertThat(recorder.seen).hasSize(3).allMatch("given up ErrorStatus 529, exhausted"::equals);
    assertThat(pool.counts().retriesOverBudget()).isEqualTo(3);
  }

  // ---- before anything is sent, and after

  @Test
  void anErrorInPlaceOfTheFirstEventIsRepeated() {
    Attempts attempts = start();
    upstream.call(0).events();
    upstream.call(0).body(OVERLOADED);
    assertThat(upstream.call(0).cancelled).isTrue();
    waitAsAsked(attempts);
    assertThat(upstream.calls).hasSize(2);
    assertThat(recorder.seen).isEmpty();
  }

  @Test
  void anErrorAfterTheFirstEventIsPassedOnAndNotRepeated() {
    start();
    upstream.call(0).events();
    upstream.call(0).body(START);
    upstream.call(0).body(OVERLOADED);
    upstream.call(0).end();
    assertThat(recorder.seen).containsExactly("commit " + START, "bytes " + OVERLOADED, "end");
    assertThat(upstream.calls).hasSize(1);
  }

  @Test
  void withFirstContentAnErrorAsSecondEventIsRepeated() {
    pool = pool(settings -> settings.retryHold(GatewaySettings.Hold.FIRST_CONTENT));
    Attempts attempts = start();
    upstream.call(0).events();
    upstream.call(0).body(START);
    upstream.call(0).body(PING);
    upstream.call(0).body(OVERLOADED);
    waitAsAsked(attempts);
    upstream.call(1).events();
    upstream.call(1).body(START);
    upstream.call(1).body(PING);
    assertThat(recorder.seen).containsExactly("dropped 1 with -1"); // it may have cost something
    upstream.call(1).body(DELTA);
    assertThat(recorder.last()).isEqualTo("commit " + START + PING + DELTA);
  }

  @Test
  void eventsAreNotHeldForLongerThanTheHoldTime() {
    pool =
        pool(
            settings ->
                settings
                    .retryHold(GatewaySettings.Hold.FIRST_CONTENT)
                    .retryHoldTime(Duration.ofSeconds(3)));
    Attempts attempts = start();
    upstream.call(0).events();
    upstream.call(0).body(START);
    time.advance(Duration.ofSeconds(3));
    assertThat(attempts.holdsForTooLong(time.source().nanos())).isFalse();
    time.advance(Duration.ofMillis(1));
    assertThat(attempts.holdsForTooLong(time.source().nanos())).isTrue();
    attempts.commitHeld();
    attempts.commitHeld();
    upstream.call(0).body(DELTA);
    upstream.call(0).end();

    assertThat(recorder.seen)
        .containsExactly("commit " + START, "by clock", "bytes " + DELTA, "end");
  }

  @Test
  void nothingIsRepeatedOnceAnythingWasPassedOn() {
    Attempts attempts = start();
    upstream.call(0).events();
    upstream.call(0).body(START);
    attempts.timeOut("idle", attempts.reading().startNanos());
    upstream.call(0).fails(Kind.CUT);
    attempts.startIfDue();

    assertThat(upstream.calls).hasSize(1);
    assertThat(recorder.seen).containsExactly("commit " + START, "cut CUT");
  }

  @Test
  void anAnswerThatNobodyWantsIsNotPassedOn() {
    recorder.wanted = false;
    start();
    upstream.call(0).events();
    upstream.call(0).body(START);
    upstream.call(0).body(DELTA);
    assertThat(recorder.seen).containsExactly("commit " + START);
  }

  // ---- cancelling

  @Test
  void cancelDuringTheWaitMeansNoFurtherAttempt() {
    Attempts attempts = start();
    upstream.call(0).status(529);
    attempts.cancel();
    waitAsAsked(attempts);
    assertThat(upstream.calls).hasSize(1);
    assertThat(recorder.seen).isEmpty();
  }

  @Test
  void anErrorOfTheApiCostsNothingAndAnAnswerThatIsAwaitedMay() {
    Attempts attempts = start();
    assertThat(attempts.takeRemainder().nothing()).isFalse();
    upstream.call(0).status(529);
    assertThat(attempts.takeRemainder().nothing())
        .isTrue(); // and so it is when the client leaves now
    waitAsAsked(attempts);
    assertThat(upstream.calls).hasSize(2);
    assertThat(attempts.takeRemainder().nothing()).isFalse();
  }

  @Test
  void cancelWhileTheCallIsBeingStartedReachesIt() {
    upstream.whileStarting(call -> requireNonNull(recorder.attempts).cancel());
    start();
    assertThat(upstream.call(0).cancelled).isTrue();
  }

  @Test
  void anAnswerThatIsHeldMayFillWhatItIsHeldIn() {
    pool =
        pool(
            settings ->
                settings.buffersSoft(ByteSize.ofKibibytes(2)).buffersHold(ByteSize.ofKibibytes(8)));
    Attempts attempts = start();
    upstream.call(0).head(200, "content-type", "application/json");
    upstream.call(0).body("x".repeat(1000));
    assertThat(upstream.call(0).granted).hasValue(0);
    upstream.call(0).body("x".repeat(1000));
    assertThat(upstream.call(0).granted).hasValue(2048); // as it is needed
    for (int i = 0; i < 6; i++) {
      upstream.call(0).body("x".repeat(1000));
    }
    // With what it might send anyway, a byte more than is held: then it is passed on.
    assertThat(upstream.call(0).granted).hasValue(6 * 1024 + 1);
    assertThat(recorder.seen).isEmpty();
    upstream.call(0).body("x".repeat(193));
    assertThat(recorder.seen).hasSize(1);
    attempts.grant(10_000); // by the client: from now on buffers.soft holds again
    assertThat(upstream.call(0).granted).hasValue(10_000);
  }

  @Test
  void anAnswerThatIsHeldFillsItAlsoWhenItIsFasterThanTheThreadThatStartedTheCall() {
    pool =
        pool(
            settings ->
                settings.buffersSoft(ByteSize.ofKibibytes(2)).buffersHold(ByteSize.ofKibibytes(8)));
    upstream.whileStarting(
        call -> {
          call.head(200, "content-type", "application/json");
          call.body("x".repeat(2048)); // all that it may send before anybody grants more
        });
    start();
    assertThat(upstream.call(0).granted).hasValue(2048);
  }

  /** Else it is set off against what was granted for the held bytes, and the upstream stops. */
  @Test
  void whatNobodyReadsIsGrantedInFull() {
    pool =
        pool(
            settings ->
                settings.buffersSoft(ByteSize.ofKibibytes(2)).buffersHold(ByteSize.ofKibibytes(8)));
    Attempts attempts = start();
    upstream.call(0).head(200, "content-type", "application/json");
    for (int i = 0; i < 8; i++) {
      upstream.call(0).body("x".repeat(1000));
    }
    upstream.call(0).body("x".repeat(193));
    assertThat(recorder.seen).hasSize(1);
    long before = upstream.call(0).granted.get();
    assertThat(before).isPositive();
    attempts.grantUnread(2048);
    assertThat(upstream.call(0).granted).hasValue(before + 2048);
  }

  @Test
  void anAnswerThatIsHeldNeedsNoGrantWhereItMaySendThatMuchAnyway() {
    start();
    upstream.call(0).head(200, "content-type", "application/json");
    upstream.call(0).body("x".repeat(2000));
    assertThat(upstream.call(0).granted).hasValue(0);
  }

  @Test
  void grantsThatComeBeforeTheCallIsKnownAreNotLost() {
    upstream.whileStarting(
        call -> {
          call.events();
          call.body(START);
          requireNonNull(recorder.attempts)
              .grant(300_000); // the client was faster than this thread
        });
    Attempts attempts = start();
    attempts.grant(5);
    assertThat(upstream.call(0).granted).hasValue(300_005);
  }

  // ---- the circuit breaker

  @Test
  void anUpstreamThatKeepsFailingIsLeftAloneForAWhile() {
    pool =
        pool(
            settings ->
                settings
                    .retryMaxAttempts(1)
                    .breakerMinimumNumberOfCalls(4)
                    .breakerWaitDurationInOpenState(Duration.ofSeconds(10))
                    .breakerPermittedNumberOfCallsInHalfOpenState(1));
    fail(4);
    time.advance(Duration.ofSeconds(4));
    start();
    assertThat(upstream.calls).hasSize(4);
    assertThat(recorder.last()).isEqualTo("given up BreakerOpen PT6S, exhausted");
    assertThat(pool.members().get(0).breaker()).isEqualTo("open");

    time.advance(Duration.ofMillis(6_001));
    start();
    start(); // one trial call is permitted, and that one runs
    assertThat(upstream.calls).hasSize(5);
    assertThat(recorder.last()).isEqualTo("given up BreakerOpen PT1S, exhausted");

    upstream.call(4).events();
    upstream.call(4).body(START);
    assertThat(pool.members().get(0).breaker()).isEqualTo("closed");
  }

  @Test
  void limitsOfTheAccountAndClientsThatLeaveDoNotOpenTheBreaker() {
    pool = pool(settings -> settings.retryMaxAttempts(1).breakerMinimumNumberOfCalls(2));
    for (int i = 0; i < 10; i++) {
      Attempts attempts = start();
      if (i % 2 == 0) {
        upstream.call(i).status(429);
      } else {
        attempts.cancel();
        upstream.call(i).fails(Kind.CANCELLED);
      }
    }
    assertThat(upstream.calls).hasSize(10);
    assertThat(pool.members().get(0).breaker()).isEqualTo("closed");
  }

  @Test
  void aTrialCallOfWhichNothingCameLeavesRoomForAnother() {
    pool = poolWithTrials(1);
    fail(2);
    time.advance(Duration.ofMillis(10_001));
    start().cancel();
    start();
    assertThat(upstream.calls).hasSize(4);
  }

  /** Resilience4j would count them as trials, and find the upstream failing still. */
  @Test
  void attemptsThatBeganInTheOutageDoNotSayWhetherItIsOver() {
    pool = poolWithTrials(2);
    List<Attempts> hanging = List.of(start(), start(), start());
    fail(2);
    time.advance(Duration.ofMillis(10_001));
    start();
    assertThat(pool.members().get(0).breaker()).isEqualTo("half-open");

    for (Attempts each : hanging.subList(0, 2)) {
      each.timeOut("first-event", each.reading().startNanos());
    }
    hanging.get(2).cancel();

    assertThat(pool.members().get(0).breaker()).isEqualTo("half-open");
    start();
    assertThat(upstream.calls).hasSize(7);
    start();
    assertThat(upstream.calls).as("two trials are permitted").hasSize(7);
    for (Call trial : upstream.calls.subList(5, 7)) {
      trial.events();
      trial.body(START);
    }
    assertThat(pool.members().get(0).breaker()).isEqualTo("closed");
  }

  @Test
  void aTrialThatSaysNothingForAsLongAsTheBreakerWasOpenLetsAnotherTry() {
    pool = poolWithTrials(1);
    fail(2);
    time.advance(Duration.ofMillis(10_001));
    Attempts trial = start(pool, "{\"model\": \"m\"}");
    time.advance(Duration.ofSeconds(10));
    trial.passOnTrial(time.source().nanos());
    start();
    assertThat(upstream.calls).as("not yet").hasSize(3);

    time.advance(Duration.ofMillis(1));
    trial.passOnTrial(time.source().nanos());
    trial.passOnTrial(time.source().nanos());
    start();
    start();
    assertThat(upstream.calls).as("one place was passed on, once").hasSize(4);
    trial.cancel();
    start();
    assertThat(upstream.calls).as("and is not given back twice").hasSize(4);
    upstream.call(3).events();
    upstream.call(3).body(START);
    assertThat(pool.members().get(0).breaker()).isEqualTo("closed");
  }

  @Test
  void aClockThatIsSetBackDoesNotKeepTheBreakerOpen() {
    AtomicReference<Instant> wall = new AtomicReference<>(time.instant());
    pool =
        pool(
            settings -> settings.retryMaxAttempts(1).breakerMinimumNumberOfCalls(2),
            new TimeSource(time.source().nanoTime(), wall::get));
    fail(2);
    assertThat(pool.members().get(0).breaker()).isEqualTo("open");
    wall.set(time.instant().minus(Duration.ofHours(6)));
    time.advance(Duration.ofMillis(10_001));
    start();
    assertThat(upstream.calls).hasSize(3);
  }

  /** Whose breaker opens with two failures, and then permits so many attempts after 10 s. */
  private UpstreamPool poolWithTrials(int trials) {
    return pool(
        settings ->
            settings
                .retryMaxAttempts(1)
                .breakerMinimumNumberOfCalls(2)
                .breakerPermittedNumberOfCallsInHalfOpenState(trials));
  }

  private void fail(int times) {
    for (int i = 0; i < times; i++) {
      start();
      upstream.calls.get(upstream.calls.size() - 1).status(500);
    }
  }

  // ---- several upstreams

  private static final List<Member> TWO =
      List.of(
          new Member("a", URI.create("http://a.test/base"), Secret.of("key-a"), null, 1),
          new Member("b", URI.create("http://b.test"), Secret.of("key-b"), null, 3));

  @Test
  void aMemberThatReachedItsLimitRestsForEverybodyAndTheNextIsAskedAtOnce() {
    pool = pool(settings -> settings.upstreamMembers(TWO));
    start();
    upstream.call(0).status(429, "retry-after", "60");
    assertThat(recorder.waits).isEmpty();
    assertThat(asked(1)).isEqualTo("http://b.test /v1/messages key-b");

    start();
    assertThat(asked(2)).isEqualTo("http://b.test /v1/messages key-b");
    time.advance(Duration.ofSeconds(60));
    start();
    assertThat(asked(3)).isEqualTo("http://a.test/base /base/v1/messages key-a");
  }

  private static final String SPENT =
      "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"m\","
          + "\"details\":{\"error_code\":\"enforced_spend_limit_reached\"}}}";

  @ParameterizedTest
  @ValueSource(ints = {401, 429})
  void aMemberWhoseAccountIsRefusedIsAskedAfterTheOthersForAWhile(int status) {
    pool = pool(settings -> settings.upstreamMembers(TWO).retryMaxAttempts(2));
    start();
    refuse(upstream.call(0), status);
    assertThat(recorder.last()).as("this request").startsWith("given up ErrorStatus " + status);

    Attempts next = start();
    assertThat(asked(1)).as("the next one").startsWith("http://b.test");
    upstream.call(1).status(529);
    assertThat(recorder.lastWait()).as("no other is worth asking at once").isPositive();
    waitAsAsked(next);
    assertThat(asked(2)).startsWith("http://b.test");
    time.advance(Duration.ofMinutes(1).minusMillis(1).minusNanos(recorder.lastWait()));
    start();
    assertThat(asked(3)).as("not yet").startsWith("http://b.test");
    time.advance(Duration.ofMillis(1));
    start();
    assertThat(asked(4)).as("somebody may have acted").startsWith("http://a.test");
    refuse(upstream.call(4), status);
    start();
    refuse(upstream.call(5), status);
    start();
    assertThat(asked(6)).as("when all are refused").startsWith("http://a.test");
  }

  @ParameterizedTest
  @CsvSource({
    "400, 'You have reached your specified workspace API usage limits.', true",
    "400, 'Your credit balance is too low to access the API.', true",
    "400, 'messages: text may not be empty', false",
    "400, 'credit balance too low: Extra inputs are not permitted', false",
    "400, 'Your credit balance is too low: Extra inputs are not permitted', false",
    "400, 'messages: \"Your credit balance is too low\" is no role', false",
    "402, 'pay', true",
    "403, 'not this model', false",
  })
  void anAccountIsAlsoRefusedWithOtherStatuses(int status, String message, boolean refused) {
    pool = pool(settings -> settings.upstreamMembers(TWO).retryMaxAttempts(1));
    start();
    Call call = upstream.call(0);
    call.head(status);
    call.body(
        new String(new ApiError(status, "invalid_request_error", message, null).json(), UTF_8));
    call.end();
    start();
    assertThat(asked(1)).startsWith(refused ? "http://b.test" : "http://a.test");
  }

  /** Others do not ask for it. */
  @Test
  void aWorkspaceThatIsRefusedRefusesNoAccount() {
    pool = pool(settings -> settings.upstreamMembers(TWO).retryMaxAttempts(1));
    HeaderField workspace = new HeaderField("anthropic-workspace-id", "wrkspc_full");
    start(pool, call("{\"model\": \"m\"}", List.of(workspace), true));
    refuse(upstream.call(0), 429);
    start();
    assertThat(asked(1)).startsWith("http://a.test");
  }

  @Test
  void aMemberThatRestsForAMomentIsWaitedForWhenTheOtherIsRefused() {
    pool = pool(settings -> settings.upstreamMembers(TWO).retryMaxAttempts(2));
    start();
    refuse(upstream.call(0), 401);
    Attempts attempts = start();
    upstream.call(1).status(429, "retry-after", "2");
    assertThat(recorder.lastWait()).isGreaterThanOrEqualTo(Duration.ofSeconds(2).toNanos());
    Attempts other = start();
    assertThat(upstream.calls).as("nobody asks the refused one meanwhile").hasSize(2);
    time.advance(Duration.ofNanos(recorder.waits.get(0)));
    attempts.startIfDue();
    assertThat(asked(2)).startsWith("http://b.test");
    other.startIfDue();
    assertThat(asked(3)).startsWith("http://b.test");
  }

  /** Held events had told it, and then it was the last one. */
  @Test
  void whatAnAttemptHadToldIsAccountedForOnce() {
    pool =
        pool(
            settings -> settings.retryMaxAttempts(1).retryHold(GatewaySettings.Hold.FIRST_CONTENT));
    Attempts attempts = start(pool, "{\"model\": \"m\", \"stream\": true}");
    upstream.call(0).events();
    upstream.call(0).body(START);
    upstream.call(0).fails(Kind.CUT);
    assertThat(recorder.seen.get(0)).startsWith("dropped 1 with ");
    assertThat(attempts.takeRemainder().nothing()).isTrue();
  }

  private static void refuse(Call call, int status) {
    call.head(status);
    call.body(SPENT);
    call.end();
  }

  @Test
  void whenAllRestTheFirstAttemptWaitsForTheShortestRest() {
    pool = pool(settings -> settings.upstreamMembers(TWO).retryMaxAttempts(2));
    start();
    upstream.call(0).status(429, "retry-after", "60");
    upstream.call(1).status(429, "retry-after", "20");
    recorder.seen.clear();

    Attempts late = start();
    assertThat(upstream.calls).hasSize(2);
    assertThat(recorder.lastWait()).isEqualTo(Duration.ofSeconds(20).toNanos());
    waitAsAsked(late);
    assertThat(asked(2)).startsWith("http://b.test");
  }

  @Test
  void whenAllRestForTooLongTheClientIsTold() {
    pool = pool(settings -> settings.upstreamMembers(TWO));
    start();
    upstream.call(0).status(429, "retry-after", "600");
    upstream.call(1).status(429, "retry-after", "700");
    start();
    assertThat(recorder.last()).isEqualTo("given up AllRest PT10M, exhausted");
    assertThat(upstream.calls).hasSize(2);
  }

  /** One whose breaker is open for 8 s more, and one that rests for 600 s. */
  private void oneFailsAndTheOtherRests(Change change) {
    pool =
        pool(
            settings ->
                change.apply(
                    settings
                        .upstreamMembers(TWO)
                        .breakerMinimumNumberOfCalls(2)
                        .breakerWaitDurationInOpenState(Duration.ofSeconds(10))
                        .breakerPermittedNumberOfCallsInHalfOpenState(1)));
    for (int i = 0; i < 2; i++) {
      start();
      upstream.call(2 * i).fails(Kind.CONNECT);
    }
    assertThat(pool.member("a").breaker()).isEqualTo("open");
    time.advance(Duration.ofSeconds(2));
    upstream.call(1).status(429, "retry-after", "600");
    assertThat(pool.member("b").rests()).isEqualTo(Duration.ofMinutes(10));
    assertThat(pool.member("b").breaker()).isEqualTo("closed");
    upstream.calls.clear();
  }

  @Test
  void aLongRestDoesNotHideAMemberWhoseBreakerOpensSoon() {
    oneFailsAndTheOtherRests(settings -> settings);
    assertThat(recorder.waits).as("after the 429").containsExactly(8_000_000_000L);
    recorder.waits.clear();
    Attempts later = start();
    assertThat(recorder.waits).as("without an attempt").containsExactly(8_000_000_000L);
    time.advance(Duration.ofMillis(1)); // an open breaker counts its last instant too
    waitAsAsked(later);
    assertThat(asked(0)).startsWith("http://a.test");
  }

  @Test
  void aClientIsToldOfTheMemberThatMayBeAskedFirst() {
    oneFailsAndTheOtherRests(settings -> settings.timeoutsFirstEvent(Duration.ofSeconds(5)));
    start();
    assertThat(recorder.last()).isEqualTo("given up AllRest PT8S, exhausted");
    assertThat(upstream.calls).isEmpty();
  }

  @Test
  void nobodyWaitsForTrialCallsOfOthersForLongerThanForAFirstEvent() {
    oneFailsAndTheOtherRests(settings -> settings.timeoutsFirstEvent(Duration.ofSeconds(20)));
    Attempts first = start();
    time.advance(Duration.ofMillis(1));
    waitAsAsked(first);
    assertThat(upstream.calls).as("the one trial call, which runs on").hasSize(1);
    recorder.seen.clear();
    recorder.waits.clear();

    Attempts later = start();
    while (recorder.seen.isEmpty() && recorder.waits.size() < 100) {
      waitAsAsked(later);
    }
    assertThat(recorder.seen).containsExactly("given up AllRest PT1S, exhausted");
    assertThat(recorder.waits).hasSize(20).containsOnly(1_000_000_000L);
    assertThat(upstream.calls).hasSize(1);
  }

  @Test
  void aMemberThatHasRestedIsAskedBeforeTheLastOneWithALimitHas() {
    pool = pool(settings -> settings.upstreamMembers(TWO));
    Attempts attempts = start();
    upstream.call(0).status(429, "retry-after", "20");
    upstream.call(1).status(429, "retry-after", "60");
    assertThat(recorder.waits).containsExactly(20_000_000_000L);
    waitAsAsked(attempts);
    assertThat(asked(2)).startsWith("http://a.test");
  }

  @Test
  void aMemberThatReachedItsLimitForOneModelIsAskedForOthers() {
    pool = pool(settings -> settings.upstreamMembers(TWO));
    start();
    upstream.call(0).status(429, "retry-after", "60");
    start(pool, "{\"model\": \"claude-haiku-5-5\"}");
    assertThat(asked(2)).startsWith("http://a.test");
    start();
    assertThat(asked(3)).startsWith("http://b.test");
    assertThat(pool.member("a").rests()).isEqualTo(Duration.ofSeconds(60));
    time.advance(Duration.ofSeconds(60));
    assertThat(pool.member("a").rests()).isZero();
  }

  @Test
  void aLimitOfFastModeOrOfAWorkspaceLetsNobodyElseWait() {
    pool = pool(settings -> settings.upstreamMembers(TWO));
    String body = "{\"model\": \"claude-opus-5-5\", \"max_tokens\": 10%s}";
    String fast = body.formatted(", \"speed\": \"fast\"");
    HeaderField workspace = new HeaderField("anthropic-workspace-id", "wrkspc_small");
    start(pool, fast);
    upstream.call(0).status(429, "retry-after", "600");
    start(pool, call(body.formatted(""), List.of(workspace), true));
    assertThat(asked(2)).as("the workspace's limit is another").startsWith("http://a.test");
    upstream.call(2).status(429, "retry-after", "600");

    start();
    assertThat(asked(4)).as("the standard speed's, too").startsWith("http://a.test");
    start(pool, fast);
    assertThat(asked(5)).startsWith("http://b.test");
    start(pool, call(body.formatted(""), List.of(workspace), true));
    assertThat(asked(6)).startsWith("http://b.test");
  }

  @Test
  void aLimitOfMessagesLetsNoCountOfTokensWait() {
    pool = pool(settings -> settings.upstreamMembers(TWO));
    start();
    upstream.call(0).status(429, "retry-after", "600");
    upstream.call(1).status(429, "retry-after", "600");
    start(pool, call("{\"model\": \"claude-opus-5-5\"}", List.of(), false));
    assertThat(asked(2)).startsWith("http://a.test");
  }

  /** Each model counts differently. */
  @Test
  void noOtherModelCountsTheTokens() {
    pool =
        pool(settings -> settings.retryFallbacks(Map.of("claude-opus-5-5", List.of("claude-b"))));
    Attempts attempts = start(pool, call("{\"model\": \"claude-opus-5-5\"}", List.of(), false));
    for (int i = 0; i < 3; i++) {
      assertThat(bodyOf(upstream.call(i))).contains("claude-opus-5-5");
      upstream.call(i).status(529);
      if (i < 2) {
        waitAsAsked(attempts);
      }
    }
    assertThat(recorder.seen).containsExactly("given up ErrorStatus 529, exhausted");
  }

  @Test
  void ofTheModelsThatClientsInventOnlySoManyRest() {
    pool = pool(settings -> settings.upstreamMembers(TWO).retryMaxAttempts(1));
    for (int i = 0; i <= 100; i++) {
      start(pool, "{\"model\": \"model-" + i + "\"}");
      upstream.call(i).status(429, "retry-after", "60");
    }
    start(pool, "{\"model\": \"model-99\"}");
    assertThat(asked(101)).startsWith("http://b.test");
    start(pool, "{\"model\": \"model-100\"}");
    assertThat(asked(102)).startsWith("http://a.test");

    time.advance(Duration.ofSeconds(60));
    start(pool, "{\"model\": \"model-100\"}");
    upstream.call(103).status(429, "retry-after", "60");
    start(pool, "{\"model\": \"model-100\"}");
    assertThat(asked(104)).as("there is room again").startsWith("http://b.test");
  }

  @Test
  void membersAreChosenByWeight() {
    pool =
        pool(
            settings ->
                settings
                    .upstreamMembers(TWO)
                    .upstreamSelection(GatewaySettings.Selection.WEIGHTED));
    for (int i = 0; i < 1_000; i++) {
      start();
    }
    long b =
        upstream.calls.stream()
            .filter(call -> call.request.origin().getHost().equals("b.test"))
            .count();
    assertThat(b).isBetween(690L, 810L); // 750 by weight; 4 standard deviations are 55
  }

  @Test
  void aMemberWhoseBreakerIsOpenIsPassedOver() {
    pool =
        pool(
            settings ->
                settings.upstreamMembers(TWO).breakerMinimumNumberOfCalls(2).retryMaxAttempts(2));
    for (int i = 0; i < 2; i++) {
      start();
      upstream.calls.get(upstream.calls.size() - 1).fails(Kind.CONNECT);
    }
    upstream.calls.clear();
    start();
    assertThat(asked(0)).startsWith("http://b.test");
    assertThat(pool.members().get(0).breaker()).isEqualTo("open");
    assertThat(pool.members().get(1).breaker()).isEqualTo("closed");
  }

  private String asked(int index) {
    UpstreamRequest request = upstream.call(index).request;
    String key =
        request.headers().stream()
            .filter(field -> field.is("x-api-key"))
            .findFirst()
            .orElseThrow()
            .value();
    return request.origin() + " " + request.pathAndQuery() + " " + key;
  }

  // ---- other models

  @Test
  void otherModelsTakeTheLastAttemptsAndOnlyTheModelChanges() {
    pool =
        pool(
            settings ->
                settings
                    .retryMaxAttempts(4)
                    .retryFallbacks(Map.of("claude-opus-5-5", List.of("claude-b", "claude-c"))));
    Attempts attempts =
        start(pool, "{\"a\":1, \"model\" : \"claude-opus-5-5\", \"messages\":[\"ü\"]}");
    upstream.call(0).status(529);
    waitAsAsked(attempts);
    upstream.call(1).status(529);
    upstream.call(2).status(529);
    assertThat(attempts.fallbackModel()).isEqualTo("claude-c");
    upstream.call(3).status(529);

    assertThat(upstream.calls.stream().map(AttemptsTest::bodyOf))
        .containsExactly(
            "{\"a\":1, \"model\" : \"claude-opus-5-5\", \"messages\":[\"ü\"]}",
            "{\"a\":1, \"model\" : \"claude-opus-5-5\", \"messages\":[\"ü\"]}",
            "{\"a\":1, \"model\" : \"claude-b\", \"messages\":[\"ü\"]}",
            "{\"a\":1, \"model\" : \"claude-c\", \"messages\":[\"ü\"]}");
    assertThat(recorder.seen).containsExactly("given up ErrorStatus 529, exhausted");
    assertThat(recorder.waits).hasSize(1); // only for the second attempt with the same model
  }

  @Test
  void aLimitThatIsTooLongToWaitForLeadsToTheOtherModelAtOnce() {
    pool =
        pool(settings -> settings.retryFallbacks(Map.of("claude-opus-5-5", List.of("claude-b"))));
    start();
    upstream.call(0).status(429, "retry-after", "3600");
    assertThat(upstream.calls).hasSize(2);
    assertThat(bodyOf(upstream.call(1))).contains("claude-b");
  }

  private final Change twoAndHaiku =
      settings ->
          settings
              .upstreamMembers(TWO)
              .retryFallbacks(Map.of("claude-opus-5-5", List.of("claude-haiku-5-5")));

  @ParameterizedTest
  @ValueSource(strings = {"300", "30"})
  void aModelAtItsLimitEverywhereLeadsToTheOtherModelAtOnceHoweverLongItRests(String retryAfter) {
    pool = pool(twoAndHaiku);
    Attempts attempts = start();
    upstream.call(0).status(429, "retry-after", retryAfter);
    upstream.call(1).status(429, "retry-after", retryAfter);

    assertThat(recorder.waits).isEmpty();
    assertThat(upstream.calls).hasSize(3);
    assertThat(asked(2)).startsWith("http://a.test");
    assertThat(bodyOf(upstream.call(2))).contains("claude-haiku-5-5");
    assertThat(attempts.fallbackModel()).isEqualTo("claude-haiku-5-5");
    assertThat(pool.counts().fallbacks()).isEqualTo(1);
  }

  @Test
  void aModelThatRestsEverywhereForTooLongIsNotEvenAskedFirst() {
    pool = pool(twoAndHaiku);
    start();
    upstream.call(0).status(429, "retry-after", "300");
    upstream.call(1).status(429, "retry-after", "300");

    Attempts later = start();
    assertThat(recorder.waits).isEmpty();
    assertThat(bodyOf(upstream.call(3))).contains("claude-haiku-5-5");
    assertThat(later.fallbackModel()).isEqualTo("claude-haiku-5-5");
    assertThat(later.made()).isEqualTo(1);
  }

  @Test
  void anotherModelThatRestsTooIsNeitherAskedNorNamedNorCounted() {
    pool = pool(settings -> twoAndHaiku.apply(settings).retryMaxAttempts(4));
    start();
    for (int i = 0; i < 2; i++) {
      upstream.call(i).status(429, "retry-after", "300");
    }
    for (int i = 2; i < 4; i++) {
      upstream.call(i).status(429, "retry-after", "600");
    }
    assertThat(recorder.last()).isEqualTo("given up ErrorStatus 429, exhausted");
    assertThat(pool.counts().fallbacks()).isEqualTo(2);

    Attempts later = start();
    assertThat(upstream.calls).hasSize(4);
    assertThat(recorder.last()).isEqualTo("given up AllRest PT5M, exhausted");
    assertThat(later.fallbackModel()).isNull();
    assertThat(pool.counts().fallbacks()).isEqualTo(2);
  }

  @Test
  void anErrorOfTheRequestItselfLeadsToNoOtherModel() {
    pool =
        pool(settings -> settings.retryFallbacks(Map.of("claude-opus-5-5", List.of("claude-b"))));
    start();
    upstream.call(0).status(400);
    assertThat(upstream.calls).hasSize(1);
  }

  private static String bodyOf(Call call) {
    byte[] body = call.request.body();
    return body == null ? "" : new String(body, 0, call.request.bodyLength(), UTF_8);
  }

  /** Writes down what it is told. */
  private static final class Recorder implements Attempts.Listener {
    final List<String> seen = new ArrayList<>();
    final List<Long> waits = new ArrayList<>();
    boolean wanted = true;
    boolean takesNothingWhole;
    @Nullable Attempts attempts;

    long lastWait() {
      return waits.get(waits.size() - 1);
    }

    String last() {
      return seen.get(seen.size() - 1);
    }

    @Override
    public boolean onCommit(Answer answer, byte[] first) {
      seen.add("commit " + new String(first, UTF_8));
      return wanted;
    }

    @Override
    public void onCommitted(Answer answer) {}

    @Override
    public void onCommittedByClock(Answer answer) {
      seen.add("by clock");
    }

    @Override
    public void onBytes(Answer answer, byte[] bytes, int offset, int length) {
      seen.add("bytes " + new String(bytes, offset, length, UTF_8));
    }

    @Override
    public void onPause() {}

    @Override
    public boolean wantsSingleEvents() {
      return false;
    }

    @Override
    public void onEnd(Answer answer) {
      seen.add("end");
    }

    @Override
    public void onCut(Answer answer, UpstreamFailure failure) {
      seen.add("cut " + failure.kind());
    }

    @Override
    public void onWhole(Answer answer, byte[] body) {
      if (takesNothingWhole) {
        throw new OutOfMemoryError("as the test wants");
      }
      seen.add("whole " + new String(body, UTF_8));
    }

    @Override
    public void onGivenUp(AttemptFailure failure, boolean exhausted) {
      String what = failure.getClass().getSimpleName();
      if (failure instanceof AttemptFailure.ErrorStatus status) {
        what = (status.whole() ? "" : "part of ") + what + " " + status.head().status();
      } else if (failure instanceof AttemptFailure.BreakerOpen open) {
        what += " " + open.retryAfter();
      } else if (failure instanceof AttemptFailure.AllRest rest) {
        what += " " + rest.retryAfter();
      }
      seen.add("given up " + what + (exhausted ? ", exhausted" : ", may retry"));
    }

    @Override
    public void onDropped(int number, @Nullable String requestId, @Nullable UsageView usage) {
      MessageUsage used = usage == null ? null : usage.usage();
      String told = usage == null ? "nothing told" : "" + (used == null ? -1 : used.inputTokens());
      seen.add("dropped " + number + " with " + told);
    }

    @Override
    public void onWaiting(long nanos) {
      waits.add(nanos);
    }
  }
}
