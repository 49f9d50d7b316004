package dev.headrace.relay;

import dev.headrace.upstream.HeaderField;
import java.util.List;

/**
 * The answer on its way to one client: a bounded-by-demand queue of bytes that a container takes as
 * fast as the client reads. Thread-safe; no method blocks. Listener calls may come inside calls to
 * this class.
 */
interface ClientStream {

  /** Told what becomes of the bytes. Implementations must not block. */
  interface Listener {

    /** The container has taken this many bytes: the upstream may send as many more. */
    void onTaken(int bytes);

    /**
     * Everything was handed over and the end was asked for; the request is completed right after
     * this.
     */
    void onFinished();

    /**
     * The client has left, or the container says so. Called at most once, and not after {@link
     * #onFinished}.
     *
     * @param why for the log, without anything that the client wrote
     */
    void onGone(String why);
  }

  /** Sets status and headers; to be called once, before the first append. */
  void head(int status, List<HeaderField> headers);

  /**
   * Queues bytes and writes what the client can take.
   *
   * @param endsAtBoundary whether an event is complete with the last of these bytes
   * @return how many bytes wait now, these included; -1 if the stream is sealed and nothing was
   *     queued
   */
  int append(byte[] bytes, int offset, int length, boolean endsAtBoundary);

  /** Queues these bytes only if the stream stands at an event boundary and nothing waits. */
  void appendIfQuiet(byte[] bytes);

  /** Seals the stream; it ends properly once everything queued has been taken. */
  void finish();

  /**
   * Seals the stream with a last event, if it stands at an event boundary; elsewhere the connection
   * is aborted after what is queued, so that the client cannot take the answer for complete.
   */
  void finishWith(byte[] lastEvent);

  /** Seals the stream and drops the connection without waiting for the client. */
  void abort();

  /** Says that the client has left, when the one who found out was not this stream. */
  void clientHasLeft(String why);

  /**
   * How long bytes have been waiting without the client taking any, at least 1; 0 when none wait.
   */
  long stuckNanos(long nowNanos);

  /** When bytes were last handed to the container. */
  long lastWriteNanos();

  /** All bytes handed to the container so far. */
  long bytesWritten();
}
