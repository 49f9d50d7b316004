package dev.headrace.relay;

import dev.headrace.chain.Finding;
import dev.headrace.chain.WrappedResponse;
import dev.headrace.observe.BestEffort;
import dev.headrace.observe.Outcome;
import dev.headrace.upstream.HeaderField;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The answer on its way to one client: a queue of bytes, bounded by demand, that a container takes
 * as fast as the client reads. How it is written is the subclass's matter. Thread-safe; no method
 * blocks.
 */
abstract class ClientStream {

  /** Told what becomes of the bytes. Implementations must not block. */
  interface Listener {

    /** The container has taken this many bytes: the upstream may send as many more. */
    void onTaken(int bytes);

    /**
     * Everything was handed over and the end was asked for; the request is completed right after
     * this.
     *
     * @param outcome of whoever asked for the end
     */
    void onFinished(Outcome outcome);

    /**
     * The client has left, or the container says so. Called at most once, and not after {@link
     * #onFinished}.
     *
     * @param why for the log, without anything that the client wrote
     */
    void onGone(String why);

    /**
     * A filter's response wrapper does not let the answer be written. Nothing of it was. May be
     * called more than once.
     */
    void onUnwritable();

    /**
     * In the place of {@link #onGone}: something is broken, here if it is an error, such as a
     * missing class, and else in a filter of the application.
     */
    void onBroken(Throwable cause);

    /** A filter's response wrapper has ended the answer before it began. As {@link #onGone}. */
    void onEndedByWrapper();

    /**
     * The container is about to end the request on its own account, such as Tomcat when it stops
     * the application: the last moment for a last event.
     */
    void onContainerEnds();

    /**
     * Somebody interrupts the thread that waits for the answer, such as Tomcat's valve that looks
     * for stuck threads. The client may still be there: it is to be told.
     */
    default void onInterrupted() {
      onContainerEnds();
    }
  }

  static final Logger LOG = LoggerFactory.getLogger(ClientStream.class);
  static final String NOT_ENDED = "An exchange could not be ended properly";

  final ClientQueue queue;
  final Listener listener;
  final LongSupplier nanoTime;
  final @Nullable WrappedResponse wrapped; // null where no wrapper has a stream of its own
  private final AtomicBoolean gone = new AtomicBoolean();
  private volatile @Nullable Throwable broken;
  private volatile boolean over; // nothing is written any more; set by the writing thread
  private volatile boolean settled; // how it ended is the writing thread's to say, or nobody's
  private volatile long lastWriteNanos;
  private volatile long bytesWritten; // written by the writing thread
  private final Containers.Chunks chunks;
  private boolean streamed; // the writing thread's: the head is that of a stream

  /**
   * @param containers what is known of the one that runs us
   */
  ClientStream(
      Listener listener,
      LongSupplier nanoTime,
      @Nullable WrappedResponse wrapped,
      Containers containers,
      HttpServletRequest request) {
    this(listener, nanoTime, wrapped, containers.cuts(request), Containers.chunks(request));
  }

  /**
   * @param cuts whether connections can be dropped in mid-answer
   * @param chunks how they are asked for
   */
  ClientStream(
      Listener listener,
      LongSupplier nanoTime,
      @Nullable WrappedResponse wrapped,
      boolean cuts,
      Containers.Chunks chunks) {
    this.chunks = chunks;
    this.queue = new ClientQueue(nanoTime, cuts);
    this.listener = listener;
    this.nanoTime = nanoTime;
    this.wrapped = wrapped;
    this.lastWriteNanos = nanoTime.getAsLong();
  }

  /** Writes what the client can take, here or on the thread that writes. */
  abstract void wake();

  /**
   * Sets status and headers, unless that was done before; returns whether it was not. They are sent
   * with the first bytes.
   */
  final boolean head(int status, List<HeaderField> headers) {
    return queue.head(status, headers);
  }

  /** Whether a head was set. */
  final boolean hasHead() {
    return queue.hasHead();
  }

