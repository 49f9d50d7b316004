package dev.headrace.relay;

import dev.headrace.config.GatewaySettings;
import jakarta.servlet.http.HttpServletRequest;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The threads that write to clients where the container blocks in {@code write()} although it said
 * that it was ready ({@link Containers#blockInWrites}); elsewhere whoever has bytes writes them.
 * Thread-safe.
 *
 * <p>The queue of the threads holds each stream at most once, so the running exchanges bound it.
 */
final class Writers implements AutoCloseable {

  private final GatewaySettings.Blocking settings;
  private final Containers containers;
  private @Nullable ThreadPoolExecutor threads; // guarded by this; null until they are needed
  private boolean closed; // guarded by this

  Writers(GatewaySettings.Blocking settings, Containers containers) {
    this.settings = settings;
    this.containers = containers;
  }

  /** Where the answer to this request is to be written. */
  Executor of(HttpServletRequest request) {
    return isNeeded(request) ? threads() : Runnable::run;
  }

  private boolean isNeeded(HttpServletRequest request) {
    return switch (settings.writers()) {
      case ALWAYS -> true;
      case NEVER -> false;
      case AUTO -> containers.blockInWrites(request);
    };
  }

  private synchronized Executor threads() {
    ThreadPoolExecutor running = threads;
    if (running == null) {
      if (closed) {
        return Runnable::run; // what is still to be said is short
      }
      running = start();
      threads = running;
    }
    return running;
  }

  private ThreadPoolExecutor start() {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            settings.writerThreads(),
            settings.writerThreads(),
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(null, task, "headrace-writer", 0, false);
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  /**
   * Ends the threads; one that a client holds is interrupted. What still waits for a thread is done
   * here: to be called when every stream has been told to end, so that nothing of it is written to
   * a client any more.
   */
  @Override
  public void close() {
    ThreadPoolExecutor pool;
    synchronized (this) {
      closed = true;
      pool = threads;
    }
    if (pool != null) {
      pool.shutdownNow().forEach(Runnable::run); // else those requests would never be completed
      try {
        if (!pool.awaitTermination(1, TimeUnit.SECONDS)) {
          return; // the container does not heed the interrupt; the thread ends with its write
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
