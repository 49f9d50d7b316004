package dev.headrace;

import dev.headrace.admission.MemoryLimitStore;
import dev.headrace.admission.StreamLimit;
import dev.headrace.observe.Statistics;
import dev.headrace.relay.Relay;
import dev.headrace.usage.Ledger;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What tests need to know of a running gateway and no user does. Reads private fields, so that the
 * product need not show them.
 */
public final class GatewayInside {

  private GatewayInside() {}

  /** Counts of the gateway that are no public API yet, such as that of its heartbeats. */
  public static Statistics statistics(Gateway gateway) {
    return relay(gateway).statistics();
  }

  /** The books, to put records on them that no exchange has made. */
  public static Ledger ledger(Gateway gateway) {
    return gateway.ledger();
  }

  /** Who uses how much of their limits, without the waiting room. */
  public static MemoryLimitStore limitStore(Gateway gateway) {
    return (MemoryLimitStore) field(field(relay(gateway), "door"), "memory");
  }

  /** The ids of the exchanges that run now, those included whose client knows no id yet. */
  public static Set<String> runningIds(Gateway gateway) {
    Map<?, ?> running = (Map<?, ?>) field(exchanges(gateway), "running");
    return running.keySet().stream()
        .map(String.class::cast)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** How far the exchanges are that run now, and how many are so far. */
  public static Map<String, Long> phases(Gateway gateway) {
    Map<?, ?> running = (Map<?, ?>) field(exchanges(gateway), "running");
    return running.values().stream()
        .map(GatewayInside::phase)
        .collect(Collectors.groupingBy(phase -> phase, TreeMap::new, Collectors.counting()));
  }

  private static String phase(Object exchange) {
    Object attempts = fieldOrNull(exchange, "attempts");
    Object attempt = attempts == null ? null : fieldOrNull(attempts, "current");
    return field(exchange, "state")
        + (attempt == null ? "" : ", its attempt " + field(attempt, "state"));
  }

  /** How many exchanges wait for their next attempt, each with the time of it settled. */
  public static long waitingForTheNextAttempt(Gateway gateway) {
    Map<?, ?> running = (Map<?, ?>) field(exchanges(gateway), "running");
    return running.values().stream()
        .map(exchange -> fieldOrNull(exchange, "attempts"))
        .filter(attempts -> attempts != null && isDueOnce(attempts))
        .count();
  }

  private static boolean isDueOnce(Object attempts) {
    return ((AtomicLong) field(attempts, "dueNanos")).get() != Long.MIN_VALUE;
  }

  /** How many threads of the container are held, until behind the last byte of their answers. */
  public static int heldThreads(Gateway gateway) {
    return ((StreamLimit) field(relay(gateway), "blockingStreams")).inUse();
  }

  /** How many tasks wait in the queue of the gateway's one scheduler. */
  public static int scheduledTasks(Gateway gateway) {
    return ((ScheduledThreadPoolExecutor) field(exchanges(gateway), "scheduler")).getQueue().size();
  }

  private static Object exchanges(Gateway gateway) {
    return field(relay(gateway), "exchanges");
  }

  private static Relay relay(Gateway gateway) {
    return (Relay) field(gateway, "relay");
  }

  private static Object field(Object owner, String name) {
    Object value = fieldOrNull(owner, name);
    if (value == null) {
      throw new IllegalStateException(name + " is null");
    }
    return value;
  }

  private static @Nullable Object fieldOrNull(Object owner, String name) {
    try {
      var field = owner.getClass().getDeclaredField(name);
      field.setAccessible(true);
      return field.get(owner);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("was " + name + " renamed?", e);
    }
  }
}