  /**
   * Queues bytes without writing them.
   *
   * @param endsAt what the bytes end with
   * @return how many bytes wait now, these included; -1 if the stream is sealed and nothing was
   *     queued
   */
  final int queue(byte[] bytes, int offset, int length, ClientQueue.Place endsAt) {
    return queue.add(bytes, offset, length, endsAt);
  }

  /** Queues bytes and writes what the client can take; returns as {@link #queue}. */
  final int append(byte[] bytes, int offset, int length, ClientQueue.Place endsAt) {
    int waiting = queue.add(bytes, offset, length, endsAt);
    if (waiting >= 0) {
      wake();
    }
    return waiting;
  }

  /** All bytes queued so far. */
  final long queuedBytes() {
    return queue.addedBytes();
  }

  /**
   * Writes these bytes only if there is a head, the stream stands at an event boundary, nothing
   * waits and nothing was queued since; returns whether it did.
   *
   * @param since as {@link #queuedBytes} said when the caller began to think about it
   */
  final boolean appendIfQuiet(byte[] bytes, long since) {
    boolean added = queue.addIfQuiet(bytes, since);
    wake(); // also when nothing was queued: Undertow may have kept the tail of the last flush
    return added;
  }

  /** Seals the stream; it ends properly once everything queued has been taken. */
  final void finish(Outcome outcome) {
    queue.finish(outcome);
    wake();
  }

  /**
   * Seals the stream with a last event, if it stands at an event boundary; elsewhere the connection
   * is aborted after what is queued, so that the client cannot take the answer for complete.
   */
  final void finishWith(byte[] lastEvent, Outcome outcome) {
    queue.finishWith(lastEvent, outcome);
    wake();
  }

  /**
   * Puts a whole answer in the place of one of which not a byte was queued, and seals the stream;
   * returns false if it is too late for that.
   */
  final boolean answerInstead(int status, List<HeaderField> headers, byte[] body, Outcome outcome) {
    boolean replaced = queue.answerInstead(status, headers, body, outcome);
    if (replaced) {
      wake();
    }
    return replaced;
  }

  /** Seals the stream; the connection is dropped behind what is queued. */
  final void cut(Outcome outcome) {
    queue.cut(outcome);
    wake();
  }

  /** Seals the stream with a last event if it stands at an event boundary, else does nothing. */
  final boolean finishAtBoundaryWith(byte[] lastEvent, Outcome outcome) {
    boolean finished = queue.finishAtBoundaryWith(lastEvent, outcome);
    if (finished) {
      wake();
    }
    return finished;
  }

  /** Seals the stream and drops the connection without waiting for the client. */
  void abort(Outcome outcome) {
    queue.abort(outcome);
    wake();
  }

  /**
   * Whether a response wrapper has not let anything be written for so long that it never will; the
   * log then says which.
   */
  boolean isUnwritable(long nowNanos) {
    return false;
  }

  /**
   * Answers past a response wrapper that does not let anything be written; returns false if that
   * cannot be.
   */
  boolean answerUnwritable(int status, List<HeaderField> headers, byte[] body, Outcome outcome) {
    return false;
  }

  /** Says that the client has left, when the one who found out was not this stream. */
  final void clientHasLeft(String why) {
    markGone(why);
    wake();
  }

  /**
   * How long bytes have been waiting without the client taking any, at least 1; 0 when none wait.
   */
  final long stuckNanos(long nowNanos) {
    return queue.stuckNanos(nowNanos);
  }

  /** When bytes were last handed to the container. */
  final long lastWriteNanos() {
    return lastWriteNanos;
  }

  /** All bytes handed to the container so far. */
  final long bytesWritten() {
    return bytesWritten;
  }

  // ---- for the one who writes

  final boolean isGone() {
    return gone.get();
  }

  /** Whether it is over because something here is broken, not because the client left. */
  final boolean isBroken() {
    return broken != null;
  }

  final boolean isOver() {
    return over;
  }

  /** Nothing is written any more, and how it ended is for the caller to say. */
  final void setOver() {
    settled = true;
    over = true;
  }

  /**
   * Nothing is written any more, since the client has left. Whoever found that out says so, perhaps
   * only in a moment.
   */
  final void setOverForGone() {
    over = true;
  }

  final void wrote(int bytes) {
    long total = bytesWritten + bytes; // only the writing thread writes it
    bytesWritten = total;
  }

