package dev.headrace.admission;

import java.time.Instant;

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
  private final long endEpochSecond;
  private long amount;
  private long used; // what running reservations hold included
  private long held;

  BudgetWindow(Budget budget, Instant end) {
    kind = budget.kind();
    window = budget.window();
    endEpochSecond = end.getEpochSecond(); // windows end at full seconds
    amount = budget.amount();
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
