package dev.headrace.simulator;

/**
 * How fast deltas follow each other. Immutable.
 *
 * @param tokensPerSecond deltas per second on average; zero means as fast as the client reads
 * @param jitter how far a single gap may differ from the average, from 0 (none) to 1
 */
public record TokenPace(double tokensPerSecond, double jitter) {
  /** As fast as the client reads. */
  public static final TokenPace FULL_SPEED = new TokenPace(0, 0);

  /** Checks both numbers. */
  public TokenPace {
    if (!(tokensPerSecond >= 0) || Double.isInfinite(tokensPerSecond)) {
      throw new IllegalArgumentException(
          "tokensPerSecond: " + tokensPerSecond + " (expected: 0 or above)");
    }
    if (!(jitter >= 0 && jitter <= 1)) {
      throw new IllegalArgumentException("jitter: " + jitter + " (expected: 0 to 1)");
    }
  }

  /** An even pace. */
  public static TokenPace of(double tokensPerSecond) {
    return new TokenPace(tokensPerSecond, 0);
  }

  /** Sixty tokens a second with some jitter, about what a person sees in a chat. */
  public static TokenPace human() {
    return new TokenPace(60, 0.5);
  }

  long gapNanos() {
    return tokensPerSecond == 0 ? 0 : (long) (1e9 / tokensPerSecond);
  }
}
