package dev.headrace.bench.upstream;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * The bytes of the upstream's streams. Every text delta has the same length and carries its number
 * and the time at which it was written, so that a reader knows how long it was on its way, whether
 * one is missing, and how many bytes a whole answer has.
 */
public final class StreamBytes {

  /** Comes before the time stamp and nowhere else in a stream. */
  public static final byte STAMP = '@';

  /** Of a time stamp: {@link System#nanoTime}, which all processes of one Linux machine share. */
  public static final int STAMP_DIGITS = 19;

  /** Of the number of a text delta within its stream, from 0; stands right behind the time. */
  public static final int NUMBER_DIGITS = 7;

  /** Events around the deltas. */
  public static final int OTHER_EVENTS = 5;

  static final byte[] START =
      ascii(
          "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_bench\","
              + "\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-sonnet-5-5\","
              + "\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
              + "\"usage\":{\"input_tokens\":25,\"output_tokens\":1}}}\n\n");
  static final byte[] BLOCK_START =
      ascii(
          "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
              + "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n");
  static final byte[] END =
      ascii(
          "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
              + "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":"
              + "{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},"
              + "\"usage\":{\"output_tokens\":120}}\n\n"
              + "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");

  private static final String BEFORE_STAMP =
      "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
          + "\"delta\":{\"type\":\"text_delta\",\"text\":\"";
  private static final byte[] DELTA =
      ascii(BEFORE_STAMP + "@" + "0".repeat(STAMP_DIGITS + NUMBER_DIGITS) + " leads\"}}\n\n");
  private static final int LAST_DIGIT = BEFORE_STAMP.length() + STAMP_DIGITS;

  private StreamBytes() {}

  /** A text delta with this time and number. */
  public static byte[] delta(long nanoTime, int number) {
    byte[] bytes = DELTA.clone();
    write(bytes, LAST_DIGIT, nanoTime);
    write(bytes, LAST_DIGIT + NUMBER_DIGITS, number);
    return bytes;
  }

  private static void write(byte[] bytes, int lastDigit, long value) {
    long rest = value;
    for (int i = lastDigit; rest > 0; i--) {
      bytes[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
  }

  /** A whole answer whose deltas all carry this time. */
  public static byte[] answer(int deltas, long nanoTime) {
    ByteBuffer bytes = ByteBuffer.allocate((int) length(deltas)).put(START).put(BLOCK_START);
    for (int number = 0; number < deltas; number++) {
      bytes.put(delta(nanoTime, number));
    }
    return bytes.put(END).array();
  }

  /** How many bytes an answer with so many deltas has. */
  public static long length(int deltas) {
    return START.length + BLOCK_START.length + END.length + (long) deltas * DELTA.length;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
