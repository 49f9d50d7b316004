package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.ManualTime;
import dev.headrace.config.GatewaySettings.Member;
import dev.headrace.config.GatewaySettings.Selection;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.Secret;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Two upstreams: what one cannot do now, the other does, and each is judged by itself. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class PoolTest extends FailureContract {

  private static final Duration SOON = Duration.ofSeconds(10);

  private final ManualTime time = new ManualTime();
  private final ClaudeSimulator first = ClaudeSimulator.builder().apiKey("sk-first").start();
  private final ClaudeSimulator second = ClaudeSimulator.builder().apiKey("sk-second").start();

  PoolTest(ContainerKind kind) {
    super(kind);
  }

  @AfterEach
  void closeSecond() {
    // The first is closed with its gateway. Streams of the second have ended by now, or are cut.
    second.close();
  }

  private GatewayUnderTest startPool(UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return keep(GatewayUnderTest.start(kind(), first, time, s -> change.apply(members(s, 1, 1))));
  }

  private GatewaySettingsBuilder members(
      GatewaySettingsBuilder settings, int firstWeight, int secondWeight) {
    return settings.upstreamMembers(
        List.of(
            new Member("first", first.baseUrl(), Secret.of("sk-first"), null, firstWeight),
            new Member("second", second.baseUrl(), Secret.of("sk-second"), null, secondWeight)));
  }

  private static Answer limited(int retryAfterSeconds) {
    return Answer.status(429).header("retry-after", Integer.toString(retryAfterSeconds));
  }

  private void assertSeen(int byFirst, int bySecond) {
    assertThat(first.attempts()).as("attempts at the first").isEqualTo(byFirst);
    assertThat(second.attempts()).as("attempts at the second").isEqualTo(bySecond);
  }

  @Test
  void aMemberAtItsLimitIsLeftAloneByEverybodyForItsRetryAfterWhileTheOtherAnswers()
      throws Exception {
    GatewayUnderTest headrace = startPool(s -> s);
    first.answers(limited(30));
    // The clock stands still, so that any wait would be for ever.
    assertThat(post(headrace, STREAMING).status()).isEqualTo(200);
    assertSeen(1, 1);
    assertThat(first.lastRequest().header("x-api-key")).hasValue("sk-first");
    assertThat(second.lastRequest().header("x-api-key")).hasValue("sk-second");

    assertThat(post(headrace, STREAMING).status()).isEqualTo(200);
    assertSeen(1, 2);
    time.advance(Duration.ofMillis(29_900));
    assertThat(post(headrace, Requests.whole("Hello")).status()).isEqualTo(200);
    assertSeen(1, 3);

    time.advance(Duration.ofMillis(200));
    assertThat(post(headrace, STREAMING).status()).isEqualTo(200);
    assertSeen(2, 3);
  }

  @Test
  void whenBothRestARequestWaitsForTheFirstThatHasRested() throws Exception {
    GatewayUnderTest headrace = startPool(s -> s);
    first.answers(limited(30));
    second.answers(limited(20));
    RawClient client = client(headrace).post(STREAMING);
    second.awaitRequest(0, SOON);
    awaitBetweenAttempts(headrace);
    RawClient later = client(headrace).post(STREAMING); // has made no attempt when it must wait
    awaitBetweenAttempts(headrace, 2);
    time.advance(Duration.ofMillis(19_500));
    assertAttemptsStay(headrace, 1);
    assertSeen(1, 1);

    time.advance(Duration.ofSeconds(1));

    assertThat(client.reply().status()).isEqualTo(200);
    assertThat(later.reply().status()).isEqualTo(200);
    assertSeen(1, 3);
  }

  @Test
  void whenBothRestForTooLongTheClientIsToldForHowLongAndNobodyIsAsked() throws Exception {
    GatewayUnderTest headrace = startPool(s -> s);
    first.answers(limited(3600));
    second.answers(limited(1800));
    Reply ofTheUpstream = post(headrace, STREAMING);
    assertError(ofTheUpstream, 429, "rate_limit_error", "rate limit of 50");
    assertThat(ofTheUpstream.header("x-should-retry")).hasValue("false");
    assertSeen(1, 1);

    Reply ours = post(headrace, STREAMING);

    assertError(
        ours,
        429,
        "rate_limit_error",
        "Every upstream of this gateway has reached its limit or keeps failing.");
    assertThat(ours.header("retry-after")).hasValue("1800");
    assertThat(ours.header("x-should-retry")).hasValue("false");
    assertSeen(1, 1);
    assertOutcomes(
        headrace,
        java.util.Map.of("UPSTREAM_ERROR(status 429)", 1L, "REFUSED(upstreams rest)", 1L));
  }

  @Test
  void membersAreChosenByTheirWeight() throws Exception {
    GatewayUnderTest headrace =
        startPool(s -> members(s, 3, 1).upstreamSelection(Selection.WEIGHTED));
    int requests = 400;
    try (RawClient client = RawClient.connect(headrace.port())) {
      for (int i = 0; i < requests; i++) {
        assertThat(client.post(STREAMING).reply().status()).isEqualTo(200);
      }
    }
    assertThat(first.attempts() + second.attempts()).isEqualTo(requests);
    Figures.note(
        kind(), "400 requests by weight 3 : 1", first.attempts() + ", " + second.attempts());
    // 300 on average; six standard deviations of a fair choice to either side.
    assertThat(first.attempts()).isBetween(300 - 52, 300 + 52);
  }

  @Test
  void aMemberThatRefusesConnectionsCostsNoAnswerAndItsBreakerOpensAlone() throws Exception {
    GatewayUnderTest headrace =
        startPool(
            s ->
                quick(s)
                    .breakerSlidingWindowSize(10)
                    .breakerMinimumNumberOfCalls(5)
                    .breakerWaitDurationInOpenState(Duration.ofSeconds(10)));
    first.refuseConnections();
    try (ExchangeLines lines = new ExchangeLines()) {
      for (int i = 0; i < 10; i++) {
        assertThat(post(headrace, STREAMING).status()).as("request %d", i).isEqualTo(200);
      }
      // Five failures open the breaker of the first; from then on it is not even tried.
      assertThat(lines.await(10).stream().filter(line -> line.contains(" attempts=2 ")).count())
          .isEqualTo(5);
      assertThat(lines.await(10))
          .allSatisfy(line -> assertThat(line).contains(" upstream=second "));
    }
    assertSeen(0, 10);

    first.acceptConnections();
    time.advance(Duration.ofMillis(9_900));
    assertThat(post(headrace, STREAMING).status()).isEqualTo(200);
    assertSeen(0, 11);
    time.advance(Duration.ofMillis(200));
    for (int i = 1; i <= 8; i++) {
      assertThat(post(headrace, STREAMING).status()).isEqualTo(200);
      assertSeen(i, 11);
    }
  }
}
