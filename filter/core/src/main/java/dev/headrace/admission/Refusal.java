package dev.headrace.admission;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Why a request was not admitted. When several limits refuse, it is the one that lasts longest; one
 * that waits for a running stream, whose end nobody knows, ranks behind those that have to be full
 * again. Immutable.
 *
 * @param kind what the limit counts
 * @param window the window of a budget; null for the other kinds
 * @param size the whole of it: requests, streams, tokens or pico-dollars; 0 for an unknown price
 * @param left what is left of it; not negative
 * @param least what the request needs of a budget even if its answer is one token long; 0 for the
 *     other kinds
 * @param resetsIn how long until it is full again; null for streams and for an unknown price
 * @param waiting whether the same request can pass later
 */
public record Refusal(
    LimitKind kind,
    @Nullable Window window,
    long size,
    long left,
    long least,
    @Nullable Duration resetsIn,
    Waiting waiting) {

  /** What would have to happen before the same request can pass. */
  public enum Waiting {
    /** Nothing would help: the request is larger than the limit, or its price is unknown. */
    USELESS,
    /** The limit has to be full again. */
    UNTIL_RESET,
    /** One of the user's streams has to end; what it reserved comes back. */
    UNTIL_OWN_RETURN,
    /** Any stream has to end, of whichever user: the limit is shared. */
    UNTIL_ANY_RETURN
  }

  /** The stable name, such as {@code requests}, {@code concurrent} or {@code cost per day}. */
  public String name() {
    return Limit.name(kind, window);
  }

  /** Whether this one lasts longer than the other, so that it is the one to tell. */
  boolean outlasts(@Nullable Refusal other) {
    if (other == null) {
      return true;
    }
    if (rank() != other.rank()) {
      return rank() > other.rank();
    }
    if (resetsIn == null || other.resetsIn == null) {
      return other.resetsIn == null && resetsIn != null;
    }
    return resetsIn.compareTo(other.resetsIn) > 0;
  }

  private int rank() {
    return switch (waiting) {
      case USELESS -> 2;
      case UNTIL_RESET -> 1;
      case UNTIL_OWN_RETURN, UNTIL_ANY_RETURN -> 0;
    };
  }

  /** Whether the prompt alone, with the shortest answer, is more than there ever is. */
  public boolean isOfThePrompt() {
    return least > size;
  }
}
