package dev.headrace.usage;

import dev.headrace.observe.BestEffort;
import dev.headrace.spi.UsageRecord;
import dev.headrace.spi.UsageSink;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives batches to a sink until it has taken them, with growing pauses while it fails. Says once
 * that a sink has begun to fail and once that it is back. {@link #deliver} belongs to one thread.
 */
final class Delivery {

  private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);
  private static final long FIRST_PAUSE_MILLIS = 100;
  private static final long LONGEST_PAUSE_MILLIS = 5_000;

  private final String name;
  private final UsageSink sink;
  private final LongAdder kept = new LongAdder();
  private final Object monitor = new Object();
  private boolean hurried; // guarded by monitor
  private volatile @Nullable Instant failingSince; // written by the delivery thread

  Delivery(String name, UsageSink sink) {
    this.name = name;
    this.sink = sink;
  }

  long kept() {
    return kept.sum();
  }

  /** The gateway closes: a sink that fails already is not waited for. */
  void lastTries() {
    if (failingSince != null) {
      hurry();
    }
  }

  /** From now on nothing is tried a second time. */
  void hurry() {
    synchronized (monitor) {
      hurried = true;
      monitor.notifyAll();
    }
  }

  /**
   * Returns when the sink has the records.
   *
   * @return false if it did not take them and there is no time to try again
   */
  boolean deliver(List<UsageRecord> records) {
    long pause = FIRST_PAUSE_MILLIS;
    while (true) {
      if (keeps(records)) {
        return true;
      }
      if (!rest(pause)) {
        return false;
      }
      pause = Math.min(LONGEST_PAUSE_MILLIS, 2 * pause);
    }
  }

  private boolean keeps(List<UsageRecord> records) {
    try {
      sink.keep(records);
      kept.add(records.size());
      back();
      return true;
    } catch (Throwable e) { // an application's sink may throw anything, and its thread must stay
      failed(e);
      return false;
    } finally {
      // A sink may leave it behind; who closes the gateway hurries first.
      boolean unused = Thread.interrupted();
    }
  }

  /** Waits; false if nothing more is to be tried. */
  boolean rest(long millis) {
    long end = System.nanoTime() + Duration.ofMillis(millis).toNanos();
    synchronized (monitor) {
      long left = millis;
      while (!hurried && left > 0) {
        try {
          monitor.wait(left);
        } catch (InterruptedException e) {
          // Who closes the gateway hurries first, and nobody else may end this.
        }
        left = Duration.ofNanos(end - System.nanoTime()).toMillis();
      }
      return !hurried;
    }
  }

  private void failed(Throwable e) {
    boolean first = failingSince == null;
    if (first) {
      failingSince = Instant.now();
    }
    BestEffort.log(
        () -> {
          if (first) {
            LOG.warn(
                "Usage sink {} fails, its records wait until it is back: {}", name, describe(e));
          }
          LOG.debug("Usage sink {} fails", name, e);
        });
  }

  private void back() {
    Instant since = failingSince;
    if (since != null) {
      failingSince = null;
      long seconds = Duration.between(since, Instant.now()).toSeconds();
      BestEffort.log(() -> LOG.info("Usage sink {} is back after {} s", name, seconds));
    }
  }

  /** Type and message on one line. */
  static String describe(Throwable e) {
    String text = e.toString().replaceAll("\\s+", " ");
    return text.length() > 300 ? text.substring(0, 300) + "…" : text;
  }
}
