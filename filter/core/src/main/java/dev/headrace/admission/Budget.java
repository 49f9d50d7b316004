package dev.headrace.admission;

import static java.util.Objects.requireNonNull;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * How much of something may be used in one calendar window. Immutable.
 *
 * @param kind input tokens, output tokens or cost
 * @param amount in tokens or pico-dollars; above zero, at most {@link #MAX_AMOUNT}
 * @param window after which it is full again
 */
public record Budget(LimitKind kind, long amount, Window window) {

  /**
   * Cost is counted in pico-dollars (a millionth of a millionth US dollar): one token of a model
   * for 0.01 dollars per million tokens is 10,000 of them, and a million dollars still fits.
   */
  public static final long PICO_DOLLARS_PER_DOLLAR = 1_000_000_000_000L;

  /** Four million dollars. Half of what a long holds, so that an overdraft cannot overflow. */
  public static final long MAX_AMOUNT = 4_000_000 * PICO_DOLLARS_PER_DOLLAR;

  /**
   * Checks kind and amount.
   *
   * @throws IllegalArgumentException if it is no kind that a budget can have, or the amount is out
   *     of range
   */
  public Budget {
    requireNonNull(window, "window");
    switch (kind) {
      case INPUT_TOKENS, OUTPUT_TOKENS, COST -> {}
      case REQUESTS, CONCURRENT, PRICE ->
          throw new IllegalArgumentException("there is no budget of " + kind.label());
    }
    if (amount <= 0 || amount > MAX_AMOUNT) {
      throw new IllegalArgumentException(
          Limit.name(kind, window)
              + ": "
              + amount
              + " (expected: above zero, at most "
              + MAX_AMOUNT
              + ")");
    }
  }

  /**
   * A budget of this many US dollars.
   *
   * @throws IllegalArgumentException if it is less than a pico-dollar or too much
   */
  public static Budget ofDollars(BigDecimal dollars, Window window) {
    BigDecimal pico = dollars.movePointRight(12).setScale(0, RoundingMode.DOWN);
    return new Budget(
        LimitKind.COST, pico.min(BigDecimal.valueOf(Long.MAX_VALUE)).longValueExact(), window);
  }
}
