package dev.headrace.relay;

import dev.headrace.config.GatewaySettings;
import dev.headrace.spi.StreamListener;
import dev.headrace.spi.StreamStart;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The listeners of the application and the threads that they run on. What waits for them is bounded
 * over all streams ({@code listeners.max-waiting}); what does not fit is left out and counted.
 * Without listeners there is no thread. Thread-safe.
 */
final class Listeners implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

  /** Also an event without a byte costs memory while it waits. */
  static final int TASK_BYTES = 256;

  private static final long WARN_EVERY_NANOS = TimeUnit.MINUTES.toNanos(1);

  private final List<StreamListener> listeners;
  private final GatewaySettings.Listeners settings;
  private final Semaphore room;
  private final @Nullable ThreadPoolExecutor threads;
  private final LongAdder leftOut = new LongAdder();
  private final AtomicLong warnedNanos = new AtomicLong(System.nanoTime() - WARN_EVERY_NANOS);

  Listeners(List<StreamListener> listeners, GatewaySettings.Listeners settings) {
    this.listeners = List.copyOf(listeners);
    this.settings = settings;
    this.room = new Semaphore(settings.maxWaiting().toInt());
    this.threads = listeners.isEmpty() ? null : threads(settings.threads());
  }

  private static ThreadPoolExecutor threads(int count) {
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            count,
            count,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(), // bounded by the room
            task -> {
              Thread thread = new Thread(null, task, "headrace-listeners", 0, false);
              thread.setDaemon(true);
              thread.setContextClassLoader(Listeners.class.getClassLoader());
              return thread;
            });
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  /** What reads along with one stream; null when nobody wants to know. */
  @Nullable Reassembly follow(StreamStart start) {
    ThreadPoolExecutor executor = threads;
    return executor == null
        ? null
        : new Reassembly(start, settings.maxMessage().toInt(), this, new Lane(executor));
  }

  /** Makes room for bytes that are going to wait; false if there is none. */
  boolean reserve(int bytes) {
    return room.tryAcquire(bytes + TASK_BYTES);
  }

  void release(int bytes) {
    room.release(bytes + TASK_BYTES);
  }

  /** Calls every listener, each on its own: what one throws does not keep the next from hearing. */
  void tell(String exchangeId, Consumer<StreamListener> call) {
    for (StreamListener listener : listeners) {
      try {
        call.accept(listener);
      } catch (RuntimeException | Error e) {
        LOG.error(
            "Exchange {}: the stream listener {} failed",
            exchangeId,
            listener.getClass().getName(),
            e);
      }
    }
  }

  /** Counts a message that no listener will hear of. */
  void leaveOut() {
    leftOut.increment();
    long now = System.nanoTime();
    long last = warnedNanos.get();
    if (now - last >= WARN_EVERY_NANOS && warnedNanos.compareAndSet(last, now)) {
      LOG.warn(
          "Stream listeners are slower than the streams: {} messages were left out so far"
              + " (listeners.max-waiting, listeners.threads)",
          leftOut.sum());
    }
  }

  /** Lets the listeners hear what waits, for at most five seconds. */
  @Override
  public void close() {
    if (threads == null) {
      return;
    }
    threads.shutdown();
    try {
      if (!threads.awaitTermination(5, TimeUnit.SECONDS)) {
        LOG.warn(
            "Stream listeners did not finish within 5 s; {} calls are dropped",
            threads.shutdownNow().size());
        threads.awaitTermination(1, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      threads.shutdownNow();
    }
  }

  /** Runs the tasks of one stream one after another, on whichever thread is free. */
  static final class Lane {
    private final ThreadPoolExecutor executor;
    private final Queue<Runnable> tasks = new ArrayDeque<>(); // guarded by this
    private boolean running; // guarded by this

    Lane(ThreadPoolExecutor executor) {
      this.executor = executor;
    }

    /** Returns false if nothing will run: the threads have ended, or none can be made. */
    synchronized boolean add(Runnable task) {
      tasks.add(task);
      if (!running) {
        try {
          executor.execute(this::run);
        } catch (RejectedExecutionException | OutOfMemoryError e) { // or no thread can be made
          tasks.clear(); // there is only this one, since none ran
          return false;
        }
        running = true;
      }
      return true;
    }

    private void run() {
      Runnable task;
      while ((task = next()) != null) {
        try {
          task.run();
        } catch (RuntimeException | Error e) { // else what follows would wait for ever
          LOG.error("A message could not be put together for its listeners", e);
        }
      }
    }

    private synchronized @Nullable Runnable next() {
      Runnable task = tasks.poll();
      running = task != null;
      return task;
    }
  }
}
