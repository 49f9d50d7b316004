package dev.headrace.admission;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;

/**
 * One user's budget in one calendar window. It is never refilled: the next window is a new object,
 * so that a stream which outlives the window still settles with the one it began in. Not
 * thread-safe: guarded by the lock of its user.
 */
final class BudgetWindow {

  /** Half of what a long holds: no overdraft, however absurd, turns into a credit. */
  private static final long MAX_OVERDRAFT = Long.MAX_VALUE / 2;

  final LimitKind kind;
  final Window window;
  private long begunEpochSecond; // when it was first asked for
  private long endEpochSecond;
  private long amount;
  private long used; // what running reservations hold included
  private long held;

  BudgetWindow(Budget budget, Instant now, ZoneId zone) {
    kind = budget.kind();
    window = budget.window();
    begin(now, zone);
    amount = budget.amount();
  }

  private void begin(Instant now, ZoneId zone) {
    begunEpochSecond = now.getEpochSecond();
    endEpochSecond = window.endAfter(now, zone).getEpochSecond(); // windows end at full seconds
  }

  boolean isFor(Budget budget) {
    return kind == budget.kind() && window == budget.window();
  }

  /**
   * Makes this the window of now, with what was used, if it was begun in a time that has not come
   * yet: the clock was wrong then, and the window may lie years ahead.
   *
   * @param margin a clock that is set back by no more than this leaves it standing until its end
   */
  void followClock(Instant now, ZoneId zone, Duration margin) {
    if (now.getEpochSecond() + margin.toSeconds() < begunEpochSecond) {
      begin(now, zone);
    }
  }

  /** Whether the window has ended. */
  boolean isOver(Instant now) {
    return now.getEpochSecond() >= endEpochSecond;
  }

  Instant end() {
    return Instant.ofEpochSecond(endEpochSecond);
  }

  /** Changes the size; what was used stays used. */
  void resize(long newAmount) {
    amount = newAmount;
  }

  long amount() {
    return amount;
  }

  /** What is left; negative after an overdraft. */
  long available() {
    return amount - used;
  }

  /** What reservations that still run have taken. */
  long held() {
    return held;
  }

  /** Takes this much, or what is left if that is less; returns how much it was. */
  long hold(long tokens) {
    long taken = Math.max(0, Math.min(tokens, available()));
    used += taken;
    held += taken;
    return taken;
  }

  /** Ends a hold: what was not used comes back, what was used beyond is taken as well. */
  void settle(long taken, long nowUsed) {
    held -= taken;
    used -= taken;
    used += Math.max(0, Math.min(nowUsed, amount + MAX_OVERDRAFT - used));
  }

  boolean isUsed() {
    return used > 0;
  }
}
