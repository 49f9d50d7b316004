package dev.headrace.observe;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

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

  private final List<Outcome> seen = new CopyOnWriteArrayList<>();

  private final List<Consumer<Outcome>> onFirst = new CopyOnWriteArrayList<>();
  private final LongAdder heartbeats = new LongAdder();
  private final LongAdder earlyCommits = new LongAdder();
  private final LongAdder blocking = new LongAdder();
  private final Map<String, LongAdder> heldBack = new ConcurrentHashMap<>();
  private final LongAdder wouldRefuse = new LongAdder();

  /** Counts an exchange that has ended. */
  public void ended(Outcome outcome) {
    String text = outcome.toString();
    LongAdder count = outcomes.get(text);
    if (count == null) {
      count = new LongAdder();
      LongAdder other = outcomes.putIfAbsent(text, count);
      if (other == null) {
        seen.add(outcome);
        onFirst.forEach(listener -> listener.accept(outcome));
      } else {
        count = other;
      }
    }
    count.increment();
  }

  /**
   * Calls back with each outcome that has not been counted before, once.
   *
   * @param listener must not throw
   * @return removes it
   */
  public Runnable onFirst(Consumer<Outcome> listener) {
    onFirst.add(listener);
    return () -> onFirst.remove(listener);
  }

  /** Every outcome that has been counted, once. */
  public List<Outcome> seen() {
    return List.copyOf(seen);
  }

  /** How many exchanges have ended so. */
  public long count(Outcome outcome) {
    LongAdder count = outcomes.get(outcome.toString());
    return count == null ? 0 : count.sum();
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

  /** Counts an exchange that a plan in shadow mode would have refused. */
  public void wouldRefuse() {
    wouldRefuse.increment();
  }

  /** How many exchanges plans in shadow mode would have refused. */
  public long wouldRefuseCount() {
    return wouldRefuse.sum();
  }

  /**
   * How many exchanges have ended, by outcome as it is printed, such as {@code TIMED_OUT(idle)}.
   */
  public Map<String, Long> outcomes() {
    Map<String, Long> counts = new TreeMap<>();
    outcomes.forEach((outcome, count) -> counts.put(outcome, count.sum()));
    return counts;
  }

  /** Counts an answer that a response wrapper did not let stream, by a word for why. */
  public void heldBack(String kind) {
    heldBack.computeIfAbsent(kind, unseen -> new LongAdder()).increment();
  }

  /** How many answers a response wrapper did not let stream, for this reason. */
  public long heldBackCount(String kind) {
    LongAdder count = heldBack.get(kind);
    return count == null ? 0 : count.sum();
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
