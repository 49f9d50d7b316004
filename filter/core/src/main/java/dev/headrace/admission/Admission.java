package dev.headrace.admission;

import org.jspecify.annotations.Nullable;

/** The answer of a {@link LimitStore}. */
public sealed interface Admission {

  /**
   * The request may run.
   *
   * @param reservation to be settled or cancelled when it has ended
   * @param wouldRefuse what would have refused it if the plan were not in shadow mode; else null
   */
  record Granted(Reservation reservation, @Nullable Refusal wouldRefuse) implements Admission {}

  /** The request may not run, and it has cost the user nothing. */
  record Refused(Refusal refusal) implements Admission {}
}
