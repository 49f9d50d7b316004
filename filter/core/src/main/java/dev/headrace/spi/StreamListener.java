package dev.headrace.spi;

/**
 * Reads along: told of each message that the gateway streams, whole, such as to keep it as the
 * history of a chat. Called on threads of the gateway's that no stream runs on, so it may block for
 * a while; the calls for one exchange come one after another, those for different exchanges also at
 * the same time. What it throws is logged and changes nothing.
 */
public interface StreamListener {

  /** The answer has begun. */
  default void onStart(StreamStart start) {}

  /** The message is complete. */
  default void onMessage(StreamStart start, FinishedMessage message) {}

  /** The answer ended before it was complete, or could not be followed. */
  default void onAborted(StreamStart start, PartialMessage partial) {}
}
