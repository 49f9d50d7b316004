package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.containers.RawClient.End;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** However an answer dies, the client never takes it for complete. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class UpstreamDiesTest extends GatewayContract {

  private static final String TEXT = new String(Transcripts.text(), UTF_8);

  UpstreamDiesTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void aCleanEndWithoutMessageStopIsFollowedByAnErrorEvent() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answers(Answer.transcript(TEXT).cutCleanAfterEvents(4));
    assertErrorEventAtTheEnd(post(headrace, STREAMING), 4, "api_error");
  }

  @Test
  void aConnectionClosedBetweenEventsIsFollowedByAnErrorEvent() throws Exception {
    GatewayUnderTest headrace = start();
    for (int events : List.of(1, 2, 3, 4, 5, 6)) {
      headrace
          .claude()
          .answers(
              Answer.transcript(TEXT)
                  .pauseAfterEvents(events, Duration.ofMillis(50)) // see the next test
                  .cutAfterEvents(events));
      assertErrorEventAtTheEnd(post(headrace, STREAMING), events, "api_error");
    }
  }

  /**
   * An end that comes together with the bytes before it may cost these bytes: HttpCore decodes them
   * and meets the end in the same read. The client then has fewer events, or a 502 if it has none.
   */
  @Test
  void aConnectionClosedOrResetRightBehindTheLastEventNeverLooksComplete() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    for (int i = 0; i < 20; i++) {
      headrace.claude().answers(Answer.transcript(TEXT).cutAfterEvents(4));
      assertNeverLooksComplete(post(headrace, STREAMING), "cut " + i);
      headrace.claude().answers(Answer.transcript(TEXT).resetAfterEvents(4));
      assertNeverLooksComplete(post(headrace, STREAMING), "reset " + i);
    }
  }

  @Test
  void aConnectionCutOrResetWithinAnEventIsDroppedWithoutAnEnd() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    int afterFirst = TEXT.indexOf("\n\n") + 2;
    SplittableRandom random = new SplittableRandom(1);
    int dropped = 0;
    int runs = Load.count(100, 2_000);
    for (int i = 0; i < runs; i++) {
      int at = random.nextInt(afterFirst + 1, Transcripts.text().length - 1);
      boolean cut = random.nextBoolean();
      // The gaps let the gateway read every event before the end comes.
      Answer slow = Answer.transcript(TEXT).trickle(10_000, Duration.ofMillis(3));
      headrace.claude().answers(cut ? slow.cutAtByte(at) : slow.resetAtByte(at));
      RawClient.Reply reply = post(headrace, STREAMING);
      String what = (cut ? "cut" : "reset") + " at " + at + ": " + reply.end();
      assertNeverLooksComplete(reply, what);
      boolean boundary = reply.body().contains("event: error");
      if (reply.status() == 200 && !boundary) {
        assertThat(reply.end()).as(what).isIn(End.CUT, End.RESET);
        assertThat(Arrays.copyOf(Transcripts.text(), reply.bytes().length))
            .as(what)
            .isEqualTo(reply.bytes());
        dropped++;
      }
    }
    assertThat(dropped).isGreaterThan(runs / 2);
  }

  @Test
  void aCutWithinTheFirstEventBecomesABadGateway() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    headrace.claude().answers(Answer.transcript(TEXT).cutAtByte(20));
    assertError(post(headrace, STREAMING), 502, "api_error");
  }

  @Test
  void aStallBetweenEventsEndsInATimeoutErrorEventAfterTheIdleClock() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsIdle(Duration.ofMillis(500)));
    headrace.claude().answers(Answer.transcript(TEXT).stallAfterEvents(4));
    assertErrorEventAtTheEnd(post(headrace, STREAMING), 4, "timeout_error");
    headrace.claude().lastRequest().awaitClientGone(Duration.ofSeconds(5));
  }

  @Test
  void pingsKeepTheIdleClockQuiet() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsIdle(Duration.ofMillis(600)));
    headrace
        .claude()
        .answers(Answer.transcript(TEXT).stallAfterEvents(4).withPings(Duration.ofMillis(150)));
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();
    String ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    assertThat(client.readBodyUntil(ping.repeat(10))).doesNotContain("event: error");
  }

  @Test
  void aStallBeforeTheFirstEventBecomesAGatewayTimeout() throws Exception {
    GatewayUnderTest headrace =
        start(s -> s.timeoutsFirstEvent(Duration.ofMillis(500)).retryMaxAttempts(1));
    for (Answer answer :
        List.of(Answer.text("a").stallBeforeHead(), Answer.transcript(TEXT).stallAfterEvents(0))) {
      headrace.claude().answers(answer);
      assertError(post(headrace, STREAMING), 504, "timeout_error");
      headrace.claude().lastRequest().awaitClientGone(Duration.ofSeconds(5));
    }
  }

  @Test
  void theTotalClockEndsAStreamThatWouldGoOnForEver() throws Exception {
    GatewayUnderTest headrace =
        start(
            s -> s.timeoutsTotal(Duration.ofSeconds(1)).timeoutsFirstEvent(Duration.ofMillis(900)));
    headrace
        .claude()
        .answers(Answer.transcript(TEXT).stallAfterEvents(4).withPings(Duration.ofMillis(100)));
    RawClient.Reply reply = post(headrace, STREAMING);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(lastEvent(reply.body())).contains("timeout_error").contains("timeouts.total");
  }

  @Test
  void aRefusedConnectionBecomesABadGateway() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    headrace.claude().refuseConnections();
    assertError(post(headrace, STREAMING), 502, "api_error");
  }

  @Test
  void aConnectionClosedOrResetBeforeTheHeadBecomesABadGateway() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    headrace.claude().answers(Answer.text("a").closeBeforeHead());
    assertError(post(headrace, STREAMING), 502, "api_error");
    headrace.claude().answers(Answer.text("a").resetBeforeHead());
    assertError(post(headrace, STREAMING), 502, "api_error");
  }

  @Test
  void anAnswerThatIsNoHttpBecomesABadGateway() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    for (String garbage :
        List.of("SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nConte")) {
      headrace.claude().answers(Answer.rawHttp(garbage.getBytes(UTF_8)));
      assertError(post(headrace, STREAMING), 502, "api_error");
    }
  }

  @Test
  void aCutJsonAnswerThatIsSmallBecomesABadGateway() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    headrace.claude().answers(Answer.text("Hello").cutAtByte(30));
    assertError(post(headrace, Requests.whole("Hello")), 502, "api_error");
  }

  @Test
  void aCutJsonAnswerThatIsLargerThanTheHoldIsDropped() throws Exception {
    GatewayUnderTest headrace = start(s -> s.buffersHold(ByteSize.ofKibibytes(4)));
    headrace.claude().answers(Answer.text("Hello ".repeat(20_000)).cutAtByte(60_000));
    RawClient.Reply reply = post(headrace, Requests.whole("Hello"));
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isIn(End.CUT, End.RESET);
  }

  @Test
  void anUpstreamWhoseCertificateIsUnknownBecomesABadGateway() throws Exception {
    GatewayUnderTest headrace =
        start(ClaudeSimulator.builder().apiKey(KEY).tls(), s -> s.retryMaxAttempts(1));
    assertError(post(headrace, STREAMING), 502, "api_error");
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void anAnswerThatDiesBeforeItsFirstEventIsRepeatedWithoutATrace() throws Exception {
    CountedAttempts attempts = new CountedAttempts();
    GatewayUnderTest headrace = start(attempts, UpstreamDiesTest::quickly);
    headrace.claude().answersAlways(Answer.transcript(TEXT));
    int expected = 0;
    for (RepeatedFault fault : RepeatedFault.values()) {
      // Refused are only new connections, and here are some to use again: see SdkRetriesTest.
      if (fault.happensTo(RepeatedFault.Asked.STREAM)
          && !fault.endsByFirstEvent()
          && fault != RepeatedFault.CONNECTION_REFUSED) {
        attempts.reset();
        fault.happens(2, headrace.claude(), attempts);
        RawClient.Reply reply = post(headrace, STREAMING);
        assertThat(reply.status()).as(fault.name()).isEqualTo(200);
        assertThat(reply.end()).as(fault.name()).isEqualTo(End.COMPLETE);
        assertThat(reply.body()).as(fault.name()).isEqualTo(TEXT);
        assertThat(reply.header("x-should-retry")).as(fault.name()).isEmpty();
        assertThat(reply.header("request-id"))
            .hasValue(headrace.claude().lastRequest().requestId());
        assertThat(attempts.count()).as(fault.name()).isEqualTo(3);
        expected++;
      }
    }
    assertThat(expected).isGreaterThan(15);
  }

  @Test
  void anUpstreamThatDiesThreeTimesBecomesABadGatewayThatTheClientShouldNotRepeat()
      throws Exception {
    CountedAttempts attempts = new CountedAttempts();
    GatewayUnderTest headrace = start(attempts, UpstreamDiesTest::quickly);
    for (RepeatedFault fault :
        List.of(
            RepeatedFault.CLOSED_BEFORE_HEAD,
            RepeatedFault.RESET_BEFORE_HEAD,
            RepeatedFault.NO_HTTP,
            RepeatedFault.CUT_EARLY,
            RepeatedFault.ENDED_WITHOUT_EVENT,
            RepeatedFault.CONNECTION_REFUSED)) {
      attempts.reset();
      fault.happens(headrace.claude());
      RawClient.Reply reply = post(headrace, STREAMING);
      assertError(reply, 502, "api_error");
      assertThat(reply.header("x-should-retry")).as(fault.name()).hasValue("false");
      assertThat(attempts.count()).as(fault.name()).isEqualTo(3);
    }
  }

  /** Many failures on one gateway, and none of them is to be waited for. */
  private static GatewaySettingsBuilder quickly(GatewaySettingsBuilder settings) {
    return settings
        .retryWaitDuration(Duration.ofMillis(10))
        .retryBudgetPerSecond(1000)
        .breakerEnabled(false);
  }

  private static void assertErrorEventAtTheEnd(RawClient.Reply reply, int events, String type) {
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    String passed = firstEvents(events);
    assertThat(reply.body()).startsWith(passed);
    assertThat(reply.body().substring(passed.length()))
        .startsWith("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"" + type + "\"")
        .endsWith("}\n\n");
    assertThat(reply.body().substring(passed.length()).split("\n\n", 0)).hasSize(1);
  }

  private static String firstEvents(int count) {
    int end = 0;
    for (int i = 0; i < count; i++) {
      end = TEXT.indexOf("\n\n", end) + 2;
    }
    return TEXT.substring(0, end);
  }

  private static String lastEvent(String body) {
    return body.substring(body.lastIndexOf("event: "));
  }

  private static void assertNeverLooksComplete(RawClient.Reply reply, String what) {
    assertThat(reply.body()).as(what).doesNotContain(lastEvent(TEXT));
    if (reply.status() == 200 && reply.end() == End.COMPLETE) {
      assertThat(lastEvent(reply.body())).as(what).startsWith("event: error");
    } else if (reply.end() == End.COMPLETE) {
      assertThat(reply.status()).as(what).isEqualTo(502);
    }
  }

  private static void assertError(RawClient.Reply reply, int status, String type) {
    assertThat(reply.status()).isEqualTo(status);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.header("content-type").orElse("")).startsWith("application/json");
    assertThat(reply.body()).startsWith("{\"type\":\"error\",\"error\":{\"type\":\"" + type + "\"");
  }
}
