package dev.headrace.simulator;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.IntFunction;

/** What the simulator saw, in order; the oldest go when there are too many. Thread-safe. */
final class RequestLog {
  private final int limit;
  private final Deque<SeenRequest> requests = new ArrayDeque<>();
  private int seen;

  RequestLog(int limit) {
    this.limit = limit;
  }

  synchronized SeenRequest add(IntFunction<SeenRequest> withIndex) {
    SeenRequest request = withIndex.apply(seen++);
    requests.add(request);
    if (requests.size() > limit) {
      requests.remove();
    }
    notifyAll();
    return request;
  }

  synchronized List<SeenRequest> all() {
    return List.copyOf(requests);
  }

  synchronized int count() {
    return seen;
  }

  synchronized void clear() {
    requests.clear();
    seen = 0;
  }

  synchronized SeenRequest last() {
    SeenRequest last = requests.peekLast();
    if (last == null) {
      throw new AssertionError("The simulator has seen no request");
    }
    return last;
  }

  /** From now on {@link #await} gives this request out: it is understood and has its answer. */
  synchronized void ready(SeenRequest request) {
    request.markReady();
    notifyAll();
  }

  synchronized SeenRequest await(int index, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    waitUntil(() -> seen > index, deadline, timeout, "request " + index);
    SeenRequest request = at(index);
    waitUntil(request::isReady, deadline, timeout, "the choice of an answer to request " + index);
    return request;
  }

  private SeenRequest at(int index) {
    for (SeenRequest request : requests) {
      if (request.index() == index) {
        return request;
      }
    }
    throw new AssertionError("Request " + index + " was forgotten; see rememberRequests(int)");
  }

  // Called with the lock, which is released while it waits.
  private synchronized void waitUntil(
      BooleanSupplier condition, long deadline, Duration timeout, String what) {
    while (!condition.getAsBoolean()) {
      long left = (deadline - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError("Waited " + timeout + " in vain for " + what + "; seen: " + all());
      }
      try {
        wait(left);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("Interrupted while waiting for " + what, e);
      }
    }
  }
}
