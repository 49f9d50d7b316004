package dev.headrace.messages;

import org.jspecify.annotations.Nullable;

/**
 * Those facts of a {@link UsageView} that change together. Immutable.
 *
 * @param reportedOutputTokens the API's own total of output so far; 0 while it has sent a
 *     placeholder only
 */
record MessageFacts(
    @Nullable MessageUsage usage,
    @Nullable String model,
    @Nullable String messageId,
    @Nullable String stopReason,
    long reportedOutputTokens,
    boolean isFinal,
    boolean unreadable) {

  static final MessageFacts NONE = new MessageFacts(null, null, null, null, 0, false, false);
  private static final int CHARACTERS_PER_TOKEN = 4;

  long estimatedOutputTokens(long characters) {
    long estimate = (characters + CHARACTERS_PER_TOKEN - 1) / CHARACTERS_PER_TOKEN;
    return Math.max(estimate, reportedOutputTokens);
  }
}
