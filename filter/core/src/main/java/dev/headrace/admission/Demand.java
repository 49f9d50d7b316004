package dev.headrace.admission;

import org.jspecify.annotations.Nullable;

/**
 * What a request may come to use. Immutable if its price is.
 *
 * @param inputTokens estimated from the bytes of the request; not negative
 * @param maxOutputTokens its {@code max_tokens}; not negative
 * @param price null when it is not known: a plan with a budget for cost then refuses the request,
 *     with {@link LimitKind#PRICE} as the reason, because nothing could keep the budget
 */
public record Demand(long inputTokens, long maxOutputTokens, @Nullable Price price) {

  /**
   * Checks the range.
   *
   * @throws IllegalArgumentException if a count is negative
   */
  public Demand {
    if (inputTokens < 0 || maxOutputTokens < 0) {
      throw new IllegalArgumentException("a token count is negative");
    }
  }

  /** What this much output costs with its input, at most {@link Long#MAX_VALUE}. */
  static long cost(Price price, long inputCost, long outputTokens) {
    long sum = inputCost + price.ofOutput(outputTokens);
    return sum < 0 ? Long.MAX_VALUE : sum;
  }

  /**
   * How many output tokens can be bought after the input is paid.
   *
   * @return at most {@code most}; -1 if the amount does not even pay for the input
   */
  static long outputFor(Price price, long inputCost, long most, long amount) {
    if (cost(price, inputCost, 0) > amount) {
      return -1;
    }
    if (cost(price, inputCost, most) <= amount) {
      return Math.max(0, most); // nearly always
    }
    long affordable = 0;
    long beyond = most - 1;
    while (affordable < beyond) {
      long middle = affordable + (beyond - affordable + 1) / 2;
      if (cost(price, inputCost, middle) <= amount) {
        affordable = middle;
      } else {
        beyond = middle - 1;
      }
    }
    return affordable;
  }
}
