package dev.headrace.admission;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an admitted request holds: a permit to run, and parts of the user's budgets. Ends once, with
 * the first {@link #settle} or {@link #cancel}; later calls change nothing. Until then the budgets
 * that it was taken from are those of the window in which it was admitted. Thread-safe.
 */
public interface Reservation {

  /** For {@link #settle}: not known, so that what was reserved counts as used. */
  long UNKNOWN = -1;

  /**
   * How many output tokens were reserved: the request's {@code max_tokens}, or less if the budgets
   * buy less and the plan allows that.
   */
  long allowedOutputTokens();

  /**
   * Whether what is held pays for this much output, now that the cost of the input is known. Always
   * so but in a plan that stops at the budget. Only calculates; asks no store.
   *
   * @param inputCost in pico-dollars; {@link #UNKNOWN} for what was estimated
   */
  boolean covers(long outputTokens, long inputCost);

  /**
   * Takes what is missing for this much output, and some more, as far as the budgets have it left.
   *
   * @param inputCost in pico-dollars; {@link #UNKNOWN} for what was estimated
   * @return whether what is held is enough then
   */
  boolean extend(long outputTokens, long inputCost);

  /**
   * Ends the reservation with what was used. What was reserved beyond comes back; what was used
   * beyond is an overdraft of the budget. Each figure may be {@link #UNKNOWN}.
   *
   * @param cost in pico-dollars
   */
  void settle(long inputTokens, long outputTokens, long cost);

  /**
   * Ends the reservation of a request that used nothing: everything comes back, while its period
   * lasts even the request itself.
   */
  void cancel();

  /** All limits of the plan as they stood after this admission, in the order of the plan. */
  List<Limit> limits();

  /** The limit of this kind with the least left, or null if the plan has none. */
  default @Nullable Limit tightest(LimitKind kind) {
    Limit tightest = null;
    for (Limit limit : limits()) {
      if (limit.kind() == kind && (tightest == null || limit.remaining() < tightest.remaining())) {
        tightest = limit;
      }
    }
    return tightest;
  }
}
