package dev.headrace.simulator;

/**
 * Token counts of one message, as the API's {@code usage} object reports them. Immutable.
 *
 * @param inputTokens uncached input, without cache reads and writes
 * @param outputTokens all generated tokens, thinking included
 * @param cacheReadInputTokens tokens read from the prompt cache
 * @param cacheWrite5mInputTokens tokens written to the prompt cache for five minutes
 * @param cacheWrite1hInputTokens tokens written to the prompt cache for one hour
 * @param thinkingTokens the part of {@code outputTokens} spent on thinking
 * @param webSearchRequests web searches made by the server
 */
public record Usage(
    long inputTokens,
    long outputTokens,
    long cacheReadInputTokens,
    long cacheWrite5mInputTokens,
    long cacheWrite1hInputTokens,
    long thinkingTokens,
    long webSearchRequests) {
  /** Nothing used. */
  public static final Usage NONE = of(0, 0);

  /** Input and output only, nothing cached. */
  public static Usage of(long inputTokens, long outputTokens) {
    return new Usage(inputTokens, outputTokens, 0, 0, 0, 0, 0);
  }

  /** The same counts with these cache counts. */
  public Usage withCache(long read, long write5m, long write1h) {
    return new Usage(
        inputTokens, outputTokens, read, write5m, write1h, thinkingTokens, webSearchRequests);
  }

  /** The same counts with this much output. */
  public Usage withOutput(long tokens) {
    return new Usage(
        inputTokens,
        tokens,
        cacheReadInputTokens,
        cacheWrite5mInputTokens,
        cacheWrite1hInputTokens,
        thinkingTokens,
        webSearchRequests);
  }

  /** The same counts with this much uncached input. */
  public Usage withInput(long tokens) {
    return new Usage(
        tokens,
        outputTokens,
        cacheReadInputTokens,
        cacheWrite5mInputTokens,
        cacheWrite1hInputTokens,
        thinkingTokens,
        webSearchRequests);
  }

  /** The same counts with this much of the output spent on thinking. */
  public Usage withThinking(long tokens) {
    return new Usage(
        inputTokens,
        outputTokens,
        cacheReadInputTokens,
        cacheWrite5mInputTokens,
        cacheWrite1hInputTokens,
        tokens,
        webSearchRequests);
  }

  /** The same counts with this many web searches. */
  public Usage withWebSearches(long requests) {
    return new Usage(
        inputTokens,
        outputTokens,
        cacheReadInputTokens,
        cacheWrite5mInputTokens,
        cacheWrite1hInputTokens,
        thinkingTokens,
        requests);
  }

  /** Cache writes of both lifetimes. */
  public long cacheWriteInputTokens() {
    return cacheWrite5mInputTokens + cacheWrite1hInputTokens;
  }
}
