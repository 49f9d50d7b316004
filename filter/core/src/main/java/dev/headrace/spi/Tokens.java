package dev.headrace.spi;

/**
 * The tokens of one usage record, in the classes that are billed differently. Immutable; no count
 * is negative.
 *
 * @param input uncached input tokens; cache reads and writes are not among them
 * @param output output tokens, those of thinking included
 * @param cacheRead input tokens read from the prompt cache
 * @param cacheWrite5m input tokens written to the prompt cache for five minutes
 * @param cacheWrite1h input tokens written to the prompt cache for one hour
 * @param thinking the part of {@code output} that was thinking; 0 when not reported
 * @param webSearches web searches that the API ran, billed per search
 * @param webFetches web pages that the API fetched
 */
public record Tokens(
    long input,
    long output,
    long cacheRead,
    long cacheWrite5m,
    long cacheWrite1h,
    long thinking,
    long webSearches,
    long webFetches) {

  /** Nothing was used. */
  public static final Tokens NONE = new Tokens(0, 0, 0, 0, 0, 0, 0, 0);

  /**
   * Checks that no count is negative.
   *
   * @throws IllegalArgumentException if one is
   */
  public Tokens {
    if (input < 0
        || output < 0
        || cacheRead < 0
        || cacheWrite5m < 0
        || cacheWrite1h < 0
        || thinking < 0
        || webSearches < 0
        || webFetches < 0) {
      throw new IllegalArgumentException("a token count is negative");
    }
  }
}
