package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.ManualTime;
import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings.Hold;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The failure matrix, upstreams and clients that fall silent: each silence has its clock. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
@Tag("slow")
final class FailureMatrixSilenceTest extends FailureContract {

  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration PING_INTERVAL = Duration.ofSeconds(30);
  private static final Duration SOON = Duration.ofSeconds(10);

  private final ManualTime time = new ManualTime();

  FailureMatrixSilenceTest(ContainerKind kind) {
    super(kind);
  }

  @ParameterizedTest
  @EnumSource
  void anUpstreamThatNeverAnswersIsAskedThreeTimesForFirstEventEach(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(time, s -> s);
    headrace.claude().answersAlways(Answer.text("a").stallBeforeHead());
    assertGatewayTimeoutAfterThreeAttempts(headrace, asked);
  }

  @Test
  void anUpstreamThatSendsOnlyAHeadIsAskedThreeTimesForFirstEventEach() throws Exception {
    GatewayUnderTest headrace = start(time, s -> s);
    headrace.claude().answersAlways(Answer.transcript(TEXT).stallAfterEvents(0));
    assertGatewayTimeoutAfterThreeAttempts(headrace, Asked.STREAM);
  }

  @Test
  void anUpstreamThatFallsSilentBeforeTheFirstContentIsAskedAgainWhileThatIsHeld()
      throws Exception {
    GatewayUnderTest headrace =
        start(time, s -> s.retryHold(Hold.FIRST_CONTENT).retryHoldTime(Duration.ofHours(1)));
    headrace.claude().answersAlways(Answer.transcript(TEXT).stallAfterEvents(3));
    assertGatewayTimeoutAfterThreeAttempts(headrace, Asked.STREAM);
  }

  private void assertGatewayTimeoutAfterThreeAttempts(GatewayUnderTest headrace, Asked asked)
      throws Exception {
    RawClient client = client(headrace).post(asked.body());
    for (int attempt = 0; attempt < 3; attempt++) {
      SeenRequest request = headrace.claude().awaitRequest(attempt, SOON);
      time.advance(Duration.ofSeconds(119));
      if (attempt == 0) {
        assertAttemptsStay(headrace, 1);
      }
      time.advance(SECOND.multipliedBy(2));
      request.awaitClientGone(SOON);
    }
    Reply reply = client.reply();
    assertError(reply, 504, "timeout_error", "timeouts.first-event of 120s is over.");
    assertThat(reply.header("x-should-retry")).hasValue("false");
    assertThat(headrace.claude().attempts()).isEqualTo(3);
    assertOutcome(headrace, "TIMED_OUT(first-event)");
  }

  @ParameterizedTest
  @EnumSource
  void anAttemptThatStallsIsFollowedAtOnceByOneThatAnswers(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(time, s -> s);
    headrace.claude().answers(Answer.text("a").stallBeforeHead()).answers(Answer.transcript(TEXT));
    RawClient client = client(headrace).post(asked.body());
    headrace.claude().awaitRequest(0, SOON);

    time.advance(Duration.ofSeconds(121));

    assertCleanAnswer(client.reply(), asked);
    assertThat(headrace.claude().attempts()).isEqualTo(2);
    assertOutcome(headrace, "COMPLETED");
  }

  @Test
  void aWholeMessageThatStallsWhileItIsHeldIsAskedForAgainAfterIdle() throws Exception {
    GatewayUnderTest headrace =
        start(
            time,
            s -> s.timeoutsFirstEvent(Duration.ofMinutes(5)).timeoutsIdle(Duration.ofSeconds(60)));
    headrace.claude().answersAlways(Answer.text("Hello").stallAfterEvents(1));
    RawClient client = client(headrace).post(Requests.whole("Hello"));

    advanceUntil(time, PING_INTERVAL, () -> headrace.gateway().runningExchanges() == 0);

    Reply reply = client.reply();
    assertError(reply, 504, "timeout_error", "timeouts.idle of 60s is over.");
    assertThat(reply.header("x-should-retry")).hasValue("false");
    assertThat(headrace.claude().attempts()).isEqualTo(3);
    assertOutcome(headrace, "TIMED_OUT(idle)");
  }

  @Test
  void aWholeMessageThatStallsAfterItHasBegunIsDropped() throws Exception {
    GatewayUnderTest headrace = start(time, s -> s.buffersHold(ByteSize.ofKibibytes(4)));
    headrace.claude().answers(Answer.text("Hello ".repeat(20_000)).stallAfterEvents(1));
    RawClient client = client(headrace).post(Requests.whole("Hello"));
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    assertThat(client.replyHead().status()).isEqualTo(200);
    client.readBody(body, 10_000);

    advanceUntil(time, PING_INTERVAL, () -> headrace.gateway().runningExchanges() == 0);

    assertThat(client.readBody(body, Long.MAX_VALUE)).isIn(End.CUT, End.RESET);
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertOutcome(headrace, "TIMED_OUT(idle)");
  }

