package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.ManualTime;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** With {@code timeouts.early-commit} a client need not wait in silence while attempts are made. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
@Tag("slow")
final class EarlyCommitTest extends FailureContract {

  private static final String COMMENT = ": keep-alive\n\n";
  private static final Duration SOON = Duration.ofSeconds(10);

  private static final Answer OVERLOADED = Answer.status(529).header("retry-after", "30");

  private final ManualTime time = new ManualTime();

  EarlyCommitTest(ContainerKind kind) {
    super(kind);
  }

  private static GatewaySettingsBuilder early(GatewaySettingsBuilder settings) {
    return settings
        .timeoutsEarlyCommit(Duration.ofSeconds(5))
        .timeoutsHeartbeat(Duration.ofSeconds(10));
  }

  /** Asks, and reads the head and a comment before the upstream has said anything useful. */
  private RawClient begunEarly(GatewayUnderTest headrace) throws Exception {
    RawClient client = client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(0, SOON);
    time.advance(Duration.ofSeconds(6));
    Reply head = client.replyHead();
    assertThat(head.status()).isEqualTo(200);
    assertThat(head.header("content-type").orElse("")).startsWith("text/event-stream");
    assertThat(client.readBodyUntil(COMMENT)).isEqualTo(COMMENT);
    return client;
  }

  private void assertHeartbeatsFollow(GatewayUnderTest headrace, RawClient client)
      throws Exception {
    for (int i = 0; i < 2; i++) {
      assertAttemptsStay(headrace, 1); // meanwhile the gateway has noted when it wrote
      time.advance(Duration.ofSeconds(11));
      assertThat(client.readBodyUntil(COMMENT)).isEqualTo(COMMENT);
    }
  }

  private static String rest(RawClient client) throws Exception {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    assertThat(client.readBody(body, Long.MAX_VALUE)).isEqualTo(End.COMPLETE);
    return withoutComments(body.toString(UTF_8));
  }

  @Test
  void threeOverloadsArriveAsOneErrorEventInTheUpstreamsWords() throws Exception {
    GatewayUnderTest headrace = start(time, EarlyCommitTest::early);
    headrace.claude().answersAlways(OVERLOADED);

    RawClient client = begunEarly(headrace);
    assertHeartbeatsFollow(headrace, client);
    advanceUntil(time, SOON, () -> headrace.gateway().runningExchanges() == 0);

    SeenRequest last = headrace.claude().lastRequest();
    assertThat(rest(client))
        .isEqualTo(
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"details\":null,"
                + "\"type\":\"overloaded_error\",\"message\":\"Overloaded\"},\"request_id\":\""
                + last.requestId()
                + "\"}\n\n");
    assertThat(headrace.claude().attempts()).isEqualTo(3);
    assertOutcome(headrace, "UPSTREAM_ERROR(status 529)");
  }

  @Test
  void aThirdAttemptThatSucceedsGivesTheWholeStream() throws Exception {
    GatewayUnderTest headrace = start(time, EarlyCommitTest::early);
    headrace
        .claude()
        .answers(OVERLOADED)
        .answers(Answer.errorFirst("overloaded_error"))
        .answers(Answer.transcript(TEXT));

    RawClient client = begunEarly(headrace);
    advanceUntil(time, SOON, () -> headrace.gateway().runningExchanges() == 0);

    assertThat(rest(client)).isEqualTo(TEXT);
    assertThat(headrace.claude().attempts()).isEqualTo(3);
    assertOutcome(headrace, "COMPLETED");
  }

  @Test
  void anUpstreamThatIsOnlySlowIsAskedOnce() throws Exception {
    GatewayUnderTest headrace = start(time, EarlyCommitTest::early);
    headrace.claude().answers(Answer.transcript(TEXT).beforeHead(Duration.ofMillis(1_500)));

    RawClient client = begunEarly(headrace);

    assertThat(rest(client)).isEqualTo(TEXT);
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertOutcome(headrace, "COMPLETED");
  }

  @Test
  void anUpstreamThatNeverAnswersEndsInATimeoutErrorEvent() throws Exception {
    GatewayUnderTest headrace = start(time, s -> early(s).retryMaxAttempts(1));
    headrace.claude().answersAlways(Answer.text("a").stallBeforeHead());

    RawClient client = begunEarly(headrace);
    time.advance(Duration.ofSeconds(115));

    assertOneErrorEvent(rest(client), "timeout_error", "timeouts.first-event of 120s is over.");
    assertOutcome(headrace, "TIMED_OUT(first-event)");
  }

  @Test
  void anHtmlPageOfTheEdgeArrivesAsAnErrorEventWithItsStatus() throws Exception {
    GatewayUnderTest headrace = start(time, s -> early(s).retryMaxAttempts(2));
    headrace.claude().answers(OVERLOADED).answers(Answer.html(503));

    RawClient client = begunEarly(headrace);
    time.advance(Duration.ofSeconds(31));

    assertOneErrorEvent(rest(client), "api_error", "The API answered with status 503.");
    assertOutcome(headrace, "UPSTREAM_ERROR(status 503)");
  }

  /** A status could no longer be told if the head were sent early. */
  @Test
  void aRequestForAWholeMessageIsNeverBegunEarly() throws Exception {
    GatewayUnderTest headrace = start(time, EarlyCommitTest::early);
    headrace.claude().answersAlways(OVERLOADED);
    RawClient client = client(headrace).post(Requests.whole("Hello"));
    headrace.claude().awaitRequest(0, SOON);
    awaitBetweenAttempts(headrace);
    time.advance(Duration.ofSeconds(20));
    assertAttemptsStay(headrace, 1);

    advanceUntil(time, SOON, () -> headrace.gateway().runningExchanges() == 0);

    Reply reply = client.reply();
    assertError(reply, 529, "overloaded_error", "Overloaded");
    assertThat(reply.header("x-should-retry")).hasValue("false");
    assertThat(reply.header("content-length")).isPresent();
    assertThat(headrace.claude().attempts()).isEqualTo(3);
  }
}
