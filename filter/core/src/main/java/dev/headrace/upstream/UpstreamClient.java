package dev.headrace.upstream;

import java.net.URI;

/**
 * Sends requests to the upstream API and hands over what comes back, chunk by chunk. The HTTP
 * client stands behind this interface so that it can be exchanged. Thread-safe.
 */
public interface UpstreamClient extends AutoCloseable {

  /**
   * Starts one attempt and returns at once. The listener may be called before this method returns.
   *
   * @param request what to send; its body must not change until the attempt has ended
   * @param listener told everything that happens, on the client's I/O threads, one call at a time
   */
  Attempt start(UpstreamRequest request, AttemptListener listener);

  /**
   * Whether {@link #start} would find a connection to this origin at this moment, and so would not
   * look up a name, which can take seconds.
   */
  default boolean hasIdleConnection(URI origin) {
    return false;
  }

  /** The number of upstream connections that an attempt holds at this moment. */
  int connectionsInUse();

  /**
   * Closes connections that have been idle or alive for too long; cheap, to be called every few
   * seconds.
   */
  void closeExpired();

  /** Ends all attempts, closes all connections and stops all threads of this client. Idempotent. */
  @Override
  void close();
}
