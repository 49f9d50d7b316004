package dev.headrace.demo;

/** A reason not to start that the person at the terminal can act on; the message is one line. */
final class DemoException extends Exception {
  private static final long serialVersionUID = 1L;

  DemoException(String message) {
    super(message);
  }

  DemoException(String message, Throwable cause) {
    super(message, cause);
  }
}
