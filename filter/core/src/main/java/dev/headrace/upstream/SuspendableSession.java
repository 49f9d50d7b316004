package dev.headrace.upstream;

import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.concurrent.locks.Lock;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.Command;
import org.apache.hc.core5.reactor.EventMask;
import org.apache.hc.core5.reactor.IOEventHandler;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.util.Timeout;

/**
 * A session that gives no bytes while reading is suspended, and no end together with bytes.
 *
 * <p>HttpCore's HTTP/1.1 input loop goes on as long as its session has bytes, also when the
 * consumer's capacity is used up: a fast upstream can push tens of MiB past a client that does not
 * read. When the capacity ends, HttpCore takes back its interest in reading; from that moment on
 * this session answers {@link #read} with 0, which ends the loop and leaves the rest in the kernel,
 * where TCP slows the upstream down.
 *
 * <p>It also keeps bytes and the end of the connection apart when they come together. HttpCore's
 * chunk decoder reads on until it meets the end, throws, and forgets what it has decoded in that
 * turn: a stream that had begun would look like one that never had. The end (or reset) is therefore
 * met only when the selector reports the socket again, which it does at once, since an end lasts.
 * With TLS, HttpCore hands decrypted bytes over by itself and none of this happens.
 *
 * <p>Used by one I/O thread, but for the event mask, which any thread may change.
 */
final class SuspendableSession implements IOSession {

  private final IOSession session;
  private volatile boolean suspended;
  private boolean hasRead; // I/O thread only; there were bytes since the socket became readable

  SuspendableSession(IOSession session) {
    this.session = session;
  }

  @Override
  public int read(ByteBuffer destination) throws IOException {
    if (suspended) {
      return 0;
    }
    int count;
    try {
      count = session.read(destination);
    } catch (IOException e) {
      if (hasRead) {
        return 0;
      }
      throw e;
    }
    if (count < 0 && hasRead) {
      return 0;
    }
    hasRead |= count > 0;
    return count;
  }

  @Override
  public void setEventMask(int operations) {
    suspended = (operations & EventMask.READ) == 0;
    session.setEventMask(operations);
  }

  @Override
  public void setEvent(int operation) {
    if ((operation & EventMask.READ) != 0) {
      suspended = false; // first, since the selector may fire at once on another thread
    }
    session.setEvent(operation);
  }

  @Override
  public void clearEvent(int operation) {
    if ((operation & EventMask.READ) != 0) {
      suspended = true;
    }
    session.clearEvent(operation);
  }

  @Override
  public int getEventMask() {
    return session.getEventMask();
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    return session.write(source);
  }

  @Override
  public boolean isOpen() {
    return session.isOpen();
  }

  @Override
  public IOEventHandler getHandler() {
    return session.getHandler();
  }

  @Override
  public void upgrade(IOEventHandler handler) {
    session.upgrade(handler);
  }

  @Override
  public Lock getLock() {
    return session.getLock();
  }

  @Override
  public void enqueue(Command command, Command.Priority priority) {
    session.enqueue(command, priority);
  }

  @Override
  public boolean hasCommands() {
    return session.hasCommands();
  }

  @Override
  public Command poll() {
    return session.poll();
  }

  @Override
  public ByteChannel channel() {
    return session.channel();
  }

  @Override
  public SocketAddress getRemoteAddress() {
    return session.getRemoteAddress();
  }

  @Override
  public SocketAddress getLocalAddress() {
    return session.getLocalAddress();
  }

  @Override
  public void close() {
    session.close();
  }

  @Override
  public void close(CloseMode closeMode) {
    session.close(closeMode);
  }

  @Override
  public Status getStatus() {
    return session.getStatus();
  }

  @Override
  public Timeout getSocketTimeout() {
    return session.getSocketTimeout();
  }

  @Override
  public void setSocketTimeout(Timeout timeout) {
    session.setSocketTimeout(timeout);
  }

  @Override
  public long getLastReadTime() {
    return session.getLastReadTime();
  }

  @Override
  public long getLastWriteTime() {
    return session.getLastWriteTime();
  }

  @Override
  public long getLastEventTime() {
    return session.getLastEventTime();
  }

  /** Called whenever the socket has become readable, before anything is read. */
  @Override
  public void updateReadTime() {
    hasRead = false;
    session.updateReadTime();
  }

  @Override
  public void updateWriteTime() {
    session.updateWriteTime();
  }

  @Override
  public String getId() {
    return session.getId();
  }

  @Override
  public String toString() {
    return session.toString();
  }
}
