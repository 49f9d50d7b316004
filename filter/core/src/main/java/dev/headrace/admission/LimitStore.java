package dev.headrace.admission;

import java.util.function.Consumer;

/**
 * Keeps what each user has used of their limits and decides whether one more request may run. An
 * answer may take its time, because a store can be shared between machines. Thread-safe.
 */
public interface LimitStore {

  /**
   * Asks for a request to be admitted. Looks at all limits first and then takes from all, so that a
   * refused request costs nothing.
   *
   * @param user who asks; one string is one user
   * @param limits what the user's plan allows now; when it differs from the last one, what was used
   *     stays used
   * @param answer called exactly once, on this thread before the call returns or later on another;
   *     never again after {@link PendingAdmission#leave} has returned true. Is quick and does not
   *     throw
   */
  PendingAdmission admit(
      String user, Limits limits, Demand demand, Consumer<? super Admission> answer);

  /** A question that may still be without its answer. Thread-safe. */
  interface PendingAdmission {

    /** It has been answered. */
    PendingAdmission ANSWERED = () -> false;

    /**
     * The client has left: nothing is to be admitted any more, and a place in a queue is free
     * again.
     *
     * @return true if the answer will never be called; false if it has been or is just being called
     */
    boolean leave();
  }
}
