package dev.headrace.relay;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * How much memory request bodies take together, so that clients that send many large ones at the
 * same time cannot use up the heap, which is the application's too; and how many of one user may be
 * on their way, since one that is not whole holds a place at the door and no limit of a plan has
 * counted it yet. Thread-safe.
 */
final class BodyMemory {

  /** A body of no more than this is not counted: most are smaller, and need no lock. */
  static final int SMALL_BYTES = 8 * 1024;

  private static final int PART_OF_HEAP = 4;
  private static final int PART_OF_A_USER = 2;

  private final long max;
  private final int maxComing;
  private final Map<String, Integer> comingOfUser = new ConcurrentHashMap<>(); // none of 0
  private long used; // guarded by this
  private final Map<String, Long> usedByUser = new HashMap<>(); // guarded by this; none of 0

  /**
   * @param max most bytes for all bodies, and twice as much as for those of one user; a body that
   *     is the only one may be larger
   * @param maxComing most bodies of one user that may be on their way at the same time
   */
  BodyMemory(long max, int maxComing) {
    this.max = max;
    this.maxComing = maxComing;
  }

  /**
   * A quarter of what the JVM may have.
   *
   * @param places for requests, of which the bodies of one user may take half
   */
  static BodyMemory ofTheHeap(int places) {
    return new BodyMemory(Runtime.getRuntime().maxMemory() / PART_OF_HEAP, places / PART_OF_A_USER);
  }

  /** Most bodies of one user that may be on their way at the same time. */
  int maxComing() {
    return maxComing;
  }

  /** How many are on their way. */
  int coming(String user) {
    return comingOfUser.getOrDefault(user, 0);
  }

  synchronized long usedBytes() {
    return used;
  }

  /**
   * The part of one body, which has none yet.
   *
   * @param user who sends it; null where nobody is told from the others
   */
  Share share(@Nullable String user) {
    return new Share(user);
  }

  private synchronized boolean take(@Nullable String user, long held, long more) {
    long ofUser = user == null ? 0 : usedByUser.getOrDefault(user, 0L);
    boolean alone = used == held;
    boolean aloneOfUser = user == null || ofUser == held;
    if ((!alone && used + more > max) || (!aloneOfUser && ofUser + more > max / PART_OF_A_USER)) {
      return false;
    }
    add(user, more);
    return true;
  }

  private synchronized void add(@Nullable String user, long bytes) {
    used += bytes;
    if (user != null && bytes != 0) {
      usedByUser.merge(user, bytes, (one, other) -> one + other == 0 ? null : one + other);
    }
  }

  private boolean enter(String user) {
    int now = comingOfUser.merge(user, 1, Integer::sum);
    if (now > maxComing) {
      leave(user);
      return false;
    }
    return true;
  }

  private void leave(String user) {
    comingOfUser.computeIfPresent(user, (name, coming) -> coming == 1 ? null : coming - 1);
  }

  /** What one body takes. Thread-safe. */
  final class Share {
    private final @Nullable String user;
    private boolean coming; // guarded by this
    private long held; // guarded by this
    private boolean released; // guarded by this

    private Share(@Nullable String user) {
      this.user = user;
    }

    /**
     * To be asked once, before the body is read.
     *
     * @return false if too many of this user are on their way
     */
    synchronized boolean begin() {
      coming = user != null && enter(user);
      return coming || user == null;
    }

    /** The body is whole. Idempotent, and not needed before {@link #release}. */
    synchronized void arrived() {
      if (coming && user != null) {
        coming = false;
        leave(user);
      }
    }

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
      if (released || !take(user, held, capacity - held)) {
        return false;
      }
      held = capacity;
      return true;
    }

    /** The body is needed no more. Idempotent. */
    synchronized void release() {
      released = true;
      arrived();
      add(user, -held);
      held = 0;
    }
  }
}
