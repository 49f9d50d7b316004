package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.headrace.sse.EightBytes;
import java.util.Arrays;

/**
 * Counts the characters that a {@code content_block_delta} brings. This runs for every delta of
 * every stream, so it walks the bytes by itself: nothing is allocated, decoded or checked beyond
 * what the count needs. The deltas of one block begin alike up to their text, so that a delta that
 * begins as the last one is not walked again until there. Not thread-safe: one instance per stream.
 *
 * <p>A character is a UTF-16 unit, as in {@link String#length}: an escape counts as what it stands
 * for, each {@code \}{@code uXXXX} as one, so that a pair of them is two like the four bytes of the
 * same emoji. Names with escapes in them are not recognised; the API sends none. Of an event that
 * is cut off or broken counts what came before.
 */
final class DeltaText {
  /** The delta is of another kind, such as a signature or a citation. */
  static final int OTHER = -1;

  private static final byte[] DELTA = "delta".getBytes(US_ASCII);
  private static final byte[] TEXT = "text".getBytes(US_ASCII);
  private static final byte[] THINKING = "thinking".getBytes(US_ASCII);
  private static final byte[] PARTIAL_JSON = "partial_json".getBytes(US_ASCII);

  private static final long QUOTES = EightBytes.all('"');
  private static final long BACKSLASHES = EightBytes.all('\\');

  /** A longer beginning is not remembered; those of the API have about 80 to 95 bytes. */
  private static final int LONGEST_BEGINNING = 128;

  private byte[] beginning = new byte[0]; // of the last delta, its text's quote included

  /**
   * The number of characters of text, thinking or tool arguments in the data of one event; {@link
   * #OTHER} when its delta carries none of these, and 0 when it is no readable delta at all.
   */
  int count(byte[] data, int offset, int length) {
    int end = offset + length;
    int text = offset + beginning.length;
    if (text > offset
        && text < end
        && Arrays.equals(data, offset, text, beginning, 0, beginning.length)) {
      int quote = closingQuote(data, text, end);
      if (quote + 1 < end && data[quote + 1] == '}') {
        return utf16Units(data, text, quote);
      }
    }
    return walk(data, offset, end);
  }

  private int walk(byte[] data, int offset, int end) {
    int at = skipSpace(data, offset, end);
    if (at == end || data[at] != '{') {
      return 0;
    }
    do {
      int name = skipSpace(data, at + 1, end) + 1;
      int value = valueAfterName(data, name, end);
      if (value == end) {
        return 0;
      }
      if (data[value] == '{' && isName(data, name, DELTA)) {
        return countInDelta(data, offset, value, end);
      }
      at = skipSpace(data, skipValue(data, value, end), end);
    } while (at < end && data[at] == ',');
    return 0;
  }

  /** Counts in the object that begins at a brace, in data that begins at an offset. */
  private int countInDelta(byte[] data, int offset, int brace, int end) {
    int characters = 0;
    boolean counted = false;
    int at = brace;
    do {
      int name = skipSpace(data, at + 1, end) + 1;
      int value = valueAfterName(data, name, end);
      if (value == end) {
        break;
      }
      if (data[value] == '"' && isCounted(data, name)) {
        int quote = closingQuote(data, value + 1, end);
        if (!counted && value + 1 - offset <= LONGEST_BEGINNING) {
          beginning = Arrays.copyOfRange(data, offset, value + 1);
        }
        characters += utf16Units(data, value + 1, quote);
        counted = true;
        at = Math.min(quote + 1, end);
      } else {
        at = skipValue(data, value, end);
      }
      at = skipSpace(data, at, end);
    } while (at < end && data[at] == ',');
    boolean whole = at < end && data[at] == '}';
    return counted || !whole ? characters : OTHER;
  }

  private static boolean isCounted(byte[] data, int name) {
    return isName(data, name, TEXT)
        || isName(data, name, THINKING)
        || isName(data, name, PARTIAL_JSON);
  }

  /** Whether the name that begins here is this one; its closing quote is known to be there. */
  private static boolean isName(byte[] data, int from, byte[] name) {
    int to = from + name.length;
    return to < data.length
        && data[to] == '"'
        && Arrays.equals(data, from, to, name, 0, name.length);
  }

  /**
   * Where the value begins whose name begins at {@code from}, behind its quote; {@code end} if
   * there is no such thing.
   */
  private static int valueAfterName(byte[] data, int from, int end) {
    if (from > end || data[from - 1] != '"') {
      return end;
    }
    int quote = closingQuote(data, from, end);
    int colon = quote == end ? end : skipSpace(data, quote + 1, end);
    return colon == end || data[colon] != ':' ? end : skipSpace(data, colon + 1, end);
  }

  /** Behind the value that begins here, or {@code end}. */
  private static int skipValue(byte[] data, int from, int end) {
    int at = from;
    int open = 0;
    while (at < end) {
      switch (data[at]) {
        case '"' -> {
          at = closingQuote(data, at + 1, end);
          if (at == end) {
            return end;
          }
        }
        case '{', '[' -> open++;
        case '}', ']' -> {
          if (open == 0) {
            return at;
          }
          open--;
        }
        case ',' -> {
          if (open == 0) {
            return at;
          }
        }
        default -> {}
      }
      at++;
    }
    return end;
  }

  /** The quote that ends the string whose first byte this is, or {@code end}. */
  private static int closingQuote(byte[] data, int from, int end) {
    int at = from;
    while (at < end) {
      if (at <= end - Long.BYTES) {
        long eight = EightBytes.at(data, at);
        long found = EightBytes.equal(eight, QUOTES) | EightBytes.equal(eight, BACKSLASHES);
        if (found == 0) {
          at += Long.BYTES;
          continue;
        }
        at += EightBytes.before(found);
      }
      byte b = data[at];
      if (b == '"') {
        return at;
      }
      at += b == '\\' ? 2 : 1;
    }
    return end;
  }

  private static int utf16Units(byte[] data, int from, int to) {
    int units = 0;
    int at = from;
    while (at < to) {
      if (at <= to - Long.BYTES) {
        long eight = EightBytes.at(data, at);
        long found = EightBytes.equal(eight, BACKSLASHES) | EightBytes.notAscii(eight);
        int plain = found == 0 ? Long.BYTES : EightBytes.before(found);
        units += plain;
        at += plain;
        if (found == 0) {
          continue;
        }
      }
      byte b = data[at];
      if (b == '\\') {
        at += at + 1 < to && data[at + 1] == 'u' ? 6 : 2;
        units++;
      } else {
        units += utf16Units(b);
        at++;
      }
    }
    return units;
  }

  /** The characters that a byte of UTF-8 begins: two for the first of four bytes. */
  static int utf16Units(byte b) {
    if (b >= 0) {
      return 1;
    }
    return (b & 0xC0) == 0x80 ? 0 : (b & 0xF8) == 0xF0 ? 2 : 1;
  }

  private static int skipSpace(byte[] data, int from, int end) {
    int at = from;
    while (at < end
        && (data[at] == ' ' || data[at] == '\t' || data[at] == '\n' || data[at] == '\r')) {
      at++;
    }
    return Math.min(at, end);
  }
}
