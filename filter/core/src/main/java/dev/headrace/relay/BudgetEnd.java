package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.headrace.messages.EventConsumer;
import dev.headrace.messages.JsonFields;
import dev.headrace.messages.MessageEvent;
import dev.headrace.sse.SseEvent;
import dev.headrace.sse.SseWriter;
import java.io.ByteArrayOutputStream;
import java.util.TreeSet;

/**
 * The events by which a stream ends that has used up its budget, as if the model had reached {@code
 * max_tokens}: every open content block is closed, then come {@code message_delta} and {@code
 * message_stop}, so that clients read a whole message that was cut (API reference, "Streaming
 * messages", as of 2026-11-22). Not thread-safe.
 */
final class BudgetEnd implements EventConsumer {

  /** Far beyond what a message has open; an upstream may say anything. */
  private static final int MOST_OPEN = 1000;

  private final TreeSet<Integer> open = new TreeSet<>();

  @Override
  public void onEvent(MessageEvent kind, SseEvent event) {
    if (kind == MessageEvent.CONTENT_BLOCK_START && open.size() < MOST_OPEN) {
      open.add(indexOf(event));
    } else if (kind == MessageEvent.CONTENT_BLOCK_STOP) {
      open.remove(indexOf(event));
    }
  }

  private static int indexOf(SseEvent event) {
    return JsonFields.read(
            event.data(), event.dataOffset(), event.dataLength(), JsonFields.Detail.SCALARS)
        .index("index");
  }

  /**
   * @param outputTokens how many have come, estimated
   */
  byte[] events(long outputTokens) {
    ByteArrayOutputStream events = new ByteArrayOutputStream(512);
    for (int index : open) {
      append(
          events,
          "content_block_stop",
          "{\"type\":\"content_block_stop\",\"index\":" + index + "}");
    }
    append(
        events,
        "message_delta",
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\",\"stop_sequence\":null},"
            + "\"usage\":{\"output_tokens\":"
            + outputTokens
            + "}}");
    append(events, "message_stop", "{\"type\":\"message_stop\"}");
    return events.toByteArray();
  }

  private static void append(ByteArrayOutputStream events, String name, String data) {
    events.writeBytes(SseWriter.event(name, data.getBytes(US_ASCII)));
  }
}
