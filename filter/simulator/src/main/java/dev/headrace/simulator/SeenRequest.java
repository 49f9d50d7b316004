package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A request as the simulator saw it, with the live state of its answer. Thread-safe: the request
 * never changes, and the answer's state may be read at any time from any thread. In mid-stream the
 * counts may be an instant behind what a fast client has read ({@link #awaitEvents} waits); a
 * client that has seen the end of the body finds them complete, unless a fault ended it or a JSON
 * body is over 64 KiB. Times are those of {@link System#nanoTime}.
 */
public final class SeenRequest {
  private final int index;
  private final long connectionId;
  private final String requestId;
  private final long answerSeed;
  private final String method;
  private final String path;
  private final String query;
  private final Map<String, List<String>> headers;
  private final byte[] body;
  private final long receivedAtNanos;
  private final boolean recordsTimes;

  private final Object lock = new Object();
  // Guarded by lock, written by the connection's event loop.
  private boolean ready;
  private String model = "";
  private boolean streaming;
  private boolean prewarms;
  private int status;
  private long eventsSent;
  private long bytesSent;
  private Usage usageSent = Usage.NONE;
  private boolean finished;
  private boolean abandoned;
  private long clientGoneAtNanos;
  private long eventsSentAfterClientGone;
  private long firstEventAtNanos;
  private long lastEventAtNanos;
  private long[] eventTimes = {};
  private @Nullable String failure;

  SeenRequest(
      int index,
      long connectionId,
      String requestId,
      long answerSeed,
      String method,
      String target,
      Map<String, List<String>> headers,
      byte[] body,
      boolean recordsTimes) {
    int mark = target.indexOf('?');
    this.index = index;
    this.connectionId = connectionId;
    this.requestId = requestId;
    this.answerSeed = answerSeed;
    this.method = method;
    this.path = mark < 0 ? target : target.substring(0, mark);
    this.query = mark < 0 ? "" : target.substring(mark + 1);
    TreeMap<String, List<String>> copy = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    copy.putAll(headers);
    this.headers = Collections.unmodifiableMap(copy);
    this.body = body;
    this.recordsTimes = recordsTimes;
    this.receivedAtNanos = System.nanoTime();
  }

  // ---- The request ----------------------------------------------------------------------------

  /** The place among all requests since the start or the last reset, from 0. */
  public int index() {
    return index;
  }

  /** A number for the connection; equal when a kept-alive connection was used again. */
  public long connectionId() {
    return connectionId;
  }

  /** The {@code request-id} that the answer carries. */
  public String requestId() {
    return requestId;
  }

  /** For example {@code POST}. */
  public String method() {
    return method;
  }

  /** The path as received, without the query. */
  public String path() {
    return path;
  }

  /** What follows the question mark, as received; empty when there is none. */
  public String query() {
    return query;
  }

  /** All headers; names compare without regard to case, and each has every value received. */
  public Map<String, List<String>> headers() {
    return headers;
  }

  /** The first value of a header. */
  public Optional<String> header(String name) {
    List<String> values = headers.get(name);
    return values == null ? Optional.empty() : Optional.of(values.get(0));
  }

  /** A copy of the body. */
  public byte[] body() {
    return body.clone();
  }

  /** The body as UTF-8. */
  public String bodyText() {
    return new String(body, UTF_8);
  }

  /** The body's length in bytes. */
  public int bodyLength() {
    return body.length;
  }

  /** When the last byte of the request had come. */
  public long receivedAtNanos() {
    return receivedAtNanos;
  }

  /** The {@code model} that the JSON of a Messages request names; otherwise empty. */
  public String model() {
    synchronized (lock) {
      return model;
    }
  }

  /** Whether the JSON of a Messages request asked for events. */
  public boolean streaming() {
    synchronized (lock) {
      return streaming;
    }
  }

  // ---- The answer so far ----------------------------------------------------------------------

  /** The HTTP status sent; 0 while there is none. */
  public int status() {
    synchronized (lock) {
      return status;
    }
  }

  /** Events that the operating system has accepted for sending, pings included. */
  public long eventsSent() {
    synchronized (lock) {
      return eventsSent;
    }
  }

  /** Bytes of the body that the operating system has accepted for sending. */
  public long bytesSent() {
    synchronized (lock) {
      return bytesSent;
    }
  }

  /** The token counts of the last event sent that had any; the placeholder before the totals. */
  public Usage usageSent() {
    synchronized (lock) {
      return usageSent;
    }
  }

  /** Whether the answer was sent to its scripted end, faults included. */
  public boolean finished() {
    synchronized (lock) {
      return finished;
    }
  }

  /** Whether the client closed the connection before the answer's scripted end. */
  public boolean clientGone() {
    synchronized (lock) {
      return abandoned;
    }
  }

  /** When the simulator saw that the client had gone. */
  public OptionalLong clientGoneAtNanos() {
    synchronized (lock) {
      return abandoned ? OptionalLong.of(clientGoneAtNanos) : OptionalLong.empty();
    }
  }

  /**
   * Events accepted for sending after the simulator saw the client gone. The simulator stops at
   * once, so this is above zero only when a write was under way. To count what was sent after an
   * instant of your own, see {@link #eventsSentAfter}.
   */
  public long eventsSentAfterClientGone() {
    synchronized (lock) {
      return eventsSentAfterClientGone;
    }
  }

  /**
   * Events sent after an instant, such as the one at which a test's client left.
   *
   * @throws IllegalStateException unless the simulator was built with {@code recordEventTimes()}
   */
  public long eventsSentAfter(long nanoTime) {
    if (!recordsTimes) {
      throw new IllegalStateException("Build the simulator with recordEventTimes()");
    }
    synchronized (lock) {
      long count = 0;
      for (int i = 0; i < eventsSent; i++) {
        if (eventTimes[i] - nanoTime > 0) {
          count++;
        }
      }
      return count;
    }
  }

  /** When the first event was sent. */
  public OptionalLong firstEventAtNanos() {
    synchronized (lock) {
      return eventsSent == 0 ? OptionalLong.empty() : OptionalLong.of(firstEventAtNanos);
    }
  }

  /** When the latest event was sent. */
  public OptionalLong lastEventAtNanos() {
    synchronized (lock) {
      return eventsSent == 0 ? OptionalLong.empty() : OptionalLong.of(lastEventAtNanos);
    }
  }

  // ---- Waiting --------------------------------------------------------------------------------

  /**
   * Waits until the client has gone.
   *
   * @throws AssertionError if it has not after this time, or the answer ended before
   */
  public void awaitClientGone(Duration timeout) {
    await(timeout, () -> abandoned, "the client to leave");
  }

  /**
   * Waits until the answer was sent to its scripted end.
   *
   * @throws AssertionError if it was not after this time
   */
  public void awaitFinished(Duration timeout) {
    await(timeout, () -> finished, "the answer to end");
  }

  /**
   * Waits until the answer has ended, whether at its scripted end or because the client left.
   *
   * @throws AssertionError if it has not after this time
   */
  public void awaitEnded(Duration timeout) {
    await(timeout, () -> finished || abandoned, "the exchange to end");
  }

  /**
   * Waits until at least this many events were sent.
   *
   * @throws AssertionError if they were not after this time
   */
  public void awaitEvents(long count, Duration timeout) {
    await(timeout, () -> eventsSent >= count, count + " events");
  }

  @Override
  public String toString() {
    synchronized (lock) {
      return method
          + " "
          + path
          + " (request "
          + index
          + ", connection "
          + connectionId
          + ", status "
          + status
          + ", "
          + eventsSent
          + " events, "
          + bytesSent
          + " bytes"
          + (finished ? ", finished" : "")
          + (abandoned ? ", client gone" : "")
          + (failure == null ? "" : ", " + failure)
          + ")";
    }
  }

  // ---- For the simulator ----------------------------------------------------------------------

  /** What ids, padding and jitter of the answer are made from. */
  long answerSeed() {
    return answerSeed;
  }

  byte[] bodyBytes() {
    return body;
  }

  /** Whether it asks for no output at all: {@code max_tokens} 0. */
  boolean prewarms() {
    synchronized (lock) {
      return prewarms;
    }
  }

  /** It is understood, and nothing that a test does now changes what it is answered. */
  void markReady() {
    synchronized (lock) {
      ready = true;
    }
  }

  boolean isReady() {
    synchronized (lock) {
      return ready;
    }
  }

  void understoodAs(String model, boolean streaming, boolean prewarms) {
    synchronized (lock) {
      this.model = model;
      this.streaming = streaming;
      this.prewarms = prewarms;
    }
  }

  void headSent(int status) {
    synchronized (lock) {
      this.status = status;
      lock.notifyAll();
    }
  }

  /** Some bytes were accepted for sending; with them one event was complete, if a name is given. */
  void sent(int bytes, boolean eventComplete, @Nullable Usage usage) {
    synchronized (lock) {
      bytesSent += bytes;
      if (usage != null) {
        usageSent = usage;
      }
      if (eventComplete) {
        long now = System.nanoTime();
        if (eventsSent == 0) {
          firstEventAtNanos = now;
        }
        lastEventAtNanos = now;
        if (recordsTimes) {
          if (eventsSent == eventTimes.length) {
            eventTimes = Arrays.copyOf(eventTimes, Math.max(64, eventTimes.length * 2));
          }
          eventTimes[(int) eventsSent] = now;
        }
        eventsSent++;
        if (abandoned) {
          eventsSentAfterClientGone++;
        }
        lock.notifyAll();
      }
    }
  }

  void markFinished() {
    synchronized (lock) {
      finished = true;
      lock.notifyAll();
    }
  }

  void markClientGone() {
    synchronized (lock) {
      if (!finished && !abandoned) {
        abandoned = true;
        clientGoneAtNanos = System.nanoTime();
        lock.notifyAll();
      }
    }
  }

  void failed(Throwable cause) {
    synchronized (lock) {
      failure = cause.toString();
    }
  }

  private void await(Duration timeout, BooleanSupplier condition, String what) {
    long deadline = System.nanoTime() + timeout.toNanos();
    synchronized (lock) {
      while (!condition.getAsBoolean()) {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        if (left <= 0) {
          throw new AssertionError("Waited " + timeout + " in vain for " + what + ": " + this);
        }
        try {
          lock.wait(left);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new AssertionError("Interrupted while waiting for " + what + ": " + this, e);
        }
      }
    }
  }
}
