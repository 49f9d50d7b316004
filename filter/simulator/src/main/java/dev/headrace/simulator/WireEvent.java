package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One server-sent event, encoded once and sent many times. Immutable, so that thousands of streams
 * of one answer share it.
 */
final class WireEvent {
  // The real ping has one inner space and no padding (API reference, "Framing").
  static final WireEvent PING =
      new WireEvent("ping", "event: ping\ndata: {\"type\": \"ping\"}\n\n", false, -1, null);

  private static final int MAX_PADDING = 15;
  private static final byte[] END = "}\n\n".getBytes(UTF_8);
  private static final byte[] PLAIN_COMMENT = ": keep-alive\n".getBytes(UTF_8);

  private final String name;
  private final byte[] bytes;
  private final boolean padded;
  private final int stampAt;
  private final @Nullable Usage usage;

  private WireEvent(String name, byte[] bytes, boolean padded, int stampAt, @Nullable Usage usage) {
    this.name = name;
    this.bytes = bytes;
    this.padded = padded;
    this.stampAt = stampAt;
    this.usage = usage;
  }

  private WireEvent(String name, String text, boolean padded, int stampAt, @Nullable Usage usage) {
    this(name, text.getBytes(UTF_8), padded, stampAt, usage);
  }

  /** An event of our own making; its JSON object may be padded before the last brace. */
  static WireEvent of(String name, String json, @Nullable Usage usageFromNowOn) {
    String open = "event: " + name + "\ndata: " + json.substring(0, json.length() - 1);
    return new WireEvent(name, open, true, -1, usageFromNowOn);
  }

  /** A text delta; its text is preceded by the send time when the answer asks for time stamps. */
  static WireEvent textDelta(int index, String text) {
    String before =
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"
            + index
            + ",\"delta\":{\"type\":\"text_delta\",\"text\":\"";
    // The text's own opening quote belongs to "before"; what precedes it is ASCII, so that
    // characters and bytes count the same.
    String quoted = Json.quote(text);
    return new WireEvent(
        "content_block_delta", before + quoted.substring(1) + "}", true, before.length(), null);
  }

  /** Somebody else's bytes, sent as they are. */
  static WireEvent verbatim(String name, byte[] bytes, @Nullable Usage usageFromNowOn) {
    return new WireEvent(name, bytes.clone(), false, -1, usageFromNowOn);
  }

  String name() {
    return name;
  }

  /** The totals a client knows once it has this event; null when the event says nothing of them. */
  @Nullable Usage usage() {
    return usage;
  }

  boolean isDelta() {
    return name.equals("content_block_delta");
  }

  /** The bytes to send now. */
  byte[] encode(@Nullable SplittableRandom padding, EventStyle style) {
    byte[] encoded = bytes;
    if (padded) {
      int spaces = padding == null ? 0 : padding.nextInt(MAX_PADDING + 1);
      encoded = Arrays.copyOf(bytes, bytes.length + spaces + END.length);
      Arrays.fill(encoded, bytes.length, bytes.length + spaces, (byte) ' ');
      System.arraycopy(END, 0, encoded, bytes.length + spaces, END.length);
    }
    if (style.timestamps() && stampAt >= 0) {
      byte[] stamp = ("t=" + System.nanoTime() + ";").getBytes(UTF_8);
      byte[] stamped = new byte[encoded.length + stamp.length];
      System.arraycopy(encoded, 0, stamped, 0, stampAt);
      System.arraycopy(stamp, 0, stamped, stampAt, stamp.length);
      System.arraycopy(encoded, stampAt, stamped, stampAt + stamp.length, encoded.length - stampAt);
      encoded = stamped;
    }
    if (style.comments()) {
      byte[] commented = Arrays.copyOf(PLAIN_COMMENT, PLAIN_COMMENT.length + encoded.length);
      System.arraycopy(encoded, 0, commented, PLAIN_COMMENT.length, encoded.length);
      encoded = commented;
    }
    if (style.crlf()) {
      encoded = new String(encoded, UTF_8).replace("\n", "\r\n").getBytes(UTF_8);
    }
    return encoded;
  }

  /** The event's JSON, or null when its data is not JSON. */
  @Nullable JsonNode json() {
    StringBuilder data = new StringBuilder();
    new String(encode(null, EventStyle.PLAIN), UTF_8)
        .lines()
        .filter(line -> line.startsWith("data:"))
        .forEach(line -> data.append(line.substring("data:".length())).append('\n'));
    try {
      return Json.parse(data.toString());
    } catch (tools.jackson.core.JacksonException e) {
      return null;
    }
  }
}
