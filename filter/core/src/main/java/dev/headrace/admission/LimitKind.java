package dev.headrace.admission;

/** What a limit counts. */
public enum LimitKind {
  /** Requests in a period. */
  REQUESTS("requests"),
  /** Streams that run at the same time. */
  CONCURRENT("concurrent"),
  /** Input tokens in a window. */
  INPUT_TOKENS("input tokens"),
  /** Output tokens in a window. */
  OUTPUT_TOKENS("output tokens"),
  /** Cost in a window, in pico-dollars. */
  COST("cost"),
  /** Not a count: there is a budget for cost, and what the model costs is not known. */
  PRICE("price");

  private final String label;

  LimitKind(String label) {
    this.label = label;
  }

  /** The word for it in messages. */
  public String label() {
    return label;
  }
}
