package dev.headrace.relay;

import static java.util.Objects.requireNonNull;

import dev.headrace.admission.Permit;
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
  private volatile boolean holdingWhole; // the head of an answer that is no event stream has come
  private volatile boolean answerComplete; // message_stop has passed, or the whole body

  // I/O thread only
  private @Nullable UpstreamAnswer answer;
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
    client().clientHasLeft("while its request was being read: " + cause.getClass().getSimpleName());
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
  public void onHead(UpstreamResponseHead head) {
    lastUpstreamNanos = relay.nanoTime();
    upstreamRequestId = head.header("request-id");
    UpstreamAnswer begun = new UpstreamAnswer(head, relay.settings().buffers());
    answer = begun;
    holdingWhole = !begun.isEventStream();
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
    UpstreamAnswer current = begunAnswer();
    switch (current.hold(array, offset, length)) {
      case HOLD -> {}
      case COMMIT -> commit(current);
      case FIRST_EVENT_IS_ERROR -> answerFirstError(current);
    }
  }

  private UpstreamAnswer begunAnswer() {
    UpstreamAnswer current = answer;
    if (current == null) {
      throw new IllegalStateException("exchange " + id + ": a body before its head");
    }
    return current;
  }

  private void commit(UpstreamAnswer current) {
    if (!state.compareAndSet(State.ATTEMPTING, State.STREAMING)) {
      return;
    }
    status = current.head().status();
    eventStream = current.isEventStream();
    client().head(status, ClientHeaders.of(current.head(), id));
    firstByteNanos = relay.nanoTime();
    answerComplete = current.isStopped();
    byte[] first = current.takeHeld();
    append(current, first, 0, first.length);
  }

  private void pass(byte[] array, int offset, int length) {
    UpstreamAnswer current = begunAnswer();
    current.pass(array, offset, length);
    answerComplete = current.isStopped();
    append(current, array, offset, length);
  }

  private void append(UpstreamAnswer current, byte[] array, int offset, int length) {
    int waiting = client().append(array, offset, length, current.atBoundary());
    if (waiting > relay.settings().buffers().hard().bytes()) {
      cutShort(
          apiError("The client did not keep up with the answer (buffers.hard)."),
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
    UpstreamAnswer current = begunAnswer();
    if (current.isEventStream()) {
      answerError(
          new ApiError(
              502,
              "api_error",
              "The API ended its answer before the first event.",
              upstreamRequestId),
          new Outcome(Outcome.Kind.UPSTREAM_CUT, "no event"));
      return;
    }
    byte[] bytes = current.takeHeld();
    int answerStatus = current.head().status();
    answerComplete = true;
    answer(
        answerStatus,
        ClientHeaders.ofWhole(current.head(), bytes.length, id),
        bytes,
        answerStatus < 400
            ? Outcome.of(Outcome.Kind.COMPLETED)
            : new Outcome(Outcome.Kind.UPSTREAM_ERROR, "status " + answerStatus));
  }

  private void endOfStream() {
    UpstreamAnswer current = begunAnswer();
    if (!current.isEventStream()) {
      answerComplete = true;
      finish(Outcome.of(Outcome.Kind.COMPLETED));
    } else {
      endOfEvents(current, "The API ended its answer before it was complete.", "no message_stop");
    }
  }

  /**
   * What the end of an event stream means depends on its last events, not on how the bytes ended.
   */
  private void endOfEvents(UpstreamAnswer current, String ifIncomplete, String detail) {
    if (current.isStopped()) {
      answerComplete = true;
      finish(Outcome.of(Outcome.Kind.COMPLETED));
    } else if (current.hasErrorEvent()) {
      finish(new Outcome(Outcome.Kind.UPSTREAM_ERROR, "error event"));
    } else {
      cutShort(apiError(ifIncomplete), new Outcome(Outcome.Kind.UPSTREAM_CUT, detail));
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
      endOfEvents(
          begunAnswer(),
          "The connection to the API broke before the answer was complete.",
          failure.kind().name());
    }
  }

  // ---- answers of our own ----

  /** An error event in place of the first event becomes the status that it should have had. */
  private void answerFirstError(UpstreamAnswer current) {
    ApiError error = requireNonNull(current.firstError());
    byte[] json = current.firstErrorJson();
    answer(
        ApiError.statusOf(error.type()),
        ClientHeaders.ofJsonInstead(current.head(), json.length, id),
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

  private ApiError apiError(String message) {
    return new ApiError(500, "api_error", message, upstreamRequestId);
  }

  /** Ends a stream that has begun and is not complete, so that nobody takes it for complete. */
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
    Clocks.Phase phase = phase();
    if (phase == null) {
      return;
    }
    ClientStream stream = client();
    Clocks clocks = relay.clocks();
    Clocks.Clock expired =
        clocks.expired(
            new Clocks.Reading(
                phase, startNanos, attemptStartNanos, lastUpstreamNanos, stream.stuckNanos(now)),
            now);
    if (expired == Clocks.Clock.IDLE && answerComplete) {
      finish(Outcome.of(Outcome.Kind.COMPLETED)); // message_stop has come, only the end has not
    } else if (expired != null) {
      timeOut(expired, clocks.message(expired));
    } else if (phase == Clocks.Phase.STREAMING
        && eventStream
        && clocks.heartbeatIsDue(stream.lastWriteNanos(), now)) {
      stream.appendIfQuiet(KEEP_ALIVE);
    }
  }

  /**
   * Null when no clock counts: the exchange has ended, or its head is being written this moment.
   */
  private Clocks.@Nullable Phase phase() {
    return switch (requireNonNull(state.get())) {
      case RECEIVING -> Clocks.Phase.RECEIVING;
      case ATTEMPTING -> holdingWhole ? Clocks.Phase.HOLDING : Clocks.Phase.WAITING;
      case STREAMING -> firstByteNanos < 0 ? null : Clocks.Phase.STREAMING;
      case FINISHING -> Clocks.Phase.FINISHING;
      case ENDED -> null;
    };
  }

  private void timeOut(Clocks.Clock clock, String message) {
    Outcome outcome = new Outcome(Outcome.Kind.TIMED_OUT, clock.settingName());
    State now = requireNonNull(state.get());
    if (now == State.RECEIVING || now == State.ATTEMPTING) {
      ApiError error =
          clock == Clocks.Clock.BODY
              ? new ApiError(408, "invalid_request_error", message, null)
              : new ApiError(504, "timeout_error", message, upstreamRequestId);
      answerError(error, outcome);
    } else if (now == State.STREAMING && clock != Clocks.Clock.SLOW_CLIENT) {
      cutShort(new ApiError(504, "timeout_error", message, upstreamRequestId), outcome);
    } else if (now != State.ENDED) {
      // The client takes nothing: whatever waits for it cannot be delivered.
      state.compareAndSet(State.STREAMING, State.FINISHING);
      outcomeWhenTaken = outcome;
      releaseUpstream();
      client().abort();
    }
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
