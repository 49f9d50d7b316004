package dev.headrace.admission;

import dev.headrace.admission.Limits.RequestRate;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One user's requests in the running period. The limiter never waits, because it would do so on the
 * thread that asks. It has no way to give a request back and forgets what was used beyond a lowered
 * limit, so these are counted here. While its user has no stream running there is only the number.
 * Not thread-safe: guarded by the lock of its user.
 */
final class RequestCount {

  private final int count;
  private final long periodNanos;
  private long startNanos;
  private int usedAtRest; // in the period that begins at startNanos
  private @Nullable RateLimiter limiter;

  private long nowNanos; // what the limiter takes for the time
  private long correctedPeriod;

  /** Requests of that period that were given back; negative: that were used beyond the limit. */
  private int correction;

  RequestCount(RequestRate rate, long nowNanos) {
    this(rate, nowNanos, 0);
  }

  private RequestCount(RequestRate rate, long startNanos, int used) {
    count = rate.count();
    periodNanos = nanos(rate);
    this.startNanos = startNanos;
    usedAtRest = used;
  }

  /** The limiter, made anew from what was used if this count was at rest. */
  private RateLimiter limiter(long now) {
    RateLimiter current = limiter;
    if (current == null) {
      nowNanos = startNanos;
      current =
          RateLimiter.of(
              "requests",
              RateLimiterConfig.custom()
                  .limitForPeriod(count)
                  .limitRefreshPeriod(Duration.ofNanos(periodNanos))
                  .timeoutDuration(Duration.ZERO)
                  .build(),
              () -> nowNanos);
      limiter = current;
      if (usedAtRest > 0) {
        current.acquirePermission(Math.min(usedAtRest, count));
      }
      correctedPeriod = 0;
      correction = Math.min(0, count - usedAtRest);
    }
    nowNanos = now;
    return current;
  }

  /** Keeps only the number until the next use: a limiter is ten times as large. */
  void rest(long now) {
    usedAtRest = count - available(now);
    startNanos = periodStartNanos(now);
    limiter = null;
  }

  /** At most 146 years, which a long still holds as nanoseconds when a period is added. */
  private static long nanos(RequestRate rate) {
    return rate.period().compareTo(Duration.ofNanos(Long.MAX_VALUE / 2)) < 0
        ? rate.period().toNanos()
        : Long.MAX_VALUE / 2;
  }

  boolean isFor(RequestRate rate) {
    return count == rate.count() && periodNanos == nanos(rate);
  }

  /**
   * The count for a changed plan: what was used in the running period stays used. The limiter's own
   * change would act from the next period on only, and cannot change its length.
   */
  RequestCount changedTo(RequestRate rate, long now) {
    int used = count - available(now);
    return new RequestCount(rate, startNanos + period(now) * periodNanos, used);
  }

  /** Requests that are left in the running period; can be negative after a change of the plan. */
  int available(long now) {
    return limiter(now).getMetrics().getAvailablePermissions() + correction(now);
  }

  private int correction(long now) {
    return correctedPeriod == period(now) ? correction : 0;
  }

  /** Takes one request, if there is one left. */
  boolean tryTake(long now) {
    if (available(now) <= 0) {
      return false;
    }
    if (correction(now) > 0) {
      correction--;
      return true;
    }
    return limiter(now).acquirePermission();
  }

  /** Gives back a request that was taken in this period; too late, it changes nothing. */
  void giveBack(long takenPeriodStartNanos, long now) {
    if (takenPeriodStartNanos != periodStartNanos(now)
        || available(now) >= count) { // the plan had no limit when it was taken
      return;
    }
    correction = correction(now) + 1;
    correctedPeriod = period(now);
  }

  /** When the running period has begun; stays the same when the plan changes. */
  long periodStartNanos(long now) {
    return startNanos + period(now) * periodNanos;
  }

  /** How long until the next period. */
  Duration resetsIn(long now) {
    return Duration.ofNanos(periodNanos - (now - startNanos) % periodNanos);
  }

  int count() {
    return count;
  }

  private long period(long now) {
    return (now - startNanos) / periodNanos;
  }
}
