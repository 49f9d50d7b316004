package dev.headrace.simulator;

/**
 * Decides how many bytes of the body go into the next write, for answers that are split, trickled
 * or cut at a byte. Pure and immutable.
 */
final class ByteShaper {
  // Long enough for the segment before to leave alone, short enough not to be noticed.
  private static final long SPLIT_GAP_NANOS = 200_000;

  private final AnswerSpec spec;
  private final boolean shapes;

  ByteShaper(AnswerSpec spec) {
    this.spec = spec;
    this.shapes = spec.splitAt.length > 0 || spec.splitEvery > 0 || spec.trickleBytes > 0;
  }

  /**
   * The size of the next write.
   *
   * @param offset bytes of the body written so far
   * @param available bytes that wait to be written, above zero
   * @return from 0 to {@code available}; 0 only when the limit is reached
   */
  int nextPiece(long offset, int available) {
    long end = offset + available;
    if (spec.byteLimit >= 0) {
      end = Math.min(end, spec.byteLimit);
    }
    if (spec.trickleBytes > 0) {
      end = Math.min(end, offset + spec.trickleBytes);
    }
    if (spec.splitEvery > 0) {
      end = Math.min(end, (offset / spec.splitEvery + 1) * spec.splitEvery);
    }
    for (long split : spec.splitAt) {
      if (split > offset) {
        end = Math.min(end, split);
        break;
      }
    }
    return (int) (end - offset);
  }

  /** Whether the body goes wrong at this byte. */
  boolean endsAt(long offset) {
    return spec.byteLimit >= 0 && offset >= spec.byteLimit;
  }

  AnswerSpec.Ending ending() {
    return spec.atByteLimit;
  }

  /** The wait after each write; 0 for none. */
  long gapNanos() {
    return spec.trickleBytes > 0 && spec.trickleGapNanos > 0
        ? spec.trickleGapNanos
        : shapes ? SPLIT_GAP_NANOS : 0;
  }

  /** Whether every write must leave in a segment of its own. */
  boolean shapes() {
    return shapes;
  }
}
