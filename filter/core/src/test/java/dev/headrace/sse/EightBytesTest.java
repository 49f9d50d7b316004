package dev.headrace.sse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class EightBytesTest {

  /** Neighbours of what is looked for are what such arithmetic gets wrong. */
  private static final byte[] LIKELY = {'\n', '\n' - 1, '\n' + 1, (byte) ('\n' | 0x80), 0, -1, 'a'};

  @Test
  void theFirstByteThatFitsIsFoundWhereverItStands() {
    Random random = new Random(42);
    byte[] bytes = new byte[16];
    for (int round = 0; round < 100_000; round++) {
      for (int i = 0; i < bytes.length; i++) {
        bytes[i] = LIKELY[random.nextInt(LIKELY.length)];
      }
      int from = random.nextInt(9);
      long eight = EightBytes.at(bytes, from);
      assertThat(first(EightBytes.equal(eight, EightBytes.all('\n'))))
          .isEqualTo(first(bytes, from, (byte) '\n'));
      assertThat(first(EightBytes.notAscii(eight))).isEqualTo(firstNegative(bytes, from));
    }
  }

  private static int first(long found) {
    return found == 0 ? Long.BYTES : EightBytes.before(found);
  }

  private static int first(byte[] bytes, int from, byte wanted) {
    int count = 0;
    while (count < Long.BYTES && bytes[from + count] != wanted) {
      count++;
    }
    return count;
  }

  private static int firstNegative(byte[] bytes, int from) {
    int count = 0;
    while (count < Long.BYTES && bytes[from + count] >= 0) {
      count++;
    }
    return count;
  }
}
