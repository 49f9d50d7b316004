package dev.headrace.relay;

import dev.headrace.chain.Finding;
import dev.headrace.chain.WrappedResponse;
import dev.headrace.observe.Outcome;
import dev.headrace.upstream.HeaderField;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
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
 * <p>Any thread may append. Whoever comes first drains, for all the others too ({@link #wake}):
 * calls to the container are therefore strictly serial, without a lock held around them and without
 * a thread being handed over. Containers call back inside our own calls; such a call only leaves a
 * signal for the drain that is already running.
 */
final class AsyncClientStream extends ClientStream implements WriteListener, AsyncListener {

  /**
   * Set on a request whose connection is to be dropped: the servlet or filter throws when it sees
   * it.
   */
  static final String ABORT_ATTRIBUTE = "dev.headrace.abort";

  private static final long LONGEST_WAIT_NANOS = Duration.ofSeconds(1).toNanos();

  private static final long PAUSE_NANOS = 20_000;

  /** A container calls onWritePossible within milliseconds; a wrapper may never pass it on. */
  private static final long LONGEST_SILENCE_NANOS = Duration.ofSeconds(2).toNanos();

  private final AsyncContext async;
  private final HttpServletRequest request;
  private final HttpServletResponse response;
  private final ServletOutputStream out;
  private final @Nullable MethodHandle bufferWrite;
  private final int pieceBytes;
  private final Executor writer;
  private final boolean ownWriters;
  private final boolean mayInterrupt; // a write

  /** How often a drain was asked for; whoever raises it from zero drains. */
  private final AtomicInteger signals = new AtomicInteger();

  /** The thread that drains, if any: callbacks inside its own calls must not wait for it. */
  private volatile @Nullable Thread drainer;

  // Only the draining thread uses these; the signals order its turns.
  private boolean flushWanted;
  private boolean flushedOnce;

  private volatile boolean writable; // the container has called onWritePossible once
  private volatile boolean givenUp; // on a response wrapper
  private volatile boolean pastWrapper; // what is queued goes to the container's own response
  private volatile boolean unfinished; // when the container has ended it
  private volatile long startNanos; // from when on the container may call
  private volatile boolean held; // the thread on which it would

  private final Object call = new Object();
  private @Nullable Thread inCall; // guarded by call: a writer of ours that a client may hold
  private boolean interrupted; // guarded by call

  /**
   * @param async the context of the request, just started
   * @param request the request that {@code async} was started with
   * @param response the response that {@code async} was started with
   * @param wrapped what filters have made of it; null if they have left its stream alone
   * @param containers what is known of the one that runs us
   * @param writer where to drain: on the calling thread as a rule, see {@link Writers}
   */
  AsyncClientStream(
      AsyncContext async,
      HttpServletRequest request,
      HttpServletResponse response,
      @Nullable WrappedResponse wrapped,
      Listener listener,
      LongSupplier nanoTime,
      Containers containers,
      Executor writer)
      throws IOException {
    super(listener, nanoTime, wrapped, containers, request);
    this.writer = writer;
    this.ownWriters = writer instanceof ExecutorService;
    this.mayInterrupt = ownWriters && Containers.interruptsEndOneAnswer(request);
    this.async = async;
    this.request = request;
    this.response = response;
    this.out = response.getOutputStream();
    this.bufferWrite = wrapped == null ? containers.bufferWrite(out) : null;
    this.pieceBytes = bufferWrite == null ? Containers.pieceBytes(response) : Integer.MAX_VALUE;
    this.startNanos = nanoTime.getAsLong();
  }

  /**
   * Says that the thread that the container has given to the request is in use, or no longer:
   * before it is given back, Tomcat, Jetty and Undertow do not call.
   */
  void holdsThread(boolean holds) {
    startNanos = nanoTime.getAsLong();
    held = holds;
  }

  /** Lets the container call us; Payara does so inside this call. */
  void start() {
    async.addListener(this);
    out.setWriteListener(this);
  }

  /**
   * Does what there is to do, unless another thread is at it: then that one goes round once more.
   */
  @Override
  void wake() {
    if (signals.getAndIncrement() != 0) {
      return;
    }
    if (!ownWriters) {
      drain();
      return;
    }
    try {
      writer.execute(this::drain);
    } catch (RejectedExecutionException | Error e) {
      // The gateway has closed, and what is still to be said is short; or there is no thread to be
      // had, and nobody else would ever come.
      drain();
    }
  }

  /**
   * {@inheritDoc} A writer of ours that this client holds is interrupted, where that does no harm
   * to others; elsewhere the container calls it back.
   */
  @Override
  void abort(Outcome outcome) {
    super.abort(outcome);
    if (!mayInterrupt) {
      return;
    }
    synchronized (call) {
      Thread held = inCall;
      if (held != null && held != Thread.currentThread()) {
        interrupted = true;
        held.interrupt(); // while the monitor is held it is still in there
      }
    }
  }

  private void enterCall() {
    if (ownWriters) {
      synchronized (call) {
        inCall = Thread.currentThread();
      }
    }
  }

  private void leaveCall() {
    if (ownWriters) {
      synchronized (call) {
        inCall = null;
        if (interrupted) {
          Thread.interrupted(); // it was for this call
        }
      }
    }
  }

  private boolean wasInterrupted() {
    synchronized (call) {
      return interrupted;
    }
  }

  private void drain() {
    boolean broken = true;
    try {
      int handled = 1;
      do {
        drainer = Thread.currentThread();
        turn();
        drainer = null;
        handled = signals.addAndGet(-handled);
      } while (handled != 0);
      broken = false;
    } finally {
      if (broken) { // an Error: nothing is sure any more, but nobody shall wait for this thread
        drainer = null;
        signals.set(0);
      }
    }
  }

  private void turn() {
    boolean unsure = false; // whether the container knows that something has gone wrong
    try {
      write();
    } catch (IOException | RuntimeException e) {
      if (wasInterrupted() && !isOver()) {
        setOver();
        tellFinished();
        dropConnection();
        return;
      }
      if (wrapped != null && bytesWritten() == 0 && wrapped.threw(e)) {
        unwritable(Finding.CLOSED);
      } else {
        // Containers report a client that has left in many ways, a NullPointerException among them.
        markGone(e);
        unsure = e instanceof RuntimeException; // it may be of our own making, or of a wrapper's
      }
    } catch (Error e) {
      markGone(e); // here, where the request still can be ended
    }
    if (isGone() && !isOver()) {
      // No container completes the request of a client that has left by itself, not reliably.
      setOverForGone();
      notAnswered(response);
      if ((isBroken() || unsure || unfinished) && hasBegun()) {
        dropConnection(); // completed, it would look whole
      } else {
        complete();
      }
    }
  }

  /** Whether the client may have the head of an answer; false too for one that is over. */
  private boolean hasBegun() {
    try {
      return response.isCommitted();
    } catch (RuntimeException e) {
      return false; // the container has taken the response back
    }
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
      LockSupport.parkNanos(PAUSE_NANOS); // the other thread may need this core
    }
  }

  private void write() throws IOException {
    while (!isOver() && !isGone()) {
      if (pastWrapper) {
        writePastWrapper();
        return;
      }
      ClientQueue.End wanted = queue.end();
      boolean data = queue.hasData();
      if (wanted == ClientQueue.End.ABORTING) {
        setOver();
        tellFinished();
        dropConnection();
        return;
      }
      boolean nothing = !data && !flushWanted && wanted == ClientQueue.End.OPEN;
      if (!writable || (nothing && queue.inFlight() == 0)) {
        return;
      }
      if (!out.isReady()) {
        return; // onWritePossible comes
      }
      taken();
      if (flushWanted && (data || wanted != ClientQueue.End.FINISHING || leavesBody())) {
        enterCall();
        try {
          out.flush();
        } finally {
          leaveCall();
        }
        flushed();
        flushWanted = !flushedOnce; // Open Liberty ignores the first flush of a response
        flushedOnce = true;
        if (!flushWanted) {
          lookAfterFirstFlush();
        }
      } else if (data) {
        writeQueued(wanted == ClientQueue.End.FINISHING);
      } else if (wanted != ClientQueue.End.OPEN) {
        end(wanted);
      }
    }
  }

  private void end(ClientQueue.End wanted) {
    if (wanted == ClientQueue.End.FINISHING) {
      if (givesUpForestalled(response)) {
        return;
      }
      applyHead(response); // of an answer without a body; may throw if the container was faster
    }
    setOver();
    tellFinished();
    if (wanted == ClientQueue.End.FINISHING) {
      Containers.endUnread(request, response);
      complete(); // flushes by itself
    } else {
      dropConnection();
    }
  }

  /**
   * @param last whether the answer is complete with what is queued: then the container may keep it
   *     for a moment, and send it together with the end of the body
   */
  private void writeQueued(boolean last) throws IOException {
    if (wrapped != null && bytesWritten() == 0 && wrapped.isCommitted()) {
      unwritable(Finding.CLOSED); // a filter has done so on the request's way back
      return;
    }
    if (givesUpForestalled(response)) {
      return;
    }
    applyHead(response);
    int length = queue.take(pieceBytes);
    MethodHandle unbuffered = last ? null : bufferWrite;
    enterCall();
    try {
      Containers.write(unbuffered, out, queue.outgoing(), queue.outgoingOffset(), length);
    } finally {
      leaveCall();
    }
    wrote(length);
    flushWanted = unbuffered == null;
    if (!flushWanted) {
      flushed(); // there is nothing to flush
    }
  }

  @Override
  boolean isUnwritable(long nowNanos) {
    if (wrapped == null || givenUp || held || bytesWritten() > 0 || isOver() || isGone()) {
      return false;
    }
    if (ownWriters && signals.get() != 0 && drainer == null) {
      return false; // it waits for one of our own threads
    }
    long silence;
    if (writable) {
      silence = stuckNanos(nowNanos);
    } else {
      silence = wrapped.isKnownToCallBack() ? 0 : nowNanos - startNanos;
    }
    if (silence <= LONGEST_SILENCE_NANOS) {
      return false;
    }
    givenUp = true;
    wrapped.found(Finding.UNWRITABLE);
    return true;
  }

  @Override
  boolean answerUnwritable(int status, List<HeaderField> headers, byte[] body, Outcome outcome) {
    if (!queue.answerInsteadOfAll(status, headers, body, outcome)) {
      return false;
    }
    pastWrapper = true;
    wake();
    return true;
  }

  /**
   * Writes a short answer to the container's own response. The container was never asked to call us
   * when it can write, or nothing has been written that could make it wait.
   */
  private void writePastWrapper() {
    setOver();
    HttpServletResponse direct = wrapped == null ? response : wrapped.innermost();
    boolean answered = false;
    try {
      if (!direct.isCommitted()) {
        direct.reset(); // also what the wrapper has set, such as Content-Encoding
        applyHead(direct);
        int length = queue.take(Integer.MAX_VALUE);
        ServletOutputStream directOut = direct.getOutputStream();
        boolean unused = directOut.isReady(); // to be asked before a write, if anybody listens
        directOut.write(queue.outgoing(), queue.outgoingOffset(), length);
        wrote(length);
        answered = true;
      }
    } catch (IOException | RuntimeException | Error e) {
      // Nothing can be said to this client any more.
    }
    tellFinished();
    if (answered) {
      Containers.endUnread(request, response);
      complete();
    } else {
      dropConnection();
    }
  }

  /** The container is ready again, so it holds nothing of ours any more. */
  private void taken() {
    int bytes = queue.inFlight();
    if (bytes > 0) {
      // First, so that the upstream's clock runs anew before the client's one stops.
      listener.onTaken(bytes);
      queue.taken();
    }
  }

  private boolean leavesBody() {
    return Containers.waitsForBody(request);
  }

  private void complete() {
    try {
      async.complete();
    } catch (RuntimeException e) {
      // The container was faster: Tomcat completes by itself after an error.
      if (!isGone()) {
        LOG.warn(NOT_ENDED, e);
      }
    }
  }

  /**
   * Ends the connection without the mark of a complete body. Servlet has no call for it, but an
   * exception out of a dispatch of a committed response makes most containers close (HTTP/1.1) or
   * reset (HTTP/2).
   */
  private void dropConnection() {
    Containers.drop(request);
    try {
      request.setAttribute(ABORT_ATTRIBUTE, true);
      async.dispatch();
    } catch (RuntimeException e) {
      complete();
    }
  }

  @Override
  public void onWritePossible() {
    if (wrapped != null && !writable) {
      wrapped.callsBack();
    }
    writable = true;
    wake();
  }

  @Override
  public void onError(Throwable t) {
    markGone(t);
    wake();
    awaitDrainer();
  }

  @Override
  public void onError(AsyncEvent event) {
    Throwable t = event.getThrowable();
    if (wrapped != null && bytesWritten() == 0 && t != null && !(t instanceof IOException)) {
      unwritable(Finding.CLOSED); // a filter has failed on the request's way back
    }
    if (t == null) {
      markGone("async error");
    } else if (Containers.isOfTheApplication(t)) {
      markBroken(t);
    } else {
      markGone(t);
    }
    wake();
    awaitDrainer();
  }

  @Override
  public void onTimeout(AsyncEvent event) {
    // Ours is off (0): Tomcat times out what still runs when a context stops.
    listener.onContainerEnds();
    awaitDrainer();
    if (!isOver() && hasBegun()) {
      // What the client has not taken yet is lost, and Tomcat would end the answer properly.
      unfinished = true;
      Containers.dropHere(request);
    }
    markGone("the container has ended the request");
    wake();
  }

  @Override
  public void onComplete(AsyncEvent event) {
    markGone("the container has completed the request");
    wake();
  }

  @Override
  public void onStartAsync(AsyncEvent event) {
    // nobody starts it again
  }
}
