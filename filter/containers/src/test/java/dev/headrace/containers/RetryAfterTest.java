package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.ManualTime;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An upstream that asks to be left alone is left alone for so long, or not asked again at all. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
@Tag("slow")
final class RetryAfterTest extends FailureContract {

  private static final Duration SOON = Duration.ofSeconds(10);

  private final ManualTime time = new ManualTime();

  RetryAfterTest(ContainerKind kind) {
    super(kind);
  }

  static Stream<Arguments> waits() {
    String date =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            new ManualTime().instant().plusSeconds(7).atOffset(ZoneOffset.UTC));
    return Stream.of(
        Arguments.of(429, "retry-after", "2", 1900, 2100),
        Arguments.of(529, "retry-after", "2", 1900, 2100),
        Arguments.of(503, "retry-after", "1.5", 1400, 1600),
        Arguments.of(429, "retry-after-ms", "2500.5", 2450, 2550),
        Arguments.of(429, "retry-after", date, 6900, 7100),
        Arguments.of(429, "retry-after", "100", 99_900, 100_100));
  }

  @ParameterizedTest(name = "{0} with {1}: {2}")
  @MethodSource("waits")
  void theNextAttemptComesNotBeforeTheTimeThatTheUpstreamAskedFor(
      int status, String header, String value, int notYetMillis, int thenMillis) throws Exception {
    GatewayUnderTest headrace = start(time, s -> s);
    headrace
        .claude()
        .answers(Answer.status(status).withoutHeader("retry-after").header(header, value))
        .answers(Answer.transcript(TEXT));
    RawClient client = client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(0, SOON);
    awaitBetweenAttempts(headrace);

    time.advance(Duration.ofMillis(notYetMillis));
    assertAttemptsStay(headrace, 1);
    time.advance(Duration.ofMillis(thenMillis - notYetMillis));

    assertCleanAnswer(client.reply(), Asked.STREAM);
    assertThat(headrace.claude().attempts()).isEqualTo(2);
    assertOutcome(headrace, "COMPLETED");
  }

  @Test
  void theMillisecondsCountMoreThanTheSeconds() throws Exception {
    GatewayUnderTest headrace = start(FailureContract::quick);
    headrace
        .claude()
        .answers(Answer.status(429).header("retry-after", "3600").header("retry-after-ms", "10"));
    assertThat(post(headrace, STREAMING).status()).isEqualTo(200);
    assertThat(headrace.claude().attempts()).isEqualTo(2);
  }

  @Test
  void aRetryAfterOfTwoSecondsIsTwoSecondsByTheClockOnTheWall() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answers(Answer.status(429).header("retry-after", "2"));

    assertThat(post(headrace, STREAMING).status()).isEqualTo(200);

    List<SeenRequest> requests = headrace.claude().requests();
    assertThat(requests).hasSize(2);
    long millis =
        (requests.get(1).receivedAtNanos() - requests.get(0).receivedAtNanos()) / 1_000_000;
    Figures.note(kind(), "gap after retry-after: 2", millis + " ms");
    assertThat(millis).isBetween(2_000L, 4_000L);
  }

  @ParameterizedTest
  @EnumSource
  void aRetryAfterThatIsTooLongIsPassedOnAtOnceWithWordThatRetryingIsNoUse(Asked asked)
      throws Exception {
    GatewayUnderTest headrace = start(time, s -> s);
    int attempts = 0;
    for (String asks : List.of("3600", "121", "1e300", "a date")) {
      String value =
          asks.equals("a date")
              ? DateTimeFormatter.RFC_1123_DATE_TIME.format(
                  time.instant().plusSeconds(3600).atOffset(ZoneOffset.UTC))
              : asks;
      headrace.claude().answers(Answer.status(429).header("retry-after", value));
      Reply reply = post(headrace, asked.body()); // the clock stands still
      assertError(reply, 429, "rate_limit_error", "rate limit");
      assertThat(reply.header("retry-after")).hasValue(value);
      assertThat(reply.header("x-should-retry")).hasValue("false");
      assertThat(headrace.claude().attempts()).as(value).isEqualTo(++attempts);
      time.advance(Duration.ofDays(1));
    }
  }

  @Test
  void theTimeThatTheFailedAttemptTookCountsAgainstFirstEvent() throws Exception {
    GatewayUnderTest headrace = start(time, s -> s);
    headrace
        .claude()
        .answers(Answer.status(429).header("retry-after", "61").beforeHead(Duration.ofMillis(400)));
    RawClient client = client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(0, SOON);
    time.advance(Duration.ofSeconds(60)); // while the upstream thinks about it

    Reply reply = client.reply();

    assertThat(reply.status()).isEqualTo(429);
    assertThat(reply.header("x-should-retry")).hasValue("false");
    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  @Test
  void waitsTogetherAreNotLongerThanTotal() throws Exception {
    GatewayUnderTest headrace = start(time, s -> s.timeoutsTotal(Duration.ofSeconds(150)));
    headrace.claude().answersAlways(Answer.status(529).header("retry-after", "100"));
    RawClient client = client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(0, SOON);
    awaitBetweenAttempts(headrace);

    time.advance(Duration.ofSeconds(101));

    Reply reply = client.reply();
    assertError(reply, 529, "overloaded_error", "Overloaded");
    assertThat(reply.header("x-should-retry")).hasValue("false");
    assertThat(headrace.claude().attempts()).isEqualTo(2);
    assertOutcome(headrace, "UPSTREAM_ERROR(status 529)");
  }

  /** A date that has passed and what cannot be read leave the usual short wait. */
  @ParameterizedTest
  @ValueSource(strings = {"soon", "-5", "", "NaN", "Sat, 01 Jan 2000 00:00:00 GMT"})
  void aRetryAfterThatSaysNothingIsFollowedByTheUsualWait(String value) throws Exception {
    GatewayUnderTest headrace = start(time, s -> s);
    headrace
        .claude()
        .answers(Answer.status(529).header("retry-after", value))
        .answers(Answer.transcript(TEXT));
    RawClient client = client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(0, SOON);
    awaitBetweenAttempts(headrace);

    time.advance(Duration.ofMillis(501));

    assertCleanAnswer(client.reply(), Asked.STREAM);
    assertThat(headrace.claude().attempts()).isEqualTo(2);
  }
}
