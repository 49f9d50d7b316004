package dev.headrace.upstream;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Keeps an outage from being multiplied: counts requests and retries of the last ten seconds and
 * allows a retry while retries stay below a share of the requests, or while there have been few in
 * the last second. Thread-safe.
 */
final class RetryBudget {

  private static final int SECONDS = 10;

  private final int percent;
  private final int perSecond;
  private final LongSupplier nanoTime;
  private final long originNanos;

  // Guarded by this; one place for each of the last seconds, and the second that it stands for.
  private final long[] second = new long[SECONDS];
  private final int[] requests = new int[SECONDS];
  private final int[] retries = new int[SECONDS];

  /**
   * @param percent retries allowed for every hundred requests; 0 to 100
   * @param perSecond retries allowed in each second whatever the share says; 0 or more
   */
  RetryBudget(int percent, int perSecond, LongSupplier nanoTime) {
    this.percent = percent;
    this.perSecond = perSecond;
    this.nanoTime = nanoTime;
    this.originNanos = nanoTime.getAsLong();
  }

  /** Counts a request, by its first attempt. */
  synchronized void request() {
    requests[place()]++;
  }

  /** Takes a retry out of the budget, or returns false if there is none left. */
  synchronized boolean tryRetry() {
    int place = place();
    long oldest = second[place] - SECONDS + 1;
    long asked = 0;
    long repeated = 0;
    for (int i = 0; i < SECONDS; i++) {
      if (second[i] >= oldest) {
        asked += requests[i];
        repeated += retries[i];
      }
    }
    if (retries[place] >= perSecond && (repeated + 1) * 100 > asked * percent) {
      return false;
    }
    retries[place]++;
    return true;
  }

  /** The place of the current second, emptied if it last stood for an earlier one. */
  private int place() {
    long now = TimeUnit.NANOSECONDS.toSeconds(nanoTime.getAsLong() - originNanos);
    int place = (int) (now % SECONDS);
    if (second[place] != now) {
      second[place] = now;
      requests[place] = 0;
      retries[place] = 0;
    }
    return place;
  }
}
