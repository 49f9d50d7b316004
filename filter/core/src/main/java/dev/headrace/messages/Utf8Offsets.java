package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;

/**
 * Turns a parser's character offsets into byte offsets of the same UTF-8 text, front to back. Not
 * thread-safe.
 */
final class Utf8Offsets {
  private final byte[] text;
  private long chars;
  private int bytes;

  Utf8Offsets(byte[] text) {
    this.text = text;
  }

  /**
   * The byte offset of a UTF-16 character offset. Each call goes on from the last one, so the text
   * is walked once at most.
   *
   * @param charOffset not before the last one; everything up to it is well-formed
   */
  int byteOffset(long charOffset) {
    while (chars < charOffset) {
      byte lead = text[bytes];
      if (lead >= 0) {
        bytes++;
        chars++;
      } else if (lead < (byte) 0xE0) {
        bytes += 2;
        chars++;
      } else if (lead < (byte) 0xF0) {
        bytes += 3;
        chars++;
      } else {
        bytes += 4;
        chars += 2; // a surrogate pair
      }
    }
    return bytes;
  }

  /**
   * The offset of the first byte that is not well-formed UTF-8 (Unicode 16, table 3-7), or {@code
   * length}.
   */
  static int firstIllFormed(byte[] text, int length) {
    CharsetDecoder decoder = UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(text, 0, length);
    CharBuffer out = CharBuffer.allocate(1024);
    while (decoder.decode(in, out, true).isOverflow()) {
      out.clear();
    }
    return in.position();
  }
}
