package dev.headrace.messages;

/**
 * Shortens the strings of a JSON text that passes in pieces, so that a parser that holds each
 * string whole needs little memory for any. What it leaves out is the rest of a string behind its
 * first {@value #KEPT_BYTES} bytes, never half of a character or of an escape. It also counts the
 * characters of those strings that the receiver wants counted, the left out ones included. Not
 * thread-safe: one instance per text.
 */
final class StringCutter {

  /** What remains of the text, in order. */
  interface Receiver {
    /** Takes the next bytes. */
    void take(byte[] bytes, int from, int to);

    /** Whether the string, whose opening quote was the last byte taken, is to be counted. */
    boolean counts();
  }

  /**
   * Beyond every value and name that we look at; with the rest of a character or of a pair of
   * escapes still no longer than a name may be for the parser.
   */
  static final int KEPT_BYTES = JsonInput.MAX_NAME_LENGTH - 16;

  /** A number that the parser may read; a longer one makes the text unreadable. */
  private static final int MAX_NUMBER_BYTES = JsonInput.MAX_NUMBER_LENGTH;

  private static final int UNICODE_DIGITS = 4;
  private static final int UNICODE_BYTES = 6; // the backslash and the u included

  private enum State {
    OUTSIDE,
    STRING,
    ESCAPE,
    UNICODE
  }

  private final Receiver receiver;
  private State state = State.OUTSIDE;
  private int stringBytes;
  private int digitsLeft;
  private int unit; // of the escape that is being read, so far
  private boolean halfPair; // the last character was the escape of a high surrogate
  private int numberBytes;
  private boolean cutting;
  private boolean counting;
  private long characters;

  StringCutter(Receiver receiver) {
    this.receiver = receiver;
  }

  /** The characters counted so far, as UTF-16 units. */
  long characters() {
    return characters;
  }

  /**
   * Passes on the next bytes.
   *
   * @return false when a number is too long to go on
   */
  boolean feed(byte[] bytes, int offset, int length) {
    int end = offset + length;
    int from = offset;
    for (int at = offset; at < end; at++) {
      byte b = bytes[at];
      switch (state) {
        case OUTSIDE -> {
          numberBytes = isNumber(b) ? numberBytes + 1 : 0;
          if (numberBytes > MAX_NUMBER_BYTES) {
            return false;
          }
          if (b == '"') {
            receiver.take(bytes, from, at + 1);
            from = at + 1;
            counting = receiver.counts();
            stringBytes = 0;
            halfPair = false;
            state = State.STRING;
          }
        }
        case STRING -> {
          if (b == '"') {
            from = cutting ? at : from;
            cutting = false;
            counting = false;
            state = State.OUTSIDE;
            continue;
          }
          int units = DeltaText.utf16Units(b);
          boolean pairGoesOn = halfPair && b == '\\';
          halfPair = false;
          if (units > 0 && stringBytes >= KEPT_BYTES && !cutting && !pairGoesOn) {
            receiver.take(bytes, from, at);
            cutting = true;
          }
          characters += counting ? units : 0;
          state = b == '\\' ? State.ESCAPE : State.STRING;
          stringBytes += cutting ? 0 : 1;
        }
        case ESCAPE -> {
          digitsLeft = UNICODE_DIGITS;
          unit = 0;
          state = b == 'u' ? State.UNICODE : State.STRING;
          stringBytes++;
        }
        case UNICODE -> {
          digitsLeft--;
          unit = (unit << 4) | (Character.digit(b, 16) & 0xF);
          halfPair =
              digitsLeft == 0
                  && stringBytes < KEPT_BYTES + UNICODE_BYTES
                  && Character.isHighSurrogate((char) unit);
          state = digitsLeft == 0 ? State.STRING : State.UNICODE;
          stringBytes++;
        }
      }
    }
    if (!cutting) {
      receiver.take(bytes, from, end);
    }
    return true;
  }

  private static boolean isNumber(byte b) {
    return (b >= '0' && b <= '9') || b == '.' || b == '-' || b == '+' || b == 'e' || b == 'E';
  }
}
