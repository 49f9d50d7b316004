package dev.headrace.messages;

import org.jspecify.annotations.Nullable;

/**
 * What is known of one answer's usage, streamed or not. Thread-safe: any thread may ask at any
 * time, also while the answer still comes. Who puts several facts together asks {@link #snapshot}
 * first, because between two questions to a running answer an event may come.
 */
public interface UsageView {

  /**
   * The usage as the API has reported it so far; null before it was read. Until {@link #isFinal}
   * its output is a placeholder.
   */
  @Nullable MessageUsage usage();

  /** The model that answers, also after the API itself fell back to another; null if unknown. */
  @Nullable String model();

  /** The API's id of the message; null before it was read. */
  @Nullable String messageId();

  /** Why the model stopped; null before it was read. */
  @Nullable String stopReason();

  /** Whether {@link #usage} holds the final totals, so that it may be called exact. */
  boolean isFinal();

  /**
   * Whether something that carries usage came and could not be read, so that nothing exact can be
   * said; it never ends being so.
   */
  boolean unreadable();

  /**
   * About how many output tokens have come: one for every four characters of text, thinking and
   * tool arguments, rounded up, but never less than what the API itself has reported. A character
   * is a UTF-16 unit, as in {@link String#length}, so an emoji is two. 0 when nothing came.
   */
  long estimatedOutputTokens();

  /** Whether any content has come that is not empty. */
  boolean hasOutput();

  /**
   * Whether the API charges for the answer as known by now: all but a refusal before any output
   * (API reference, "Usage and cost", as of 2026-11-22).
   */
  default boolean charged() {
    return hasOutput() || !refused();
  }

  /** Whether the answer ended with a refusal. */
  default boolean refused() {
    return "refusal".equals(stopReason());
  }

  /** All facts as of one moment. Immutable. */
  UsageView snapshot();
}
