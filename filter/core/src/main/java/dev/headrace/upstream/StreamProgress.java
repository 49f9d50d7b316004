package dev.headrace.upstream;

import dev.headrace.config.GatewaySettings.Hold;
import dev.headrace.messages.ApiError;
import dev.headrace.messages.MessageEvent;
import dev.headrace.messages.UsageReader;
import dev.headrace.sse.SseEvent;
import dev.headrace.sse.SseReader;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What the gateway learns from the passing bytes of one event stream: how it began, whether it came
 * to its proper end, and where an event of ours could stand. Not thread-safe.
 */
final class StreamProgress implements SseReader.Listener {

  private final SseReader reader;
  private final Hold hold;
  private final UsageReader usage = new UsageReader();
  private boolean any;
  private boolean begun;
  private boolean stopped;
  private boolean errorSeen;
  private long events;
  private @Nullable ApiError firstError;
  private byte[] firstErrorJson = new byte[0];

  /**
   * @param maxEventBytes largest event that is looked into; larger ones only pass
   * @param hold with which event the stream has begun
   */
  StreamProgress(int maxEventBytes, Hold hold) {
    this.reader = new SseReader(maxEventBytes, this);
    this.hold = hold;
  }

  void feed(byte[] bytes, int offset, int length) {
    reader.feed(bytes, offset, length);
  }

  @Override
  public void onEvent(SseEvent event) {
    MessageEvent kind = MessageEvent.of(event);
    any = true;
    if (kind != MessageEvent.PING) {
      events++;
    }
    usage.onEvent(kind, event);
    switch (kind) {
      case MESSAGE_STOP -> stopped = true;
      case ERROR -> error(event);
      default -> {}
    }
    begun |= hold == Hold.FIRST_EVENT || !comesBeforeContent(kind);
  }

  private void error(SseEvent event) {
    errorSeen = true;
    if (!begun && !event.truncated()) {
      firstError = ApiError.fromEventData(event.data(), event.dataOffset(), event.dataLength());
      firstErrorJson =
          Arrays.copyOfRange(
              event.data(), event.dataOffset(), event.dataOffset() + event.dataLength());
    }
  }

  private static boolean comesBeforeContent(MessageEvent kind) {
    return kind == MessageEvent.MESSAGE_START
        || kind == MessageEvent.CONTENT_BLOCK_START
        || kind == MessageEvent.PING;
  }

  /** At least one event is complete. */
  boolean any() {
    return any;
  }

  /** The event with which the stream counts as begun is complete. */
  boolean begun() {
    return begun;
  }

  /** The error that stood before or in place of that event, or null. */
  @Nullable ApiError firstError() {
    return firstError;
  }

  /** The data of that error event, as it came. */
  byte[] firstErrorJson() {
    return firstErrorJson;
  }

  /** {@code message_stop} has come: the message is whole. */
  boolean stopped() {
    return stopped;
  }

  /** An {@code error} event has come: the client knows that the message is not whole. */
  boolean errorSeen() {
    return errorSeen;
  }

  /** How many events other than {@code ping} have come. */
  long events() {
    return events;
  }

  /** What the message has used so far. */
  UsageReader usage() {
    return usage;
  }

  /** The bytes so far end with a complete event. */
  boolean atBoundary() {
    return reader.atBoundary();
  }
}
