package dev.headrace.admission;

/**
 * What the tokens of one model cost, for reserving it before they are used. Thread-safe. Is called
 * while the user's limits are locked, so it must be quick and call nothing of the limits.
 */
public interface Price {

  /** The cost of this many input tokens in pico-dollars; not negative, never falls as they grow. */
  long ofInput(long tokens);

  /**
   * The cost of this many output tokens in pico-dollars; not negative, never falls as they grow.
   */
  long ofOutput(long tokens);
}
