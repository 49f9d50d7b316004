package dev.headrace.sse;

import static java.util.Objects.requireNonNull;

import java.util.Arrays;
import java.util.Objects;

/**
 * Splits the bytes of one event stream into events and knows whether everything fed so far ends at
 * an event boundary. Rules: WHATWG HTML, 9.2.5 (grammar) and 9.2.6 (interpretation).
 *
 * <ul>
 *   <li>Lines end in LF, CR or CRLF; one byte order mark at the very start is skipped.
 *   <li>A line with a colon in front is a comment; {@code id}, {@code retry} and unknown fields are
 *       ignored; one space after the colon is removed; a field without a colon has an empty value.
 *   <li>Several {@code data} lines are joined with LF; the last {@code event} line names the event.
 *   <li>A blank line ends the event. Without any {@code data} line nothing is dispatched, but the
 *       boundary is reached.
 *   <li>An event without its blank line at the end of the stream is dropped.
 * </ul>
 *
 * <p>An event within one chunk is not copied; only what straddles chunks is. Memory is bounded by
 * {@code maxEventBytes}, and no input makes this throw. Not thread-safe: one instance per stream,
 * fed by one thread at a time.
 */
public final class SseReader {
  /** Gets each complete event on the thread that feeds; must not throw and must not feed. */
  public interface Listener {
    /** The event is a view, valid only during this call. */
    void onEvent(SseEvent event);
  }

  /** Longer names are cut here; the longest one of the API has 19 bytes. */
  static final int MAX_NAME_BYTES = 256;

  /**
   * {@code "event: "}: so many bytes (or the end of the line) tell what a line is and where its
   * value starts.
   */
  private static final int HEAD_BYTES = 7;

  private static final byte[] NOTHING = {};
  private static final byte[] BOM = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
  private static final byte[] DATA = {'d', 'a', 't', 'a'};
  private static final byte[] EVENT = {'e', 'v', 'e', 'n', 't'};
  private static final byte[] USUAL_EVENT = {'e', 'v', 'e', 'n', 't', ':', ' '};
  private static final byte[] USUAL_DATA = {'d', 'a', 't', 'a', ':', ' '};

  /** As much of an event is remembered; deltas of one block are alike in about 130 bytes. */
  private static final int OPENING_BYTES = 160;

  private static final long LINE_FEEDS = EightBytes.all('\n');
  private static final long RETURNS = EightBytes.all('\r');

  private enum Line {
    /** Fewer than {@link #HEAD_BYTES} bytes so far; blank if it ends with none. */
    UNDECIDED,
    DATA,
    EVENT,
    IGNORED
  }

  private final Listener listener;
  private final FieldValue name = new FieldValue(MAX_NAME_BYTES);
  private final FieldValue data;
  private final SseEvent event;

  // The line being read. A chunk may end anywhere in it.
  private Line line = Line.UNDECIDED;
  private final byte[] head = new byte[HEAD_BYTES];
  private int headLength;

  private boolean
      hasData; // an empty data line counts: "data" and a blank line is an event with empty data
  private int
      bomMatched; // bytes of the byte order mark seen at the start; -1 when the start is over
  private boolean
      afterCr; // the last byte was CR: an LF now belongs to it and is no line end of its own
  private boolean boundary = true;
  private long events;

  // How the last event of the usual form began: the next one mostly begins alike.
  private byte[] opening = NOTHING;
  private int openingLength;
  private int openingData; // where the value of its data begins; 0 when there is none

  /**
   * @param maxEventBytes largest data kept of one event, in bytes; longer data is cut and the event
   *     marked {@link SseEvent#truncated}; zero keeps names only
   * @param listener gets every complete event
   * @throws IllegalArgumentException if {@code maxEventBytes} is negative
   */
  public SseReader(int maxEventBytes, Listener listener) {
    if (maxEventBytes < 0) {
      throw new IllegalArgumentException(
          "maxEventBytes: " + maxEventBytes + " (expected: 0 or more)");
    }
    this.listener = requireNonNull(listener, "listener");
    this.data = new FieldValue(maxEventBytes);
    this.event = new SseEvent(name, data);
  }

