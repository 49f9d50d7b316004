package dev.headrace.admission;

import java.time.Duration;
import java.util.concurrent.Future;

/** Runs short tasks later, on a thread that somebody else keeps. Thread-safe. */
@FunctionalInterface
public interface Timer {

  /**
   * Runs a task once after this time.
   *
   * @return cancels the task
   */
  Future<?> after(Duration delay, Runnable task);
}
