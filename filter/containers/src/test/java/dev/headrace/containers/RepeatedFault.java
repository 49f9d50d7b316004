package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Everything that may go wrong before the client has a byte, so that the gateway asks again, and
 * what the client gets when it does not end.
 */
enum RepeatedFault {
  STATUS_408(408, "invalid_request_error"),
  STATUS_429_WITHOUT_RETRY_AFTER(429, "rate_limit_error"),
  STATUS_429_WITH_RETRY_AFTER(429, "rate_limit_error"),
  STATUS_500(500, "api_error"),
  STATUS_502(502, "api_error"),
  STATUS_502_AS_PAGE(502, null),
  STATUS_503(503, "api_error"),
  STATUS_504(504, "timeout_error"),
  STATUS_529(529, "overloaded_error"),
  STATUS_529_THAT_ASKS_FOR_RETRIES(529, "overloaded_error"),

  OVERLOADED_AS_FIRST_EVENT(529, "overloaded_error", Asked.STREAM),
  API_ERROR_AS_FIRST_EVENT(500, "api_error", Asked.STREAM),
  RATE_LIMIT_AS_FIRST_EVENT(429, "rate_limit_error", Asked.STREAM),
  TIMEOUT_AS_FIRST_EVENT(504, "timeout_error", Asked.STREAM),

  CONNECTION_REFUSED(502, "api_error"),
  CLOSED_BEFORE_HEAD(502, "api_error"),
  RESET_BEFORE_HEAD(502, "api_error"),
  NO_HTTP(502, "api_error"),
  /** Within the first event of a stream, or within a JSON answer that is held whole. */
  CUT_EARLY(502, "api_error"),
  RESET_EARLY(502, "api_error"),
  ENDED_WITHOUT_EVENT(502, "api_error", Asked.STREAM),

  STALLED_BEFORE_HEAD(504, "timeout_error"),
  STALLED_BEFORE_FIRST_EVENT(504, "timeout_error", Asked.STREAM),
  /** Ended by {@code timeouts.idle}, where the others that stall are by {@code first-event}. */
  STALLED_IN_JSON(504, "timeout_error", Asked.JSON);

  /** The two ways to ask for a message. */
  enum Asked {
    STREAM,
    JSON
  }

  /** What the client gets when the fault does not end. */
  final int status;

  /** The error's type by then; null if the body is no error object. */
  final @Nullable String type;

  private final @Nullable Asked only;

  RepeatedFault(int status, @Nullable String type) {
    this(status, type, null);
  }

  RepeatedFault(int status, @Nullable String type, @Nullable Asked only) {
    this.status = status;
    this.type = type;
    this.only = only;
  }

  boolean happensTo(Asked asked) {
    return only == null || only == asked;
  }

  /** What the simulator says; null if nobody listens. */
  private @Nullable Answer answer() {
    Answer message = Answer.text("Hello");
    return switch (this) {
      case STATUS_408, STATUS_500, STATUS_502, STATUS_503, STATUS_504, STATUS_529 ->
          Answer.status(status);
      case STATUS_429_WITHOUT_RETRY_AFTER -> Answer.status(429).withoutHeader("retry-after");
      case STATUS_429_WITH_RETRY_AFTER -> Answer.status(429).header("retry-after", "0.1");
      case STATUS_502_AS_PAGE -> Answer.html(502);
      case STATUS_529_THAT_ASKS_FOR_RETRIES -> Answer.status(529).shouldRetry(true);
      case OVERLOADED_AS_FIRST_EVENT -> Answer.errorFirst("overloaded_error");
      case API_ERROR_AS_FIRST_EVENT -> Answer.errorFirst("api_error");
      case RATE_LIMIT_AS_FIRST_EVENT -> Answer.errorFirst("rate_limit_error");
      case TIMEOUT_AS_FIRST_EVENT -> Answer.errorFirst("timeout_error");
      case CONNECTION_REFUSED -> null;
      case CLOSED_BEFORE_HEAD -> message.closeBeforeHead();
      case RESET_BEFORE_HEAD -> message.resetBeforeHead();
      case NO_HTTP -> Answer.rawHttp("SSH-2.0\r\n".getBytes(UTF_8));
      case CUT_EARLY -> message.cutAtByte(20);
      case RESET_EARLY -> message.resetAtByte(20);
      case ENDED_WITHOUT_EVENT -> message.cutCleanAfterEvents(0);
      case STALLED_BEFORE_HEAD -> message.stallBeforeHead();
      case STALLED_BEFORE_FIRST_EVENT -> message.stallAfterEvents(0);
      case STALLED_IN_JSON -> message.stallAfterEvents(1);
    };
  }

  /** Whether the last attempt got as far as a head, and with it the upstream's id. */
  boolean hasRequestId() {
    return switch (this) {
      case CUT_EARLY,
          RESET_EARLY,
          ENDED_WITHOUT_EVENT,
          STALLED_BEFORE_FIRST_EVENT,
          STALLED_IN_JSON ->
          true;
      default ->
          name().endsWith("_AS_FIRST_EVENT")
              || (name().startsWith("STATUS_") && this != STATUS_502_AS_PAGE);
    };
  }

  /** Whether {@code timeouts.first-event} has to end each attempt. */
  boolean endsByFirstEvent() {
    return this == STALLED_BEFORE_HEAD || this == STALLED_BEFORE_FIRST_EVENT;
  }

  /** The {@code timeouts.idle} that suits the fault. */
  Duration idle() {
    return this == STALLED_IN_JSON ? Duration.ofMillis(300) : Duration.ofMinutes(2);
  }

  /** From now on and without end. */
  void happens(ClaudeSimulator claude) {
    Answer answer = answer();
    if (answer == null) {
      claude.refuseConnections();
    } else {
      claude.answersAlways(answer);
    }
  }

  /** In the first attempts; then comes what the simulator answers otherwise. */
  void happens(int times, ClaudeSimulator claude, CountedAttempts attempts) {
    Answer answer = answer();
    if (answer == null) {
      claude.refuseConnections();
      attempts.before(times + 1, claude::acceptConnections);
      return;
    }
    for (int i = 0; i < times; i++) {
      claude.answers(answer);
    }
  }
}
