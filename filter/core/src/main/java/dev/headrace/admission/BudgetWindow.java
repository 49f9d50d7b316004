package dev.headrace.admission;

import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.local.SynchronizationStrategy;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One user's budget in one calendar window. The bucket itself is never refilled: its refill knows
 * only fixed periods, not months or days with a change of the clocks. The next window is a new
 * object, so that a stream which outlives the window still settles with the one it began in. While
 * its user has no stream running there is only the number. Not thread-safe: guarded by the lock of
 * its user.
 */
final class BudgetWindow {

  /** Half of what a long holds: no overdraft, however absurd, turns into a credit. */
  private static final long MAX_OVERDRAFT = Long.MAX_VALUE / 2;

  /** Time stands still, so nothing is ever refilled. */
  private static final TimeMeter STANDING =
      new TimeMeter() {
        @Override
        public long currentTimeNanos() {
          return 0;
        }

        @Override
        public boolean isWallClockBased() {
          return false;
        }
      };

  final LimitKind kind;
  final Window window;
  private final long endEpochSecond;
  private long amount;
  private long held;
  private long usedAtRest;
  private @Nullable Bucket bucket;

  BudgetWindow(Budget budget, Instant end) {
    kind = budget.kind();
    window = budget.window();
    endEpochSecond = end.getEpochSecond(); // windows end at full seconds
    amount = budget.amount();
  }

  private static Bucket full(long amount) {
    // The fastest rate that Bucket4j accepts: it calculates how long an overdraft would take to be
    // refilled and throws when that overflows.
    return Bucket.builder()
        .addLimit(
            Bandwidth.builder()
                .capacity(amount)
                .refillGreedy(1_000_000_000, Duration.ofSeconds(1))
                .build())
        .withCustomTimePrecision(STANDING)
        .withSynchronizationStrategy(SynchronizationStrategy.NONE)
        .build();
  }

  /** The bucket, made anew from what was used if this window was at rest. */
  private Bucket bucket() {
    Bucket current = bucket;
    if (current == null) {
      current = full(amount);
      bucket = current;
      overdraw(usedAtRest);
    }
    return current;
  }

  /** Keeps only the number until the next use: a bucket is six times as large. */
  void rest() {
    usedAtRest = amount - available();
    bucket = null;
  }

  boolean isFor(Budget budget) {
    return kind == budget.kind() && window == budget.window();
  }

  /** Whether the window has ended. A clock that goes back leaves it standing until its end. */
  boolean isOver(Instant now) {
    return now.getEpochSecond() >= endEpochSecond;
  }

  Instant end() {
    return Instant.ofEpochSecond(endEpochSecond);
  }

  /** Changes the size; what was used stays used. */
  void resize(long newAmount) {
    if (newAmount == amount) {
      return;
    }
    rest();
    amount = newAmount;
  }

  long amount() {
    return amount;
  }

  /** What is left; negative after an overdraft. */
  long available() {
    return bucket().getAvailableTokens();
  }

  /** What reservations that still run have taken. */
  long held() {
    return held;
  }

  /** Takes this much, or what is left if that is less; returns how much it was. */
  long hold(long tokens) {
    long taken = Math.max(0, Math.min(tokens, available()));
    if (taken > 0) {
      bucket().tryConsume(taken);
      held += taken;
    }
    return taken;
  }

  /** Ends a hold: what was not used comes back, what was used beyond is taken as well. */
  void settle(long taken, long used) {
    held -= taken;
    if (used < taken) {
      bucket().addTokens(taken - used);
    } else {
      overdraw(used - taken);
    }
  }

  private void overdraw(long tokens) {
    long possible = Math.min(tokens, available() + MAX_OVERDRAFT);
    if (possible > 0) {
      bucket().consumeIgnoringRateLimits(possible);
    }
  }

  boolean isUsed() {
    return available() < amount;
  }
}
