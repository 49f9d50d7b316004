package dev.headrace.messages;

import dev.headrace.sse.SseEvent;

/**
 * Sees each complete event of one answer, in order, on the thread that has read it. The event is a
 * view that is valid during the call only. Must not block.
 */
@FunctionalInterface
public interface EventConsumer {

  /**
   * Takes the next event.
   *
   * @param kind which event it is; {@link MessageEvent#OTHER} for unknown ones
   */
  void onEvent(MessageEvent kind, SseEvent event);
}
