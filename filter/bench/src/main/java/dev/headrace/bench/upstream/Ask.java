package dev.headrace.bench.upstream;

import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * What the upstream of the benchmark is to answer; travels in the prompt, so that every proxy
 * passes it on. Immutable.
 *
 * @param deltas how many text deltas
 * @param gapMicros between two of them; 0: as fast as they are taken
 * @param holdMillis silence behind the first event
 */
public record Ask(int deltas, long gapMicros, long holdMillis) {

  private static final String MARK = "bench deltas=";

  /** The body of the request. */
  public byte[] body() {
    return String.format(
            Locale.ROOT,
            "{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":4096,\"stream\":true,"
                + "\"messages\":[{\"role\":\"user\",\"content\":\"%s%d gap=%d hold=%d.\"}]}",
            MARK,
            deltas,
            gapMicros,
            holdMillis)
        .getBytes(StandardCharsets.UTF_8);
  }

  /**
   * Reads it from a request's body.
   *
   * @throws IllegalArgumentException if it is not there
   */
  static Ask read(String body) {
    int at = body.indexOf(MARK);
    int end = body.indexOf('.', Math.max(at, 0));
    if (at < 0 || end < 0) {
      throw new IllegalArgumentException("not a request of the benchmark");
    }
    String[] parts = body.substring(at + MARK.length(), end).split(" [a-z]+=", -1);
    return new Ask(Integer.parseInt(parts[0]), Long.parseLong(parts[1]), Long.parseLong(parts[2]));
  }
}
