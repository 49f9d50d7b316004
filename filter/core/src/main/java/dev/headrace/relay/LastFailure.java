package dev.headrace.relay;

import dev.headrace.messages.ApiError;
import dev.headrace.observe.Outcome;
import dev.headrace.sse.SseWriter;
import dev.headrace.upstream.AttemptFailure;
import dev.headrace.upstream.HeaderField;
import dev.headrace.upstream.UpstreamFailure;
import dev.headrace.upstream.UpstreamResponseHead;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a client gets when no attempt brought an answer: the upstream's own words where there are
 * any, else an error of ours in the same shape. Immutable.
 *
 * @param status HTTP status
 * @param headers of the answer
 * @param body of the answer
 * @param outcome how the exchange ends
 * @param warning for an operator; null if there is nothing to do
 */
@SuppressWarnings("ArrayRecordComponent") // compared nowhere
record LastFailure(
    int status, List<HeaderField> headers, byte[] body, Outcome outcome, @Nullable String warning) {

  private static final byte[] NOT_READ = new byte[0];

  /**
   * Turns the failure of the last attempt into an answer.
   *
   * @param connect the limit {@code timeouts.connect}, for its message
   */
  static LastFailure of(
      AttemptFailure failure, Clocks clocks, Duration connect, String exchangeId) {
    if (failure instanceof AttemptFailure.ErrorStatus answer) {
      return errorStatus(answer, exchangeId);
    }
    if (failure instanceof AttemptFailure.ErrorEvent event) {
      // The status that it should have had, so that SDKs understand it.
      return new LastFailure(
          ApiError.statusOf(event.error().type()),
          ClientHeaders.ofJsonInstead(event.head(), event.json().length, exchangeId),
          event.json(),
          new Outcome(Outcome.Kind.UPSTREAM_ERROR, event.error().knownType()),
          null);
    }
    if (failure instanceof AttemptFailure.TimedOut timeout) {
      return ours(
          504,
          "timeout_error",
          clocks.message(Clocks.Clock.named(timeout.clock())),
          new Outcome(Outcome.Kind.TIMED_OUT, timeout.clock()),
          exchangeId);
    }
    if (failure instanceof AttemptFailure.BreakerOpen open) {
      return ours(
              529,
              "overloaded_error",
              "The API keeps failing, so the gateway does not ask it for a moment (breaker.*).",
              new Outcome(Outcome.Kind.REFUSED, "breaker open"),
              exchangeId)
          .after(open.retryAfter());
    }
    if (failure instanceof AttemptFailure.AllRest rest) {
      return ours(
              429,
              "rate_limit_error",
              "Every upstream of this gateway has reached its limit or keeps failing.",
              new Outcome(Outcome.Kind.REFUSED, "upstreams rest"),
              exchangeId)
          .after(rest.retryAfter());
    }
    return broken(((AttemptFailure.Broken) failure).failure(), connect, exchangeId);
  }

  /** A body that was not held whole is never passed on in part: an error takes its place. */
  private static LastFailure errorStatus(AttemptFailure.ErrorStatus answer, String exchangeId) {
    UpstreamResponseHead head = answer.head();
    byte[] body =
        answer.whole()
            ? answer.body()
            : asError(answer.body(), head.status(), head.header("request-id")).json();
    return new LastFailure(
        head.status() > 599 ? 502 : head.status(), // HTTP has none above; fetch() takes none
        answer.whole()
            ? ClientHeaders.ofWhole(head, body.length, exchangeId)
            : ClientHeaders.ofJsonInstead(head, body.length, exchangeId),
        body,
        new Outcome(Outcome.Kind.UPSTREAM_ERROR, "status " + head.status()),
        null);
  }

  private static LastFailure broken(UpstreamFailure failure, Duration connect, String exchangeId) {
    String warning = "upstream " + failure.kind() + " (" + failure.detail() + ")";
    LastFailure answer =
        switch (failure.kind()) {
          case CONNECT_TIMEOUT ->
              ours(
                  504,
                  "timeout_error",
                  "The gateway could not connect to the API: "
                      + Clocks.over("timeouts.connect", connect),
                  new Outcome(Outcome.Kind.TIMED_OUT, "connect"),
                  exchangeId);
          case NOT_STARTED ->
              ours(
                  500,
                  "api_error",
                  "The gateway could not call the API.",
                  new Outcome(Outcome.Kind.FAILED, "attempt not started"),
                  exchangeId);
          case CONNECT -> cut("The gateway could not connect to the API.", failure, exchangeId);
          case NO_RESPONSE ->
              cut("The API closed the connection without an answer.", failure, exchangeId);
          case NO_EVENT ->
              cut("The API ended its answer before the first event.", failure, exchangeId);
          case CUT ->
              cut(
                  "The API closed the connection in the middle of its answer.",
                  failure,
                  exchangeId);
          case CANCELLED -> cut("The call to the API was cancelled.", failure, exchangeId);
        };
    return new LastFailure(answer.status, answer.headers, answer.body, answer.outcome, warning);
  }

  private static LastFailure cut(String message, UpstreamFailure failure, String exchangeId) {
    Outcome outcome = new Outcome(Outcome.Kind.UPSTREAM_CUT, failure.kind().name());
    return ours(502, "api_error", message, outcome, exchangeId);
  }

  private static LastFailure ours(
      int status, String type, String message, Outcome outcome, String exchangeId) {
    byte[] json = new ApiError(status, type, message, null).json();
    List<HeaderField> headers = ClientHeaders.ofJson(json.length, exchangeId);
    return new LastFailure(status, headers, json, outcome, null);
  }

  private LastFailure after(Duration wait) {
    long seconds = Math.max(1, (wait.toMillis() + 999) / 1000);
    return new LastFailure(
        status,
        ClientHeaders.with(headers, "retry-after", Long.toString(seconds)),
        body,
        outcome,
        warning);
  }

  /**
   * The event that ends a stream whose head was sent early: the body of the answer itself if it is
   * an error in one line, else an error that says what came.
   */
  static byte[] asEvent(byte[] body, int status, @Nullable String requestId) {
    ApiError error = ApiError.fromEventData(body, 0, body.length);
    for (byte b : body) {
      if (b == '\n' || b == '\r') {
        error = null; // data over several lines would change the bytes
        break;
      }
    }
    return error == null
        ? asError(NOT_READ, status, requestId).sseEvent()
        : SseWriter.event("error", body);
  }

  /** The error that an answer with this body stands for. */
  static ApiError asError(byte[] body, int status, @Nullable String requestId) {
    ApiError error = ApiError.fromEventData(body, 0, body.length);
    if (error != null && !error.message().isEmpty()) {
      return error;
    }
    String message =
        status < 300
            ? "The API answered with something else than an event stream."
            : "The API answered with status " + status + ".";
    return new ApiError(status, ApiError.typeOf(status), message, requestId);
  }
}
