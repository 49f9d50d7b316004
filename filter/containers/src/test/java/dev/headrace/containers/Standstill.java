package dev.headrace.containers;

import java.time.Duration;
import java.util.function.LongSupplier;
import org.awaitility.Awaitility;

/** Waits until something that grows has stopped growing: the only sign that nothing is taken. */
public final class Standstill {

  private Standstill() {}

  /** Waits until a figure has begun and then not changed for a while. */
  public static void await(LongSupplier figure) {
    long[] last = {0, System.nanoTime()};
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(50))
        .until(
            () -> {
              long now = figure.getAsLong();
              if (now != last[0]) {
                last[0] = now;
                last[1] = System.nanoTime();
              }
              return now > 0 && System.nanoTime() - last[1] > 600_000_000L;
            });
  }
}
