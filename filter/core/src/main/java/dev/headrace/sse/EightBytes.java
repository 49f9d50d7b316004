package dev.headrace.sse;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Looks at eight bytes at a time, as one {@code long} whose lowest byte is the first. What is found
 * is a {@code long} with the highest bit of every byte set that fits; above the first such byte
 * others may be set by mistake, so that only the first one counts. Stateless.
 */
public final class EightBytes {

  private static final VarHandle LONGS =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private static final long LOW_BITS = 0x0101010101010101L;
  private static final long HIGH_BITS = 0x8080808080808080L;

  private EightBytes() {}

  /** The eight bytes from here; they must be inside the array. */
  public static long at(byte[] bytes, int index) {
    return (long) LONGS.get(bytes, index);
  }

  /** Eight times this byte of ASCII. */
  public static long all(char ascii) {
    return LOW_BITS * ascii;
  }

  /** Where the bytes are those of a pattern. */
  public static long equal(long eight, long pattern) {
    long difference = eight ^ pattern;
    return (difference - LOW_BITS) & ~difference & HIGH_BITS;
  }

  /** Where the bytes are no ASCII. */
  public static long notAscii(long eight) {
    return eight & HIGH_BITS;
  }

  /** How many bytes come before the first one found. */
  public static int before(long found) {
    return Long.numberOfTrailingZeros(found) >>> 3;
  }
}
