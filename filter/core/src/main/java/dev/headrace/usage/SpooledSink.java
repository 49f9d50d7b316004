package dev.headrace.usage;

import dev.headrace.observe.BestEffort;
import dev.headrace.spi.UsageRecord;
import dev.headrace.spi.UsageSink;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A sink in front of which every record is first written to a {@link Journal}, so that neither a
 * sink that is down nor the end of the process loses one.
 *
 * <pre>
 *   offer ─► queue ─► journal thread ─► journal ─► delivery thread ─► sink
 *                            └─ if the disk fails ─► aside ─┘
 * </pre>
 *
 * The two threads keep a sink that hangs from keeping records out of the journal. What the kill of
 * the process loses is what is still in the queue: the journal thread writes it at once, all that
 * has gathered during its last fsync. While the disk fails, records wait in memory ({@code aside}),
 * go to the sink from there, and into the journal once that works again, which is tried at most
 * once a second. Thread-safe.
 */
final class SpooledSink implements SinkQueue {

  private static final Logger LOG = LoggerFactory.getLogger(SpooledSink.class);
  private static final int WRITE_BATCH = 1_000;
  private static final int DELIVERY_BATCH = 500;
  private static final long RETRY_MILLIS = 1_000;
  private static final long UNTOLD_MILLIS = 10_000;
  private static final long LONG_MILLIS = Duration.ofHours(1).toMillis();
  private static final Duration LAST_MOMENT = Duration.ofSeconds(1);

  private final String name;
  private final Journal journal;
  private final Delivery delivery;
  private final Runnable abort;
  private final int capacity;
  private final RecordQueue queue;
  private final Drops queueFull;
  private final Drops spoolFull;
  private final Drops diskFails;
  private final AtomicLong waiting = new AtomicLong(); // behind the queue
  private final Thread writer;
  private final Thread deliverer;

  private final Object monitor = new Object();
  private final ArrayDeque<UsageRecord> aside = new ArrayDeque<>(); // guarded by monitor
  private long changes; // guarded by monitor
  private boolean written; // guarded by monitor; the journal thread has ended
  private boolean hurried; // guarded by monitor; the delivery thread is to end
  private boolean closed; // guarded by monitor
  private boolean diskIsFailing; // of the journal thread
  private long failedAt; // of the journal thread; by System.nanoTime()
  private boolean spoolIsUnreadable; // of the delivery thread

  private SpooledSink(
      String name, UsageSink sink, Runnable abort, Journal journal, long maxBytes, int capacity) {
    this.name = name;
    this.journal = journal;
    this.delivery = new Delivery(name, sink);
    this.abort = abort;
    this.capacity = capacity;
    this.queue = new RecordQueue(capacity);
    this.queueFull = new Drops(name, Drops.QUEUE_FULL);
    this.spoolFull =
        new Drops(
            name,
            "its spool is full (usage.spool-max: "
                + maxBytes
                + " bytes, at most half of them for requests that never reached the API)");
    this.diskFails =
        new Drops(
            name,
            "the spool cannot be written and usage.queue is full (at most half of it for requests"
                + " that never reached the API)");
    this.writer = SinkThreads.make("usage-" + name + "-journal", this::write);
    this.deliverer = SinkThreads.make("usage-" + name, this::deliver);
  }

  /**
   * Opens the journal, and delivers what an earlier process has left there.
   *
   * @param sink called by one thread
   * @param abort ends a call of the sink that hangs, from another thread
   * @param folder for this sink alone
   * @param maxBytes most that it may keep there
   * @param capacity most records that wait in memory
   * @throws IllegalArgumentException if the folder cannot be used or another gateway uses it
   */
  static SpooledSink open(
      String name, UsageSink sink, Runnable abort, Path folder, long maxBytes, int capacity) {
    Journal journal = Journal.open(name, folder, maxBytes);
    SpooledSink opened = new SpooledSink(name, sink, abort, journal, maxBytes, capacity);
    try {
      opened.writer.start();
      opened.deliverer.start();
      return opened;
    } catch (RuntimeException | Error e) { // no thread is to be had
      opened.close(LAST_MOMENT);
      throw e;
    }
  }

  @Override
  public void offer(UsageRecord usage) {
    if (!queue.offer(usage)) {
      queueFull.add(usage);
    }
  }

  // ---- the journal thread ----

  private void write() {
    try {
      while (!queue.isAtEnd()) {
        writeSome();
      }
    } catch (InterruptedException e) {
      LOG.warn("Usage sink {}: its journal thread was interrupted from outside", name);
    } finally {
      synchronized (monitor) {
        written = true;
        changes++;
        monitor.notifyAll();
      }
    }
  }

