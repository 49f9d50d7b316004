package dev.headrace.messages;

/**
 * Half surrogate pairs in text that came from JSON escapes such as {@code \ud800} (RFC 8259, 8.2):
 * no encoder can write them. Thread-safe.
 */
final class WellFormed {
  private WellFormed() {}

  static boolean isWellFormed(String text) {
    return text.codePoints().noneMatch(WellFormed::isHalf);
  }

  /** The text with U+FFFD for every half pair; the text itself when there is none. */
  static String repair(String text) {
    if (isWellFormed(text)) {
      return text;
    }
    StringBuilder repaired = new StringBuilder(text.length());
    text.codePoints().forEach(c -> repaired.appendCodePoint(isHalf(c) ? 0xFFFD : c));
    return repaired.toString();
  }

  /** Of a stream of code points, in which whole pairs are joined already. */
  private static boolean isHalf(int codePoint) {
    return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
  }
}
