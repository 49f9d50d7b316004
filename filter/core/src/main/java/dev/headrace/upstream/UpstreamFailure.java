package dev.headrace.upstream;

/**
 * Why an attempt ended without a complete response. Immutable.
 *
 * @param kind what a caller can act on
 * @param detail what happened, in words that hold no secret, for logs and error texts
 */
public record UpstreamFailure(Kind kind, String detail) {

  /** What went wrong, by how far the attempt had come. */
  public enum Kind {
    /** No connection came about: nothing was sent. */
    CONNECT,
    /** The connection ended before the response head. */
    NO_RESPONSE,
    /** The connection ended, or its framing broke, in mid-body. */
    CUT,
    /** {@link Attempt#cancel} or the end of the client. */
    CANCELLED
  }
}
