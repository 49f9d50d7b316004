package dev.headrace.relay;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All running exchanges, and the one thread that looks at their clocks a few times a second: no
 * timer and no thread per stream. Only an exchange that waits for its next attempt has a task of
 * its own, so that it need not wait for the next look; the budget of retries bounds those. The size
 * is bounded by the permits. Thread-safe.
 */
final class Exchanges implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Exchanges.class);

  /** Ten times a second: a clock is late by this at most. */
  private static final Duration SWEEP_INTERVAL = Duration.ofMillis(100);

  private static final Duration HOUSEKEEPING_INTERVAL = Duration.ofSeconds(5);

  private final Map<String, Exchange> running = new ConcurrentHashMap<>(); // by id
  private final Object none = new Object(); // told when the last one ends
  private final LongSupplier nanoTime;
  private final ScheduledThreadPoolExecutor scheduler;

  /**
   * @param housekeeping done every few seconds on the sweeping thread; must be quick
   */
  Exchanges(LongSupplier nanoTime, Runnable housekeeping) {
    this.nanoTime = nanoTime;
    scheduler =
        new ScheduledThreadPoolExecutor(
            1,
            task -> {
              Thread thread = new Thread(null, task, "headrace-clocks", 0, false);
              thread.setDaemon(true);
              thread.setContextClassLoader(Exchanges.class.getClassLoader());
              return thread;
            });
    scheduler.setRemoveOnCancelPolicy(true);
    repeat(this::sweep, SWEEP_INTERVAL);
    repeat(housekeeping, HOUSEKEEPING_INTERVAL);
  }

  private void repeat(Runnable task, Duration interval) {
    // The future is not kept: the scheduler's end is the task's end.
    var unused =
        scheduler.scheduleWithFixedDelay(
            () -> {
              try {
                task.run();
              } catch (RuntimeException | Error e) { // either would end the repetition
                LOG.error("A recurring task of the gateway failed and goes on", e);
              }
            },
            interval.toNanos(),
            interval.toNanos(),
            TimeUnit.NANOSECONDS);
  }

  void add(Exchange exchange) {
    running.put(exchange.id(), exchange);
  }

  void remove(Exchange exchange) {
    running.remove(exchange.id());
    if (running.isEmpty()) {
      synchronized (none) {
        none.notifyAll();
      }
    }
  }

  int count() {
    return running.size();
  }

  /** How many tasks wait in the scheduler; does not grow with the running streams. */
  int scheduledTasks() {
    return scheduler.getQueue().size();
  }

  /** Looks at the clocks of every exchange. */
  void sweep() {
    long now = nanoTime.getAsLong();
    each(exchange -> exchange.sweep(now));
  }

  private void each(Consumer<Exchange> what) {
    running.values().forEach(exchange -> guarded(exchange, what));
  }

  private static void guarded(Exchange exchange, Consumer<Exchange> what) {
    try {
      what.accept(exchange);
    } catch (RuntimeException | Error e) { // the others have their turn
      LOG.error(
          "Exchange {}: its clocks could not be looked at, or it not ended", exchange.id(), e);
    }
  }

  /**
   * Looks at one exchange once more after this time. A sweep would do so too, but a tenth of a
   * second later.
   */
  Future<?> sweepLater(Exchange exchange, long nanos) {
    try {
      return scheduler.schedule(
          () -> guarded(exchange, each -> each.sweep(nanoTime.getAsLong())),
          nanos,
          TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.completedFuture(null); // closed meanwhile: nothing follows any more
    }
  }

  /** Runs a short task later, on the thread of the clocks. */
  Future<?> after(Duration delay, Runnable task) {
    try {
      return scheduler.schedule(() -> run(task), delay.toNanos(), TimeUnit.NANOSECONDS);
    } catch (RejectedExecutionException e) {
      return CompletableFuture.completedFuture(null); // closed meanwhile
    }
  }

  private static void run(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) { // nobody asks the Future for it
      LOG.error("A task of the gateway failed", e);
    }
  }

  /** The running exchange with this id, or null. */
  @Nullable Exchange find(String id) {
    return running.get(id);
  }

  /** Asks every exchange to end; to be repeated until {@link #count} is zero. */
  void shutDownAll() {
    each(Exchange::shutDown);
  }

  /** Drops the clients of all exchanges that still run: nobody will look at their clocks again. */
  void abandonAll() {
    each(Exchange::abandon);
  }

  /** Waits until no exchange runs. Returns false if some still do after this time. */
  boolean awaitNone(Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    synchronized (none) {
      while (!running.isEmpty()) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          return false;
        }
        TimeUnit.NANOSECONDS.timedWait(none, left);
      }
    }
    return true;
  }

  @Override
  public void close() {
    scheduler.shutdownNow();
    try {
      if (!scheduler.awaitTermination(5, TimeUnit.SECONDS)) {
        LOG.warn("The clock thread did not end within 5 s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
