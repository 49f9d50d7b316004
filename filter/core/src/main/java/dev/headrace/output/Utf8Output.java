package dev.headrace.output;

import java.util.Arrays;

/**
 * Bytes that wait to be written, in an array that grows and is used again. What is appended as text
 * comes out as well-formed UTF-8 whatever it holds: half a surrogate pair becomes U+FFFD. Not
 * thread-safe.
 */
final class Utf8Output {
  private static final int FIRST_BYTES = 512;

  /** A larger array is given back: one large event must not cost its size for hours. */
  private static final int KEPT_BYTES = 64 * 1024;

  /** The longest that one character can become: an escape of six. */
  private static final int MAX_CHAR_BYTES = 6;

  private static final char REPLACEMENT = '\uFFFD';
  private static final byte[] HEX = {
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'
  };

  /** Nothing is escaped. */
  private static final byte[] AS_IS = new byte[128];

  /** What follows the backslash (RFC 8259, section 7); 0: no escape; 'u': by number. */
  private static final byte[] JSON = jsonEscapes();

  private byte[] bytes = new byte[FIRST_BYTES];
  private int length;

  private static byte[] jsonEscapes() {
    byte[] escapes = new byte[128];
    Arrays.fill(escapes, 0, ' ', (byte) 'u');
    escapes['\b'] = 'b';
    escapes['\t'] = 't';
    escapes['\n'] = 'n';
    escapes['\f'] = 'f';
    escapes['\r'] = 'r';
    escapes['"'] = '"';
    escapes['\\'] = '\\';
    return escapes;
  }

  byte[] bytes() {
    return bytes;
  }

  int length() {
    return length;
  }

  void clear() {
    length = 0;
    if (bytes.length > KEPT_BYTES) {
      bytes = new byte[FIRST_BYTES];
    }
  }

  /** Takes back what was appended since there were so many bytes. */
  void cutTo(int earlierLength) {
    length = earlierLength;
  }

  Utf8Output ascii(byte[] ascii) {
    reserve(ascii.length);
    System.arraycopy(ascii, 0, bytes, length, ascii.length);
    length += ascii.length;
    return this;
  }

  /** Text as it is. */
  void text(String text) {
    append(text, AS_IS);
  }

  /** A JSON string with its quotes. */
  void jsonString(String text) {
    reserve(text.length() + 2);
    bytes[length++] = '"';
    append(text, JSON);
    reserve(1);
    bytes[length++] = '"';
  }

  private void append(String text, byte[] escapes) {
    int count = text.length();
    reserve(count);
    // There is always room for one byte for each character that is left.
    for (int i = 0; i < count; i++) {
      char c = text.charAt(i);
      if (c < 0x80 && escapes[c] == 0) {
        bytes[length++] = (byte) c;
        continue;
      }
      reserve(MAX_CHAR_BYTES + count - i);
      if (c < 0x80) {
        escape(c, escapes[c]);
      } else if (Character.isHighSurrogate(c)
          && i + 1 < count
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
        supplementary(Character.toCodePoint(c, text.charAt(i)));
      } else {
        basic(Character.isSurrogate(c) ? REPLACEMENT : c);
      }
    }
  }

  private void escape(char c, byte escape) {
    bytes[length++] = '\\';
    bytes[length++] = escape;
    if (escape == 'u') {
      bytes[length++] = '0';
      bytes[length++] = '0';
      bytes[length++] = HEX[c >> 4];
      bytes[length++] = HEX[c & 0xF];
    }
  }

  private void basic(char c) {
    if (c < 0x800) {
      bytes[length++] = (byte) (0xC0 | (c >> 6));
    } else {
      bytes[length++] = (byte) (0xE0 | (c >> 12));
      bytes[length++] = (byte) (0x80 | ((c >> 6) & 0x3F));
    }
    bytes[length++] = (byte) (0x80 | (c & 0x3F));
  }

  private void supplementary(int c) {
    bytes[length++] = (byte) (0xF0 | (c >> 18));
    bytes[length++] = (byte) (0x80 | ((c >> 12) & 0x3F));
    bytes[length++] = (byte) (0x80 | ((c >> 6) & 0x3F));
    bytes[length++] = (byte) (0x80 | (c & 0x3F));
  }

  private void reserve(int more) {
    if (bytes.length - length < more) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
    }
  }
}
