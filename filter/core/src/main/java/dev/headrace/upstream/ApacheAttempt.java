package dev.headrace.upstream;

import dev.headrace.upstream.UpstreamFailure.Kind;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.client5.http.HttpHostConnectException;
import org.apache.hc.core5.concurrent.FutureCallback;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncResponseConsumer;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One exchange of the Apache client, as its response consumer and as our {@link Attempt}. An own
 * consumer, because the ready-made ones can be asked for capacity only from inside a callback.
 *
 * <p>Consumer methods run on the I/O thread; after a cancel the client may call {@link #failed}
 * several times and from two threads, so the first end wins.
 */
final class ApacheAttempt implements AsyncResponseConsumer<Void>, Attempt {

  // CONNECTING --head--> RESPONDING --end, failure, cancel--> ENDED;  CONNECTING --failure,
  // cancel--> ENDED
  private enum State {
    CONNECTING,
    RESPONDING,
    ENDED
  }

  private static final Logger LOG = LoggerFactory.getLogger(ApacheAttempt.class);

  private final AttemptListener listener;
  private final AtomicReference<State> state = new AtomicReference<>(State.CONNECTING);
  private volatile boolean cancelled;
  private volatile boolean sent; // the request, or some of its body, perhaps
  private @Nullable Future<?> future; // guarded by this
  private @Nullable CapacityChannel capacity; // guarded by this
  private int grantedEarly; // guarded by this; granted before the client asked for capacity
  private @Nullable FutureCallback<Void> result; // I/O thread only

  ApacheAttempt(AttemptListener listener) {
    this.listener = listener;
  }

  /** Ties the attempt to the client's future, which exists only after the exchange has started. */
  void runsAs(Future<?> startedFuture) {
    synchronized (this) {
      future = startedFuture;
    }
    if (cancelled) {
      startedFuture.cancel(true); // cancelled while it was being started
    }
  }

  /** Hears of the end where nobody asks the consumer, as when the client has been closed. */
  FutureCallback<Void> callback() {
    return new FutureCallback<>() {
      @Override
      public void completed(@Nullable Void nothing) {}

      @Override
      public void failed(Exception cause) {
        ApacheAttempt.this.failed(cause);
      }

      @Override
      public void cancelled() {
        ApacheAttempt.this.failed(new CancellationException());
      }
    };
  }

  /** From now on no failure means that nothing was sent. */
  void isBeingSent() {
    sent = true;
  }

  @Override
  public boolean mayHaveBeenSent() {
    return sent;
  }

  @Override
  public void grant(int bytes) {
    CapacityChannel channel;
    synchronized (this) {
      channel = capacity;
      if (channel == null) {
        grantedEarly += bytes;
        return;
      }
    }
    update(channel, bytes);
  }

  @Override
  public void cancel() {
    Future<?> running;
    synchronized (this) {
      cancelled = true;
      running = future;
    }
    if (running != null && state.get() != State.ENDED) {
      running.cancel(true);
    }
  }

  @Override
  public void consumeResponse(
      HttpResponse response,
      @Nullable EntityDetails entityDetails,
      HttpContext context,
      FutureCallback<Void> resultCallback)
      throws IOException {
    if (!state.compareAndSet(State.CONNECTING, State.RESPONDING)) {
      return;
    }
    result = resultCallback;
    try {
      listener.onHead(new UpstreamResponseHead(response.getCode(), validFields(response)));
    } catch (Error e) {
      throw broken(e);
    }
    if (entityDetails == null) {
      streamEnd(null);
    }
  }

  private static List<HeaderField> validFields(HttpResponse response) {
    List<HeaderField> fields = new ArrayList<>();
    for (Header header : response.getHeaders()) {
      String value = header.getValue() == null ? "" : header.getValue();
      if (HeaderField.isValid(header.getName(), value)) {
        fields.add(new HeaderField(header.getName(), value));
      }
    }
    return fields;
  }

  @Override
  public void informationResponse(HttpResponse response, HttpContext context) {
    // 1xx: nothing that a client of ours could use
  }

  @Override
  public void updateCapacity(CapacityChannel channel) {
    int early;
    synchronized (this) {
      capacity = channel;
      early = grantedEarly;
      grantedEarly = 0;
    }
    if (early > 0) {
      update(channel, early);
    }
  }

  private static void update(CapacityChannel channel, int bytes) {
    try {
      channel.update(bytes);
    } catch (IOException | CancelledKeyException e) {
      // The connection has ended; its end is reported by failed(). Over TLS, HttpCore 5.4.4 uses
      // the selection key without asking whether it is closed (SSLIOSession.updateEventMask).
    }
  }

  @Override
  public void consume(ByteBuffer source) throws IOException {
    if (cancelled || state.get() == State.ENDED) {
      source.position(source.limit());
      // Closes the connection when the cancel has not reached it yet.
      throw new IOException("attempt was cancelled");
    }
    Turn turn = Turn.ofThread();
    if (turn == null || !turn.gathers(this, source)) {
      pass(source);
      pause();
    }
  }

  /** Bytes of the body, gathered or not. */
  void pass(ByteBuffer bytes) {
    if (cancelled || state.get() == State.ENDED) {
      return;
    }
    try {
      listener.onBytes(bytes);
    } catch (RuntimeException | Error e) {
      cancel();
      failed(broken(e));
    }
  }

  /** The bytes of this turn have all been passed on. */
  void pause() {
    try {
      listener.onPause();
    } catch (RuntimeException | Error e) {
      cancel();
      failed(broken(e));
    }
  }

  /** Passes on what a turn has gathered, before it is said how the body has ended. */
  private void passGathered() {
    Turn turn = Turn.ofThread();
    if (turn != null) {
      turn.passGatheredOf(this);
    }
  }

  /**
   * What ends this attempt alone: an Error that passed would end the I/O thread, and with it every
   * exchange from then on.
   */
  private static IOException broken(Throwable error) {
    try {
      LOG.error("An answer of the upstream could not be taken", error);
    } catch (RuntimeException | Error e) {
      // A log that fails is no reason to end the thread either.
    }
    return new IOException(error.getClass().getSimpleName());
  }

  @Override
  public void streamEnd(@Nullable List<? extends Header> trailers) {
    passGathered();
    if (state.compareAndSet(State.RESPONDING, State.ENDED)) {
      FutureCallback<Void> callback = result;
      if (callback != null) {
        callback.completed(null);
      }
      try {
        listener.onEnd();
      } catch (RuntimeException | Error e) { // for HttpCore it is over: it would tell nobody
        tellFailure(new UpstreamFailure(Kind.CUT, describe(broken(e))));
      }
    }
  }

  @Override
  public void failed(Exception cause) {
    passGathered();
    State before = state.getAndSet(State.ENDED);
    if (before == State.ENDED) {
      return;
    }
    Kind kind;
    if (cancelled || cause instanceof CancellationException) {
      kind = Kind.CANCELLED;
    } else if (before == State.RESPONDING) {
      kind = Kind.CUT;
    } else if (cause instanceof ConnectTimeoutException
        || (!sent && cause instanceof SocketTimeoutException)) { // of the TLS handshake
      kind = Kind.CONNECT_TIMEOUT;
    } else if (!sent) { // whatever has failed: no route, no port, TLS, an idle connection's end
      kind = Kind.CONNECT;
    } else {
      kind = Kind.NO_RESPONSE;
    }
    tellFailure(new UpstreamFailure(kind, describe(cause)));
  }

  /** HttpCore calls for this where it catches nothing any more. */
  private void tellFailure(UpstreamFailure failure) {
    try {
      listener.onFailure(failure);
    } catch (RuntimeException | Error e) {
      var unused = broken(e);
    }
  }

  private static boolean isConnectFailure(Exception cause) {
    return cause instanceof ConnectTimeoutException
        || cause instanceof HttpHostConnectException
        || cause instanceof java.net.ConnectException
        || cause instanceof java.net.UnknownHostException
        || cause instanceof javax.net.ssl.SSLException;
  }

  /**
   * Says what happened. HttpCore quotes what it could not parse, and that may be part of an answer:
   * such messages are left out.
   */
  private static String describe(Exception cause) {
    String message = cause.getMessage();
    String name = cause.getClass().getSimpleName();
    boolean ofTheNetwork = cause.getClass().getName().startsWith("java") || isConnectFailure(cause);
    return ofTheNetwork && message != null && !message.isBlank() ? name + ": " + message : name;
  }

  @Override
  public void releaseResources() {
    // Nothing is held. Comes more than once, and for a cancel in the queue without failed().
    if (cancelled && state.get() != State.ENDED) {
      failed(new CancellationException());
    }
  }
}
