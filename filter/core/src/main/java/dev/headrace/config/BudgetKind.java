package dev.headrace.config;

/** What a budget is of. */
public enum BudgetKind {
  /** Input tokens. */
  INPUT_TOKENS("input-tokens"),
  /** Output tokens. */
  OUTPUT_TOKENS("output-tokens"),
  /** What the tokens cost, in US dollars. */
  COST("USD");

  private final String unit;

  BudgetKind(String unit) {
    this.unit = unit;
  }

  /** The unit as the settings file writes it. */
  String unit() {
    return unit;
  }
}
