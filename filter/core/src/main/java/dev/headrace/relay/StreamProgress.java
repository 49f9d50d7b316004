package dev.headrace.relay;

import dev.headrace.messages.ApiError;
import dev.headrace.messages.MessageEvent;
import dev.headrace.sse.SseEvent;
import dev.headrace.sse.SseReader;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What the gateway learns from the passing bytes of one event stream: how it began, whether it came
 * to its proper end, and where an event of ours could stand. Used by the upstream I/O thread only.
 */
final class StreamProgress implements SseReader.Listener {

  private final SseReader reader;
  private boolean begun;
  private boolean stopped;
  private boolean errorSeen;
  private @Nullable ApiError firstError;
  private byte[] firstErrorJson = new byte[0];

  /**
   * @param maxEventBytes largest event that is looked into; larger ones only pass
   */
  StreamProgress(int maxEventBytes) {
    reader = new SseReader(maxEventBytes, this);
  }

  void feed(byte[] bytes, int offset, int length) {
    reader.feed(bytes, offset, length);
  }

  @Override
  public void onEvent(SseEvent event) {
    MessageEvent kind = MessageEvent.of(event);
    if (kind == MessageEvent.MESSAGE_STOP) {
      stopped = true;
    } else if (kind == MessageEvent.ERROR) {
      errorSeen = true;
      if (!begun && !event.truncated()) {
        firstError = ApiError.fromEventData(event.data(), event.dataOffset(), event.dataLength());
        firstErrorJson =
            Arrays.copyOfRange(
                event.data(), event.dataOffset(), event.dataOffset() + event.dataLength());
      }
    }
    begun = true;
  }

  /** At least one event is complete. */
  boolean begun() {
    return begun;
  }

  /** The error that stood in place of a first event, or null: HTTP 200 does not mean success. */
  @Nullable ApiError firstError() {
    return firstError;
  }

  /** The data of that first event, as it came. */
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

  /** The bytes so far end with a complete event. */
  boolean atBoundary() {
    return reader.atBoundary();
  }
}
