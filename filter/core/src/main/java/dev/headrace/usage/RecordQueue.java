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
  private final ArrayDeque<UsageRecord> records = new ArrayDeque<>();
  private boolean closed;

  RecordQueue(int capacity) {
    this.capacity = capacity;
  }

  /** Adds a record; false if there is no room or the queue is closed. */
  boolean offer(UsageRecord usage) {
    lock.lock();
    try {
      if (closed || records.size() >= capacity) {
        return false;
      }
      records.add(usage);
      changed.signal();
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
    lock.lock();
    try {
      long left = TimeUnit.MILLISECONDS.toNanos(waitMillis);
      while (records.isEmpty() && !closed && left > 0) {
        left = changed.awaitNanos(left);
      }
      List<UsageRecord> taken = new ArrayList<>(Math.min(max, records.size()));
      while (taken.size() < max && !records.isEmpty()) {
        taken.add(records.remove());
      }
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
    } finally {
      lock.unlock();
    }
  }
}
