package dev.headrace.observe;

/**
 * How an exchange ended. Immutable.
 *
 * @param kind which of the named ends it was
 * @param detail the clock, the reason or the like in a few words; empty when the kind says it all;
 *     a word of ours or of the API reference, never what a client, an upstream or the model wrote
 */
public record Outcome(Kind kind, String detail) {

  /** The ends that an exchange can have. */
  public enum Kind {
    /** The answer was delivered whole. */
    COMPLETED,
    /** Refused by the gateway before the upstream was asked. */
    REFUSED,
    /** The upstream's error status or error event was passed on. */
    UPSTREAM_ERROR,
    /** The upstream ended without a complete answer. */
    UPSTREAM_CUT,
    /** One of our clocks ended it; the detail names the clock. */
    TIMED_OUT,
    /** The client left before the end. */
    CLIENT_GONE,
    /** Ended on purpose by the gateway, such as at shutdown. */
    CANCELLED,
    /** The gateway's own fault. */
    FAILED
  }

  /** An outcome whose kind says it all. */
  public static Outcome of(Kind kind) {
    return new Outcome(kind, "");
  }

  @Override
  public String toString() {
    return detail.isEmpty() ? kind.name() : kind + "(" + detail + ")";
  }
}
