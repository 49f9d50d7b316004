package dev.headrace.relay;

import dev.headrace.messages.MessageUsage;
import dev.headrace.messages.UsageView;
import dev.headrace.observe.Outcome;
import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Tokens;
import dev.headrace.spi.UsageRecord;
import dev.headrace.usage.PriceTable;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Turns what an exchange has used into a usage record, with its cost and how far both can be
 * trusted (API reference, "Usage and cost", as of 2026-11-22). Thread-safe.
 */
final class UsageBook {

  /**
   * Whose exchange it is.
   *
   * @param id of the exchange
   * @param startedAt when the request was received
   * @param user null when nobody was identified
   * @param role null for none
   * @param preset null for none
   */
  record Asker(
      String id,
      Instant startedAt,
      @Nullable String user,
      @Nullable String role,
      @Nullable String preset) {}

  /**
   * How an exchange ended, as far as the books care.
   *
   * @param outcome how it ended
   * @param modelAsked the model of the request, if it was read
   * @param status that the client got; 0 for none
   * @param attempts how many upstream calls were made
   * @param firstEventMillis to the first byte of the answer; -1 if none was sent
   * @param durationMillis to the end
   * @param upstreamRequestId the API's id of the last call, if known
   */
  record Ending(
      Outcome outcome,
      @Nullable String modelAsked,
      int status,
      int attempts,
      long firstEventMillis,
      long durationMillis,
      @Nullable String upstreamRequestId) {}

  /**
   * What was used.
   *
   * @param tokens as they are billed
   * @param costUsd null when the price or the usage is unknown
   * @param accuracy how far both can be trusted
   */
  record Used(Tokens tokens, @Nullable BigDecimal costUsd, Accuracy accuracy) {}

  /** {@link Outcome#detail} of answers in which the API has told of no error: ours to read. */
  static final String NO_EVENT_STREAM = "no event stream";

  static final String UNREADABLE_EVENT = "unreadable event";

  private static final Set<String> OWN_VERDICTS = Set.of(NO_EVENT_STREAM, UNREADABLE_EVENT);

  static final Used NOTHING = new Used(Tokens.NONE, BigDecimal.ZERO, Accuracy.EXACT);
  static final Used UNKNOWN = new Used(Tokens.NONE, null, Accuracy.UNKNOWN);

  private final PriceTable prices;
  private final Consumer<UsageRecord> ledger;

  UsageBook(PriceTable prices, Consumer<UsageRecord> ledger) {
    this.prices = prices;
    this.ledger = ledger;
  }

  /** The cost of a message whose totals are final; null when they are not, or without a price. */
  @Nullable BigDecimal costUsd(UsageView view, Instant at) {
    MessageUsage usage = view.usage();
    return usage == null || !view.isFinal() ? null : prices.costUsd(view, usage, at);
  }

  /** What a message has used that ended like this; the estimate of what is not known is marked. */
  Used used(UsageView view, Instant at) {
    MessageUsage usage = view.usage();
    if (usage == null) {
      return UNKNOWN;
    }
    boolean exact = view.isFinal();
    // The count of a cut answer is a placeholder.
    MessageUsage billed = exact ? usage : usage.withOutput(view.estimatedOutputTokens());
    return new Used(
        PriceTable.billedTokens(billed),
        prices.costUsd(view, billed, at),
        exact ? Accuracy.EXACT : Accuracy.ESTIMATED);
  }

  /** What was used where no message has begun. */
  private static Used withoutMessage(Ending ending, boolean costNothing) {
    boolean asked = ending.attempts > 0 && !costNothing;
    boolean unanswered =
        switch (ending.outcome.kind()) {
          case REFUSED -> false;
          // Errors are not billed, but what the gateway itself took for one may be.
          case UPSTREAM_ERROR -> OWN_VERDICTS.contains(ending.outcome.detail());
          case UPSTREAM_CUT, TIMED_OUT -> !ending.outcome.detail().equalsIgnoreCase("connect");
          case COMPLETED, CLIENT_GONE, CANCELLED, FAILED -> true;
        };
    return asked && unanswered ? UNKNOWN : NOTHING;
  }

  /**
   * Books an exchange that has ended.
   *
   * @param live what its message has used; null if none has begun
   * @param costNothing whether the last call had ended with an error before
   * @return what it has used
   */
  Used ended(Asker asker, Ending ending, @Nullable UsageView live, boolean costNothing) {
    UsageView view = live == null ? null : live.snapshot(); // the upstream may still be sending
    Used used = view == null ? withoutMessage(ending, costNothing) : used(view, asker.startedAt);
    keep(
        asker.id,
        UsageRecord.Kind.EXCHANGE,
        asker,
        ending,
        view,
        used,
        ending.outcome.kind().name());
    return used;
  }

  /**
   * Books an attempt that was given up although it may have cost something.
   *
   * @param live null when nothing was told of what it has used
   */
  Used dropped(Asker asker, Ending soFar, @Nullable UsageView live) {
    UsageView view = live == null ? null : live.snapshot();
    Used used = view == null ? UNKNOWN : used(view, asker.startedAt);
    keep(
        asker.id + "." + soFar.attempts,
        UsageRecord.Kind.DROPPED_ATTEMPT,
        asker,
        soFar,
        view,
        used,
        "DROPPED");
    return used;
  }

  private void keep(
      String id,
      UsageRecord.Kind kind,
      Asker asker,
      Ending ending,
      @Nullable UsageView view,
      Used used,
      String outcome) {
    MessageUsage usage = view == null ? null : view.usage();
    ledger.accept(
        new UsageRecord(
            id,
            kind,
            asker.id,
            asker.startedAt,
            asker.user,
            asker.role,
            asker.preset,
            ending.modelAsked,
            view == null ? null : view.model(),
            used.tokens,
            used.costUsd,
            prices.version(),
            used.accuracy,
            outcome,
            ending.outcome.detail(),
            view == null ? null : view.stopReason(),
            ending.status,
            ending.attempts,
            ending.firstEventMillis,
            ending.durationMillis,
            ending.upstreamRequestId,
            view == null ? null : view.messageId(),
            usage == null ? null : usage.serviceTier(),
            usage == null ? null : usage.inferenceGeo(),
            usage == null ? null : usage.speed()));
  }
}
