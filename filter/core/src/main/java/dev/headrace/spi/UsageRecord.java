package dev.headrace.spi;

import static java.util.Objects.requireNonNull;

import java.math.BigDecimal;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What one exchange, or one attempt that was dropped on its way, has used. Immutable. Holds no
 * prompt, no answer and no key.
 *
 * @param id unique; for {@link Kind#EXCHANGE} the exchange's id, for {@link Kind#DROPPED_ATTEMPT}
 *     that id, a dot and the number of the attempt. A sink that sees an id a second time ignores it
 * @param kind what the record is about
 * @param exchangeId the gateway's id of the exchange, the same in all its records and in the header
 *     {@code headrace-exchange-id}
 * @param startedAt when the request was received
 * @param user who asked; null when nobody was identified
 * @param role the role or group of the user that chose the plan; null for none
 * @param preset the preset that was asked; null for none
 * @param modelAsked the model of the request; null when it could not be read
 * @param modelServed the model that the API says has answered; null when no answer began
 * @param tokens counts by class; all zero when {@code accuracy} is {@link Accuracy#UNKNOWN}
 * @param costUsd cost in US dollars with at most 12 decimals; null when the price of the model or
 *     the usage is unknown, which is not the same as zero
 * @param prices the version of the price table that the cost comes from
 * @param accuracy how far the counts can be trusted
 * @param outcome how the exchange ended, such as {@code COMPLETED} or {@code CLIENT_GONE}; for a
 *     dropped attempt {@code DROPPED}
 * @param outcomeDetail the clock or reason in a few words; empty when the outcome says it all
 * @param stopReason why the model stopped; null when it did not come so far
 * @param status the HTTP status that the client got; 0 for none
 * @param attempts how many upstream calls were made; for a dropped attempt its number, from 1
 * @param firstEventMillis milliseconds from the request to the first byte of the answer; -1 if none
 *     was sent
 * @param durationMillis milliseconds from the request to the end
 * @param upstreamRequestId the API's {@code request-id}; null when none came
 * @param messageId the API's id of the message; null when no answer began
 * @param serviceTier {@code standard}, {@code priority} or {@code batch}, as reported; else null
 * @param inferenceGeo where the model ran, as reported; else null
 * @param speed {@code standard} or {@code fast}, as reported; else null
 */
public record UsageRecord(
    String id,
    Kind kind,
    String exchangeId,
    Instant startedAt,
    @Nullable String user,
    @Nullable String role,
    @Nullable String preset,
    @Nullable String modelAsked,
    @Nullable String modelServed,
    Tokens tokens,
    @Nullable BigDecimal costUsd,
    String prices,
    Accuracy accuracy,
    String outcome,
    String outcomeDetail,
    @Nullable String stopReason,
    int status,
    int attempts,
    long firstEventMillis,
    long durationMillis,
    @Nullable String upstreamRequestId,
    @Nullable String messageId,
    @Nullable String serviceTier,
    @Nullable String inferenceGeo,
    @Nullable String speed) {

  /** What a record is about. */
  public enum Kind {
    /** One client request with the answer that it got. */
    EXCHANGE,
    /** An upstream call that was given up for another one although it may have cost something. */
    DROPPED_ATTEMPT
  }

  /** Checks that what is never absent is there. */
  public UsageRecord {
    requireNonNull(id, "id");
    requireNonNull(kind, "kind");
    requireNonNull(exchangeId, "exchangeId");
    requireNonNull(startedAt, "startedAt");
    requireNonNull(tokens, "tokens");
    requireNonNull(prices, "prices");
    requireNonNull(accuracy, "accuracy");
    requireNonNull(outcome, "outcome");
    requireNonNull(outcomeDetail, "outcomeDetail");
  }
}
