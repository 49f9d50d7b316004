package dev.headrace.relay;

import dev.headrace.admission.Limit;
import dev.headrace.admission.LimitKind;
import dev.headrace.admission.Refusal;
import dev.headrace.admission.Reservation;
import dev.headrace.messages.ApiError;
import dev.headrace.messages.Printable;
import dev.headrace.upstream.HeaderField;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tells a user of their limits in the API's own words, which SDKs understand (API reference,
 * "Response headers" and "SDK retries", as of 2026-11-22). Stateless.
 */
final class RateLimitHeaders {

  /** SDKs really sleep as long as they are told, so that a program would seem to hang. */
  private static final Duration LONGEST_RETRY = Duration.ofMinutes(1);

  /** When a stream of one's own will end nobody knows. */
  private static final Duration SOON = Duration.ofSeconds(1);

  private RateLimitHeaders() {}

  /** {@code anthropic-ratelimit-*} of the user's own limits, as they stand after this request. */
  static List<HeaderField> of(Reservation reservation) {
    List<HeaderField> fields = new ArrayList<>();
    add(fields, "requests", reservation, LimitKind.REQUESTS);
    add(fields, "input-tokens", reservation, LimitKind.INPUT_TOKENS);
    add(fields, "output-tokens", reservation, LimitKind.OUTPUT_TOKENS);
    return fields;
  }

  private static void add(
      List<HeaderField> fields, String name, Reservation reservation, LimitKind kind) {
    Limit limit = reservation.tightest(kind);
    if (limit == null) {
      return;
    }
    String prefix = "anthropic-ratelimit-" + name;
    fields.add(new HeaderField(prefix + "-limit", Long.toString(limit.size())));
    fields.add(new HeaderField(prefix + "-remaining", Long.toString(limit.remaining())));
    Instant reset = limit.reset();
    if (reset != null) {
      // Rounded up: before that instant it is not full.
      Instant second = reset.truncatedTo(ChronoUnit.SECONDS);
      fields.add(
          new HeaderField(
              prefix + "-reset",
              (second.equals(reset) ? second : second.plusSeconds(1)).toString()));
    }
  }

  /**
   * What a user is told whose request is over a limit.
   *
   * @param unpriced the model without a price, where that is the reason
   */
  static ApiError error(Refusal refusal, @Nullable String unpriced) {
    String type = refusal.kind() == LimitKind.COST ? "billing_error" : "rate_limit_error";
    return new ApiError(429, type, message(refusal, unpriced), null);
  }

  private static String message(Refusal refusal, @Nullable String unpriced) {
    if (refusal.kind() == LimitKind.PRICE) {
      return "The price of "
          + (unpriced == null ? "this model" : "the model \"" + Printable.name(unpriced) + "\"")
          + " is not known to the gateway, so your budget for cost cannot be kept"
          + " (usage.prices-file).";
    }
    String left = amount(refusal.kind(), refusal.left());
    String limit =
        "Your limit of "
            + amount(refusal.kind(), refusal.size())
            + " ("
            + refusal.name()
            + ") does not allow this request: "
            + left
            + " left.";
    Duration reset = refusal.resetsIn();
    return switch (refusal.waiting()) {
      case USELESS ->
          refusal.isOfThePrompt()
              ? limit
                  + " Its prompt alone is reckoned at "
                  + amount(refusal.kind(), refusal.least())
                  + ", more than there ever is; shorten it."
              : limit + " It asks for more than there ever is; lower max_tokens.";
      case UNTIL_RESET ->
          reset == null ? limit : limit + " It is full again in " + seconds(reset) + " s.";
      case UNTIL_OWN_RETURN ->
          limit + " It is free again when one of your running requests has ended.";
      case UNTIL_ANY_RETURN -> limit + " It is free again when a running request has ended.";
    };
  }

  private static String amount(LimitKind kind, long amount) {
    return switch (kind) {
      case COST -> BigDecimal.valueOf(amount, 12).stripTrailingZeros().toPlainString() + " USD";
      case INPUT_TOKENS -> amount + " input tokens";
      case OUTPUT_TOKENS -> amount + " output tokens";
      case REQUESTS -> amount + " requests";
      case CONCURRENT -> amount + " requests at a time";
      case PRICE -> "";
    };
  }

  /** When to come again, and whether a program should. */
  static List<HeaderField> retry(Refusal refusal) {
    List<HeaderField> fields = new ArrayList<>();
    Duration wait =
        switch (refusal.waiting()) {
          case USELESS -> null;
          case UNTIL_RESET -> refusal.resetsIn();
          case UNTIL_OWN_RETURN, UNTIL_ANY_RETURN -> SOON;
        };
    if (wait != null) {
      fields.add(new HeaderField("retry-after", Long.toString(seconds(wait))));
      fields.add(
          new HeaderField(
              "retry-after-ms", Long.toString(Math.max(1, wait.plusNanos(999_999).toMillis()))));
    }
    if (wait == null || wait.compareTo(LONGEST_RETRY) > 0 || refusal.kind() == LimitKind.COST) {
      fields.add(new HeaderField("x-should-retry", "false"));
    }
    return fields;
  }

  private static long seconds(Duration wait) {
    return Math.max(1, (wait.toMillis() + 999) / 1000);
  }
}
