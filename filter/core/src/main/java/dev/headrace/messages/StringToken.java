package dev.headrace.messages;

import org.jspecify.annotations.Nullable;

/**
 * One JSON string in the bytes of a body, quotes included: looked at in place, so that a text of
 * many MiB is never copied. Thread-safe.
 */
final class StringToken {
  private static final int ESCAPE_LENGTH = 6; // backslash, u, four digits

  private StringToken() {}

  /**
   * The offset after the closing quote, or {@code length} when there is none.
   *
   * @param start offset of the opening quote
   */
  static int end(byte[] body, int start, int length) {
    int i = start + 1;
    while (i < length) {
      if (body[i] == '"') {
        return i + 1;
      }
      i += body[i] == '\\' ? 2 : 1;
    }
    return length;
  }

  /**
   * What is wrong with the escapes of a string: the character NUL or half a surrogate pair. Null if
   * nothing is; what is not JSON at all is for the parser to say.
   */
  static @Nullable String fault(byte[] body, int start, int length) {
    int i = start + 1;
    while (i < length && body[i] != '"') {
      if (body[i] != '\\') {
        i++;
        continue;
      }
      int unit = unit(body, i, length);
      if (unit < 0) {
        i += 2;
        continue;
      }
      if (unit == 0) {
        return "holds the character NUL";
      }
      i += ESCAPE_LENGTH;
      if (Character.isHighSurrogate((char) unit)) {
        int low = unit(body, i, length);
        if (low < 0 || !Character.isLowSurrogate((char) low)) {
          return "holds half a surrogate pair";
        }
        i += ESCAPE_LENGTH;
      } else if (Character.isLowSurrogate((char) unit)) {
        return "holds half a surrogate pair";
      }
    }
    return null;
  }

  /** The UTF-16 unit that a unicode escape at this place stands for, or -1. */
  private static int unit(byte[] body, int at, int length) {
    if (at + ESCAPE_LENGTH > length || body[at] != '\\' || body[at + 1] != 'u') {
      return -1;
    }
    int unit = 0;
    for (int i = at + 2; i < at + ESCAPE_LENGTH; i++) {
      int digit = Character.digit(body[i], 16); // negative bytes are no code points: -1
      if (digit < 0) {
        return -1;
      }
      unit = unit << 4 | digit;
    }
    return unit;
  }
}
