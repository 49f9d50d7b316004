package dev.headrace.bench.load;

import dev.headrace.bench.upstream.StreamBytes;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Answers of the upstream as they come over a connection, whole and damaged. */
final class Answers {

  static final long STAMP = 1_234_567_890_123_456_789L;

  private Answers() {}

  /** The events of an answer, each with its blank line. */
  static List<byte[]> events(int deltas) {
    byte[] answer = StreamBytes.answer(deltas, STAMP);
    List<byte[]> events = new ArrayList<>();
    int from = 0;
    for (int i = 1; i < answer.length; i++) {
      if (answer[i] == '\n' && answer[i - 1] == '\n') {
        events.add(Arrays.copyOfRange(answer, from, i + 1));
        from = i + 1;
      }
    }
    return events;
  }

  /** Each event in a chunk of its own, as the upstream sends them. */
  static byte[] chunked(List<byte[]> events) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    bytes.writeBytes(ascii("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
    events.forEach(event -> bytes.writeBytes(chunk(event)));
    bytes.writeBytes(ascii("0\r\n\r\n"));
    return bytes.toByteArray();
  }

  static byte[] chunk(byte[] body) {
    return concat(ascii(Integer.toHexString(body.length) + "\r\n"), body, ascii("\r\n"));
  }

  static byte[] withLength(byte[] body) {
    return concat(ascii("HTTP/1.1 200 OK\r\nContent-Length: " + body.length + "\r\n\r\n"), body);
  }

  static byte[] concat(byte[]... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      bytes.writeBytes(part);
    }
    return bytes.toByteArray();
  }

  static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
