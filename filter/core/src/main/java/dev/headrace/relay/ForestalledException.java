package dev.headrace.relay;

/**
 * A filter has sent the head of an answer before the gateway could. Has no stack trace, since it
 * says nothing about our code.
 */
final class ForestalledException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  static final String MESSAGE =
      "A filter of this application sends the head of an answer before the gateway: one that writes"
          + " or flushes before or behind doFilter has to leave the gateway's requests alone";

  ForestalledException() {
    super(MESSAGE, null, false, false);
  }
}
