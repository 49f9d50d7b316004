package dev.headrace.admission;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.ZoneId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one plan allows each of its users. Immutable. Given with every request, so that it can
 * change at run time: what a user has used, and the streams that run, count under the new plan as
 * well.
 *
 * @param requests how many requests in a period; null for no limit
 * @param concurrent how many streams at the same time; 0 for no limit
 * @param budgets tokens and cost in calendar windows; at most one for each kind and window
 * @param shortfall what happens when a budget does not buy the output that was asked for
 * @param enforcement whether a refusal is one
 * @param zone where the windows of the budgets begin; takes effect as each running window ends
 */
public record Limits(
    @Nullable RequestRate requests,
    int concurrent,
    List<Budget> budgets,
    Shortfall shortfall,
    Enforcement enforcement,
    ZoneId zone) {

  /**
   * Requests in a period. The periods follow each other from the user's first request on: up to
   * twice the count can pass around the end of one (Resilience4j's {@code RateLimiter}).
   *
   * @param count above zero
   * @param period above zero
   */
  public record RequestRate(int count, Duration period) {
    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if count or period is not above zero
     */
    public RequestRate {
      if (count <= 0 || period.isNegative() || period.isZero()) {
        throw new IllegalArgumentException(
            "requests: " + count + " per " + period + " (expected: both above zero)");
      }
    }
  }

  /** What happens when a budget does not buy all of the output that a request may produce. */
  public enum Shortfall {
    /** The request is refused. */
    REFUSE,
    /** The request is sent with a lower {@code max_tokens}; with nothing left it is refused. */
    LOWER_MAX_TOKENS,
    /**
     * As {@link #LOWER_MAX_TOKENS}, and a stream is ended where it has used up what is left,
     * counted by what has come of it.
     */
    STOP_AT_BUDGET
  }

  /** Whether a plan is in force. */
  public enum Enforcement {
    /** What is over a limit is refused. */
    REFUSE,
    /**
     * Nothing is refused, lowered or stopped; what would have been refused is told with the grant.
     * Everything counts as far as there is something left, and in full when it is settled.
     */
    SHADOW
  }

  /** The limits of requests that use no budget; null if there are none. */
  public @Nullable Limits withoutBudgets() {
    return requests == null && concurrent == 0
        ? null
        : new Limits(requests, concurrent, List.of(), Shortfall.REFUSE, enforcement, zone);
  }

  /**
   * Checks what belongs together.
   *
   * @throws IllegalArgumentException if {@code concurrent} is negative or two budgets are of the
   *     same kind and window
   */
  public Limits {
    requireNonNull(shortfall, "shortfall");
    requireNonNull(enforcement, "enforcement");
    requireNonNull(zone, "zone");
    budgets = List.copyOf(budgets);
    if (concurrent < 0) {
      throw new IllegalArgumentException("concurrent: " + concurrent + " (expected: 0 or more)");
    }
    for (int i = 0; i < budgets.size(); i++) {
      for (int j = 0; j < i; j++) {
        Budget one = budgets.get(i);
        Budget other = budgets.get(j);
        if (one.kind() == other.kind() && one.window() == other.window()) {
          throw new IllegalArgumentException(
              "two budgets for " + Limit.name(one.kind(), one.window()));
        }
      }
    }
  }
}
