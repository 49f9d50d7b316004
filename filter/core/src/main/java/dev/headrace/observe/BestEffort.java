package dev.headrace.observe;

/** For lines of the log on threads that must go on: the log may be what fails. */
public final class BestEffort {

  private BestEffort() {}

  /** Logs, if that is possible. */
  public static void log(Runnable line) {
    try {
      line.run();
    } catch (RuntimeException | Error e) {
      // There is nowhere left to say so.
    }
  }
}
