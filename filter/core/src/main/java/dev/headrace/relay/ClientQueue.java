package dev.headrace.relay;

import dev.headrace.observe.Outcome;
import dev.headrace.upstream.HeaderField;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What is still to be written to one client: the head, bytes, and how it is to end. Memory only: no
 * method calls anybody or blocks. Any thread may add; one thread at a time takes. Thread-safe.
 *
 * <p>Two arrays take turns: new bytes are collected in one while the container may still hold the
 * other.
 */
final class ClientQueue {

  /**
   * Status and headers of the answer.
   *
   * @param status HTTP status
   * @param headers all that are to be set
   */
  record Head(int status, List<HeaderField> headers) {}

  /** What the bytes added so far end with. */
  enum Place {
    /** Something that goes on: nothing of ours can stand here. */
    INSIDE,
    /** A complete event, behind which more may follow. */
    BOUNDARY,
    /** The last event of the answer: nothing may follow it. */
    END
  }

  /**
   * What becomes of the stream.
   *
   * <pre>
   * OPEN --finish--> FINISHING                      ends properly when all is written
   * OPEN --finishWith in mid-event--> CUTTING       aborts when all is written
   * OPEN, FINISHING, CUTTING --abort--> ABORTING
   * any --the client has left--> GONE
   * </pre>
   */
  enum End {
    OPEN,
    FINISHING,
    CUTTING,
    ABORTING,
    GONE
  }

  private static final int FIRST_CAPACITY = 1024;

  /** An array that grew beyond this in a burst is not kept. */
  private static final int KEPT_CAPACITY = 16 * 1024;

  private static final byte[] NONE = {};

  private static final byte[] END_OF_EVENT = {'\n', '\n'};

  private final LongSupplier nanoTime;
  private final boolean cuts;

  // All guarded by this, but for what the writer alone uses.
  private @Nullable Head head;
  private boolean headSet;
  private byte[] incoming = NONE;
  private int incomingLength;
  private long added;
  private Place place = Place.BOUNDARY;
  private End end = End.OPEN;
  private @Nullable Outcome outcome; // of whoever has sealed the queue
  private int inFlight; // bytes of outgoing that the container may still hold
  private long waitingSinceNanos;

  private byte[] outgoing = NONE; // the writer's
  private int outgoingNext; // behind what was taken of it
  private int outgoingEnd;

  /**
   * @param cuts whether connections can be dropped in mid-answer
   */
  ClientQueue(LongSupplier nanoTime, boolean cuts) {
    this.nanoTime = nanoTime;
    this.cuts = cuts;
  }

  /** Sets the head, unless there is one already; returns whether this one counts. */
  synchronized boolean head(int status, List<HeaderField> headers) {
    if (headSet || end != End.OPEN) {
      return false;
    }
    headSet = true;
    head = new Head(status, headers);
    return true;
  }

  /** Whether a head was set, written or not. */
  synchronized boolean hasHead() {
    return headSet;
  }

  /**
   * Adds bytes.
   *
   * @param endsAt what they end with
   * @return how many bytes wait now, these included; -1 if the queue is sealed and took nothing
   */
  synchronized int add(byte[] bytes, int offset, int length, Place endsAt) {
    if (end != End.OPEN) {
      return -1;
    }
    if (length > 0) {
      put(bytes, offset, length);
    }
    place = endsAt;
    return waiting();
  }

  /** All bytes added so far. */
  synchronized long addedBytes() {
    return added;
  }

  /**
   * Adds bytes only if the last ones ended at an event boundary, nothing waits and nothing was
   * added since {@link #addedBytes} was this much.
   */
  synchronized boolean addIfQuiet(byte[] bytes, long since) {
    boolean quiet = place == Place.BOUNDARY && waiting() == 0 && added == since;
    if (end != End.OPEN || !headSet || !quiet) {
      return false;
    }
    put(bytes, 0, bytes.length);
    return true;
  }

  /** Seals the queue; the answer is complete with what is in it. */
  synchronized void finish(Outcome how) {
    if (end == End.OPEN) {
      outcome = how;
      end = End.FINISHING;
      clientIsAskedFromNow();
    }
  }

  /**
   * Seals the queue with a last event if an event could stand there, without it if the answer's own
   * last event is in it, else so that the connection is dropped behind what is in it. Where that
   * cannot be, the broken event is ended, so that the last one can stand behind it: a client fails
   * at either.
   */
  synchronized void finishWith(byte[] lastEvent, Outcome how) {
    if (end != End.OPEN || finishAtBoundaryWith(lastEvent, how)) {
      return;
    }
    if (cuts) {
      cut(how);
    } else {
      put(END_OF_EVENT, 0, END_OF_EVENT.length);
      place = Place.BOUNDARY;
      finishAtBoundaryWith(lastEvent, how);
    }
  }

