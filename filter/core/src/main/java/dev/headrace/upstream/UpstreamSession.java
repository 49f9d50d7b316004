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
import org.jspecify.annotations.Nullable;

/**
 * A session that keeps two promises which HttpCore's HTTP/1.1 input loop relies on nobody to keep,
 * and spares it calls to the kernel.
 *
 * <p><b>No bytes while reading is suspended.</b> The loop goes on as long as its session has bytes,
 * also when the consumer's capacity is used up: a fast upstream can push tens of MiB past a client
 * that does not read. When the capacity ends, HttpCore takes back its interest in reading; from
 * that moment on {@link #read} answers 0, which ends the loop and leaves the rest in the kernel,
 * where TCP slows the upstream down.
 *
 * <p><b>The end only after the bytes before it.</b> The chunk decoder throws at a premature end,
 * and with it goes what it decoded in the same call: up to a buffer full of events that had
 * arrived. So an end or an error that follows bytes directly is kept for the next turn; the
 * selector comes back at once, since the socket stays readable.
 *
 * <p><b>No read for nothing.</b> The chunk decoder reads before every chunk, that is before every
 * event, whether or not the next one is already in its buffer. It is answered 0 without asking the
 * kernel while its buffer still holds something to decode, and once the socket has given less than
 * there was room for: what comes later wakes the selector.
 *
 * <p><b>No wake-up for nothing.</b> HttpCore asks for events that it waits for already, at the
 * beginning and end of each exchange and with each grant, and wakes the selector each time.
 *
 * <p>Read by one I/O thread; any thread may change the event mask.
 */
final class UpstreamSession implements IOSession {

  /** Fewer bytes in the decoder's buffer may be the beginning of a chunk's head. */
  private static final int ENOUGH_TO_DECODE = 32;

  private final IOSession session;
  private volatile boolean suspended;

  // I/O thread only
  private boolean gaveBytes; // in this turn
  private boolean emptied; // in this turn: the socket had no more
  private @Nullable IOException failure; // to be thrown by the next read

  UpstreamSession(IOSession session) {
    this.session = session;
  }

  @Override
  public int read(ByteBuffer destination) throws IOException {
    // The decoder appends: its position is what it has not decoded yet.
    if (gaveBytes && destination.position() >= ENOUGH_TO_DECODE) {
      return 0;
    }
    Turn turn = Turn.of(this);
    if (turn != null && turn.hasBytes()) {
      gaveBytes = true;
      return turn.give(destination);
    }
    if (suspended || (gaveBytes && emptied)) {
      return 0;
    }
    IOException kept = failure;
    if (kept != null && !gaveBytes) {
      failure = null;
      throw kept;
    }
    try {
      int count = turn == null ? session.read(destination) : turn.read(session);
      if (count < 0 && gaveBytes) {
        return 0; // the next turn meets the end again
      }
      gaveBytes |= count > 0;
      emptied = true; // or nearly: the selector tells
      return turn != null && count > 0 ? turn.give(destination) : count;
    } catch (IOException e) {
      if (!gaveBytes) {
        throw e;
      }
      failure = e;
      return 0;
    }
  }

  /** Called first in every turn of the I/O thread. */
  @Override
  public void updateReadTime() {
    gaveBytes = false;
    emptied = false;
    session.updateReadTime();
    Turn turn = Turn.ofThread();
    if (turn != null) {
      turn.begin(this);
    }
  }

  /** Called before what a turn has read is offered once more. */
  void nextPass() {
    gaveBytes = false;
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
    Lock lock = session.getLock(); // whoever takes an event back holds it
    lock.lock();
    try {
      boolean set = session.isOpen() && (session.getEventMask() & operation) == operation;
      if (!set) {
        session.setEvent(operation);
      }
    } finally {
      lock.unlock();
    }
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
  public @Nullable IOEventHandler getHandler() {
    IOEventHandler handler = session.getHandler();
    Turn turn = Turn.ofThread();
    return turn == null ? handler : turn.handler(this, handler);
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
