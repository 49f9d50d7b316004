package dev.headrace.usage;

import java.math.BigDecimal;

/** Prices of the five classes of tokens, in US dollars per million tokens. Immutable. */
record Rates(
    BigDecimal input,
    BigDecimal cacheWrite5m,
    BigDecimal cacheWrite1h,
    BigDecimal cacheRead,
    BigDecimal output) {

  Rates times(BigDecimal factor) {
    return new Rates(
        input.multiply(factor),
        cacheWrite5m.multiply(factor),
        cacheWrite1h.multiply(factor),
        cacheRead.multiply(factor),
        output.multiply(factor));
  }

  /** The dearest of the prices that an input token can have before it is known to be cached. */
  BigDecimal dearestInput() {
    return input.max(cacheWrite5m).max(cacheWrite1h);
  }
}
