package dev.headrace.chain;

/** What a wrapper was seen to do with a streamed answer. */
public enum Finding {
  /** It has set a Content-Encoding. */
  COMPRESSED("compressed", "compresses them, which holds events back"),
  /** Nothing had left after a flush. */
  BUFFERED("buffered", "keeps them until they are complete"),
  /** It has ended the answer before the first byte of it. */
  CLOSED("closed", "ends them when the filter returns, before they have begun"),
  /** It did not let the gateway write without blocking. */
  UNWRITABLE("unwritable", "does not pass on the container's calls of a WriteListener");

  private final String kind;
  private final String effect;

  Finding(String kind, String effect) {
    this.kind = kind;
    this.effect = effect;
  }

  /** A word for metrics. */
  public String kind() {
    return kind;
  }

  /** Completes a sentence that begins with the wrapper and is about answers. */
  String effect() {
    return effect;
  }
}
