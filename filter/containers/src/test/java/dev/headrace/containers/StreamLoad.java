package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Streams one after another on some threads, until it is closed, with a note of how each ended: in
 * a few words, by what its client could tell. Thread-safe.
 */
final class StreamLoad implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final int port;
  private final String path;
  private final String[] headers;
  private final Map<String, Integer> ends = new ConcurrentSkipListMap<>();
  private final AtomicInteger streaming = new AtomicInteger();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopped;

  StreamLoad(int port, String path, String... headers) {
    this.port = port;
    this.path = path;
    this.headers = headers;
  }

  /** Starts so many threads that ask this again and again. */
  StreamLoad ask(String prompt, int clients) {
    for (int i = 0; i < clients; i++) {
      Thread thread = new Thread(() -> run(prompt), "load-" + threads.size());
      thread.setDaemon(true);
      threads.add(thread);
      thread.start();
    }
    return this;
  }

  private void run(String prompt) {
    while (!stopped) {
      String end;
      try {
        end = once(prompt);
      } catch (IOException | RuntimeException e) {
        end = "no answer: " + e;
      }
      ends.merge(end, 1, Integer::sum);
      if (!end.equals("complete")) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(250)); // not to hammer a closed door
      }
    }
  }

  private String once(String prompt) throws IOException {
    try (RawClient client = RawClient.connect(port)) {
      client.patience(PATIENCE).post(path, Requests.streaming(prompt), headers);
      RawClient.Reply head = client.replyHead();
      boolean stream = head.status() == 200;
      if (stream) {
        streaming.incrementAndGet();
      }
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      try {
        RawClient.End end = client.readBody(body, Long.MAX_VALUE);
        return stream
            ? describe(end, body.toString(UTF_8))
            : "refused with " + head.status() + (end == RawClient.End.COMPLETE ? "" : ", " + end);
      } finally {
        if (stream) {
          streaming.decrementAndGet();
        }
      }
    }
  }

  private static String describe(RawClient.End end, String body) {
    if (end != RawClient.End.COMPLETE) {
      return "torn: " + end;
    }
    if (!body.endsWith("\n\n")) {
      return "ends in mid-event";
    }
    String last = body.substring(Math.max(0, body.lastIndexOf("event: ")));
    if (last.startsWith("event: message_stop\n")) {
      return "complete";
    }
    return last.startsWith("event: error\n") && last.contains("shutting down")
        ? "error event"
        : "looks complete and is not";
  }

  /** How many streams have begun and not ended. */
  int streaming() {
    return streaming.get();
  }

  /** How many have ended in which way so far. */
  Map<String, Integer> ends() {
    return Map.copyOf(ends);
  }

  /** Starts no more streams, and waits for the end of those that run. */
  @Override
  public void close() throws IOException {
    stopped = true;
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    for (Thread thread : threads) {
      try {
        thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      if (thread.isAlive()) {
        throw new IOException("a stream has no end: " + thread.getName());
      }
    }
  }
}