  /**
   * Feeds the next bytes and calls the listener once for each event they complete. The array is not
   * kept.
   *
   * @throws IndexOutOfBoundsException if the range is not inside the array
   */
  public void feed(byte[] bytes, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (length == 0) {
      return;
    }
    int end = offset + length;
    int from = skipBom(bytes, offset, end);
    if (afterCr) {
      afterCr = false;
      from +=
          bytes[from] == '\n' ? 1 : 0; // from < end: a byte order mark is never pending after a CR
    }
    while (from < end) {
      if (boundary && line == Line.UNDECIDED && headLength == 0) {
        int next = takeUsualEvent(bytes, from, end);
        if (next > from) {
          from = next;
          continue;
        }
      }
      int lineEnd = findLineEnd(bytes, from, end);
      boolean complete = lineEnd < end;
      if (from < lineEnd || headLength > 0) { // its last bytes may have come with the last chunk
        boundary = false;
        addToLine(bytes, from, lineEnd, complete);
      }
      if (!complete) {
        break;
      }
      endLine();
      from = lineEnd + 1;
      if (bytes[lineEnd] == '\r') {
        if (from == end) {
          afterCr = true;
        } else if (bytes[from] == '\n') {
          from++;
        }
      }
    }
    name.keep();
    data.keep();
  }

  /**
   * True when the bytes so far end after a blank line (that of an event or of a comment), or
   * nothing was fed: only here may something be inserted into the stream. False after a CR, even
   * one that ended a blank line, because an LF that belongs to it may still come; see {@link
   * #atBoundaryAtEnd}. False after a byte order mark and anywhere inside a line.
   */
  public boolean atBoundary() {
    return boundary && !afterCr;
  }

  /**
   * Like {@link #atBoundary}, for a stream that has ended: no LF can follow any more, so a blank
   * line that ended in CR is a boundary. What is appended then must not begin with LF.
   */
  public boolean atBoundaryAtEnd() {
    return boundary;
  }

  /** The number of complete events so far; those without data do not count. */
  public long events() {
    return events;
  }

  /** How many bytes are held between two calls; for tests. */
  int heldBytes() {
    return name.capacity() + data.capacity();
  }

  private int skipBom(byte[] bytes, int offset, int end) {
    int from = offset;
    while (bomMatched >= 0 && from < end) {
      boundary = false;
      if (bytes[from] == BOM[bomMatched]) {
        from++;
        bomMatched = bomMatched + 1 == BOM.length ? -1 : bomMatched + 1;
      } else {
        // Part of a mark is the beginning of an unknown field.
        line = bomMatched > 0 ? Line.IGNORED : line;
        bomMatched = -1;
      }
    }
    return from;
  }

  /**
   * Takes an event at once that lies here in one piece and has the form of nearly all events of the
   * API: {@code event: NAME}, {@code data: VALUE} and a blank line, each ended by LF.
   *
   * @return where the next one begins; {@code from} if there is no such event here: nothing was
   *     taken
   */
  private int takeUsualEvent(byte[] bytes, int from, int end) {
    int alike = alike(bytes, from, end);
    boolean known = alike >= openingData && openingData > 0;
    int dataFrom = from + openingData;
    if (!known) {
      if (!isAt(USUAL_EVENT, bytes, from, end)) {
        return from;
      }
      int nameEnd = findLineEnd(bytes, from + USUAL_EVENT.length, end);
      if (nameEnd == end || bytes[nameEnd] != '\n' || !isAt(USUAL_DATA, bytes, nameEnd + 1, end)) {
        return from;
      }
      dataFrom = nameEnd + 1 + USUAL_DATA.length;
    }
    int dataEnd = findLineEnd(bytes, known ? from + alike : dataFrom, end);
    if (dataEnd + 1 >= end || bytes[dataEnd] != '\n' || bytes[dataEnd + 1] != '\n') {
      return from;
    }
    if (!known) {
      remember(bytes, from, dataFrom, dataEnd);
    }
    name.add(bytes, from + USUAL_EVENT.length, dataFrom - USUAL_DATA.length - 1);
    data.add(bytes, dataFrom, dataEnd);
    hasData = true;
    endEvent();
    return dataEnd + 2;
  }

