package dev.headrace.admission;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The most of something that may be taken at the same time in this gateway: requests that are
 * received, upstream connections, threads of the container. Nobody waits for one. Thread-safe.
 */
public final class StreamLimit {

  private final Bulkhead bulkhead;

  /**
   * @param maxConcurrentCalls how many may be taken together; above zero
   */
  public StreamLimit(int maxConcurrentCalls) {
    bulkhead =
        Bulkhead.of(
            "streams",
            BulkheadConfig.custom()
                .maxConcurrentCalls(maxConcurrentCalls)
                .maxWaitDuration(Duration.ZERO) // never waits on a thread
                .build());
  }

  /** Takes a permit, or returns null at once when all are taken. */
  public @Nullable Permit tryAcquire() {
    // onComplete() gives a permit back; Resilience4j counts it as a finished call.
    return tryAcquire(bulkhead) ? new Permit(bulkhead::onComplete) : null;
  }

  /** Takes a permit. An interrupted thread would be refused whatever is left, so it is not one. */
  static boolean tryAcquire(Bulkhead bulkhead) {
    boolean interrupted = Thread.interrupted();
    try {
      return bulkhead.tryAcquirePermission();
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** How many permits are taken at this moment. */
  public int inUse() {
    Bulkhead.Metrics metrics = bulkhead.getMetrics();
    return metrics.getMaxAllowedConcurrentCalls() - metrics.getAvailableConcurrentCalls();
  }
}
