package dev.headrace.relay;

import dev.headrace.config.GatewaySettings;
import jakarta.servlet.ServletContext;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The threads that write to clients where the container blocks in {@code write()} although it said
 * that it was ready; elsewhere whoever has bytes writes them. Thread-safe.
 *
 * <p>The queue of the threads holds each stream at most once, so the running exchanges bound it.
 */
final class Writers implements AutoCloseable {

  private final GatewaySettings.Blocking settings;
  private @Nullable Executor chosen; // guarded by this
  private @Nullable ThreadPoolExecutor threads; // guarded by this

  Writers(GatewaySettings.Blocking settings) {
    this.settings = settings;
  }

  /** Where to write in this container; the first request decides for all. */
  synchronized Executor in(ServletContext context) {
    Executor executor = chosen;
    if (executor == null) {
      executor = isNeeded(context) ? start() : Runnable::run;
      chosen = executor;
    }
    return executor;
  }

  private boolean isNeeded(ServletContext context) {
    GatewaySettings.Writers when = settings.writers();
    return when == GatewaySettings.Writers.ALWAYS
        || (when == GatewaySettings.Writers.AUTO
            && Containers.isOpenLiberty(context.getServerInfo()));
  }

  private Executor start() {
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            settings.writerThreads(),
            settings.writerThreads(),
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "headrace-writer");
              thread.setDaemon(true);
              thread.setContextClassLoader(null);
              return thread;
            });
    pool.allowCoreThreadTimeOut(true);
    threads = pool;
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
