package dev.headrace.containers;

import dev.headrace.config.Secret;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Gives the gateway its API key. It is asked for the key once in every attempt, so this counts all
 * attempts, those included that no upstream sees because the connection is refused. Thread-safe.
 */
final class CountedAttempts implements Supplier<Secret> {

  private final AtomicInteger count = new AtomicInteger();
  private volatile int actsBefore;
  private volatile Runnable action = () -> {};

  @Override
  public Secret get() {
    if (count.incrementAndGet() == actsBefore) {
      action.run();
    }
    return Secret.of(GatewayUnderTest.API_KEY);
  }

  /** How many attempts have begun. */
  int count() {
    return count.get();
  }

  /** Counts from the beginning again. */
  void reset() {
    actsBefore = 0;
    count.set(0);
  }

  /**
   * Changes the world right before an attempt.
   *
   * @param attempt counted from 1
   */
  void before(int attempt, Runnable change) {
    action = change;
    actsBefore = attempt;
  }
}
