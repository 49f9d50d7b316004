package dev.headrace.admission;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The right to use one of what a {@link StreamLimit} counts. Thread-safe; giving it back twice
 * counts once.
 */
public final class Permit {

  private final AtomicBoolean held = new AtomicBoolean(true);
  private final Runnable giveBack;

  Permit(Runnable giveBack) {
    this.giveBack = giveBack;
  }

  /** Gives the permit back. Idempotent. */
  public void release() {
    if (held.compareAndSet(true, false)) {
      giveBack.run();
    }
  }
}