  @Test
  void aSilentStallAfterTheFirstEventEndsByIdle() throws Exception {
    GatewayUnderTest headrace = start(time, s -> s.timeoutsHeartbeat(Duration.ZERO));
    headrace.claude().answers(Answer.transcript(TEXT).stallAfterEvents(4));
    RawClient client = client(headrace).post(STREAMING);
    String body = readEvents(client, 4);

    time.advance(Duration.ofSeconds(119));
    ByteArrayOutputStream early = new ByteArrayOutputStream();
    client.patience(Duration.ofMillis(330));
    assertThat(client.readBody(early, 1)).isEqualTo(End.SILENCE);
    time.advance(SECOND.multipliedBy(2));

    client.patience(SOON);
    body += readToEnd(client);
    assertEventsThenError(body, 4, "timeout_error", "timeouts.idle of 120s is over.");
    assertEnded(headrace, "TIMED_OUT(idle)");
  }

  @Test
  void aStallWithNothingButPingsEndsByIdleContent() throws Exception {
    GatewayUnderTest headrace = start(time, s -> s);
    headrace
        .claude()
        .answers(Answer.transcript(TEXT).stallAfterEvents(4).withPings(Duration.ofMillis(20)));
    RawClient client = client(headrace).post(STREAMING);
    readEvents(client, 4);

    for (int i = 0; i < 19; i++) {
      client.readBodyUntil("event: ping\n"); // so that the silence is never longer than this
      time.advance(PING_INTERVAL);
    }
    client.readBodyUntil("event: ping\n"); // 9.5 minutes: still alive
    time.advance(PING_INTERVAL.plus(SECOND));

    ByteArrayOutputStream body = new ByteArrayOutputStream();
    client.readBody(body, 10_000); // not to the end: pings without end would be read for ever
    String rest = body.toString(UTF_8);
    assertThat(rest).contains("event: error");
    assertOneErrorEvent(
        rest.substring(rest.indexOf("event: error")),
        "timeout_error",
        "The API sent only pings in the middle of its answer: timeouts.idle-content of 600s is"
            + " over.");
    assertThat(rest.substring(0, rest.indexOf("event: error")))
        .doesNotContain("data: {\"type\":\"");
    assertEnded(headrace, "TIMED_OUT(idle-content)");
  }

  @Test
  void thinkingForNineMinutesSurvivesIfThereArePings() throws Exception {
    ClaudeSimulator claude =
        ClaudeSimulator.builder().apiKey(KEY).pingInterval(Duration.ofMillis(40)).start();
    GatewayUnderTest headrace = keep(GatewayUnderTest.start(kind(), claude, time, s -> s));
    // The pings come every 40 ms of real time, and half a minute passes for the gateway with each.
    claude.answers(Answer.transcript(TEXT).pauseAfterEvents(4, SECOND.multipliedBy(2)));
    RawClient client = client(headrace).post(STREAMING);
    readEvents(client, 4);

    for (int i = 0; i < 18; i++) {
      client.readBodyUntil("event: ping\n");
      time.advance(PING_INTERVAL);
    }

    String rest = readToEnd(client);
    assertThat(rest).endsWith(TEXT.substring(endOfEvent(4))).doesNotContain("event: error");
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertOutcome(headrace, "COMPLETED");
  }

  @Test
  void aClientThatNeverReadsEndsBySlowClient() throws Exception {
    GatewayUnderTest headrace = start(time, s -> s);
    headrace.claude().answers(Answer.empty().flood(1L << 30));
    RawClient client = clientWithSmallBuffer(headrace).post(STREAMING);
    SeenRequest request = headrace.claude().awaitRequest(0, SOON);
    Standstill.await(request::bytesSent);

    time.advance(Duration.ofSeconds(59));
    assertAttemptsStay(headrace, 1);
    assertThat(headrace.gateway().runningExchanges()).isEqualTo(1);
    time.advance(SECOND.multipliedBy(2));

    assertEnded(headrace, "TIMED_OUT(slow-client)");
    Reply reply = client.reply(); // what was in the network's buffers
    assertThat(reply.end()).isIn(End.CUT, End.RESET);
    assertThat(reply.body()).doesNotContain("message_stop");
  }

  @Test
  void aStreamThatGoesOnForEverEndsByTotal() throws Exception {
    GatewayUnderTest headrace =
        start(
            time,
            s ->
                s.timeoutsTotal(Duration.ofMinutes(2))
                    .timeoutsIdle(Duration.ofMinutes(5))
                    .timeoutsHeartbeat(Duration.ZERO));
    headrace.claude().answers(Answer.transcript(TEXT).stallAfterEvents(4));
    RawClient client = client(headrace).post(STREAMING);
    String body = readEvents(client, 4);

    time.advance(Duration.ofSeconds(121));

    body += readToEnd(client);
    assertEventsThenError(body, 4, "timeout_error", "timeouts.total of 120s is over.");
    assertEnded(headrace, "TIMED_OUT(total)");
  }

  private void assertEnded(GatewayUnderTest headrace, String outcome) {
    assertOutcome(headrace, outcome);
    headrace.claude().lastRequest().awaitClientGone(SOON);
    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  private static String readEvents(RawClient client, int count) throws Exception {
    assertThat(client.replyHead().status()).isEqualTo(200);
    return client.readBodyUntil(firstEvents(count));
  }

  private static String readToEnd(RawClient client) throws Exception {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    assertThat(client.readBody(body, Long.MAX_VALUE)).isEqualTo(End.COMPLETE);
    return body.toString(UTF_8);
  }
}
