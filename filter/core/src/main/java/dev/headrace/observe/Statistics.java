package dev.headrace.observe;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts what the gateway has done since its start. The number of different outcomes is bounded,
 * because their details are words of ours. Thread-safe.
 */
public final class Statistics {

  /**
   * By the text of the outcome and not by the record: before JDK 19 the generated {@code equals} of
   * the record that was compared last keeps its class loader alive, in a cache of the JDK's own
   * ({@code java.lang.runtime.ObjectMethods}), and so an application that was undeployed.
   */
  private final Map<String, LongAdder> outcomes = new ConcurrentHashMap<>();

  private final LongAdder heartbeats = new LongAdder();
  private final LongAdder earlyCommits = new LongAdder();
  private final LongAdder blocking = new LongAdder();

  /** Counts an exchange that has ended. */
  public void ended(Outcome outcome) {
    outcomes.computeIfAbsent(outcome.toString(), unused -> new LongAdder()).increment();
  }

  /** Counts a comment that was written because a stream was silent. */
  public void heartbeat() {
    heartbeats.increment();
  }

  /** Counts a stream that was begun before the upstream had answered. */
  public void earlyCommit() {
    earlyCommits.increment();
  }

  /** Counts an exchange that held a thread of the container. */
  public void blockingExchange() {
    blocking.increment();
  }

  /**
   * How many exchanges have ended, by outcome as it is printed, such as {@code TIMED_OUT(idle)}.
   */
  public Map<String, Long> outcomes() {
    Map<String, Long> counts = new TreeMap<>();
    outcomes.forEach((outcome, count) -> counts.put(outcome, count.sum()));
    return counts;
  }

  /** How many comments were written into silent streams. */
  public long heartbeats() {
    return heartbeats.sum();
  }

  /** How many streams were begun early. */
  public long earlyCommits() {
    return earlyCommits.sum();
  }

  /** How many exchanges held a thread of the container. */
  public long blockingExchanges() {
    return blocking.sum();
  }
}
