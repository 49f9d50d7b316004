package dev.headrace.relay;

import static java.util.Objects.requireNonNull;

import dev.headrace.admission.Permit;
import dev.headrace.config.GatewaySettings;
import dev.headrace.messages.ApiError;
import dev.headrace.messages.InvalidBodyException;
import dev.headrace.messages.RequestHead;
import dev.headrace.observe.ExchangeLog;
import dev.headrace.observe.Outcome;
import dev.headrace.sse.SseWriter;
import dev.headrace.upstream.Attempt;
import dev.headrace.upstream.AttemptListener;
import dev.headrace.upstream.HeaderField;
import dev.headrace.upstream.UpstreamFailure;
import dev.headrace.upstream.UpstreamRequest;
import dev.headrace.upstream.UpstreamResponseHead;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client request with its answer, from the first byte of the body to the last byte taken by the
 * client.
 *
 * <pre>
 * RECEIVING ──body──► ATTEMPTING ──first event──► STREAMING ──upstream has ended──► FINISHING ──client has all──► ENDED
 *     │                   │                           │                                │
 *     └─── answer of our own ──► FINISHING            └── clock, cut ──► FINISHING     │
 *     └──────────┴──────────── the client has left ───────────┴────────────────────────┴──────────────────► ENDED
 * </pre>
 *
 * <p>Whoever changes the state does what belongs to the change; {@link #end} is the one way out,
 * where the permit goes back and the upstream is released. Thread-safe: the container, the
 * upstream's I/O thread and the sweeper may all come at once. What only the I/O thread touches is
 * marked so.
 */
final class Exchange implements AttemptListener, ClientStream.Listener, RequestBody.Listener {

  private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);
  private static final byte[] KEEP_ALIVE = SseWriter.comment("keep-alive");

  private enum State {
    RECEIVING,
    ATTEMPTING,
    STREAMING,
    FINISHING,
    ENDED
  }

  /** How the body of the upstream's answer is passed on. I/O thread only. */
  private enum Body {
    /** An event stream that can be read: held until its first event. */
    EVENTS,
    /**
     * JSON and the like: held whole when it is small, so that a cut one can still become an error.
     */
    WHOLE,
    /**
     * Bytes that cannot be looked into, such as a compressed event stream: passed on as they are.
     */
    OPAQUE
  }

  private final String id;
  private final Relay relay;
  private final Route.Upstream route;
  private final List<HeaderField> upstreamHeaders;
  private final Permit permit;
  private final long startNanos;
  private final AtomicReference<State> state = new AtomicReference<>(State.RECEIVING);

  private @Nullable ClientStream client; // set before any callback can come
  private volatile @Nullable Attempt attempt;
  private volatile long attemptStartNanos;
  private volatile long lastUpstreamNanos;
  private volatile long firstByteNanos =
      -1; // set once the head has been handed to the client stream
  private volatile int status;
  private volatile boolean eventStream; // committed as one, so that comments may be written
  private volatile @Nullable Outcome outcomeWhenTaken;
  private volatile @Nullable String upstreamRequestId;
  private volatile boolean wholeBodyBegun; // a body that is not an event stream is on its way
  private volatile boolean answerComplete; // message_stop has passed, or the whole body

  // I/O thread only
  private @Nullable UpstreamResponseHead head;
  private Body body = Body.WHOLE;
  private final StreamProgress progress;
  private @Nullable ByteArrayOutputStream held = new ByteArrayOutputStream(512);
  private byte[] copy = new byte[0]; // for buffers without an array

  // draining thread only
  private int ungranted;

  Exchange(
      String id,
      Relay relay,
      Route.Upstream route,
      List<HeaderField> upstreamHeaders,
      Permit permit) {
    this.id = id;
    this.relay = relay;
    this.route = route;
    this.upstreamHeaders = upstreamHeaders;
    this.permit = permit;
    this.startNanos = relay.nanoTime();
    this.attemptStartNanos = startNanos;
    this.lastUpstreamNanos = startNanos;
    this.progress = new StreamProgress(relay.settings().buffers().maxEvent().toInt());
  }

  String id() {
    return id;
  }

  /** Ties the exchange to its client; before {@link ClientStream} can call back. */
  void answersTo(ClientStream stream) {
    client = stream;
  }

  private ClientStream client() {
    ClientStream stream = client;
    if (stream == null) {
      throw new IllegalStateException("exchange " + id + " has no client yet");
    }
    return stream;
  }

  // ---- the request ----

  @Override
  public void onBody(byte[] bytes, int length) {
    if (route.endpoint().kind() != Endpoint.Kind.OPAQUE) {
      try {
        RequestHead.read(bytes, length);
      } catch (InvalidBodyException e) {
        refuse(400, "invalid_request_error", String.valueOf(e.getMessage()));
        return;
      }
    }
    attempt(bytes, length);
  }

  @Override
  public void onBodyTooLarge() {
    refuse(
        413,
        "request_too_large",
        "The request body is larger than this gateway takes: "
            + relay.settings().request().maxBody()
            + " (request.max-body).");
  }

  @Override
  public void onBodyFailure(Throwable cause) {
    onGone("while its request was being read: " + cause.getClass().getSimpleName());
  }

  /** Starts the upstream attempt. */
  void attempt(byte @Nullable [] bytes, int length) {
    if (!state.compareAndSet(State.RECEIVING, State.ATTEMPTING)) {
      return;
    }
    attemptStartNanos = relay.nanoTime();
    lastUpstreamNanos = attemptStartNanos;
    Attempt started;
    try {
      List<HeaderField> headers = new ArrayList<>(upstreamHeaders);
      headers.addAll(relay.credentials());
      started =
          relay
              .upstream()
              .start(
                  new UpstreamRequest(
                      route.endpoint().method(), route.pathAndQuery(), headers, bytes, length),
                  this);
    } catch (RuntimeException e) {
      LOG.error("Exchange {}: the upstream call could not be started", id, e);
      answerError(
          new ApiError(500, "api_error", "The gateway could not call the API.", null),
          new Outcome(Outcome.Kind.FAILED, "attempt not started"));
      return;
    }
    attempt = started;
    State now = state.get();
    if (now == State.FINISHING || now == State.ENDED) {
      started.cancel(); // ended while it was being started
    }
  }

  // ---- the upstream's answer, on its I/O thread ----

  @Override
  public void onHead(UpstreamResponseHead upstreamHead) {
    lastUpstreamNanos = relay.nanoTime();
    head = upstreamHead;
    upstreamRequestId = upstreamHead.header("request-id");
    if (!upstreamHead.isPlain()) {
      body = Body.OPAQUE;
    } else if (upstreamHead.isEventStream() && upstreamHead.status() == 200) {
      body = Body.EVENTS;
    } else {
      body = Body.WHOLE;
      wholeBodyBegun = true;
    }
  }

  @Override
  public void onBytes(ByteBuffer bytes) {
    int length = bytes.remaining();
    byte[] array;
    int offset;
    if (bytes.hasArray()) {
      array = bytes.array();
      offset = bytes.arrayOffset() + bytes.position();
      bytes.position(bytes.limit());
    } else {
      array = copy = copy.length >= length ? copy : new byte[length];
      offset = 0;
      bytes.get(array, 0, length);
    }
    lastUpstreamNanos = relay.nanoTime();
    State now = state.get();
    if (now == State.ATTEMPTING) {
      hold(array, offset, length);
    } else if (now == State.STREAMING) {
      pass(array, offset, length);
    }
  }

  /** Keeps the first bytes back until it is clear what they are the beginning of. */
  private void hold(byte[] array, int offset, int length) {
    ByteArrayOutputStream bytes = held;
    if (bytes == null) {
      return;
    }
    bytes.write(array, offset, length);
    boolean full = bytes.size() > relay.settings().buffers().hold().bytes();
    if (body == Body.EVENTS) {
      progress.feed(array, offset, length);
      ApiError error = progress.firstError();
      if (error != null) {
        answerFirstError(error);
      } else if (progress.begun() || full) {
        commit();
      }
    } else if (body == Body.OPAQUE || full) {
      commit();
    }
  }

  private void commit() {
    if (!state.compareAndSet(State.ATTEMPTING, State.STREAMING)) {
      return;
    }
    UpstreamResponseHead upstreamHead = headOrFail();
    status = upstreamHead.status();
    eventStream = body == Body.EVENTS;
    client().head(status, ClientHeaders.of(upstreamHead, id));
    firstByteNanos = relay.nanoTime();
    byte[] first = heldBytes();
    append(first, 0, first.length);
  }

  private byte[] heldBytes() {
    ByteArrayOutputStream bytes = held;
    held = null;
    return bytes == null ? new byte[0] : bytes.toByteArray();
  }

  private UpstreamResponseHead headOrFail() {
    UpstreamResponseHead upstreamHead = head;
    if (upstreamHead == null) {
      throw new IllegalStateException("exchange " + id + ": bytes before the head");
    }
    return upstreamHead;
  }

  private void pass(byte[] array, int offset, int length) {
    if (body == Body.EVENTS) {
      progress.feed(array, offset, length);
      answerComplete = progress.stopped();
    }
    append(array, offset, length);
  }

  private void append(byte[] array, int offset, int length) {
    boolean boundary = body == Body.EVENTS && progress.atBoundary();
    int waiting = client().append(array, offset, length, boundary);
    if (waiting > relay.settings().buffers().hard().bytes()) {
      cutShort(
          "The client did not keep up with the answer (buffers.hard).",
          new Outcome(Outcome.Kind.CLIENT_GONE, "buffers.hard"));
    }
  }

  @Override
  public void onEnd() {
    State now = state.get();
    if (now == State.ATTEMPTING) {
      endBeforeCommit();
    } else if (now == State.STREAMING) {
      endOfStream();
    }
  }

  /** A complete body that was held whole, or an event stream without a single event. */
  private void endBeforeCommit() {
    UpstreamResponseHead upstreamHead = headOrFail();
    if (body == Body.EVENTS) {
      answerError(
          new ApiError(
              502,
              "api_error",
              "The API ended its answer before the first event.",
              upstreamRequestId),
          new Outcome(Outcome.Kind.UPSTREAM_CUT, "no event"));
      return;
    }
    byte[] bytes = heldBytes();
    List<HeaderField> headers = new ArrayList<>(ClientHeaders.of(upstreamHead, id));
    headers.add(new HeaderField("content-length", Integer.toString(bytes.length)));
    answerComplete = true;
    answer(
        upstreamHead.status(),
        headers,
        bytes,
        upstreamHead.status() < 400
            ? Outcome.of(Outcome.Kind.COMPLETED)
            : new Outcome(Outcome.Kind.UPSTREAM_ERROR, "status " + upstreamHead.status()));
  }

  private void endOfStream() {
    if (body != Body.EVENTS || progress.stopped()) {
      answerComplete = true;
      finish(Outcome.of(Outcome.Kind.COMPLETED));
    } else if (progress.errorSeen()) {
      finish(new Outcome(Outcome.Kind.UPSTREAM_ERROR, "error event"));
    } else {
      cutShort(
          "The API ended its answer before it was complete.",
          new Outcome(Outcome.Kind.UPSTREAM_CUT, "no message_stop"));
    }
  }

  @Override
  public void onFailure(UpstreamFailure failure) {
    State now = state.get();
    if (now == State.ATTEMPTING) {
      String message =
          switch (failure.kind()) {
            case CONNECT -> "The gateway could not connect to the API.";
            case NO_RESPONSE -> "The API closed the connection without an answer.";
            case CUT -> "The API closed the connection in the middle of its answer.";
            case CANCELLED -> "The call to the API was cancelled.";
          };
      LOG.warn("Exchange {}: upstream {} ({})", id, failure.kind(), failure.detail());
      answerError(
          new ApiError(502, "api_error", message, upstreamRequestId),
          new Outcome(Outcome.Kind.UPSTREAM_CUT, failure.kind().name()));
    } else if (now == State.STREAMING) {
      if (progress.stopped()) {
        finish(
            Outcome.of(Outcome.Kind.COMPLETED)); // the message was whole, only its framing was not
      } else if (progress.errorSeen()) {
        finish(new Outcome(Outcome.Kind.UPSTREAM_ERROR, "error event"));
      } else {
        cutShort(
            "The connection to the API broke before the answer was complete.",
            new Outcome(Outcome.Kind.UPSTREAM_CUT, failure.kind().name()));
      }
    }
  }

  // ---- answers of our own ----

  /** An error event in place of the first event becomes the status that it should have had. */
  private void answerFirstError(ApiError error) {
    byte[] json = progress.firstErrorJson();
    List<HeaderField> headers = new ArrayList<>(ClientHeaders.ofJson(json.length, id));
    UpstreamResponseHead upstreamHead = headOrFail();
    for (HeaderField field : ClientHeaders.of(upstreamHead, id)) {
      boolean ofTheStream =
          field.is("content-type")
              || field.is("cache-control")
              || field.is("x-accel-buffering")
              || headers.stream().anyMatch(ours -> ours.is(field.name()));
      if (!ofTheStream) {
        headers.add(field);
      }
    }
    answer(
        ApiError.statusOf(error.type()),
        headers,
        json,
        new Outcome(Outcome.Kind.UPSTREAM_ERROR, error.type()));
  }

  private void refuse(int refusalStatus, String type, String message) {
    answerError(
        new ApiError(refusalStatus, type, message, null),
        new Outcome(Outcome.Kind.REFUSED, Integer.toString(refusalStatus)));
  }

  private void answerError(ApiError error, Outcome outcome) {
    byte[] json = error.json();
    List<HeaderField> headers = new ArrayList<>(ClientHeaders.ofJson(json.length, id));
    String requestId = error.requestId();
    if (requestId != null) {
      headers.add(new HeaderField("request-id", requestId));
    }
    answer(error.status(), headers, json, outcome);
  }

  /** Sends a whole answer, if nothing was sent before. */
  private void answer(int answerStatus, List<HeaderField> headers, byte[] bytes, Outcome outcome) {
    State now;
    do {
      now = state.get();
      if (now != State.RECEIVING && now != State.ATTEMPTING) {
        return;
      }
    } while (!state.compareAndSet(now, State.FINISHING));
    outcomeWhenTaken = outcome;
    status = answerStatus;
    releaseUpstream();
    ClientStream stream = client();
    stream.head(answerStatus, headers);
    firstByteNanos = relay.nanoTime();
    stream.append(bytes, 0, bytes.length, true);
    stream.finish();
  }

  /** Ends a stream that has begun and is complete, or whose error the client has already read. */
  private void finish(Outcome outcome) {
    if (state.compareAndSet(State.STREAMING, State.FINISHING)) {
      outcomeWhenTaken = outcome;
      releaseUpstream();
      client().finish();
    }
  }

  /** Ends a stream that has begun and is not complete, so that nobody takes it for complete. */
  private void cutShort(String message, Outcome outcome) {
    cutShort(new ApiError(500, "api_error", message, upstreamRequestId), outcome);
  }

  private void cutShort(ApiError error, Outcome outcome) {
    if (state.compareAndSet(State.STREAMING, State.FINISHING)) {
      outcomeWhenTaken = outcome;
      releaseUpstream();
      if (eventStream) {
        client().finishWith(error.sseEvent());
      } else {
        client().abort();
      }
    }
  }

  private void releaseUpstream() {
    Attempt running = attempt;
    if (running != null) {
      running.cancel(); // does nothing to one that has ended: its connection stays in the pool
    }
  }

  // ---- the client, on whichever thread drains ----

  @Override
  public void onTaken(int bytes) {
    ungranted += bytes;
    Attempt running = attempt;
    // In larger steps, since each grant wakes the upstream's selector.
    if (running != null && ungranted >= relay.settings().buffers().soft().bytes() / 2) {
      // The silence until now may have been ours: the idle clock starts when reading goes on.
      lastUpstreamNanos = relay.nanoTime();
      running.grant(ungranted);
      ungranted = 0;
    }
  }

  @Override
  public void onFinished() {
    Outcome outcome = outcomeWhenTaken;
    end(outcome == null ? new Outcome(Outcome.Kind.FAILED, "no outcome") : outcome);
  }

  @Override
  public void onGone(String why) {
    LOG.debug("Exchange {}: the client has left ({})", id, why);
    end(Outcome.of(Outcome.Kind.CLIENT_GONE));
  }

  /** The single way out: the first caller's outcome counts, later calls change nothing. */
  private void end(Outcome outcome) {
    if (state.getAndSet(State.ENDED) == State.ENDED) {
      return;
    }
    releaseUpstream();
    permit.release();
    relay.ended(this);
    ClientStream stream = client;
    long now = relay.nanoTime();
    ExchangeLog.ended(
        new ExchangeLog.Line(
            id,
            route.endpoint().toString(),
            status,
            upstreamRequestId,
            firstByteNanos < 0 ? -1 : Duration.ofNanos(firstByteNanos - startNanos).toMillis(),
            Duration.ofNanos(now - startNanos).toMillis(),
            stream == null ? 0 : stream.bytesWritten()),
        outcome);
  }

  /** Ends an exchange whose handling itself failed before it could answer. */
  void fail(String detail) {
    end(new Outcome(Outcome.Kind.FAILED, detail));
  }

  // ---- the clocks, on the sweeper's thread ----

  /** Looks at every clock of this exchange and at its heartbeat. */
  void sweep(long now) {
    GatewaySettings.Timeouts timeouts = relay.settings().timeouts();
    State current = requireNonNull(state.get());
    if (current == State.STREAMING && firstByteNanos < 0) {
      return; // the I/O thread is about to write the head
    }
    if (isOver(timeouts.total(), startNanos, now)) {
      timeOut("total", timeouts.total(), current);
      return;
    }
    switch (current) {
      case RECEIVING -> {
        Duration limit = relay.settings().request().bodyTimeout();
        if (isOver(limit, startNanos, now)) {
          answerError(
              new ApiError(
                  408,
                  "invalid_request_error",
                  "The request body did not arrive within "
                      + seconds(limit)
                      + " (request.body-timeout).",
                  null),
              new Outcome(Outcome.Kind.TIMED_OUT, "body"));
        }
      }
      case ATTEMPTING -> {
        if (!wholeBodyBegun && isOver(timeouts.firstEvent(), attemptStartNanos, now)) {
          timeOut("first-event", timeouts.firstEvent(), current);
        } else if (wholeBodyBegun && isOver(timeouts.idle(), lastUpstreamNanos, now)) {
          timeOut("idle", timeouts.idle(), current);
        }
      }
      case STREAMING -> {
        long stuck = client().stuckNanos(now);
        if (stuck > timeouts.slowClient().toNanos()) {
          timeOut("slow-client", timeouts.slowClient(), State.FINISHING);
        } else if (stuck == 0 && isOver(timeouts.idle(), lastUpstreamNanos, now)) {
          if (answerComplete) {
            finish(Outcome.of(Outcome.Kind.COMPLETED)); // message_stop came, only the end did not
          } else {
            timeOut("idle", timeouts.idle(), current);
          }
        } else if (eventStream && isOver(timeouts.heartbeat(), client().lastWriteNanos(), now)) {
          client().appendIfQuiet(KEEP_ALIVE);
        }
      }
      case FINISHING -> {
        if (client().stuckNanos(now) > timeouts.slowClient().toNanos()) {
          timeOut("slow-client", timeouts.slowClient(), current);
        }
      }
      case ENDED -> {}
    }
  }

  private static boolean isOver(Duration limit, long since, long now) {
    return !limit.isZero() && now - since > limit.toNanos();
  }

  private void timeOut(String clock, Duration limit, State current) {
    Outcome outcome = new Outcome(Outcome.Kind.TIMED_OUT, clock);
    String message =
        "The gateway ended this request: timeouts." + clock + " of " + seconds(limit) + " is over.";
    if (current == State.RECEIVING || current == State.ATTEMPTING) {
      answerError(new ApiError(504, "timeout_error", message, upstreamRequestId), outcome);
    } else if (current == State.STREAMING) {
      cutShort(new ApiError(504, "timeout_error", message, upstreamRequestId), outcome);
    } else {
      // The client takes nothing: whatever waits for it cannot be delivered.
      state.compareAndSet(State.STREAMING, State.FINISHING);
      outcomeWhenTaken = outcome;
      releaseUpstream();
      client().abort();
    }
  }

  private static String seconds(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + "s"
        : duration.toMillis() + "ms";
  }

  /** Ends this exchange because the gateway closes; the client is told. */
  void shutDown() {
    if (state.get() == State.STREAMING && firstByteNanos < 0) {
      return; // the I/O thread is about to write the head; the caller comes again
    }
    Outcome outcome = new Outcome(Outcome.Kind.CANCELLED, "shutdown");
    ApiError error =
        new ApiError(503, "api_error", "The gateway is shutting down.", upstreamRequestId);
    answerError(error, outcome);
    cutShort(error, outcome);
  }

  /** Drops a client that did not take the last bytes in the time that was left. */
  void abandon() {
    ClientStream stream = client;
    if (stream != null) {
      stream.abort();
    }
  }
}
