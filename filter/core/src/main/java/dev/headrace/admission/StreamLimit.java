package dev.headrace.admission;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The most exchanges that may run at the same time in this gateway. It stays at or below the size
 * of the upstream connection pool, so that no exchange ever waits for a connection. Thread-safe.
 */
public final class StreamLimit {

  private final Bulkhead bulkhead;

  /**
   * @param maxConcurrentCalls how many exchanges may run together; above zero
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
    return bulkhead.tryAcquirePermission() ? new Permit(bulkhead::onComplete) : null;
  }

  /** How many permits are taken at this moment. */
  public int inUse() {
    Bulkhead.Metrics metrics = bulkhead.getMetrics();
    return metrics.getMaxAllowedConcurrentCalls() - metrics.getAvailableConcurrentCalls();
  }
}
