package dev.headrace.sse;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The bytes of one field, at most {@code maxBytes} of them: first a view of the fed array, and own
 * memory only once the value has several pieces or outlives the array. Not thread-safe.
 */
final class FieldValue {
  private static final byte[] NOTHING = {};

  /** Most events are far smaller; the one that is not doubles from here. */
  private static final int FIRST_BYTES = 1024;

  /**
   * A buffer that grew beyond this is given back after its event: one large event must not cost its
   * size for hours.
   */
  private static final int KEPT_BYTES = 64 * 1024;

  private final int maxBytes;
  private byte[] own = NOTHING;
  private byte[] bytes = NOTHING;
  private int offset;
  private int length;
  private boolean truncated;

  FieldValue(int maxBytes) {
    this.maxBytes = maxBytes;
  }

  byte[] bytes() {
    return bytes;
  }

  int offset() {
    return offset;
  }

  int length() {
    return length;
  }

  boolean truncated() {
    return truncated;
  }

  boolean contentEquals(byte[] other) {
    return Arrays.equals(bytes, offset, offset + length, other, 0, other.length);
  }

  String text() {
    return new String(bytes, offset, length, StandardCharsets.UTF_8);
  }

  /**
   * Appends a piece; the first one is only looked at, so the array must stay as it is until {@link
   * #keep} or {@link #clear}.
   */
  void add(byte[] source, int from, int to) {
    int count = Math.min(to - from, maxBytes - length);
    truncated |= count < to - from;
    if (count == 0) {
      return;
    }
    if (length == 0) {
      bytes = source;
      offset = from;
      length = count;
      return;
    }
    own(count);
    System.arraycopy(source, from, own, length, count);
    length += count;
  }

  void addLineFeed() {
    if (length == maxBytes) {
      truncated = true;
      return;
    }
    own(1);
    own[length++] = '\n';
  }

  /** Copies what is only a view, because the viewed array goes back to its owner. */
  void keep() {
    if (bytes != own) {
      own(0);
    }
  }

  void clear() {
    if (own.length > KEPT_BYTES) {
      own = NOTHING;
    }
    bytes = own;
    offset = 0;
    length = 0;
    truncated = false;
  }

  /** How much memory is held between two events; for tests. */
  int capacity() {
    return own.length;
  }

  /** Brings the value into own memory with room for some more bytes. */
  private void own(int more) {
    int needed = length + more; // at most maxBytes, so this cannot overflow
    byte[] target = own;
    if (needed > own.length) {
      long doubled = Math.max(FIRST_BYTES, own.length * 2L);
      target = new byte[(int) Math.min(maxBytes, Math.max(doubled, needed))];
    }
    if (bytes != target) {
      System.arraycopy(bytes, offset, target, 0, length);
    }
    own = target;
    bytes = target;
    offset = 0;
  }
}
