package dev.headrace.relay;

import java.util.concurrent.atomic.AtomicLong;

/**
 * How much memory large request bodies take together, so that clients that send many of them at the
 * same time cannot use up the heap, which is the application's too. Thread-safe.
 */
final class BodyMemory {

  /** A body of no more than this is not counted. */
  static final int SMALL_BYTES = 64 * 1024;

  private static final int PART_OF_HEAP = 4;

  private final long max;
  private final AtomicLong used = new AtomicLong();

  /**
   * @param max most bytes for all bodies; a body that is the only one may be larger
   */
  BodyMemory(long max) {
    this.max = max;
  }

  /** A quarter of what the JVM may have. */
  static BodyMemory ofTheHeap() {
    return new BodyMemory(Runtime.getRuntime().maxMemory() / PART_OF_HEAP);
  }

  long usedBytes() {
    return used.get();
  }

  /** The part of one body, which has none yet. */
  Share share() {
    return new Share();
  }

  /** What one body takes. Thread-safe. */
  final class Share {
    private long held; // guarded by this
    private boolean released; // guarded by this

    /**
     * To be asked before the body's array grows.
     *
     * @param capacity how large it will be
     * @return false if there is no room for it
     */
    synchronized boolean growTo(int capacity) {
      if (capacity <= SMALL_BYTES) {
        return true;
      }
      long more = capacity - held;
      long others = used.get() - held;
      if (released || (others > 0 && used.get() + more > max)) {
        return false;
      }
      used.addAndGet(more); // others may do so as well: by a body each it can be too much
      held = capacity;
      return true;
    }

    /** The body is needed no more. Idempotent. */
    synchronized void release() {
      released = true;
      used.addAndGet(-held);
      held = 0;
    }
  }
}
