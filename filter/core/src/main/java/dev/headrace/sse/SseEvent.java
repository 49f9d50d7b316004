package dev.headrace.sse;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * One complete server-sent event as a view of the reader's memory: valid only while {@link
 * SseReader.Listener#onEvent} runs, and reused for the next event. Not thread-safe. Who needs the
 * bytes later copies them.
 */
public final class SseEvent {
  /**
   * The name of an event without (or with an empty) {@code event} field: WHATWG HTML, 9.2.6,
   * dispatch step 4.
   */
  private static final byte[] DEFAULT_NAME = "message".getBytes(StandardCharsets.US_ASCII);

  private final FieldValue name;
  private final FieldValue data;

  SseEvent(FieldValue name, FieldValue data) {
    this.name = name;
    this.data = data;
  }

  /** Compares the name without allocating; an event without a name is called {@code message}. */
  public boolean nameEquals(byte[] asciiName) {
    if (name.length() == 0) {
      return Arrays.equals(DEFAULT_NAME, asciiName);
    }
    return name.contentEquals(asciiName);
  }

  /**
   * The name, {@code message} when there was no {@code event} field; cut after {@value
   * SseReader#MAX_NAME_BYTES} bytes.
   */
  public String name() {
    return name.length() == 0 ? "message" : name.text();
  }

  /**
   * The array that holds the data, from {@link #dataOffset}, {@link #dataLength} bytes; the rest of
   * it belongs to others.
   */
  public byte[] data() {
    return data.bytes();
  }

  /** Where the data starts in {@link #data}. */
  public int dataOffset() {
    return data.offset();
  }

  /**
   * The number of bytes of all data lines joined with LF, at most the reader's {@code
   * maxEventBytes}.
   */
  public int dataLength() {
    return data.length();
  }

  /** The data as text; invalid UTF-8 becomes U+FFFD, as the format demands (WHATWG HTML, 9.2.6). */
  public String dataText() {
    return data.text();
  }

  /**
   * True when data beyond the reader's {@code maxEventBytes} was dropped; the name is right
   * nevertheless.
   */
  public boolean truncated() {
    return data.truncated();
  }
}
