package dev.headrace.sse;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;

/**
 * Gives the bytes of single events and comments, each with its closing blank line (WHATWG HTML,
 * 9.2.5). Thread-safe.
 */
public final class SseWriter {
  private static final byte[] DATA = "data: ".getBytes(UTF_8);

  private SseWriter() {}

  /**
   * A complete event. Line ends in the JSON (it may be pretty-printed) become further {@code data}
   * lines, which readers join again.
   *
   * @throws IllegalArgumentException if the name has a line end
   */
  public static byte[] event(String name, byte[] json) {
    requireOneLine("event name", name);
    byte[] first = ("event: " + name + "\n").getBytes(UTF_8);
    ByteArrayOutputStream out = new ByteArrayOutputStream(first.length + json.length + 16);
    out.writeBytes(first);
    int from = 0;
    for (int i = 0; i <= json.length; i++) {
      if (i == json.length || json[i] == '\n' || json[i] == '\r') {
        out.writeBytes(DATA);
        out.write(json, from, i - from);
        out.write('\n');
        if (i + 1 < json.length && json[i] == '\r' && json[i + 1] == '\n') {
          i++;
        }
        from = i + 1;
      }
    }
    out.write('\n');
    return out.toByteArray();
  }

  /** Like {@link #event(String, byte[])}, with the JSON as text. */
  public static byte[] event(String name, String json) {
    return event(name, json.getBytes(UTF_8));
  }

  /**
   * A comment that readers drop, such as a keep-alive: colon, space, text, blank line.
   *
   * @throws IllegalArgumentException if the text has a line end
   */
  public static byte[] comment(String text) {
    requireOneLine("comment", text);
    return (": " + text + "\n\n").getBytes(UTF_8);
  }

  private static void requireOneLine(String what, String text) {
    if (text.indexOf('\n') >= 0 || text.indexOf('\r') >= 0) {
      throw new IllegalArgumentException(what + ": has a line end (expected: one line)");
    }
  }
}
