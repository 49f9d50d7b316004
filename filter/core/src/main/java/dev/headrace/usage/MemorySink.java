package dev.headrace.usage;

import dev.headrace.observe.BestEffort;
import dev.headrace.spi.UsageRecord;
import dev.headrace.spi.UsageSink;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A sink whose records wait in memory only. Its thread comes with the first record and leaves after
 * some seconds without one, so that an idle gateway has none. Thread-safe.
 */
final class MemorySink implements SinkQueue {

  private static final Logger LOG = LoggerFactory.getLogger(MemorySink.class);
  private static final int BATCH = 500;

  /** A busy gateway wakes the thread a hundred times a second, not for every exchange. */
  private static final long GATHER_MILLIS = 10;

  private static final Duration IDLE = Duration.ofSeconds(5);

  private final String name;
  private final Delivery delivery;
  private final RecordQueue queue;
  private final Drops drops;
  private final AtomicBoolean running = new AtomicBoolean();
  private @Nullable Thread thread; // guarded by this
  private boolean closed; // guarded by this; no thread is started any more
  private final long idleMillis;
  private final BiFunction<String, Runnable, Thread> threads;
  private volatile int inHand;

  MemorySink(String name, UsageSink sink, int capacity) {
    this(name, sink, capacity, IDLE, SinkThreads::make);
  }

  /**
   * @param idle how long the thread stays without a record
   * @param threads makes the thread, with this name
   */
  MemorySink(
      String name,
      UsageSink sink,
      int capacity,
      Duration idle,
      BiFunction<String, Runnable, Thread> threads) {
    this.name = name;
    this.threads = threads;
    this.idleMillis = idle.toMillis();
    this.delivery = new Delivery(name, sink);
    this.queue = new RecordQueue(capacity);
    this.drops = new Drops(name, Drops.QUEUE_FULL);
  }

  @Override
  public void offer(UsageRecord usage) {
    if (!queue.offer(usage)) {
      drops.add(usage);
    } else if (!running.get()) {
      startThread();
    }
  }

  private void startThread() {
    try {
      startUnlessClosed();
    } catch (OutOfMemoryError e) { // no thread can be made; the next record tries again
      running.set(false);
      BestEffort.log(
          () ->
              LOG.warn(
                  "Usage sink {}: its thread cannot be started; records wait: {}",
                  name,
                  e.getMessage()));
    }
  }

  private synchronized void startUnlessClosed() {
    if (!closed && running.compareAndSet(false, true)) {
      Thread started = threads.apply("usage-" + name, this::run);
      thread = started;
      started.start();
    }
  }

  private void run() {
    do {
      try {
        work();
      } finally { // should it break, the next record starts another thread
        running.set(false);
      }
      // A record that came just before this has found the thread running, and is seen here.
    } while (queue.size() > 0 && running.compareAndSet(false, true));
  }

  private void work() {
    try {
      while (true) {
        List<UsageRecord> batch = queue.take(BATCH, idleMillis, GATHER_MILLIS);
        drops.tell(false);
        if (batch.isEmpty()) {
          return;
        }
        inHand = batch.size();
        boolean delivered = delivery.deliver(batch);
        inHand = 0;
        if (!delivered) { // at the end of the gateway only; the sink is not asked again
          batch.forEach(drops::add);
          queue.takeAll().forEach(drops::add);
          return;
        }
      }
    } catch (InterruptedException e) {
      // close() has told the delivery so; else the next record starts another thread.
    }
  }

  @Override
  public SinkFigures figures() {
    return new SinkFigures(name, delivery.kept(), queue.size() + inHand, 0, drops.total());
  }

  @Override
  public void close(Duration patience) {
    queue.close();
    delivery.lastTries();
    Thread last;
    synchronized (this) {
      closed = true;
      last = thread;
    }
    if (last != null && !SinkThreads.join(last, patience)) {
      delivery.hurry();
      last.interrupt();
      if (!SinkThreads.join(last, Duration.ofSeconds(1))) {
        LOG.warn("Usage sink {} does not return; its thread {} remains", name, last.getName());
      }
    }
    if (!running.get()) { // it came too late for a thread
      queue.takeAll().forEach(drops::add);
    }
    drops.tell(true);
  }
}
