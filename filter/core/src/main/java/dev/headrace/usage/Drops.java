package dev.headrace.usage;

import dev.headrace.observe.BestEffort;
import dev.headrace.spi.UsageRecord;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Counts the records that a sink will never see, and says so in the log: at once, then every ten
 * seconds while it goes on, with the first and the last of them. Thread-safe; {@link #add} does not
 * log, since it is called by threads that must not wait for an appender.
 */
final class Drops {

  private static final Logger LOG = LoggerFactory.getLogger(Drops.class);

  static final String QUEUE_FULL =
      "its queue in memory was full (usage.queue; at most half of it for requests that never reached the"
          + " API) or closed";

  private static final long PAUSE_NANOS = Duration.ofSeconds(10).toNanos();

  private final String sink;
  private final String why;
  private long total;
  private long untold;
  private @Nullable UsageRecord first;
  private @Nullable UsageRecord last;
  private long toldAt = System.nanoTime() - PAUSE_NANOS;

  /**
   * @param why what is full, and by which setting
   */
  Drops(String sink, String why) {
    this.sink = sink;
    this.why = why;
  }

  synchronized void add(UsageRecord usage) {
    total++;
    untold++;
    if (first == null) {
      first = usage;
    }
    last = usage;
  }

  synchronized long total() {
    return total;
  }

  /** Whether {@link #tell} has something to say, now or in a few seconds. */
  synchronized boolean isUntold() {
    return untold > 0;
  }

  /** Logs what was dropped since the last time, unless that was just now. */
  void tell(boolean evenIfJustTold) {
    long count;
    UsageRecord from;
    UsageRecord to;
    synchronized (this) {
      from = first;
      to = last;
      long now = System.nanoTime();
      if (from == null || to == null || (!evenIfJustTold && now - toldAt < PAUSE_NANOS)) {
        return;
      }
      count = untold;
      untold = 0;
      first = null;
      last = null;
      toldAt = now;
    }
    BestEffort.log(
        () ->
            LOG.warn(
                "Usage sink {}: {} records were dropped because {}: from {} of {} to {} of {}",
                sink,
                count,
                why,
                from.id(),
                from.startedAt(),
                to.id(),
                to.startedAt()));
  }
}