  /**
   * Puts a whole answer in the place of one of which there is only the head, and seals the queue;
   * returns false if more than that was added or the head was taken.
   */
  synchronized boolean answerInstead(
      int status, List<HeaderField> headers, byte[] body, Outcome how) {
    if (end != End.OPEN || added > 0 || head == null) {
      return false;
    }
    head = new Head(status, headers);
    put(body, 0, body.length);
    outcome = how;
    end = End.FINISHING;
    return true;
  }

  /**
   * Puts a whole answer in the place of everything that was added, and seals the queue; returns
   * false if there is nobody to answer. Only for a client to whom nothing was written.
   */
  synchronized boolean answerInsteadOfAll(
      int status, List<HeaderField> headers, byte[] body, Outcome how) {
    if (end == End.GONE || end == End.ABORTING) {
      return false;
    }
    headSet = true;
    head = new Head(status, headers);
    dropAll();
    put(body, 0, body.length);
    outcome = how;
    end = End.FINISHING;
    return true;
  }

  /** Seals the queue so that the connection is dropped behind what is in it. */
  synchronized void cut(Outcome how) {
    if (end == End.OPEN) {
      outcome = how;
      end = End.CUTTING;
      clientIsAskedFromNow();
    }
  }

  /** As {@link #finishWith}, but does nothing in the middle of an event. */
  synchronized boolean finishAtBoundaryWith(byte[] lastEvent, Outcome how) {
    if (end != End.OPEN || place == Place.INSIDE) {
      return false;
    }
    if (place == Place.BOUNDARY) {
      put(lastEvent, 0, lastEvent.length);
    } else {
      clientIsAskedFromNow();
    }
    outcome = how;
    end = End.FINISHING;
    return true;
  }

  /**
   * Seals the queue: nothing more is written, not even what is in it. If it was sealed before, that
   * outcome stays, unless it said that the answer was delivered.
   */
  synchronized void abort(Outcome how) {
    if (end != End.GONE) {
      if (outcome == null || outcome.kind() == Outcome.Kind.COMPLETED) {
        outcome = how;
      }
      end = End.ABORTING;
    }
  }

  /** The outcome that the queue was sealed with; null while it is open or when the client left. */
  synchronized @Nullable Outcome outcome() {
    return outcome;
  }

  /** Seals and empties the queue: nobody is there to take anything. */
  synchronized void gone() {
    end = End.GONE;
    dropAll();
  }

  private void dropAll() {
    incomingLength = 0;
    outgoingEnd = outgoingNext;
  }

  private int waiting() {
    return untaken() + inFlight;
  }

  private int untaken() {
    return incomingLength + outgoingEnd - outgoingNext;
  }

  private void put(byte[] bytes, int offset, int length) {
    clientIsAskedFromNow();
    int needed = incomingLength + length;
    if (needed > incoming.length) {
      int capacity = Math.max(FIRST_CAPACITY, Math.max(needed, incoming.length * 2));
      incoming = Arrays.copyOf(incoming, capacity);
    }
    System.arraycopy(bytes, offset, incoming, incomingLength, length);
    incomingLength = needed;
    added += length;
  }

  /** Starts the slow-client clock, unless it already runs for something that waits. */
  private void clientIsAskedFromNow() {
    if (waiting() == 0) {
      waitingSinceNanos = nanoTime.getAsLong();
    }
  }

  /**
   * How long something has been waiting without the client taking any, at least 1: it may have
   * begun to wait after the caller looked at the time. 0 when nothing waits.
   */
  synchronized long stuckNanos(long nowNanos) {
    boolean waiting = waiting() > 0 || end == End.FINISHING || end == End.CUTTING;
    return waiting ? Math.max(1, nowNanos - waitingSinceNanos) : 0;
  }

  // ---- for the one who writes

  synchronized End end() {
    return end;
  }

  synchronized boolean hasData() {
    return untaken() > 0;
  }

  /** Returns the head once, before the first bytes; null afterwards. */
  synchronized @Nullable Head takeHead() {
    Head taken = head;
    head = null;
    return taken;
  }

  /**
   * Takes the next bytes; they are in {@link #outgoing} from {@link #outgoingOffset} until the next
   * call.
   *
   * @param most how many at most
   * @return how many
   */
  synchronized int take(int most) {
    if (outgoingNext == outgoingEnd) {
      byte[] filled = incoming;
      incoming = outgoing.length > KEPT_CAPACITY ? NONE : outgoing;
      outgoing = filled;
      outgoingNext = 0;
      outgoingEnd = incomingLength;
      incomingLength = 0;
    }
    inFlight = Math.min(most, outgoingEnd - outgoingNext);
    outgoingNext += inFlight;
    return inFlight;
  }

  byte[] outgoing() {
    return outgoing;
  }

  /** Where the bytes of the last {@link #take} begin, until {@link #taken}. */
  synchronized int outgoingOffset() {
    return outgoingNext - inFlight;
  }

  /** How many bytes the container may still hold. */
  synchronized int inFlight() {
    return inFlight;
  }

  /** The container is ready again, so it holds nothing any more. */
  synchronized void taken() {
    waitingSinceNanos = nanoTime.getAsLong();
    inFlight = 0;
  }
}
