package dev.headrace.upstream;

/**
 * One upstream call. Thread-safe: any thread may grant or cancel, also after the attempt has ended.
 */
public interface Attempt {

  /**
   * Allows the upstream to send further bytes. An attempt starts with a credit of its own ({@code
   * buffers.soft}); every byte that arrives uses up one, and at zero the socket is no longer read.
   *
   * @param bytes how many bytes more, above zero
   */
  void grant(int bytes);

  /**
   * Closes the upstream connection, which is the only cancel signal that the API has. Idempotent;
   * has no effect on an attempt that has ended. The listener may still get its final call.
   */
  void cancel();

  /**
   * Whether the upstream may have the request, or some of its body; false only if it certainly has
   * not, such as while the connection is being made.
   */
  default boolean mayHaveBeenSent() {
    return true;
  }
}
