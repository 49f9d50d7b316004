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
    /** No connection came about, or it ended before the request: nothing was sent. */
    CONNECT,
    /** No connection came about within {@code timeouts.connect}: nothing was sent. */
    CONNECT_TIMEOUT,
    /** The connection ended before the response head. */
    NO_RESPONSE,
    /** The connection ended, or its framing broke, in mid-body. */
    CUT,
    /** An event stream ended properly, but without an event that counts. */
    NO_EVENT,
    /** The call could not even be made, which is the gateway's own fault. */
    NOT_STARTED,
    /** {@link Attempt#cancel} or the end of the client. */
    CANCELLED
  }
}
