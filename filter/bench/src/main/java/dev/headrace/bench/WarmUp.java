package dev.headrace.bench;

/** Decides when a server is warm. Not thread-safe. */
final class WarmUp {

  /**
   * It is when the JIT compiler has used less than this share of its CPU time in two rounds in a
   * row: after one, a counter may only wait to be full.
   */
  static final double JIT_IDLE = 0.05;

  private final int most;
  private int rounds;
  private int idle;

  /**
   * @param most rounds; above zero
   */
  WarmUp(int most) {
    this.most = most;
  }

  /**
   * A round has ended.
   *
   * @param jitShare of the server's CPU time, 0 to 1; NaN for a server that has no JIT compiler,
   *     and is warm after one round
   */
  void round(double jitShare) {
    rounds++;
    idle = jitShare >= JIT_IDLE ? 0 : Double.isNaN(jitShare) ? 2 : idle + 1;
  }

  boolean isWarm() {
    return idle >= 2;
  }

  /** Whether there are no further rounds. */
  boolean isOver() {
    return isWarm() || rounds >= most;
  }

  int rounds() {
    return rounds;
  }
}
