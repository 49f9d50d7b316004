package dev.headrace.containers;

import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.regex.Pattern;

/**
 * Looks ten times a second at the threads of this JVM and at the running streams, and keeps the
 * largest numbers. All live threads count but those of the JVM itself, of the test and its tools,
 * and of the simulator.
 */
final class ThreadWatch implements AutoCloseable {

  private static final Pattern NOT_COUNTED =
      Pattern.compile(
          "main|surefire-.*|thread-watch|awaitility.*|claude-simulator.*|globalEventExecutor.*"
              + "|Reference Handler|Finalizer|Signal Dispatcher|Common-Cleaner|Notification Thread"
              + "|Attach Listener|process reaper.*|Cleaner-\\d+|ForkJoinPool.*|junit-.*");

  private final ScheduledExecutorService timer =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "thread-watch");
            thread.setDaemon(true);
            return thread;
          });
  private volatile int mostStreams;
  private volatile Map<String, Integer> mostThreads = Map.of();

  ThreadWatch(IntSupplier streams) {
    var unused =
        timer.scheduleWithFixedDelay(
            () -> look(streams.getAsInt()),
            0,
            Duration.ofMillis(100).toMillis(),
            TimeUnit.MILLISECONDS);
  }

  private void look(int streams) {
    mostStreams = Math.max(mostStreams, streams);
    Map<String, Integer> now = countedThreads();
    if (sum(now) > sum(mostThreads)) {
      mostThreads = now;
    }
  }

  /** The counted threads by name, numbers in names left out. */
  static Map<String, Integer> countedThreads() {
    Map<String, Integer> counted = new TreeMap<>();
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (!NOT_COUNTED.matcher(thread.getName()).matches()) {
        counted.merge(thread.getName().replaceAll("\\d+", "n"), 1, Integer::sum);
      }
    }
    return counted;
  }

  private static int sum(Map<String, Integer> counts) {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  int mostStreams() {
    return mostStreams;
  }

  int mostThreadCount() {
    return sum(mostThreads);
  }

  String mostThreads() {
    return mostThreadCount() + " " + mostThreads;
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
