package dev.headrace.bench.load;

import dev.headrace.bench.upstream.StreamBytes;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Reads one answer after another from the bytes of a connection: framing, events, time stamps.
 * Comments, which a gateway may add, are not counted. Not thread-safe.
 */
final class StreamReader {

  /** Hears of what comes. */
  interface Listener {
    /** An event is complete. */
    void onEvent();

    /** A text delta was so long on its way, in nanoseconds. */
    void onDelay(long nanos);
  }

  private enum Part {
    HEAD,
    CHUNK_SIZE,
    CHUNK,
    CHUNK_END,
    CHUNK_EXTENSION,
    LAST_CHUNK_END,
    FIXED_BODY,
    BODY_TO_THE_END,
    ENDED
  }

  private static final int MAX_HEAD = 16 * 1024;
  private static final long MAX_CHUNK = 1L << 32;

  private final Listener listener;
  private Part part = Part.HEAD;
  private final byte[] head = new byte[MAX_HEAD];
  private int headLength;
  private int status;
  private boolean keepsAlive;
  private long left; // of the chunk or the body
  private int lineLength; // of a chunk's size line or a trailer

  private long bytes;
  private int events;
  private boolean lineBegins = true;
  private boolean comment;
  private boolean eventHasLine;
  private int digits = -1; // of time stamp and number; -1: none is being read
  private long stamp;
  private int number;
  private int deltas;
  private @Nullable String fault;

  StreamReader(Listener listener) {
    this.listener = listener;
  }

  /** Before the next answer. */
  void reset() {
    part = Part.HEAD;
    headLength = 0;
    status = 0;
    bytes = 0;
    events = 0;
    lineBegins = true;
    comment = false;
    eventHasLine = false;
    digits = -1;
    deltas = 0;
    fault = null;
    lineLength = 0;
    left = 0;
  }

  int status() {
    return status;
  }

  boolean keepsAlive() {
    return keepsAlive;
  }

  /** Of the body, comments left out. */
  long bytes() {
    return bytes;
  }

  /** Complete ones, comments left out. */
  int events() {
    return events;
  }

  /** Null as long as every text delta has followed on the one before it. */
  @Nullable String fault() {
    return fault;
  }

  /** Whether the end of the connection is the end of the answer. */
  boolean endsWithConnection() {
    return part == Part.BODY_TO_THE_END;
  }

  /**
   * Takes what has come.
   *
   * @param now when it came
   * @return whether the answer has ended as its framing says
   * @throws IllegalStateException if it is no HTTP/1.1 answer
   */
  boolean take(ByteBuffer chunk, long now) {
    while (chunk.hasRemaining() && part != Part.ENDED) {
      switch (part) {
        case HEAD -> head(chunk.get());
        case CHUNK_SIZE -> chunkSize(chunk.get());
        case CHUNK, FIXED_BODY -> {
          int length = (int) Math.min(left, chunk.remaining());
          body(chunk, length, now);
          left -= length;
          if (left == 0) {
            part = part == Part.CHUNK ? Part.CHUNK_END : Part.ENDED;
          }
        }
        case CHUNK_END -> chunkEnd(chunk.get());
        case CHUNK_EXTENSION -> {
          if (chunk.get() == '\n') {
            sizeIsKnown();
          }
        }
        case LAST_CHUNK_END -> lastChunkEnd(chunk.get());
        case BODY_TO_THE_END -> body(chunk, chunk.remaining(), now);
        case ENDED -> throw new AssertionError();
      }
    }
    return part == Part.ENDED;
  }

  private void head(byte next) {
    if (headLength == MAX_HEAD) {
      throw new IllegalStateException("a head that is too long");
    }
    head[headLength++] = next;
    if (next == '\n' && headLength >= 4 && head[headLength - 3] == '\n') {
      String text = new String(head, 0, headLength, StandardCharsets.ISO_8859_1);
      text = text.toLowerCase(Locale.ROOT);
      if (!text.startsWith("http/1.1 ")) {
        throw new IllegalStateException("no HTTP/1.1 answer");
      }
      status = Integer.parseInt(text.substring(9, 12));
      keepsAlive = !text.contains("\r\nconnection: close");
      framing(text);
    }
  }

  private void framing(String text) {
    if (text.contains("\r\ntransfer-encoding: chunked")) {
      part = Part.CHUNK_SIZE;
      return;
    }
    int at = text.indexOf("\r\ncontent-length:");
    if (at < 0) {
      part = Part.BODY_TO_THE_END;
      keepsAlive = false;
      return;
    }
    int from = at + "\r\ncontent-length:".length();
    left = Long.parseLong(text.substring(from, text.indexOf('\r', from)).strip());
    part = left == 0 ? Part.ENDED : Part.FIXED_BODY;
  }

  private void chunkSize(byte next) {
    int digit = Character.digit(next, 16);
    if (digit >= 0) {
      left = left * 16 + digit;
      lineLength++;
      if (left > MAX_CHUNK) {
        throw new IllegalStateException("a chunk that is too long");
      }
    } else if (lineLength == 0) {
      throw new IllegalStateException("a chunk without a size");
    } else if (next == '\n') {
      sizeIsKnown();
    } else if (next == ';') {
      part = Part.CHUNK_EXTENSION;
    } else if (next != '\r') {
      throw new IllegalStateException("a chunk size that is no number");
    }
  }

  private void sizeIsKnown() {
    part = left == 0 ? Part.LAST_CHUNK_END : Part.CHUNK;
    lineLength = 0;
  }

  private void chunkEnd(byte next) {
    if (next == '\n') {
      part = Part.CHUNK_SIZE;
    } else if (next != '\r') {
      throw new IllegalStateException("a chunk that is longer than its size");
    }
  }

  private void lastChunkEnd(byte next) {
    if (next == '\n') {
      part = lineLength == 0 ? Part.ENDED : part;
      lineLength = 0;
    } else if (next != '\r') {
      lineLength++;
    }
  }

  private void body(ByteBuffer chunk, int length, long now) {
    for (int i = 0; i < length; i++) {
      byte next = chunk.get();
      if (lineBegins && next == ':' && !eventHasLine) {
        comment = true;
      }
      if (!comment) {
        bytes++;
      }
      if (next == '\n') {
        if (lineBegins) {
          endOfEvent();
        } else {
          lineBegins = true;
          eventHasLine = true;
        }
      } else {
        lineBegins = false;
        if (digits >= 0) {
          stampDigit(next, now);
        } else if (next == StreamBytes.STAMP) {
          digits = 0;
          stamp = 0;
          number = 0;
        }
      }
    }
  }

  private void endOfEvent() {
    eventHasLine = false;
    if (comment) {
      comment = false;
    } else {
      events++;
      listener.onEvent();
    }
  }

  private void stampDigit(byte next, long now) {
    if (next < '0' || next > '9') {
      fault = "a broken time stamp";
      digits = -1;
      return;
    }
    int digit = next - '0';
    if (digits < StreamBytes.STAMP_DIGITS) {
      stamp = stamp * 10 + digit;
    } else {
      number = number * 10 + digit;
    }
    if (++digits == StreamBytes.STAMP_DIGITS + StreamBytes.NUMBER_DIGITS) {
      digits = -1;
      if (number != deltas && fault == null) {
        fault = number > deltas ? "an event was lost" : "an event came again or too late";
      }
      deltas = number + 1;
      listener.onDelay(now - stamp);
    }
  }
}
