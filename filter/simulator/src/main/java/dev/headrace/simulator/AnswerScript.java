package dev.headrace.simulator;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/** What to answer to which request. Thread-safe. */
final class AnswerScript {
  private final Function<SeenRequest, Answer> initial;
  private final Deque<Answer> queue = new ArrayDeque<>();
  private final Map<String, Answer> byPath = new HashMap<>();
  private Function<SeenRequest, Answer> standing;

  AnswerScript(Function<SeenRequest, Answer> initial) {
    this.initial = initial;
    this.standing = initial;
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
    standing = initial;
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