  final void flushed() {
    lastWriteNanos = nanoTime.getAsLong();
  }

  /** Sets what is to be set before the first bytes. */
  final void applyHead(HttpServletResponse response) {
    ClientQueue.Head head = queue.takeHead();
    if (head != null) {
      response.setStatus(head.status());
      boolean stream = false;
      boolean coded = false;
      boolean counted = false;
      for (HeaderField field : head.headers()) {
        stream |= field.is("content-type") && isStream(field.value());
        coded |= field.is("content-encoding");
        counted |= field.is("content-length");
        response.setHeader(field.name(), field.value());
        if (field.is("content-type")) {
          Containers.labelUtf8(response, field.value());
        }
      }
      if (!counted) {
        Containers.askFor(chunks, response);
      }
      streamed |= stream && !coded; // what the upstream has compressed shows nothing of a wrapper
    }
  }

  private static boolean isStream(String contentType) {
    return contentType.startsWith("text/event-stream") || contentType.startsWith("text/plain");
  }

  /** Looks once, after the first flush, whether anything was sent. */
  final void lookAfterFirstFlush() {
    if (wrapped != null && streamed) {
      streamed = false;
      wrapped.flushed();
    }
  }

  /** Remembers that a wrapper does not let anything be written. */
  final void unwritable(Finding finding) {
    if (wrapped != null) {
      wrapped.found(finding);
      listener.onUnwritable();
    }
  }

  /**
   * Sees to it that nobody takes silence for success: a request whose body could not be read, such
   * as one with a broken chunk, counts as one whose client has left, but a container that completes
   * it by itself would say 200.
   */
  final void notAnswered(HttpServletResponse response) {
    try {
      if (!response.isCommitted()) {
        response.setStatus(isBroken() ? 500 : 400);
      }
    } catch (RuntimeException e) {
      // A container that has taken the response back has no use for a status either.
    }
  }

  /**
   * Tells the listener that the answer has ended as whoever sealed the stream wanted. Whatever it
   * throws is only logged: the request is still to be completed, or its client waits for ever.
   */
  final void tellFinished() {
    Outcome outcome = queue.outcome();
    try {
      listener.onFinished(
          outcome == null ? new Outcome(Outcome.Kind.FAILED, "no outcome") : outcome);
    } catch (RuntimeException | Error e) {
      BestEffort.log(() -> LOG.error(NOT_ENDED, e));
    }
  }

  /**
   * Whether it was no client that left: a filter has ended the answer before the first byte of
   * ours, and the container then takes the request for over.
   */
  private boolean isEndedByWrapper() {
    if (wrapped == null || bytesWritten > 0 || !wrapped.isCommitted()) {
      return false;
    }
    BestEffort.log(() -> wrapped.found(Finding.CLOSED));
    return true;
  }

  /** As the container or a write of ours has it: most failures mean that the client has left. */
  final void markGone(Throwable failure) {
    if (failure instanceof Error) {
      markBroken(failure);
    } else {
      markGone(failure.toString());
    }
  }

  /** Not the client has left: something is broken here, or in a filter of the application. */
  final void markBroken(Throwable cause) {
    if (!isGone()) {
      broken = cause;
    }
    markGone(cause.toString());
  }

  /**
   * Gives up if a filter has sent an answer's head of its own before the first byte of ours: status
   * and headers would be lost without a word. Returns whether it did.
   */
  final boolean givesUpForestalled(HttpServletResponse response) {
    if (bytesWritten > 0 || !response.isCommitted()) {
      return false;
    }
    markBroken(new ForestalledException());
    return true;
  }

  final void markGone(String why) {
    if (gone.compareAndSet(false, true)) {
      queue.gone();
      if (!settled) {
        try {
          Throwable cause = broken;
          if (cause != null) {
            listener.onBroken(cause);
          } else if (isEndedByWrapper()) {
            listener.onEndedByWrapper();
          } else {
            listener.onGone(why);
          }
        } catch (RuntimeException | Error e) {
          BestEffort.log(() -> LOG.error(NOT_ENDED, e));
        }
      }
    }
  }
}
