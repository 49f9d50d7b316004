package dev.headrace.upstream;

import java.time.Clock;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * Where the gateway takes the time from, so that tests can move it. Thread-safe if its parts are.
 *
 * @param nanoTime for durations; as {@link System#nanoTime}
 * @param wall for dates that an upstream names; as {@link Clock#systemUTC}
 */
public record TimeSource(LongSupplier nanoTime, InstantSource wall) {

  /** The time of this machine. */
  public static TimeSource system() {
    return new TimeSource(System::nanoTime, InstantSource.system());
  }

  /** Nanoseconds of a clock that never goes back; only differences mean anything. */
  public long nanos() {
    return nanoTime.getAsLong();
  }
}
