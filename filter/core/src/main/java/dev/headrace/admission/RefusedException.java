package dev.headrace.admission;

import dev.headrace.messages.ApiError;

/**
 * A request that must not reach the upstream. It has no stack trace, because a refusal is expected.
 */
public final class RefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient ApiError error;

  /**
   * @param message names the rule and its setting; of the request at most names, shortened and
   *     printable
   */
  RefusedException(int status, String message) {
    super(message, null, false, false);
    this.error = new ApiError(status, ApiError.typeOf(status), message, null);
  }

  /** What the client is told. */
  public ApiError error() {
    return error;
  }
}
