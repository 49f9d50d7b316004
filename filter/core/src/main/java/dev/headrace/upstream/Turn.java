package dev.headrace.upstream;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.IOEventHandler;
import org.apache.hc.core5.reactor.IOSession;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * One turn of an I/O thread: what it does because one connection has become readable. It reads the
 * socket once, much at a time, and gives that to HttpCore in the small pieces that its buffers have
 * room for; and it gathers what comes out of them, so that it goes out in one piece. Thus the
 * buffers of a connection can be small and system calls few.
 *
 * <p>HttpCore knows nothing of it: for one call this takes the place of the connection's handler.
 * One for each I/O thread, used by that thread alone.
 */
final class Turn implements IOEventHandler {

  /**
   * As much as one turn reads of a socket, and so what may come beyond a window that is used up.
   */
  static final int MOST_BYTES = 16 * 1024;

  /** Who sends less at a time is not at full speed: an event has some hundred bytes. */
  private static final int FULL_SPEED_BYTES = 2 * 1024;

  private final ByteBuffer ahead = ByteBuffer.allocateDirect(MOST_BYTES).limit(0);
  private @Nullable UpstreamSession session; // whose turn it is
  private @Nullable IOEventHandler handler;
  private final ByteBuffer gathered = ByteBuffer.allocate(MOST_BYTES);
  private @Nullable ApacheAttempt fed; // that bytes are gathered for
  private boolean passing; // what was gathered is being passed on
  private boolean running;

  /** The turn of the current thread; null for threads that are no I/O threads of ours. */
  static @Nullable Turn ofThread() {
    return Thread.currentThread() instanceof UpstreamThread thread ? thread.turn() : null;
  }

  /** A connection has become readable; {@link #handler} is asked for next. */
  void begin(UpstreamSession readable) {
    session = readable;
    running = false;
  }

  /** What is to be called in the place of a connection's handler, if its turn has just begun. */
  @Nullable IOEventHandler handler(UpstreamSession asked, @Nullable IOEventHandler own) {
    if (asked != session || running || own == null) {
      return own;
    }
    handler = own;
    running = true;
    return this;
  }

  /** The turn that the current thread is in with this connection; null if it is in none. */
  static @Nullable Turn of(UpstreamSession asked) {
    Turn turn = ofThread();
    return turn != null && turn.running && turn.session == asked ? turn : null;
  }

  boolean hasBytes() {
    return ahead.hasRemaining();
  }

  /** Reads the socket; returns what {@link IOSession#read} has returned. */
  int read(IOSession socket) throws IOException {
    ahead.clear();
    int count = 0;
    try {
      count = socket.read(ahead);
    } finally {
      ahead.position(0).limit(Math.max(0, count));
    }
    return count;
  }

  /** Moves as many bytes as there is room for; returns how many. */
  int give(ByteBuffer destination) {
    int count = Math.min(destination.remaining(), ahead.remaining());
    destination.put(destination.position(), ahead, ahead.position(), count);
    destination.position(destination.position() + count);
    ahead.position(ahead.position() + count);
    return count;
  }

  /**
   * Takes bytes for an attempt, and passes them on later in this turn; HttpCore brings them chunk
   * by chunk, that is event by event.
   *
   * @return false if there is no turn: nothing was taken
   */
  boolean gathers(ApacheAttempt attempt, ByteBuffer bytes) {
    if (!running) {
      return false;
    }
    if (fed != attempt) {
      endGathering();
      fed = attempt;
    }
    while (bytes.hasRemaining()) {
      if (!gathered.hasRemaining()) {
        passGathered(attempt);
      }
      int count = Math.min(bytes.remaining(), gathered.remaining());
      gathered.put(gathered.position(), bytes, bytes.position(), count);
      gathered.position(gathered.position() + count);
      bytes.position(bytes.position() + count);
    }
    return true;
  }

  /** Passes on what was gathered for this attempt, if anything was. */
  void passGatheredOf(ApacheAttempt attempt) {
    if (fed == attempt) {
      passGathered(attempt);
    }
  }

  private void passGathered(ApacheAttempt attempt) {
    if (gathered.position() > 0 && !passing) {
      passing = true;
      try {
        attempt.pass(gathered.flip());
      } finally {
        gathered.clear();
        passing = false;
      }
    }
  }

  private void endGathering() {
    ApacheAttempt told = fed;
    fed = null;
    if (told != null) {
      passGathered(told);
      told.pause();
    }
  }

  @Override
  public void inputReady(IOSession ioSession, @Nullable ByteBuffer source) throws IOException {
    UpstreamSession reading = session;
    IOEventHandler own = handler;
    if (reading == null || own == null) {
      throw new IllegalStateException("not begun");
    }
    try {
      own.inputReady(ioSession, source);
      int left = ahead.remaining();
      while (left > 0 && ioSession.isOpen()) {
        reading.nextPass();
        own.inputReady(ioSession, null);
        if (ahead.remaining() == left) { // nobody wants them: no answer that is to be trusted
          ioSession.close(CloseMode.IMMEDIATE);
        }
        left = ahead.remaining();
      }
    } finally {
      running = false;
      session = null;
      handler = null;
      int read = ahead.limit();
      ahead.limit(0);
      endGathering();
      if (read >= FULL_SPEED_BYTES && read < MOST_BYTES) {
        letMoreCome();
      }
    }
  }

  /**
   * At full speed, when all that had come is passed on: whoever waits for this processor goes
   * first, so that the next turn finds more. Returns at once if nobody waits.
   */
  @SuppressWarnings(
      "ThreadPriorityCheck") // right without it too: only the size of turns rests on it
  private static void letMoreCome() {
    Thread.yield();
  }

  // Never called: this stands in for a handler only while input is ready.

  @Override
  public void connected(IOSession ioSession) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void outputReady(IOSession ioSession) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void timeout(IOSession ioSession, Timeout timeout) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void exception(IOSession ioSession, Exception cause) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void disconnected(IOSession ioSession) {
    throw new UnsupportedOperationException();
  }
}
