package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.ManualTime;
import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings.Hold;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import java.io.ByteArrayOutputStream;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Attempts that follow one another: what goes upstream, how far apart, and what the client sees.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class RetryTest extends FailureContract {

  private static final Duration WAIT = Duration.ofMillis(400);

  RetryTest(ContainerKind kind) {
    super(kind);
  }

  static Stream<Arguments> overloads() {
    return Stream.of(
        Arguments.of("as a status", Answer.status(529), Hold.FIRST_EVENT),
        Arguments.of("as the first event", Answer.errorFirst("overloaded_error"), Hold.FIRST_EVENT),
        Arguments.of(
            "as the second event",
            Answer.transcript(TEXT).errorAsSecondEvent("overloaded_error"),
            Hold.FIRST_CONTENT));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("overloads")
  void twoOverloadsAndThenAStreamLookLikeOneStreamAfterThreeAttemptsWithGrowingGaps(
      String how, Answer overload, Hold hold) throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryWaitDuration(WAIT).retryHold(hold));
    headrace.claude().answers(overload).answers(overload).answers(Answer.transcript(TEXT));
    try (ExchangeLines lines = new ExchangeLines()) {
      Reply reply = post(headrace, STREAMING);

      assertCleanAnswer(reply, Asked.STREAM);
      List<SeenRequest> requests = headrace.claude().requests();
      assertThat(requests).hasSize(3);
      assertThat(reply.header("request-id")).hasValue(requests.get(2).requestId());
      long first = requests.get(1).receivedAtNanos() - requests.get(0).receivedAtNanos();
      long second = requests.get(2).receivedAtNanos() - requests.get(1).receivedAtNanos();
      Figures.note(
          kind(),
          "gaps between three attempts, overload " + how,
          first / 1_000_000 + " ms, " + second / 1_000_000 + " ms");
      assertThat(second).isGreaterThan(first);
      // The waits end at 400 and 800 ms; a busy machine may add to them.
      assertThat(first + second).isLessThan(Duration.ofSeconds(4).toNanos());
      assertThat(lines.awaitOne()).contains(" outcome=COMPLETED attempts=3 ");
    }
    assertOutcome(headrace, "COMPLETED");
  }

  @Test
  void everyAttemptSendsTheSameBytesAndHeaders() throws Exception {
    GatewayUnderTest headrace = start(FailureContract::quick);
    headrace.claude().answers(Answer.status(529)).answers(Answer.text("a").closeBeforeHead());
    String body =
        "{ \"stream\":true,\n\"messages\":[{\"role\":\"user\",\"content\":\"Gr\\u00fc\\u00dfe \uD83D\uDC4B\"}],"
            + "\"max_tokens\": 100 , \"model\":\"claude-sonnet-5-5\" }";
    try (RawClient client = RawClient.connect(headrace.port())) {
      client.post("/claude/v1/messages?beta=true", body, "anthropic-beta: context-1m");
      assertThat(client.reply().status()).isEqualTo(200);
    }
    assertThat(headrace.claude().requests())
        .hasSize(3)
        .allSatisfy(
            request -> {
              assertThat(request.bodyText()).isEqualTo(body);
              assertThat(request.path()).isEqualTo("/v1/messages");
              assertThat(request.query()).isEqualTo("beta=true");
              assertThat(request.headers())
                  .isEqualTo(headrace.claude().requests().get(0).headers())
                  .containsEntry("anthropic-beta", List.of("context-1m"))
                  .containsEntry("x-api-key", List.of(KEY));
            });
    assertOutcome(headrace, "COMPLETED");
  }

  @Test
  void withOneAttemptNothingIsRepeatedAndTheClientIsFreeToDoSo() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    headrace.claude().answersAlways(Answer.status(529));
    Reply reply = post(headrace, STREAMING);
    assertError(reply, 529, "overloaded_error", "Overloaded");
    assertThat(reply.header("x-should-retry")).isEmpty();
    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  /** What is waiting costs no upstream call when nobody waits for it any more. */
  @Test
  void aGatewayThatCancelsAnExchangeBetweenTwoAttemptsMakesNoFurtherOne() throws Exception {
    ManualTime time = new ManualTime();
    GatewayUnderTest headrace = start(time, s -> s.shutdownDrain(Duration.ZERO));
    headrace.claude().answersAlways(Answer.status(529).header("retry-after", "30"));
    RawClient client = client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(0, Duration.ofSeconds(10));
    awaitBetweenAttempts(headrace);

    headrace.gateway().close();

    assertThat(client.reply().status()).isEqualTo(503);
    time.advance(Duration.ofSeconds(31));
    assertAttemptsStay(headrace, 1);
    assertOutcome(headrace, "CANCELLED(shutdown)");
  }

  // ---- holding

  @Test
  void whatIsHeldForTheFirstContentPassesAfterHoldTimeAndIsNeverRepeatedFromThenOn()
      throws Exception {
    ManualTime time = new ManualTime();
    GatewayUnderTest headrace =
        start(time, s -> s.retryHold(Hold.FIRST_CONTENT).timeoutsHeartbeat(Duration.ZERO));
    headrace.claude().answers(Answer.transcript(TEXT).stallAfterEvents(3));
    RawClient client = client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(0, Duration.ofSeconds(10)).awaitEvents(3, Duration.ofSeconds(5));
    client.patience(Duration.ofMillis(330));
    assertThatThrownBy(client::replyHead).isInstanceOf(SocketTimeoutException.class);
    time.advance(Duration.ofMillis(2900));
    assertThatThrownBy(client::replyHead).isInstanceOf(SocketTimeoutException.class);

    time.advance(Duration.ofMillis(200));

    client.patience(Duration.ofSeconds(10));
    assertThat(client.replyHead().status()).isEqualTo(200);
    String body = client.readBodyUntil(firstEvents(3));
    headrace.claude().closeConnections();
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    assertThat(client.readBody(rest, Long.MAX_VALUE)).isEqualTo(End.COMPLETE);
    assertEventsThenError(
        body + rest.toString(StandardCharsets.UTF_8), 3, "api_error", "The connection to the API");
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertOutcome(headrace, "UPSTREAM_CUT(CUT)");
  }

  @Test
  void whatIsHeldForTheFirstContentPassesWhenItIsTooMuch() throws Exception {
    GatewayUnderTest headrace =
        start(
            new ManualTime(), // which stands still: hold-time is never over
            s -> s.retryHold(Hold.FIRST_CONTENT).buffersHold(ByteSize.ofKibibytes(4)));
    String start = firstEvents(1) + "event: ping\ndata: {\"x\":\"" + "y".repeat(5_000) + "\"}\n\n";
    headrace.claude().answers(Answer.transcript(start + TEXT).stallAfterEvents(2));
    RawClient client = client(headrace).post(STREAMING);
    assertThat(client.replyHead().status()).isEqualTo(200);
    assertThat(client.readBodyUntil("yyy\"}\n\n")).isEqualTo(start);
    client.leave();
    headrace.claude().closeConnections();
  }

  // ---- fallback models

  @Test
  void afterTheModelsOwnAttemptsAnotherModelIsAskedInTheSameWords() throws Exception {
    GatewayUnderTest headrace =
        start(
            s ->
                quick(s)
                    .retryFallbacks(
                        Map.of("claude-opus-5-5", List.of("claude-haiku-5-5", "claude-opus-5"))));
    headrace
        .claude()
        .answers(Answer.status(529))
        .answers(Answer.errorFirst("overloaded_error"))
        .answers(Answer.transcript(TEXT));
    String before = "{ \"max_tokens\":100,\"stream\" : true,\n\"model\" :  ";
    String behind =
        " ,\"messages\":[{\"role\":\"user\",\"content\":\"\\\"model\\\":\\\"claude-opus-5-5\\\" Größe\"}]}";

    Reply reply = post(headrace, before + "\"claude-opus-5-5\"" + behind);

    assertCleanAnswer(reply, Asked.STREAM);
    assertThat(reply.header("headrace-model")).hasValue("claude-opus-5");
    assertThat(headrace.claude().requests())
        .extracting(SeenRequest::bodyText)
        .containsExactly(
            before + "\"claude-opus-5-5\"" + behind,
            before + "\"claude-haiku-5-5\"" + behind,
            before + "\"claude-opus-5\"" + behind);
    assertOutcome(headrace, "COMPLETED");
  }

  @Test
  void aModelWithoutFallbacksIsAskedAgainItself() throws Exception {
    GatewayUnderTest headrace =
        start(s -> quick(s).retryFallbacks(Map.of("claude-opus-5-5", List.of("claude-opus-5"))));
    headrace.claude().answers(Answer.status(529)).answers(Answer.status(529));
    Reply reply = post(headrace, STREAMING);
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("headrace-model")).isEmpty();
    assertThat(headrace.claude().requests())
        .hasSize(3)
        .allSatisfy(request -> assertThat(request.model()).isEqualTo("claude-sonnet-5-5"));
  }

  @Test
  void aRetryAfterThatIsTooLongSendsTheRequestToTheFallbackAtOnce() throws Exception {
    GatewayUnderTest headrace =
        start(s -> quick(s).retryFallbacks(Map.of("claude-sonnet-5-5", List.of("claude-opus-5"))));
    headrace.claude().answers(Answer.status(529).header("retry-after", "3600"));
    Reply reply = post(headrace, STREAMING);
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("headrace-model")).hasValue("claude-opus-5");
    assertThat(headrace.claude().requests())
        .extracting(SeenRequest::model)
        .containsExactly("claude-sonnet-5-5", "claude-opus-5");
  }
}