  private void writeSome() throws InterruptedException {
    try {
      List<UsageRecord> batch = queue.take(WRITE_BATCH, pause());
      waiting.addAndGet(batch.size());
      append(batch);
      tellDrops(false);
    } catch (RuntimeException | Error e) { // such as no memory for another list
      goOnAfter(e);
      TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
    }
  }

  private void goOnAfter(Throwable e) {
    BestEffort.log(() -> LOG.error("Usage sink {}: records may be missing", name, e));
  }

  private long pause() {
    if (areOthersAside()) {
      return RETRY_MILLIS;
    }
    boolean untold = queueFull.isUntold() || spoolFull.isUntold() || diskFails.isUntold();
    return untold ? UNTOLD_MILLIS : LONG_MILLIS;
  }

  private void append(List<UsageRecord> batch) {
    if (hasJustFailed()) {
      putLastAside(batch);
      tellDeliverer();
      return;
    }
    List<UsageRecord> records = batch;
    if (areOthersAside()) {
      putLastAside(batch);
      records = takeAside(WRITE_BATCH);
    }
    while (!records.isEmpty() && appendNow(records)) {
      records = takeAside(WRITE_BATCH);
    }
  }

  private boolean hasJustFailed() {
    return diskIsFailing
        && System.nanoTime() - failedAt < TimeUnit.MILLISECONDS.toNanos(RETRY_MILLIS);
  }

  /** False if the disk fails. */
  private boolean appendNow(List<UsageRecord> taken) {
    List<UsageRecord> records = journal.isHalfFull() ? withoutFree(taken) : taken;
    if (records.isEmpty()) { // which says nothing about the disk
      return true;
    }
    boolean good = false;
    try {
      int count = journal.append(records);
      drop(spoolFull, records.subList(count, records.size()));
      if (diskIsFailing) {
        diskIsFailing = false;
        BestEffort.log(() -> LOG.info("Usage sink {}: the spool can be written again", name));
      }
      good = true;
    } catch (IOException | RuntimeException | Error e) { // such as no memory just now
      boolean first = !diskIsFailing;
      diskIsFailing = true;
      failedAt = System.nanoTime();
      putAside(records);
      BestEffort.log(() -> sayUnwritable(first, e));
    }
    tellDeliverer();
    return good;
  }

  private List<UsageRecord> withoutFree(List<UsageRecord> records) {
    List<UsageRecord> free = records.stream().filter(RecordQueue::isFree).toList();
    if (free.isEmpty()) {
      return records;
    }
    drop(spoolFull, free);
    return records.stream().filter(usage -> !RecordQueue.isFree(usage)).toList();
  }

  private void sayUnwritable(boolean first, Throwable e) {
    if (first) {
      LOG.warn(
          "Usage sink {}: the spool cannot be written; records wait in memory and go to the sink"
              + " from there: {}",
          name,
          Delivery.describe(e));
    }
    LOG.debug("Usage sink {}: the spool cannot be written", name, e);
  }

  private void tellDeliverer() {
    synchronized (monitor) {
      changes++;
      monitor.notifyAll();
    }
  }

  private void drop(Drops drops, List<UsageRecord> records) {
    records.forEach(drops::add);
    waiting.addAndGet(-records.size());
  }

  // ---- aside ----

  private List<UsageRecord> takeAside(int max) {
    List<UsageRecord> taken = new ArrayList<>();
    synchronized (monitor) {
      while (taken.size() < max && !aside.isEmpty()) {
        taken.add(aside.remove());
      }
    }
    return taken;
  }

  /** At the front, since they are older than what may have come meanwhile. */
  private void putAside(List<UsageRecord> records) {
    List<UsageRecord> tooMany = new ArrayList<>();
    synchronized (monitor) {
      List<UsageRecord> fitting = fitting(records, tooMany);
      for (int i = fitting.size() - 1; i >= 0; i--) {
        aside.addFirst(fitting.get(i));
      }
    }
    drop(diskFails, tooMany);
  }

  /** Those for which there is room aside; the others go to a list. With the monitor held. */
  private List<UsageRecord> fitting(List<UsageRecord> records, List<UsageRecord> tooMany) {
    List<UsageRecord> fitting = new ArrayList<>(records.size());
    for (UsageRecord usage : records) {
      int before = aside.size() + fitting.size();
      (before < RecordQueue.roomFor(usage, capacity) ? fitting : tooMany).add(usage);
    }
    return fitting;
  }

  private boolean areOthersAside() {
    synchronized (monitor) {
      return !aside.isEmpty();
    }
  }

