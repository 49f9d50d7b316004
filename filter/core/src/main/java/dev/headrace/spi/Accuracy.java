package dev.headrace.spi;

/** How far the token counts of a {@link UsageRecord} can be trusted. */
public enum Accuracy {
  /** The API's own final totals; also of a request that was never asked of the API. */
  EXACT,
  /**
   * The answer was cut: input as the API reported it at the start, output estimated from the text
   * that came.
   */
  ESTIMATED,
  /** The API reported nothing that could be read: all counts are zero, and the cost is null. */
  UNKNOWN
}
