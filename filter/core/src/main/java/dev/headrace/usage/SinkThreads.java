package dev.headrace.usage;

import java.time.Duration;

/** Makes the threads of this package: daemons that keep no class loader but the gateway's. */
final class SinkThreads {

  private SinkThreads() {}

  /** A thread that is not started yet. */
  static Thread make(String name, Runnable work) {
    Thread thread = new Thread(null, work, "headrace-" + name, 0, false);
    thread.setDaemon(true);
    // A driver or an application's sink looks for its classes here.
    thread.setContextClassLoader(SinkThreads.class.getClassLoader());
    return thread;
  }

  /** Waits for its end; true if it has ended or was never started. */
  static boolean join(Thread thread, Duration patience) {
    boolean interrupted = false;
    long end = System.nanoTime() + patience.toNanos();
    while (thread.isAlive()) {
      long left = Duration.ofNanos(end - System.nanoTime()).toMillis();
      if (left <= 0) {
        break;
      }
      try {
        thread.join(left);
      } catch (InterruptedException e) {
        interrupted = true;
        break;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return !thread.isAlive();
  }
}
