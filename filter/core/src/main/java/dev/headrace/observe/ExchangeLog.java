package dev.headrace.observe;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one line per exchange to the logger {@code dev.headrace.exchange}: INFO for ordinary ends,
 * WARN where an operator may have to act. The line holds no prompt, answer, header or address.
 * Thread-safe.
 */
public final class ExchangeLog {

  private static final Logger LOG = LoggerFactory.getLogger("dev.headrace.exchange");

  private ExchangeLog() {}

  /**
   * What one line tells.
   *
   * @param id the gateway's id of the exchange
   * @param endpoint method and path template, such as {@code POST /v1/messages}
   * @param status the status that the client got; 0 for none
   * @param attempts how many upstream calls were made
   * @param upstream the member of the pool that the last one went to; null for none
   * @param fallbackModel the model that was asked instead of the client's; null if none was
   * @param upstreamRequestId the upstream's {@code request-id}, if there was one
   * @param firstEventMillis from the request to the first byte of the answer; -1 if none was sent
   * @param durationMillis from the request to the end
   * @param bytes body bytes handed to the container
   */
  public record Line(
      String id,
      String endpoint,
      int status,
      int attempts,
      @Nullable String upstream,
      @Nullable String fallbackModel,
      @Nullable String upstreamRequestId,
      long firstEventMillis,
      long durationMillis,
      long bytes) {}

  /** Writes the line of an exchange that has ended. */
  public static void ended(Line line, Outcome outcome) {
    boolean operatorShouldLook =
        switch (outcome.kind()) {
          case FAILED, UPSTREAM_CUT -> true;
          case TIMED_OUT -> !outcome.detail().equals("slow-client");
          default -> false;
        };
    if (operatorShouldLook) {
      LOG.warn("{}", describe(line, outcome));
    } else if (LOG.isInfoEnabled()) {
      LOG.info("{}", describe(line, outcome));
    }
  }

  private static String describe(Line line, Outcome outcome) {
    return "exchange "
        + line.id()
        + " "
        + line.endpoint()
        + " status="
        + line.status()
        + " outcome="
        + outcome
        + " attempts="
        + line.attempts()
        + " upstream="
        + (line.upstream() == null ? "-" : line.upstream())
        + (line.fallbackModel() == null ? "" : " fallback_model=" + line.fallbackModel())
        + " first_event_ms="
        + line.firstEventMillis()
        + " duration_ms="
        + line.durationMillis()
        + " bytes="
        + line.bytes()
        + " request_id="
        + (line.upstreamRequestId() == null ? "-" : line.upstreamRequestId());
  }
}
