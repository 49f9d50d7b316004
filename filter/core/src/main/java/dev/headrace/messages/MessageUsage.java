package dev.headrace.messages;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The usage of one message as the API has reported it so far (API reference, "usage", as of
 * 2026-11-22). Immutable. A count that was null or missing is zero, a text null.
 *
 * @param inputTokens uncached input
 * @param outputTokens all generated tokens, thinking included; a placeholder until a {@code
 *     message_delta} has come
 * @param cacheWriteTokens all cache writes
 * @param cacheWrite1hTokens the part of {@code cacheWriteTokens} that is kept for an hour; never
 *     more than that
 * @param cacheReadTokens cache reads
 * @param thinkingTokens the part of {@code outputTokens} that was thinking
 * @param webSearches {@code server_tool_use.web_search_requests}
 * @param webFetches {@code server_tool_use.web_fetch_requests}
 * @param serviceTier such as {@code standard} or {@code batch}
 * @param inferenceGeo such as {@code us}
 * @param speed such as {@code fast}
 * @param iterations the parts that are billed one by one instead of the totals above; empty when
 *     the API reports none
 */
public record MessageUsage(
    long inputTokens,
    long outputTokens,
    long cacheWriteTokens,
    long cacheWrite1hTokens,
    long cacheReadTokens,
    long thinkingTokens,
    long webSearches,
    long webFetches,
    @Nullable String serviceTier,
    @Nullable String inferenceGeo,
    @Nullable String speed,
    List<Iteration> iterations) {

  public MessageUsage {
    iterations = List.copyOf(iterations);
  }

  /**
   * One part of the work behind a message (beta).
   *
   * @param type such as {@code message}, {@code compaction}, {@code advisor_message}, {@code
   *     fallback_message}
   * @param model null when it is the message's
   * @param inputTokens as in {@link MessageUsage}
   * @param outputTokens as in {@link MessageUsage}
   * @param cacheWriteTokens as in {@link MessageUsage}
   * @param cacheWrite1hTokens as in {@link MessageUsage}
   * @param cacheReadTokens as in {@link MessageUsage}
   */
  public record Iteration(
      String type,
      @Nullable String model,
      long inputTokens,
      long outputTokens,
      long cacheWriteTokens,
      long cacheWrite1hTokens,
      long cacheReadTokens) {}

  /** The same with another output, in one part: the parts of a cut answer are not complete. */
  public MessageUsage withOutput(long tokens) {
    return new MessageUsage(
        inputTokens,
        tokens,
        cacheWriteTokens,
        cacheWrite1hTokens,
        cacheReadTokens,
        Math.min(thinkingTokens, tokens),
        webSearches,
        webFetches,
        serviceTier,
        inferenceGeo,
        speed,
        List.of());
  }

  /** The prompt: uncached input, cache writes and cache reads. */
  public long promptTokens() {
    return inputTokens + cacheWriteTokens + cacheReadTokens;
  }
}
