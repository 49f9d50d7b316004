package dev.headrace.messages;

import dev.headrace.sse.SseEvent;
import java.nio.charset.StandardCharsets;

/**
 * The events of a Messages stream by name; the name always equals the JSON {@code type} (API
 * reference, "Streaming messages", as of 2026-11-22). Unknown ones are {@link #OTHER}: they are
 * forwarded and ignored.
 */
public enum MessageEvent {
  MESSAGE_START("message_start"),
  CONTENT_BLOCK_START("content_block_start"),
  CONTENT_BLOCK_DELTA("content_block_delta"),
  CONTENT_BLOCK_STOP("content_block_stop"),
  MESSAGE_DELTA("message_delta"),
  MESSAGE_STOP("message_stop"),
  PING("ping"),
  ERROR("error"),
  OTHER("");

  /** The most frequent one first: nearly all events of a stream are deltas. */
  private static final MessageEvent[] KNOWN = {
    CONTENT_BLOCK_DELTA,
    PING,
    CONTENT_BLOCK_START,
    CONTENT_BLOCK_STOP,
    MESSAGE_START,
    MESSAGE_DELTA,
    MESSAGE_STOP,
    ERROR
  };

  @SuppressWarnings("ImmutableEnumChecker") // never handed out, never written
  private final byte[] wireName;

  MessageEvent(String wireName) {
    this.wireName = wireName.getBytes(StandardCharsets.US_ASCII);
  }

  /** Which event this is, without allocating. */
  public static MessageEvent of(SseEvent event) {
    for (MessageEvent known : KNOWN) {
      if (event.nameEquals(known.wireName)) {
        return known;
      }
    }
    return OTHER;
  }
}
