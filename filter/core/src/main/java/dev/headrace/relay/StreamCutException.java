package dev.headrace.relay;

import java.io.IOException;

/**
 * Thrown into the container on purpose, so that it drops a connection whose answer was cut: a
 * proper end would make the answer look complete. Has no stack trace, since it says nothing about
 * our code.
 */
public final class StreamCutException extends IOException {

  private static final long serialVersionUID = 1L;

  public StreamCutException() {
    super("Headrace drops this connection because the answer on it is not complete");
  }

  @Override
  public synchronized Throwable fillInStackTrace() {
    return this;
  }
}
