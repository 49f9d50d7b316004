package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A number of bytes, written with its unit: {@code 4096B}, {@code 8KiB}, {@code 32MiB} or {@code
 * 1GiB}. Units are powers of 1024; there is no {@code KB}, because nobody agrees on what it means.
 * Immutable.
 *
 * @param bytes the number of bytes, zero or more
 */
public record ByteSize(long bytes) implements Comparable<ByteSize> {
  private static final Pattern FORM = Pattern.compile("(0|[1-9][0-9]{0,11})(B|KiB|MiB|GiB)");
  private static final Pattern NUMBER = Pattern.compile("[0-9]+");
  private static final String EXPECTED = "a size with its unit, such as 4096B, 64KiB or 8MiB";

  /**
   * Checks the number.
   *
   * @throws IllegalArgumentException if {@code bytes} is below zero
   */
  public ByteSize {
    if (bytes < 0) {
      throw new IllegalArgumentException("bytes: " + bytes + " (expected: 0 or more)");
    }
  }

  /** Returns a size of that many bytes. */
  public static ByteSize ofBytes(long bytes) {
    return new ByteSize(bytes);
  }

  /** Returns a size of that many times 1024 bytes. */
  public static ByteSize ofKibibytes(long kibibytes) {
    return new ByteSize(Math.multiplyExact(kibibytes, 1L << 10));
  }

  /** Returns a size of that many times 1024 KiB. */
  public static ByteSize ofMebibytes(long mebibytes) {
    return new ByteSize(Math.multiplyExact(mebibytes, 1L << 20));
  }

  /**
   * Reads a size as it stands in the settings file.
   *
   * @throws IllegalArgumentException if the text is not a whole number followed by a unit
   */
  public static ByteSize parse(String text) {
    try {
      return read(requireNonNull(text, "text"));
    } catch (BadValue e) {
      throw new IllegalArgumentException(e.sentence(Shown.text(text)), e);
    }
  }

  static ByteSize read(String text) throws BadValue {
    Matcher form = FORM.matcher(text);
    if (form.matches()) {
      long unit =
          switch (form.group(2)) {
            case "KiB" -> 1L << 10;
            case "MiB" -> 1L << 20;
            case "GiB" -> 1L << 30;
            default -> 1L;
          };
      // Twelve digits are a long, but twelve digits of GiB are not.
      long number = Long.parseLong(form.group(1));
      if (number <= Long.MAX_VALUE / unit) {
        return new ByteSize(number * unit);
      }
    }
    throw NUMBER.matcher(text).matches()
        ? BadValue.noted("has no unit", EXPECTED)
        : BadValue.expected(EXPECTED);
  }

  /**
   * Returns the number as an {@code int}, for buffers and arrays.
   *
   * @throws ArithmeticException if it does not fit; none of the settings meant for arrays allows
   *     that
   */
  public int toInt() {
    return Math.toIntExact(bytes);
  }

  @Override
  public int compareTo(ByteSize other) {
    return Long.compare(bytes, other.bytes);
  }

  /**
   * Returns the size in the largest unit that gives a whole number; {@link #parse} reads it back.
   */
  @Override
  public String toString() {
    if (bytes != 0 && bytes % (1L << 30) == 0) {
      return (bytes >> 30) + "GiB";
    }
    if (bytes != 0 && bytes % (1L << 20) == 0) {
      return (bytes >> 20) + "MiB";
    }
    if (bytes != 0 && bytes % (1L << 10) == 0) {
      return (bytes >> 10) + "KiB";
    }
    return bytes + "B";
  }
}
