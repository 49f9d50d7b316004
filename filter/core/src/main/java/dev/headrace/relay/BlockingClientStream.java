package dev.headrace.relay;

import dev.headrace.chain.WrappedResponse;
import dev.headrace.observe.Outcome;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Writes to a client on the thread of its request, which waits in {@link #run} meanwhile, and has
 * read the request's body before: for requests that may not become asynchronous because of a filter
 * in front, or had better not because of a response wrapper that ends the answer when they do.
 * Everything else is as in {@link AsyncClientStream}.
 */
final class BlockingClientStream extends ClientStream implements RequestBody.Reader {

  /** The call of the container's that the writer is in. */
  private enum Call {
    NONE,
    READ,
    WRITE
  }

  private final HttpServletResponse response;
  private final ServletOutputStream out;
  private final Thread writer = Thread.currentThread();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean signalled; // guarded by lock
  private Call call = Call.NONE; // guarded by lock
  private boolean interrupted; // guarded by lock: the writer, to call it back from its call
  private final AtomicBoolean finished = new AtomicBoolean();
  private boolean interruptedByOthers; // the writer's: not by us
  private boolean flushedOnce; // the writer's

  /** To be made on the thread that will call {@link #run}. */
  BlockingClientStream(
      HttpServletRequest request,
      HttpServletResponse response,
      @Nullable WrappedResponse wrapped,
      Listener listener,
      LongSupplier nanoTime,
      Containers containers)
      throws IOException {
    super(listener, nanoTime, wrapped, containers, request);
    this.response = response;
    this.out = response.getOutputStream();
  }

  /**
   * {@inheritDoc} While the body is being read there is something to write only when nobody wants
   * the rest of it, such as when a clock has run out: so the thread is called back from there.
   */
  @Override
  void wake() {
    lock.lock();
    try {
      signalled = true;
      changed.signal();
      if (call == Call.READ) {
        callBack();
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * {@inheritDoc} A thread that is stuck in a read or a write is interrupted. Not every container
   * heeds that at once, so the exchange ends here and does not wait for it.
   */
  @Override
  void abort(Outcome outcome) {
    super.abort(outcome);
    boolean stuck;
    lock.lock();
    try {
      stuck = call != Call.NONE;
      if (stuck) {
        callBack();
      }
    } finally {
      lock.unlock();
    }
    if (stuck) {
      end();
    }
  }

  /** While the lock is held the writer is still in its call. */
  private void callBack() {
    if (writer != Thread.currentThread()) {
      interrupted = true;
      writer.interrupt();
    }
  }

  @Override
  public boolean entersRead() {
    lock.lock();
    try {
      if (signalled) {
        return false; // an answer is there already
      }
      call = Call.READ;
      return true;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void leavesRead() {
    leave();
  }

  /** False if the stream was aborted meanwhile: nobody would call it back out of a write. */
  private boolean entersWrite() {
    lock.lock();
    try {
      if (queue.end() == ClientQueue.End.ABORTING) {
        return false;
      }
      call = Call.WRITE;
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void leave() {
    lock.lock();
    try {
      call = Call.NONE;
      if (interrupted) {
        interrupted = false;
        boolean unused = Thread.interrupted(); // it was meant for the call
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Writes until the end of the answer.
   *
   * @throws StreamCutException if the connection is to be dropped, so that a cut answer does not
   *     look complete
   */
  void run() throws StreamCutException {
    try {
      writeAll();
    } finally {
      if (interruptedByOthers) {
        Thread.currentThread().interrupt(); // for whoever they meant
      }
    }
  }

  private void writeAll() throws StreamCutException {
    boolean unsure = false; // whether the container knows that something has gone wrong
    while (true) {
      ClientQueue.End wanted = queue.end();
      if (isGone()) {
        setOverForGone();
        notAnswered(response);
        if ((isBroken() || unsure) && response.isCommitted()) {
          throw new StreamCutException();
        }
        return;
      }
      if (wanted == ClientQueue.End.ABORTING) {
        end();
        throw new StreamCutException();
      }
      try {
        if (queue.hasData()) {
          writeQueued();
        } else if (wanted == ClientQueue.End.FINISHING) {
          applyHead(response); // of an answer without a body
          end();
          return;
        } else if (wanted == ClientQueue.End.CUTTING) {
          end();
          throw new StreamCutException();
        } else {
          await();
        }
      } catch (StreamCutException e) {
        throw e;
      } catch (InterruptedException e) {
        if (interruptedByOthers) { // once more, while the client is told
          markGone("the request was interrupted");
          unsure = true; // the container knows of nothing
        } else {
          interruptedByOthers = true;
          listener.onInterrupted();
        }
      } catch (IOException | RuntimeException | Error e) {
        if (queue.end() != ClientQueue.End.ABORTING) {
          markGone(e);
          // It may be of our own making, or of a wrapper's.
          unsure = e instanceof RuntimeException || Containers.isOfAnInterrupt(e);
        }
      }
    }
  }

  private void end() {
    if (finished.compareAndSet(false, true)) {
      setOver();
      tellFinished();
    }
  }

  private void await() throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (!signalled) {
        changed.await();
      }
      signalled = false;
    } finally {
      lock.unlock();
    }
  }

  private void writeQueued() throws IOException {
    applyHead(response);
    int length = queue.take(Integer.MAX_VALUE);
    if (!entersWrite()) {
      return;
    }
    try {
      out.write(queue.outgoing(), queue.outgoingOffset(), length);
      out.flush();
      if (!flushedOnce) {
        flushedOnce = true;
        out.flush(); // Open Liberty ignores the first flush of a response
        lookAfterFirstFlush();
      }
    } finally {
      leave();
    }
    wrote(length);
    flushed();
    // First, so that the upstream's clock runs anew before the client's one stops.
    listener.onTaken(length);
    queue.taken();
  }
}
