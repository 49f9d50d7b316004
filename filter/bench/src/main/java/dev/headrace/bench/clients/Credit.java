package dev.headrace.bench.clients;

/**
 * How many bytes an upstream may still send, and whether reading waits for more credit.
 * Thread-safe.
 */
final class Credit {

  private long left;
  private boolean waiting;

  Credit(long initial) {
    left = initial;
  }

  /** Bytes have come. */
  synchronized void use(int bytes) {
    left -= bytes;
  }

  /** Whether to read on; if not, a later {@link #grant} says when. */
  synchronized boolean readOn() {
    waiting = left <= 0;
    return !waiting;
  }

  /** More bytes may come. Returns whether reading has waited for it, and goes on now. */
  synchronized boolean grant(int bytes) {
    left += bytes;
    if (waiting && left > 0) {
      waiting = false;
      return true;
    }
    return false;
  }
}
