package dev.headrace.relay;

import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Collects a request body without blocking, up to a limit. Called by one container thread at a
 * time.
 */
final class RequestBody implements ReadListener {

  /** Told once how the body ended. */
  interface Listener {

    /** The body is whole; the array holds it from its start and now belongs to the listener. */
    void onBody(byte[] bytes, int length);

    void onBodyTooLarge();

    /** Too many others are large. */
    void onNoRoomForBody();

    /** Nothing failed, but there was less than the client has announced. */
    void onBodyShort();

    void onBodyFailure(Throwable cause);
  }

  /** Whose thread reads: told of each call that may block, so that it can be called back. */
  interface Reader {

    /** Returns false if there is no use in reading on. */
    boolean entersRead();

    void leavesRead();
  }

  /** A thread that nobody calls back. */
  static final Reader ANY_THREAD =
      new Reader() {
        @Override
        public boolean entersRead() {
          return true;
        }

        @Override
        public void leavesRead() {}
      };

  private static final int FIRST_CAPACITY = 8 * 1024;
  private static final byte[] NOTHING = {};
  private static final long SHORTEST_PAUSE_NANOS = 10_000;
  private static final long LONGEST_PAUSE_NANOS = 20_000_000;

  private final ServletInputStream in;
  private final long declaredLength;
  private final long maxBytes;
  private final BodyMemory.Share room;
  private final Listener listener;
  private Reader blockingReader = ANY_THREAD;
  private byte[] bytes;
  private int length;
  private boolean over;

  /**
   * @param declaredLength the request's content length, or -1; a shorter body is a failure
   * @param room what the body may take; its listener gives that back
   */
  RequestBody(
      ServletInputStream in,
      long declaredLength,
      long maxBytes,
      BodyMemory.Share room,
      Listener listener) {
    this.in = in;
    this.declaredLength = declaredLength;
    this.maxBytes = maxBytes;
    this.room = room;
    this.listener = listener;
    // One byte more than declared, so that the end of the body is met without growing.
    this.bytes = new byte[(int) Math.min(Math.max(declaredLength + 1, 512), FIRST_CAPACITY)];
  }

  /**
   * Lets the container call, on the thread that it has given to the request.
   *
   * @param forgets {@link Containers#forgetsBody}: then a body that is about to come, as most are,
   *     is read here
   */
  void listen(boolean forgets) {
    if (!forgets || !readWaiting()) {
      in.setReadListener(this);
    }
  }

  /** Reads what is here, or nearly; true if there is nothing left to be listened for. */
  private boolean readWaiting() {
    try {
      long pause = SHORTEST_PAUSE_NANOS; // each as long as all before it, until some 20 ms are over
      while (declaredLength != 0 && in.available() == 0 && pause < LONGEST_PAUSE_NANOS) {
        LockSupport.parkNanos(pause);
        pause *= 2;
      }
      while (!over && length < declaredLength && in.available() > 0 && read()) {
        // as long as there is something
      }
    } catch (IOException | RuntimeException e) {
      onError(e);
    }
    if (!over && length == declaredLength) {
      onAllDataRead();
    }
    return over;
  }

  /**
   * Reads the whole body on this thread and tells the listener.
   *
   * @param wanted whether anybody still wants the rest: a clock may have ended that
   */
  void readBlocking(BooleanSupplier wanted, Reader reader) {
    blockingReader = reader;
    try {
      while (!over && read()) {
        over |= !wanted.getAsBoolean();
      }
    } catch (IOException | RuntimeException e) {
      over |= !wanted.getAsBoolean(); // it may have been called back from the read
      onError(e);
      return;
    }
    onAllDataRead();
  }

  @Override
  public void onDataAvailable() throws IOException {
    while (!over && in.isReady() && !in.isFinished() && read()) {
      // as long as there is something
    }
  }

  /** Reads what there is; false at the end. */
  private boolean read() throws IOException {
    if (length == bytes.length && !grow()) {
      return true;
    }
    if (!blockingReader.entersRead()) {
      over = true;
      return false;
    }
    int read;
    try {
      read = in.read(bytes, length, bytes.length - length);
    } finally {
      blockingReader.leavesRead();
    }
    if (read < 0) {
      return false;
    }
    length += read;
    if (length > maxBytes) {
      over = true;
      bytes = NOTHING;
      listener.onBodyTooLarge();
    }
    return true;
  }

  /** False if that was the end. */
  private boolean grow() {
    // One byte more than is to come, so that its end is met without growing.
    long most = declaredLength >= length ? Math.min(declaredLength, maxBytes) : maxBytes;
    int capacity = (int) Math.min(2L * length, most + 1);
    if (room.growTo(capacity)) {
      bytes = Arrays.copyOf(bytes, capacity);
      return true;
    }
    over = true;
    bytes = NOTHING;
    listener.onNoRoomForBody();
    return false;
  }

  @Override
  public void onAllDataRead() {
    if (declaredLength >= 0 && length < declaredLength) {
      // Jetty has been seen to call a body that was reset over HTTP/2 complete.
      if (!over) {
        over = true;
        bytes = NOTHING;
        listener.onBodyShort();
      }
    } else if (!over) {
      over = true;
      byte[] whole = bytes;
      bytes = NOTHING; // the container keeps this object for as long as the answer runs
      room.arrived();
      listener.onBody(whole, length);
    }
  }

  @Override
  public void onError(Throwable cause) {
    if (!over) {
      over = true;
      bytes = NOTHING;
      listener.onBodyFailure(cause);
    }
  }
}
