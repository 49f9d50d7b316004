package dev.headrace.admission;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How many streams one user has running. When the limit changes, a new bulkhead takes the place of
 * the old one: {@code Bulkhead.changeConfig} to a lower limit would block until enough streams have
 * ended. Users without running streams have no bulkhead. Not thread-safe: guarded by the lock of
 * its user.
 */
final class RunningStreams {

  private int active;
  private int limit; // 0 for none
  private @Nullable Bulkhead bulkhead;
  private int without; // active ones that hold no permit of the bulkhead

  int active() {
    return active;
  }

  /** Whether one more would stay within the limit; 0 for none. */
  boolean hasRoom(int max) {
    return max == 0 || active < max;
  }

  /** Counts one more, with a permit if there is one. */
  void enter(int max) {
    changeLimit(max);
    if (bulkhead == null || !StreamLimit.tryAcquire(bulkhead)) {
      without++;
    }
    active++;
  }

  /** Counts one less. Those without a permit go first: the limit holds again all the sooner. */
  void leave() {
    active--;
    if (without > 0) {
      without--;
    } else if (bulkhead != null) {
      bulkhead.onComplete();
    }
    if (active == 0) {
      bulkhead = null;
      limit = 0;
    }
  }

  private void changeLimit(int max) {
    if (max == limit) {
      return;
    }
    limit = max;
    without = active;
    bulkhead = max == 0 ? null : newBulkhead(max);
    while (bulkhead != null && without > 0 && StreamLimit.tryAcquire(bulkhead)) {
      without--;
    }
  }

  private static Bulkhead newBulkhead(int max) {
    return Bulkhead.of(
        "streams",
        BulkheadConfig.custom().maxConcurrentCalls(max).maxWaitDuration(Duration.ZERO).build());
  }
}
