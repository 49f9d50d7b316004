package dev.headrace.simulator;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/** What to answer to which request. Thread-safe. */
final class AnswerScript {
  // Asked again at each reset, since what it gives may remember requests.
  private final Supplier<Function<SeenRequest, Answer>> initial;
  private final Deque<Answer> queue = new ArrayDeque<>();
  private final Map<String, Answer> byPath = new HashMap<>();
  private Function<SeenRequest, Answer> standing;

  AnswerScript(Supplier<Function<SeenRequest, Answer>> initial) {
    this.initial = initial;
    this.standing = initial.get();
  }

  synchronized void add(Answer next) {
    queue.add(next);
  }

  synchronized void standing(Function<SeenRequest, Answer> from) {
    standing = from;
  }

  synchronized void path(String method, String path, Answer answer) {
    byPath.put(method + " " + path, answer);
  }

  synchronized void clear() {
    queue.clear();
    byPath.clear();
    standing = initial.get();
  }

  synchronized java.util.Optional<Answer> forPath(SeenRequest request) {
    return java.util.Optional.ofNullable(byPath.get(request.method() + " " + request.path()));
  }

  Answer next(SeenRequest request) {
    Function<SeenRequest, Answer> from;
    synchronized (this) {
      Answer queued = queue.poll();
      if (queued != null) {
        return queued;
      }
      from = standing;
    }
    // Outside the lock: it is somebody else's code.
    return from.apply(request);
  }
}
