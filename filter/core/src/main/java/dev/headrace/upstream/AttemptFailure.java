package dev.headrace.upstream;

import dev.headrace.messages.ApiError;
import java.time.Duration;

/** Why an attempt has given the client nothing. Immutable. */
public sealed interface AttemptFailure {

  /**
   * An answer with another status than 2xx, which is judged by that status however long its body is
   * and whether it comes to its end or not.
   *
   * @param head status and headers
   * @param body as it came
   * @param whole whether this is all of the body; else it is longer than {@code buffers.hold}, or
   *     was cut, or did not come in time
   */
  @SuppressWarnings("ArrayRecordComponent") // compared nowhere
  record ErrorStatus(UpstreamResponseHead head, byte[] body, boolean whole)
      implements AttemptFailure {}

  /**
   * An error event before any other that counts: HTTP 200 does not mean success.
   *
   * @param head of the answer that began so
   * @param error the event
   * @param json its data, as it came
   */
  @SuppressWarnings("ArrayRecordComponent") // compared nowhere
  record ErrorEvent(UpstreamResponseHead head, ApiError error, byte[] json)
      implements AttemptFailure {}

  /**
   * No connection, no answer, or one that broke off before anything of it was passed on.
   *
   * @param failure what happened
   */
  record Broken(UpstreamFailure failure) implements AttemptFailure {}

  /**
   * A clock ended the attempt.
   *
   * @param clock its name in {@code timeouts}, such as {@code first-event}
   */
  record TimedOut(String clock) implements AttemptFailure {}

  /**
   * There was no attempt: the circuit breakers let none through.
   *
   * @param retryAfter when they may
   */
  record BreakerOpen(Duration retryAfter) implements AttemptFailure {}

  /**
   * There was no attempt: every member of the pool rests because its limit was reached, for the
   * model that the client asked for and for those that could be asked instead, or its circuit
   * breaker is open; the first of them for longer than is waited.
   *
   * @param retryAfter when the first may be asked
   */
  record AllRest(Duration retryAfter) implements AttemptFailure {}
}
