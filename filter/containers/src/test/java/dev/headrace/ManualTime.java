package dev.headrace;

import dev.headrace.config.GatewaySettings;
import dev.headrace.upstream.TimeSource;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A clock that stands still until a test moves it. Stands in the package of {@link Gateway}, whose
 * start with another clock is no public API. Thread-safe.
 *
 * <p>The gateway looks at its clocks ten times a second of real time, so what a move sets off
 * happens a tenth of a second later at most: tests wait for it.
 */
public final class ManualTime {

  private static final Instant START = Instant.parse("2026-11-22T10:15:04Z");

  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1_000_000_000); // wraps around

  private final AtomicLong passed = new AtomicLong();

  /** Moves the time forward. */
  public void advance(Duration by) {
    passed.addAndGet(by.toNanos());
    nanos.addAndGet(by.toNanos());
  }

  /** The present by this clock. */
  public Instant instant() {
    return START.plusNanos(passed.get());
  }

  /** Starts a gateway that takes its time from here. */
  public Gateway start(GatewaySettings settings) {
    return Gateway.builder(settings).time(new TimeSource(nanos::get, this::instant)).start();
  }
}