  /** Behind the others, to keep the order. */
  private void putLastAside(List<UsageRecord> records) {
    List<UsageRecord> tooMany = new ArrayList<>();
    synchronized (monitor) {
      aside.addAll(fitting(records, tooMany));
    }
    drop(diskFails, tooMany);
  }

  // ---- the delivery thread ----

  private void deliver() {
    waiting.addAndGet(journal.countWaiting());
    boolean more = true;
    while (more) {
      try {
        more = deliverSome();
      } catch (RuntimeException | Error e) {
        goOnAfter(e);
        more = isOpen() && delivery.rest(RETRY_MILLIS);
      }
    }
  }

  /** Delivers a batch or waits for one; false if this was the last. */
  private boolean deliverSome() {
    long seen;
    synchronized (monitor) {
      seen = changes;
    }
    Journal.Batch batch = null;
    boolean unreadable = false;
    try {
      batch = journal.next(DELIVERY_BATCH);
    } catch (IOException | RuntimeException | Error e) {
      unreadable = true;
      if (!spoolIsUnreadable) {
        BestEffort.log(
            () ->
                LOG.warn(
                    "Usage sink {}: the spool cannot be read; its records wait there: {}",
                    name,
                    Delivery.describe(e)));
      }
    }
    if (spoolIsUnreadable && !unreadable) {
      BestEffort.log(() -> LOG.info("Usage sink {}: the spool can be read again", name));
    }
    spoolIsUnreadable = unreadable;
    if (batch != null) {
      if (!batch.records().isEmpty() && !delivery.deliver(batch.records())) {
        return false;
      }
      journal.acknowledge(batch);
      waiting.addAndGet(-batch.lines());
      return true;
    }
    List<UsageRecord> direct = takeAside(DELIVERY_BATCH);
    if (!direct.isEmpty()) {
      if (!delivery.deliver(direct)) {
        putAside(direct);
        return false;
      }
      waiting.addAndGet(-direct.size());
      return true;
    }
    return unreadable ? isOpen() && delivery.rest(RETRY_MILLIS) : awaitChange(seen);
  }

  /** Whether more may come; when all is written, what cannot be read stays for the next start. */
  private boolean isOpen() {
    synchronized (monitor) {
      return !written;
    }
  }

  private boolean awaitChange(long seen) {
    synchronized (monitor) {
      while (changes == seen && !written && !hurried) {
        try {
          monitor.wait();
        } catch (InterruptedException e) {
          // close() sets hurried first, and nobody else may end this.
        }
      }
      return !hurried && (changes != seen || !written);
    }
  }

  // ---- the rest ----

  private void tellDrops(boolean evenIfJustTold) {
    queueFull.tell(evenIfJustTold);
    spoolFull.tell(evenIfJustTold);
    diskFails.tell(evenIfJustTold);
  }

  @Override
  public SinkFigures figures() {
    return new SinkFigures(
        name,
        delivery.kept(),
        queue.size() + Math.max(0, waiting.get()),
        journal.waitingBytes(),
        queueFull.total() + spoolFull.total() + diskFails.total());
  }

  @Override
  public void close(Duration patience) {
    synchronized (monitor) {
      if (closed) {
        return;
      }
      closed = true;
    }
    long end = System.nanoTime() + patience.toNanos();
    queue.close();
    boolean ended = SinkThreads.join(writer, patience);
    delivery.lastTries();
    if (!SinkThreads.join(deliverer, Duration.ofNanos(end - System.nanoTime()))) {
      endDelivery();
    }
    ended &= !deliverer.isAlive();
    List<UsageRecord> left = takeAside(Integer.MAX_VALUE);
    if (ended) {
      keepOrDrop(left);
      journal.close();
    } else {
      drop(diskFails, left);
      LOG.warn(
          "Usage sink {} does not return; its threads remain, and its spool stays locked", name);
    }
    tellDrops(true);
    if (waiting.get() > 0) {
      LOG.info("Usage sink {}: {} records stay in the spool for the next start", name, waiting);
    }
  }

  private void endDelivery() {
    synchronized (monitor) {
      hurried = true;
      monitor.notifyAll();
    }
    delivery.hurry();
    deliverer.interrupt();
    abort.run();
    SinkThreads.join(deliverer, LAST_MOMENT);
  }

  private void keepOrDrop(List<UsageRecord> left) {
    int count = 0;
    try {
      count = left.isEmpty() ? 0 : journal.append(left);
    } catch (IOException | RuntimeException e) {
      LOG.debug("Usage sink {}: the spool cannot be written", name, e);
    }
    drop(diskFails, left.subList(count, left.size()));
  }
}