  /** How many bytes from here are those that the last event began with. */
  private int alike(byte[] bytes, int from, int end) {
    int to = Math.min(end, from + openingLength);
    int different = Arrays.mismatch(bytes, from, to, opening, 0, openingLength);
    return different < 0 ? openingLength : different;
  }

  /** Behind the beginning of its value, what is remembered has no line end. */
  private void remember(byte[] bytes, int from, int dataFrom, int dataEnd) {
    openingData = dataFrom - from <= OPENING_BYTES ? dataFrom - from : 0;
    openingLength = openingData == 0 ? 0 : Math.min(dataEnd - from, OPENING_BYTES);
    if (opening.length == 0) {
      opening = new byte[OPENING_BYTES];
    }
    System.arraycopy(bytes, from, opening, 0, openingLength);
  }

  private static boolean isAt(byte[] expected, byte[] bytes, int from, int end) {
    int to = from + expected.length;
    return to <= end && Arrays.equals(bytes, from, to, expected, 0, expected.length);
  }

  private static int findLineEnd(byte[] bytes, int from, int end) {
    int i = from;
    for (; i <= end - Long.BYTES; i += Long.BYTES) {
      long eight = EightBytes.at(bytes, i);
      long found = EightBytes.equal(eight, LINE_FEEDS) | EightBytes.equal(eight, RETURNS);
      if (found != 0) {
        return i + EightBytes.before(found);
      }
    }
    for (; i < end; i++) {
      byte b = bytes[i];
      if (b == '\n' || b == '\r') {
        return i;
      }
    }
    return end;
  }

  /**
   * Takes the next bytes of the current line; {@code complete} says that its line end follows them.
   */
  private void addToLine(byte[] bytes, int from, int to, boolean complete) {
    int valueFrom = from;
    if (line == Line.UNDECIDED) {
      if (headLength == 0 && (complete || to - from >= HEAD_BYTES)) {
        valueFrom = from + startValue(bytes, from, to);
      } else {
        int count = Math.min(HEAD_BYTES - headLength, to - from);
        System.arraycopy(bytes, from, head, headLength, count);
        headLength += count;
        valueFrom = from + count;
        if (headLength < HEAD_BYTES && !complete) {
          return;
        }
        addToValue(head, startValue(head, 0, headLength), headLength);
        name.keep(); // head is written again by the next line
        data.keep();
      }
    }
    addToValue(bytes, valueFrom, to);
  }

  /** Decides what the line is; returns where its value starts, counted from {@code from}. */
  private int startValue(byte[] bytes, int from, int to) {
    int value = to - from;
    line = Line.IGNORED;
    if (isField(DATA, bytes, from, to)) {
      value = valueOffset(DATA, bytes, from, to);
      line = Line.DATA;
      if (hasData) {
        data.addLineFeed();
      }
      hasData = true;
    } else if (isField(EVENT, bytes, from, to)) {
      value = valueOffset(EVENT, bytes, from, to);
      line = Line.EVENT;
      name.clear();
    }
    return value;
  }

  private static boolean isField(byte[] field, byte[] bytes, int from, int to) {
    int length = to - from;
    if (length < field.length || (length > field.length && bytes[from + field.length] != ':')) {
      return false;
    }
    for (int i = 0; i < field.length; i++) {
      if (bytes[from + i] != field[i]) {
        return false;
      }
    }
    return true;
  }

  private static int valueOffset(byte[] field, byte[] bytes, int from, int to) {
    int value = Math.min(field.length + 1, to - from);
    return from + value < to && bytes[from + value] == ' ' ? value + 1 : value;
  }

  private void addToValue(byte[] bytes, int from, int to) {
    if (line == Line.DATA) {
      data.add(bytes, from, to);
    } else if (line == Line.EVENT) {
      name.add(bytes, from, to);
    }
  }

  private void endLine() {
    if (line == Line.UNDECIDED) {
      endEvent();
    } else {
      boundary = false;
    }
    line = Line.UNDECIDED;
    headLength = 0;
  }

  private void endEvent() {
    boundary = true;
    if (hasData) {
      events++;
      listener.onEvent(event);
    }
    hasData = false;
    name.clear();
    data.clear();
  }
}
