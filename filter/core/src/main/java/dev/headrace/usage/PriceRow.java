package dev.headrace.usage;

import java.math.BigDecimal;
import java.time.LocalDate;
import org.jspecify.annotations.Nullable;

/**
 * The prices of a model from one day on and for prompts of one size. Immutable.
 *
 * @param from first day, in UTC; {@link LocalDate#MIN} for always
 * @param abovePromptTokens the row is for prompts of more tokens than this; -1 for all
 * @param rates the ordinary prices
 * @param fast the prices at speed {@code fast}; null when there are none of its own
 * @param usFactor multiplies the prices where the model ran in {@code us}
 * @param line where the row stands in its file
 */
record PriceRow(
    LocalDate from,
    long abovePromptTokens,
    Rates rates,
    @Nullable Rates fast,
    BigDecimal usFactor,
    int line) {

  /** What a row without a bound is above: a prompt may have no tokens at all. */
  static final long ALL_PROMPTS = -1;

  /** The prices at a speed. */
  Rates rates(boolean isFast, BigDecimal fastFactor) {
    if (!isFast) {
      return rates;
    }
    return fast == null ? rates.times(fastFactor) : fast;
  }

  /** At most what these tokens cost, in millionths of a dollar. */
  BigDecimal microUsd(
      BigDecimal input, BigDecimal output, PriceTable.Serving serving, BigDecimal fastFactor) {
    Rates asked = rates(serving.fast(), fastFactor);
    BigDecimal sum = asked.dearestInput().multiply(input).add(asked.output().multiply(output));
    return serving.us() ? sum.multiply(usFactor) : sum;
  }

  boolean isFor(LocalDate day, long promptTokens) {
    return !from.isAfter(day) && promptTokens > abovePromptTokens;
  }

  /** Whether this row counts before another one that is for the same request. */
  boolean isBefore(PriceRow other) {
    int later = from.compareTo(other.from);
    return later > 0 || (later == 0 && abovePromptTokens > other.abovePromptTokens);
  }
}
