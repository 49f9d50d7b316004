package dev.headrace.upstream;

import java.net.URI;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A client that is made anew when it has died. HttpCore ends all of its I/O threads as soon as one
 * of them was ended by an {@code Error}, such as an {@code OutOfMemoryError} of the application
 * around us, and takes no call from then on. Thread-safe.
 */
final class LastingUpstreamClient implements UpstreamClient {

  private static final Logger LOG = LoggerFactory.getLogger(LastingUpstreamClient.class);

  private final Supplier<? extends UpstreamClient> maker;
  private volatile UpstreamClient current; // written with the lock of this
  private boolean closed; // guarded by this

  /**
   * @param maker makes a running client, now and after each death
   */
  LastingUpstreamClient(Supplier<? extends UpstreamClient> maker) {
    this.maker = maker;
    this.current = maker.get();
  }

  private UpstreamClient running() {
    UpstreamClient client = current;
    return client.isRunning() ? client : replaced(client);
  }

  private UpstreamClient replaced(UpstreamClient dead) {
    synchronized (this) {
      if (current != dead || closed) {
        return current;
      }
      LOG.error("The upstream client has died of an error on one of its threads; a new one starts");
      current = maker.get();
    }
    dead.close(); // waits for its threads, while others already use the new one
    return current;
  }

  @Override
  public Attempt start(UpstreamRequest request, AttemptListener listener) {
    return running().start(request, listener);
  }

  @Override
  public boolean hasIdleConnection(URI origin) {
    return current.hasIdleConnection(origin);
  }

  @Override
  public int connectionsInUse() {
    return current.connectionsInUse();
  }

  @Override
  public void closeExpired() {
    current.closeExpired();
  }

  @Override
  public void close() {
    UpstreamClient last;
    synchronized (this) {
      closed = true;
      last = current;
    }
    last.close();
  }
}
