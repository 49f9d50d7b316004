package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.math.BigDecimal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How many tokens or US dollars each user of a plan may use in a calendar window, in the notation
 * {@code 5 USD/day}, {@code 0.50 USD/hour} or {@code 2_000_000 input-tokens/month}. Immutable.
 *
 * @param kind what it is of
 * @param amount above zero. Tokens are whole, up to 18 digits; dollars are at most 4000000 and have
 *     at most 12 decimal places. Without zeros at its end, so that equal amounts are equal
 * @param window after which it is full again
 */
public record Budget(BudgetKind kind, BigDecimal amount, BudgetWindow window) {
  static final String EXPECTED =
      "an amount in a window such as 5 USD/day or 100_000 output-tokens/hour; USD, input-tokens or"
          + " output-tokens, per minute, hour, day or month";

  /** As long as the longest amount may be written; a longer number would only take time. */
  private static final int MAX_LENGTH = 80;

  private static final Pattern FORM =
      Pattern.compile(
          "((?:0|[1-9][0-9]*(?:_[0-9]+)*)(?:\\.[0-9]+)?)"
              + " (USD|input-tokens|output-tokens)/(minute|hour|day|month)");

  private static final int MAX_TOKEN_DIGITS = 18;
  private static final BigDecimal MAX_DOLLARS = BigDecimal.valueOf(4_000_000);
  private static final int MAX_DOLLAR_PLACES = 12;

  /**
   * Checks the amount.
   *
   * @throws IllegalArgumentException if it is out of its range
   */
  public Budget {
    requireNonNull(kind, "kind");
    requireNonNull(window, "window");
    amount = normal(requireNonNull(amount, "amount"));
    try {
      checkAmount(kind, amount);
    } catch (BadValue e) {
      throw new IllegalArgumentException(e.sentence(amount.toString()), e);
    }
  }

  /** A budget of this many input tokens. */
  public static Budget ofInputTokens(long tokens, BudgetWindow window) {
    return new Budget(BudgetKind.INPUT_TOKENS, BigDecimal.valueOf(tokens), window);
  }

  /** A budget of this many output tokens. */
  public static Budget ofOutputTokens(long tokens, BudgetWindow window) {
    return new Budget(BudgetKind.OUTPUT_TOKENS, BigDecimal.valueOf(tokens), window);
  }

  /** A budget of this many US dollars. */
  public static Budget ofDollars(BigDecimal dollars, BudgetWindow window) {
    return new Budget(BudgetKind.COST, dollars, window);
  }

  /**
   * Reads a budget as it stands in the settings file.
   *
   * @throws IllegalArgumentException if the text is none
   */
  public static Budget parse(String text) {
    try {
      return read(requireNonNull(text, "text"));
    } catch (BadValue e) {
      throw new IllegalArgumentException(e.sentence(Shown.text(text)), e);
    }
  }

  static Budget read(String text) throws BadValue {
    Matcher form = FORM.matcher(text);
    if (text.length() > MAX_LENGTH || !form.matches()) {
      throw BadValue.expected(EXPECTED);
    }
    BudgetKind kind =
        Stream.of(BudgetKind.values())
            .filter(each -> each.unit().equals(form.group(2)))
            .findFirst()
            .orElseThrow();
    BudgetWindow window =
        Stream.of(BudgetWindow.values())
            .filter(each -> each.word().equals(form.group(3)))
            .findFirst()
            .orElseThrow();
    BigDecimal amount = normal(new BigDecimal(form.group(1).replace("_", "")));
    checkAmount(kind, amount);
    return new Budget(kind, amount, window);
  }

  private static BigDecimal normal(BigDecimal amount) {
    BigDecimal stripped = amount.stripTrailingZeros();
    // A large exponent is left to the check: writing it out could take all of the memory.
    return stripped.scale() < 0 && stripped.scale() > -MAX_LENGTH ? stripped.setScale(0) : stripped;
  }

  private static void checkAmount(BudgetKind kind, BigDecimal amount) throws BadValue {
    if (kind == BudgetKind.COST) {
      if (amount.signum() <= 0
          || amount.compareTo(MAX_DOLLARS) > 0
          || amount.scale() > MAX_DOLLAR_PLACES) {
        throw BadValue.expected("dollars above 0, at most 4000000, with at most 12 decimal places");
      }
    } else if (amount.signum() <= 0
        || amount.scale() > 0
        || (long) amount.precision() - amount.scale() > MAX_TOKEN_DIGITS) {
      throw BadValue.expected("whole tokens above 0, at most 18 digits");
    }
  }

  /** Whether the other one is of the same kind and window, so that one of them is too much. */
  boolean isForTheSameAs(Budget other) {
    return kind == other.kind && window == other.window;
  }

  /** Returns the budget in the notation of the file. */
  @Override
  public String toString() {
    return amount.toPlainString() + " " + kind.unit() + "/" + window.word();
  }
}
