package dev.headrace.spi;

import java.io.Serial;

/**
 * Says that a caller has offered something to be known by, such as a token, and that it is not
 * valid. The request is then refused with 401, whatever else could tell who is calling. Has no
 * stack trace, because it is an answer and not a failure.
 */
public final class InvalidCredentialException extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  /**
   * Makes one.
   *
   * @param reason for the gateway's log, without the credential; the caller does not get it
   */
  public InvalidCredentialException(String reason) {
    super(reason, null, false, false);
  }
}
