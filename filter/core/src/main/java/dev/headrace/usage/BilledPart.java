package dev.headrace.usage;

import dev.headrace.messages.MessageUsage;
import dev.headrace.messages.MessageUsage.Iteration;
import dev.headrace.messages.UsageView;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
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

  /** How a message ended, as far as that changes what is billed. */
  enum Ending {
    ANSWERED,
    REFUSED,
    /** Before any output, by the first model or by all of them. */
    REFUSED_AT_ONCE;

    static Ending of(UsageView view) {
      if (!view.refused()) {
        return ANSWERED;
      }
      return view.charged() ? REFUSED : REFUSED_AT_ONCE;
    }
  }

  /**
   * What is billed of a message: its iterations one by one if there are any, else its totals. An
   * attempt that was declined without output is not billed, whether another model took over or none
   * was left.
   *
   * @param messageModel the model of what names none itself
   * @param ending how the message ended
   */
  static List<BilledPart> of(MessageUsage usage, @Nullable String messageModel, Ending ending) {
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
    int lastFallback = last(usage.iterations(), part -> part.type().equals("fallback_message"));
    int lastAttempt = last(usage.iterations(), BilledPart::isAttempt);
    for (int i = 0; i < usage.iterations().size(); i++) {
      Iteration part = usage.iterations().get(i);
      boolean empty = part.outputTokens() == 0;
      boolean handedOn = i < lastFallback && isAttempt(part) && empty;
      boolean refused =
          i == lastAttempt
              && (ending == Ending.REFUSED_AT_ONCE || (ending == Ending.REFUSED && empty));
      if (!handedOn && !refused) {
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

  private static int last(List<Iteration> iterations, Predicate<Iteration> which) {
    int last = iterations.size() - 1;
    while (last >= 0 && !which.test(iterations.get(last))) {
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
