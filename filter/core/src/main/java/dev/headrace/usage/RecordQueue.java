package dev.headrace.usage;

import dev.headrace.spi.UsageRecord;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A bounded queue of records that can be closed, so that the thread behind it ends without being
 * interrupted: an interrupt would close the file that it writes to. Thread-safe; the lock is held
 * for a few instructions only.
 */
final class RecordQueue {

  private final int capacity;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Condition gathered = lock.newCondition(); // many records, or closed
  private final ArrayDeque<UsageRecord> records = new ArrayDeque<>();
  private boolean closed;
  private int wanted = -1; // how many the one who takes waits for, once it has seen the first

  RecordQueue(int capacity) {
    this.capacity = capacity;
  }

  /**
   * Whether a record tells of nothing that can have cost anything. Requests that are refused may be
   * many, of a single user: they leave half of all room to the others.
   */
  static boolean isFree(UsageRecord usage) {
    return usage.attempts() == 0;
  }

  /** How many records there may be before this one, where there is room for so many. */
  static int roomFor(UsageRecord usage, int capacity) {
    return isFree(usage) ? capacity / 2 : capacity;
  }

  /** Adds a record; false if there is no room or the queue is closed. */
  boolean offer(UsageRecord usage) {
    lock.lock();
    try {
      if (closed || records.size() >= roomFor(usage, capacity)) {
        return false;
      }
      records.add(usage);
      changed.signal();
      if (records.size() == wanted) {
        gathered.signal();
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Takes the oldest records; waits for the first one.
   *
   * @param max most records to take
   * @param waitMillis longest wait
   * @return empty after the wait, or when the queue is closed and empty
   */
  List<UsageRecord> take(int max, long waitMillis) throws InterruptedException {
    return take(max, waitMillis, 0);
  }

  /**
   * As {@link #take(int, long)}, but lets others come behind the first, so that not every one of
   * them wakes a thread. For one thread at a time.
   *
   * @param gatherMillis how long; less if {@code max} are there, the queue is half full or closed
   */
  List<UsageRecord> take(int max, long waitMillis, long gatherMillis) throws InterruptedException {
    lock.lock();
    try {
      long left = TimeUnit.MILLISECONDS.toNanos(waitMillis);
      while (records.isEmpty() && !closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      long gathering = TimeUnit.MILLISECONDS.toNanos(gatherMillis);
      wanted = Math.min(max, capacity / 2); // none with a cost is dropped for those to come
      while (!records.isEmpty() && records.size() < wanted && !closed && gathering > 0) {
        gathering = gathered.awaitNanos(gathering);
      }
      wanted = -1;
      List<UsageRecord> taken = new ArrayList<>(Math.min(max, records.size()));
      while (taken.size() < max && !records.isEmpty()) {
        taken.add(records.remove());
      }
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /** Takes all that are there, without waiting. */
  List<UsageRecord> takeAll() {
    lock.lock();
    try {
      List<UsageRecord> taken = List.copyOf(records);
      records.clear();
      return taken;
    } finally {
      lock.unlock();
    }
  }

  int size() {
    lock.lock();
    try {
      return records.size();
    } finally {
      lock.unlock();
    }
  }

  /** Whether nothing can come out of it any more. */
  boolean isAtEnd() {
    lock.lock();
    try {
      return closed && records.isEmpty();
    } finally {
      lock.unlock();
    }
  }

  /** Takes no more; what is in it can still be taken. */
  void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
      gathered.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
