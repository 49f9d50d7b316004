package dev.headrace.usage;

import dev.headrace.messages.MessageUsage;
import dev.headrace.messages.MessageUsage.Iteration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tokens that are billed together, at the price of one model (API reference, "Usage and cost", as
 * of 2026-11-22). Immutable.
 *
 * @param model null when nobody knows
 * @param write5m cache writes whose time is five minutes or was not told
 */
record BilledPart(
    @Nullable String model, long input, long output, long write5m, long write1h, long read) {

  /**
   * What is billed of a message: its iterations one by one if there are any, else its totals. An
   * attempt that was declined without output, so that another model took over, is not billed.
   *
   * @param messageModel the model of what names none itself
   */
  static List<BilledPart> of(MessageUsage usage, @Nullable String messageModel) {
    if (usage.iterations().isEmpty()) {
      return List.of(
          new BilledPart(
              messageModel,
              usage.inputTokens(),
              usage.outputTokens(),
              usage.cacheWriteTokens() - usage.cacheWrite1hTokens(),
              usage.cacheWrite1hTokens(),
              usage.cacheReadTokens()));
    }
    List<BilledPart> parts = new ArrayList<>();
    int lastFallback = lastFallback(usage.iterations());
    for (int i = 0; i < usage.iterations().size(); i++) {
      Iteration part = usage.iterations().get(i);
      boolean declined = i < lastFallback && isAttempt(part) && part.outputTokens() == 0;
      if (!declined) {
        parts.add(
            new BilledPart(
                part.model() == null ? messageModel : part.model(),
                part.inputTokens(),
                part.outputTokens(),
                part.cacheWriteTokens() - part.cacheWrite1hTokens(),
                part.cacheWrite1hTokens(),
                part.cacheReadTokens()));
      }
    }
    return parts;
  }

  private static int lastFallback(List<Iteration> iterations) {
    int last = iterations.size() - 1;
    while (last >= 0 && !iterations.get(last).type().equals("fallback_message")) {
      last--;
    }
    return last;
  }

  private static boolean isAttempt(Iteration part) {
    return part.type().equals("message") || part.type().equals("fallback_message");
  }

  long promptTokens() {
    return input + write5m + write1h + read;
  }
}
