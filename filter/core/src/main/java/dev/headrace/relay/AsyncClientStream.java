package dev.headrace.relay;

import dev.headrace.upstream.HeaderField;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes to a client through Servlet non-blocking I/O, in the one way that all containers agree on:
 * an {@code isReady()} right before every write and every flush, all that is queued in one write,
 * the first flush twice (Open Liberty ignores the first), completion only while ready (Jetty drops
 * data otherwise).
 *
 * <p>Any thread may append. Whoever comes first drains, for all the others too ({@link #drain}):
 * calls to the container are therefore strictly serial, without a lock held around them and without
 * a thread being handed over. Containers call back inside our own calls; such a call only leaves a
 * signal for the drain that is already running.
 *
 * <p>Two arrays take turns: new bytes are collected in one while the container may still hold the
 * other.
 */
final class AsyncClientStream implements ClientStream, WriteListener, AsyncListener {

  /**
   * Set on a request whose connection is to be dropped: the servlet or filter throws when it sees
   * it.
   */
  static final String ABORT_ATTRIBUTE = "dev.headrace.abort";

  private static final int FIRST_CAPACITY = 1024;

  private static final long LONGEST_WAIT_NANOS = Duration.ofMillis(100).toNanos();

  /** An array that grew beyond this in a burst is not kept. */
  private static final int KEPT_CAPACITY = 16 * 1024;

  // OPEN --finish--> FINISHING (end properly when drained);  OPEN --finishWith in mid-event-->
  // CUTTING (abort when drained)
  // OPEN, FINISHING, CUTTING --abort--> ABORTING;  any --the client has left--> GONE
  private enum End {
    OPEN,
    FINISHING,
    CUTTING,
    ABORTING,
    GONE
  }

  private final AsyncContext async;
  private final HttpServletRequest request;
  private final HttpServletResponse response;
  private final ServletOutputStream out;
  private final Listener listener;
  private final LongSupplier nanoTime;

  private final Object lock = new Object();
  private byte[] incoming = new byte[FIRST_CAPACITY]; // guarded by lock
  private int incomingLength; // guarded by lock
  private boolean atBoundary = true; // guarded by lock
  private End end = End.OPEN; // guarded by lock

  /** How often a drain was asked for; whoever raises it from zero drains. */
  private final AtomicInteger signals = new AtomicInteger();

  /** The thread that drains, if any: callbacks inside its own calls must not wait for it. */
  private volatile @Nullable Thread drainer;

  private final AtomicBoolean gone = new AtomicBoolean();

  // Only the draining thread writes these; the signals order its turns.
  private byte[] outgoing = new byte[FIRST_CAPACITY];
  private boolean flushWanted;
  private boolean flushedOnce;
  private volatile boolean over; // read by other threads
  private volatile int inFlight; // bytes of outgoing that the container may still hold
  private volatile boolean writable; // the container has called onWritePossible once
  private volatile long lastWriteNanos;
  private volatile long waitingSinceNanos;
  private volatile long bytesWritten;

  /**
   * @param async the context of the request, just started
   * @param request the request that {@code async} was started with
   * @param response the response that {@code async} was started with
   */
  AsyncClientStream(
      AsyncContext async,
      HttpServletRequest request,
      HttpServletResponse response,
      Listener listener,
      LongSupplier nanoTime)
      throws IOException {
    this.async = async;
    this.request = request;
    this.response = response;
    this.out = response.getOutputStream();
    this.listener = listener;
    this.nanoTime = nanoTime;
    this.lastWriteNanos = nanoTime.getAsLong();
  }

  /** Lets the container call us; Payara does so inside this call. */
  void start() {
    async.addListener(this);
    out.setWriteListener(this);
  }

  @Override
  public void head(int status, List<HeaderField> headers) {
    try {
      response.setStatus(status);
      for (HeaderField field : headers) {
        response.setHeader(field.name(), field.value());
      }
    } catch (RuntimeException e) {
      markGone(e.toString()); // the container has already taken the response back
    }
  }

  @Override
  public int append(byte[] bytes, int offset, int length, boolean endsAtBoundary) {
    int waiting;
    synchronized (lock) {
      if (end != End.OPEN) {
        return -1;
      }
      queue(bytes, offset, length);
      atBoundary = endsAtBoundary;
      waiting = incomingLength + inFlight;
    }
    drain();
    return waiting;
  }

  @Override
  public void appendIfQuiet(byte[] bytes) {
    synchronized (lock) {
      if (end == End.OPEN && atBoundary && incomingLength == 0 && inFlight == 0) {
        queue(bytes, 0, bytes.length);
      }
    }
    drain(); // also when nothing was queued: Undertow may have kept the tail of the last flush
  }

  @Override
  public void finish() {
    synchronized (lock) {
      if (end != End.OPEN) {
        return;
      }
      end = End.FINISHING;
      clientIsAskedFromNow();
    }
    drain();
  }

  @Override
  public void finishWith(byte[] lastEvent) {
    synchronized (lock) {
      if (end != End.OPEN) {
        return;
      }
      if (atBoundary) {
        queue(lastEvent, 0, lastEvent.length);
        end = End.FINISHING;
      } else {
        end = End.CUTTING;
      }
      clientIsAskedFromNow();
    }
    drain();
  }

  @Override
  public void abort() {
    synchronized (lock) {
      if (end == End.GONE || end == End.ABORTING) {
        return;
      }
      end = End.ABORTING;
    }
    drain();
  }

  private void queue(byte[] bytes, int offset, int length) {
    clientIsAskedFromNow();
    int needed = incomingLength + length;
    if (needed > incoming.length) {
      incoming = java.util.Arrays.copyOf(incoming, Math.max(needed, incoming.length * 2));
    }
    System.arraycopy(bytes, offset, incoming, incomingLength, length);
    incomingLength = needed;
  }

  /** Starts the slow-client clock, unless it already runs for something that waits. */
  private void clientIsAskedFromNow() {
    if (incomingLength == 0 && inFlight == 0) {
      waitingSinceNanos = nanoTime.getAsLong();
    }
  }

  @Override
  public long stuckNanos(long nowNanos) {
    boolean waiting;
    synchronized (lock) {
      waiting = incomingLength > 0 || inFlight > 0 || end == End.FINISHING || end == End.CUTTING;
    }
    return waiting ? Math.max(0, nowNanos - waitingSinceNanos) : 0;
  }

  @Override
  public long lastWriteNanos() {
    return lastWriteNanos;
  }

  @Override
  public long bytesWritten() {
    return bytesWritten;
  }

  /**
   * Does what there is to do, unless another thread is at it: then that one goes round once more.
   */
  private void drain() {
    if (signals.getAndIncrement() != 0) {
      return;
    }
    int handled = 1;
    do {
      drainer = Thread.currentThread();
      try {
        write();
      } catch (IOException | RuntimeException e) {
        // Containers report a client that has left in many ways, a NullPointerException among them.
        markGone(e.toString());
      }
      if (gone.get()) {
        leave();
      }
      drainer = null;
      handled = signals.addAndGet(-handled);
    } while (handled != 0);
  }

  /**
   * Waits for the thread that is in a call of the container's, which takes microseconds. When a
   * write fails on a thread of ours, Tomcat 11.0.27 at once reports the error on one of its own and
   * gives the response to the next connection, while the write is still on its way out and marks
   * the response as failed: without this wait, one in ten clients that connected right then lost
   * their connection to another's broken pipe. The report is the last moment at which the container
   * can be held up. Bounded, in case a container holds a lock that the call needs.
   */
  private void awaitDrainer() {
    if (drainer == Thread.currentThread()) {
      return; // called back inside our own call
    }
    long start = System.nanoTime();
    while (signals.get() != 0 && System.nanoTime() - start < LONGEST_WAIT_NANOS) {
      LockSupport.parkNanos(20_000); // that thread may be waiting for a processor
    }
  }

  private void write() throws IOException {
    while (!over && !gone.get()) {
      boolean data;
      End wanted;
      synchronized (lock) {
        data = incomingLength > 0;
        wanted = end;
      }
      if (wanted == End.ABORTING) {
        over = true;
        listener.onFinished();
        dropConnection();
        return;
      }
      if (!writable || (!data && !flushWanted && inFlight == 0 && wanted == End.OPEN)) {
        return;
      }
      if (!out.isReady()) {
        return; // onWritePossible comes
      }
      taken();
      if (data) {
        writeQueued();
      } else if (flushWanted && wanted != End.FINISHING) {
        out.flush();
        lastWriteNanos = nanoTime.getAsLong();
        flushWanted = !flushedOnce; // Open Liberty ignores the first flush of a response
        flushedOnce = true;
      } else if (wanted != End.OPEN) {
        over = true;
        listener.onFinished();
        if (wanted == End.FINISHING) {
          complete(); // flushes by itself
        } else {
          dropConnection();
        }
      }
    }
  }

  private void writeQueued() throws IOException {
    int length;
    synchronized (lock) {
      byte[] filled = incoming;
      length = incomingLength;
      incoming = outgoing.length > KEPT_CAPACITY ? new byte[FIRST_CAPACITY] : outgoing;
      outgoing = filled;
      incomingLength = 0;
      inFlight = length;
    }
    flushWanted = true;
    out.write(outgoing, 0, length);
    long total = bytesWritten + length; // only the draining thread writes it
    bytesWritten = total;
  }

  /** The container is ready again, so it holds nothing of ours any more. */
  private void taken() {
    int bytes = inFlight;
    if (bytes > 0) {
      inFlight = 0;
      waitingSinceNanos = nanoTime.getAsLong();
      listener.onTaken(bytes);
    }
  }

  private void complete() {
    try {
      async.complete();
    } catch (RuntimeException e) {
      // The container was faster: Tomcat completes by itself after an error.
    }
  }

  /**
   * Ends the connection without the mark of a complete body. Servlet has no call for it, but an
   * exception out of a dispatch of a committed response makes containers close (HTTP/1.1) or reset
   * (HTTP/2).
   */
  private void dropConnection() {
    try {
      request.setAttribute(ABORT_ATTRIBUTE, true);
      async.dispatch();
    } catch (RuntimeException e) {
      complete();
    }
  }

  private void markGone(String why) {
    if (gone.compareAndSet(false, true)) {
      boolean tell = !over;
      synchronized (lock) {
        end = End.GONE;
        incomingLength = 0;
      }
      if (tell) {
        listener.onGone(why);
      }
    }
  }

  /** Completes the request of a client that has left: no container does so reliably by itself. */
  private void leave() {
    if (!over) {
      over = true;
      complete();
    }
  }

  @Override
  public void onWritePossible() {
    writable = true;
    drain();
  }

  @Override
  public void onError(Throwable t) {
    markGone(t.toString());
    drain();
    awaitDrainer();
  }

  @Override
  public void onError(AsyncEvent event) {
    Throwable t = event.getThrowable();
    markGone(t == null ? "async error" : t.toString());
    drain();
    awaitDrainer();
  }

  @Override
  public void onTimeout(AsyncEvent event) {
    // Ours is off (0): Tomcat times out what still runs when a context stops.
    markGone("the container has ended the request");
    drain();
  }

  @Override
  public void onComplete(AsyncEvent event) {
    markGone("the container has completed the request");
    drain();
  }

  @Override
  public void onStartAsync(AsyncEvent event) {
    // nobody starts it again
  }
}
