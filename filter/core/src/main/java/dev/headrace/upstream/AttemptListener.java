package dev.headrace.upstream;

import java.nio.ByteBuffer;

/**
 * Told what happens to one attempt: {@code onHead}, {@code onBytes}*, then exactly one of {@code
 * onEnd} and {@code onFailure}; or {@code onFailure} alone. Calls come one after another on I/O
 * threads: a listener must never block.
 */
public interface AttemptListener {

  /** The response head has arrived. */
  void onHead(UpstreamResponseHead head);

  /**
   * Some bytes of the body have arrived.
   *
   * @param bytes to be taken whole before this method returns; the buffer is used again afterwards
   */
  void onBytes(ByteBuffer bytes);

  /**
   * No more bytes are at hand for now: what {@link #onBytes} has brought since the last time is
   * worth sending. Follows each run of them, also the last one, then behind {@link #onEnd}.
   */
  void onPause();

  /** The body is complete by the rules of its framing. */
  void onEnd();

  /** The attempt has ended in another way; nothing more follows. */
  void onFailure(UpstreamFailure failure);
}
