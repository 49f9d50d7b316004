package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings.Hold;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeEvent;
import dev.headrace.simulator.SeenRequest;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The failure matrix, answers that begin well: while they are held back, and after that. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class FailureMatrixStreamTest extends FailureContract {

  /** Lets the gateway read the events before the end of the connection comes. */
  private static final Duration APART = Duration.ofMillis(50);

  private static final String ENDED = "The API ended its answer before it was complete.";
  private static final String BROKE =
      "The connection to the API broke before the answer was complete.";

  /**
   * A fault before anything was passed on.
   *
   * @param status what it becomes for a client
   * @param message part of what the client reads
   * @param shouldRetry what the client is told in {@code x-should-retry}; null for nothing
   */
  record Held(
      String name,
      Hold hold,
      Answer answer,
      int status,
      String type,
      String message,
      int attempts,
      @Nullable String shouldRetry,
      String outcome) {
    @Override
    public String toString() {
      return name + " (hold: " + hold + ")";
    }
  }

  /**
   * A fault after something was passed on.
   *
   * @param passed how many events reach the client
   * @param type of the error event that ends the stream
   */
  record Begun(
      String name,
      Hold hold,
      Answer answer,
      int passed,
      String type,
      String message,
      String outcome) {
    @Override
    public String toString() {
      return name + " (hold: " + hold + ")";
    }
  }

  private static Held errorEvent(Hold hold, int after, String type, int status, String message) {
    return new Held(
        type + " after " + after + " events",
        hold,
        Answer.transcript(TEXT).errorAfterEvents(after, type),
        status,
        type,
        message,
        3,
        "false",
        "UPSTREAM_ERROR(" + type + ")");
  }

  private static Held broken(String name, Hold hold, Answer answer, String message, String cause) {
    return new Held(
        name, hold, answer, 502, "api_error", message, 3, "false", "UPSTREAM_CUT(" + cause + ")");
  }

  private static Answer errorOnly(String type, String message) {
    return Answer.events(
        List.of(
            new ClaudeEvent(
                "error",
                "{\"type\":\"error\",\"error\":{\"type\":\""
                    + type
                    + "\",\"message\":\""
                    + message
                    + "\"}}")));
  }

  static List<Held> heldRows() {
    Hold first = Hold.FIRST_EVENT;
    Hold content = Hold.FIRST_CONTENT;
    String cut = "The API closed the connection in the middle of its answer.";
    String empty = "The API ended its answer before the first event.";
    return List.of(
        errorEvent(first, 0, "overloaded_error", 529, "Overloaded"),
        errorEvent(first, 0, "api_error", 500, "Internal server error"),
        errorEvent(first, 0, "rate_limit_error", 429, "rate limit of 50"),
        errorEvent(first, 0, "timeout_error", 504, "Request timed out"),
        errorEvent(content, 0, "overloaded_error", 529, "Overloaded"),
        errorEvent(content, 1, "overloaded_error", 529, "Overloaded"),
        errorEvent(content, 2, "api_error", 500, "Internal server error"),
        errorEvent(content, 3, "overloaded_error", 529, "Overloaded"),
        new Held(
            "an error that no attempt will cure",
            first,
            errorOnly("invalid_request_error", "messages: too many"),
            400,
            "invalid_request_error",
            "messages: too many",
            1,
            null,
            "UPSTREAM_ERROR(invalid_request_error)"),
        new Held(
            "a spend limit as the first event",
            first,
            errorOnly("rate_limit_error", "Your monthly spend limit."),
            429,
            "rate_limit_error",
            "Your monthly spend limit.",
            1,
            "false",
            "UPSTREAM_ERROR(rate_limit_error)"),
        broken(
            "clean end without an event",
            first,
            Answer.transcript(TEXT).cutCleanAfterEvents(0),
            empty,
            "NO_EVENT"),
        broken(
            "clean end before the first content",
            content,
            Answer.transcript(TEXT).cutCleanAfterEvents(3),
            empty,
            "NO_EVENT"),
        broken(
            "cut behind message_start",
            content,
            Answer.transcript(TEXT).pauseAfterEvents(1, APART).cutAfterEvents(1),
            cut,
            "CUT"),
        broken(
            "reset behind the first ping",
            content,
            Answer.transcript(TEXT).pauseAfterEvents(3, APART).resetAfterEvents(3),
            cut,
            "CUT"),
        broken(
            "cut within the first content",
            content,
            Answer.transcript(TEXT).cutAtByte(endOfEvent(3) + 60),
            cut,
            "CUT"));
  }

  static List<Held> repeatedHeldRows() {
    return heldRows().stream().filter(row -> row.attempts() > 1).toList();
  }

  private static Begun begun(String name, Hold hold, Answer answer, int passed, String outcome) {
    String message = outcome.contains("no message_stop") ? ENDED : BROKE;
    return new Begun(name, hold, answer, passed, "api_error", message, outcome);
  }

  private static Begun errorLater(Hold hold, int after) {
    return new Begun(
        "overloaded_error after " + after + " events",
        hold,
        Answer.transcript(TEXT).errorAfterEvents(after, "overloaded_error"),
        after,
        "overloaded_error",
        "Overloaded",
        "UPSTREAM_ERROR(error event)");
  }

  private static Begun cleanEnd(Hold hold, int after) {
    return begun(
        "clean end after " + after + " events",
        hold,
        Answer.transcript(TEXT).cutCleanAfterEvents(after),
        after,
        "UPSTREAM_CUT(no message_stop)");
  }

  private static Begun end(boolean reset, Hold hold, int after) {
    Answer apart = Answer.transcript(TEXT).pauseAfterEvents(after, APART);
    return begun(
        (reset ? "reset" : "cut") + " behind event " + after,
        hold,
        reset ? apart.resetAfterEvents(after) : apart.cutAfterEvents(after),
        after,
        "UPSTREAM_CUT(CUT)");
  }

  static List<Begun> begunRows() {
    return List.of(
        errorLater(Hold.FIRST_EVENT, 1),
        errorLater(Hold.FIRST_EVENT, 5),
        errorLater(Hold.FIRST_EVENT, 7),
        errorLater(Hold.FIRST_CONTENT, 4),
        cleanEnd(Hold.FIRST_EVENT, 1),
        cleanEnd(Hold.FIRST_EVENT, 4),
        cleanEnd(Hold.FIRST_EVENT, 7),
        cleanEnd(Hold.FIRST_CONTENT, 4),
        end(false, Hold.FIRST_EVENT, 1),
        end(false, Hold.FIRST_CONTENT, 5),
        end(true, Hold.FIRST_EVENT, 4),
        end(true, Hold.FIRST_CONTENT, 7));
  }

  static Stream<Arguments> harmlessRows() {
    return withEachAsked(
        List.of(
            Answer.transcript(TEXT).trickle(1, Duration.ofNanos(100_000)),
            Answer.transcript(TEXT).splitEvery(3)));
  }

  FailureMatrixStreamTest(ContainerKind kind) {
    super(kind);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("heldRows")
  void aStreamThatFailsWhileItIsHeldIsRepeatedAndAtLastBecomesAStatus(Held row) throws Exception {
    GatewayUnderTest headrace = start(s -> quick(s).retryHold(row.hold()));
    headrace.claude().answersAlways(row.answer());

    Reply reply = post(headrace, STREAMING);

    assertError(reply, row.status(), row.type(), row.message());
    assertThat(reply.header("x-should-retry").orElse(null)).isEqualTo(row.shouldRetry());
    SeenRequest last = headrace.claude().lastRequest();
    assertThat(reply.header("request-id")).hasValue(last.requestId());
    assertThat(headrace.claude().attempts()).isEqualTo(row.attempts());
    assertOutcome(headrace, row.outcome());
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("repeatedHeldRows")
  void nothingOfAnAttemptThatFailedWhileItWasHeldReachesTheClient(Held row) throws Exception {
    GatewayUnderTest headrace = start(s -> quick(s).retryHold(row.hold()));
    headrace.claude().answers(row.answer()).answers(Answer.transcript(TEXT));

    assertCleanAnswer(post(headrace, STREAMING), Asked.STREAM);

    assertThat(headrace.claude().attempts()).isEqualTo(2);
    assertOutcome(headrace, "COMPLETED");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("begunRows")
  void aStreamThatFailsAfterItHasBegunEndsInOneErrorEventAndIsNeverRepeated(Begun row)
      throws Exception {
    GatewayUnderTest headrace = start(s -> quick(s).retryHold(row.hold()));
    headrace.claude().answers(row.answer()).answersAlways(Answer.text("too late"));

    Reply reply = post(headrace, STREAMING);

    assertEventsThenError(reply, row.passed(), row.type(), row.message());
    String requestId = headrace.claude().lastRequest().requestId();
    assertThat(reply.header("request-id")).hasValue(requestId);
    assertThat(reply.body()).contains("\"request_id\":\"" + requestId + "\"");
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertOutcome(headrace, row.outcome());
  }

  @ParameterizedTest
  @EnumSource(names = {"CUT", "RESET"})
  void aStreamThatBreaksWithinAnEventIsDroppedAndNeverRepeated(End how) throws Exception {
    GatewayUnderTest headrace = start(FailureContract::quick);
    int at = endOfEvent(4) + 70;
    Answer slow = Answer.transcript(TEXT).trickle(endOfEvent(4) + 10, APART);
    headrace
        .claude()
        .answers(how == End.CUT ? slow.cutAtByte(at) : slow.resetAtByte(at))
        .answersAlways(Answer.text("too late"));

    Reply reply = post(headrace, STREAMING);

    assertDropped(reply, at);
    assertThat(reply.body()).startsWith(firstEvents(4));
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertOutcome(headrace, "UPSTREAM_CUT(CUT)");
  }

  @Test
  void aMessageLargerThanTheHoldThatBreaksIsDroppedAndNeverRepeated() throws Exception {
    GatewayUnderTest headrace = start(s -> quick(s).buffersHold(ByteSize.ofKibibytes(4)));
    headrace
        .claude()
        .answers(Answer.text("Hello ".repeat(20_000)).trickle(50_000, APART).cutAtByte(60_000))
        .answersAlways(Answer.text("too late"));

    Reply reply = post(headrace, Requests.whole("Hello"));

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isIn(End.CUT, End.RESET);
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertOutcome(headrace, "UPSTREAM_CUT(CUT)");
  }

  @ParameterizedTest(name = "{index}, asked for {1}")
  @MethodSource("harmlessRows")
  void bytesThatComeOneByOneAreNoFailure(Answer answer, Asked asked) throws Exception {
    GatewayUnderTest headrace = start(FailureContract::quick);
    headrace.claude().answers(answer);

    assertCleanAnswer(post(headrace, asked.body()), asked);

    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertOutcome(headrace, "COMPLETED");
  }

  @ParameterizedTest
  @EnumSource
  void anEventOfSeveralMebibytesIsNoFailureWhereverItStands(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(FailureContract::quick);
    String large = "{\"type\":\"ü\",\"text\":\"" + "x".repeat(5 << 20) + "\"}";
    String event = "event: large\ndata: " + large + "\n\n";
    for (String expected :
        asked == Asked.WHOLE
            ? List.of(large)
            : List.of(event + TEXT, firstEvents(4) + event + TEXT)) {
      headrace
          .claude()
          .answers(asked == Asked.WHOLE ? Answer.json(200, expected) : Answer.transcript(expected));
      Reply reply = post(headrace, asked.body());
      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.end()).isEqualTo(End.COMPLETE);
      assertThat(reply.body().equals(expected)).as("the same bytes").isTrue();
      assertThat(reply.bytes()).hasSize(expected.getBytes(UTF_8).length);
    }
    long answers = asked == Asked.WHOLE ? 1 : 2;
    assertThat(headrace.claude().attempts()).isEqualTo((int) answers);
    assertOutcomes(headrace, java.util.Map.of("COMPLETED", answers));
  }
}
