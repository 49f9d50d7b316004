package dev.headrace.relay;

import static java.util.Objects.requireNonNull;

import dev.headrace.admission.Permit;
import dev.headrace.admission.Refusal;
import dev.headrace.admission.RefusedException;
import dev.headrace.admission.UpstreamBody;
import dev.headrace.config.GatewaySettings;
import dev.headrace.messages.ApiError;
import dev.headrace.messages.EventConsumer;
import dev.headrace.messages.InvalidBodyException;
import dev.headrace.messages.RequestHead;
import dev.headrace.messages.UsageView;
import dev.headrace.observe.BestEffort;
import dev.headrace.observe.Outcome;
import dev.headrace.spi.Tokens;
import dev.headrace.sse.SseWriter;
import dev.headrace.upstream.Answer;
import dev.headrace.upstream.AttemptFailure;
import dev.headrace.upstream.Attempts;
import dev.headrace.upstream.HeaderField;
import dev.headrace.upstream.UpstreamCall;
import dev.headrace.upstream.UpstreamFailure;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client request with its answer, from the first byte of the body to the last byte taken by the
 * client.
 *
 * <pre>
 * RECEIVING ──body──► ADMITTING ──allowed──► ATTEMPTING ──answer begins──► STREAMING ──it has ended──► FINISHING ──client has all──► ENDED
 *     │                  │                    │                          │     │
 *     └─ answer of ours ─┴────────────────────┴──► FINISHING             │     └─ clock, cut, budget ──► FINISHING
 *                                                                        └─ client left ──► DRAINING ──usage known, limit──► ENDED
 *     any ── the client has left ──► ENDED
 * </pre>
 *
 * <p>Whoever changes the state does what belongs to the change; {@link #end} is the one way out,
 * where the permit goes back and the upstream is released. The attempts live in {@link Attempts},
 * the writing in {@link ClientStream}, the decisions about time in {@link Clocks}. Thread-safe: the
 * container, the upstream's I/O thread and the sweeper may all come at once.
 */
final class Exchange
    implements Attempts.Listener, ClientStream.Listener, RequestBody.Listener, Allowance.Listener {

  /** How long the container may take to say that a client has left. */
  private static final Duration NEWS_OF_LEAVING = Duration.ofMillis(50);

  private static final Logger LOG = LoggerFactory.getLogger(Exchange.class);
  private static final byte[] KEEP_ALIVE = SseWriter.comment("keep-alive");

  /** So many bytes are written before the others of their turn have come: arrays stay small. */
  private static final int WORTH_WRITING = 16 * 1024;

  private static final Outcome BY_WRAPPER = new Outcome(Outcome.Kind.FAILED, "response wrapper");

  private enum State {
    RECEIVING,
    ADMITTING,
    ATTEMPTING,
    STREAMING,
    DRAINING,
    FINISHING,
    ENDED
  }

  /** How it ended and what it has used, for those who read along. */
  private record Ending(Outcome outcome, Tokens tokens) {}

  private final String id;
  private final Relay relay;
  private final Route.Upstream route;
  private final Wanted wanted;
  private final Entrant entrant;
  private final @Nullable Allowance allowance; // null without limits
  private final List<HeaderField> upstreamHeaders;
  private final Permit permit;
  private final BodyMemory.Share bodyRoom;
  private final Account account;
  private final AnswerHeaders headers;
  private final AtomicReference<State> state = new AtomicReference<>(State.RECEIVING);

  private volatile @Nullable ClientStream client; // set before any callback can come
  private Delivery delivery; // set for good before the first attempt
  private volatile @Nullable Permit upstreamPermit;
  private volatile @Nullable Attempts attempts;
  private volatile boolean eventsWanted; // the request asks for an event stream
  private volatile boolean begunEarly; // timeouts.early-commit has sent a head
  private volatile boolean otherwise; // not in the form that was promised
  private volatile boolean followed; // the answer is a stream whose events are understood
  private volatile boolean eventStream; // events of ours may stand in what the client gets
  private volatile boolean answerComplete; // message_stop has passed, or the whole body
  private volatile long finishNanos;
  private volatile long leftNanos; // when the client left and draining began
  private volatile @Nullable Ending ending; // set before reassembly is looked at
  private volatile @Nullable Reassembly reassembly;
  private volatile @Nullable Future<?> wakeUp; // for the next attempt

  // Draining thread only.
  private int ungranted;

  // Upstream I/O thread only.
  private long tokensWhenLeft = -1;
  private @Nullable BudgetEnd budgetEnd; // of a stream that is to end there

  Exchange(
      UsageBook.Asker asker,
      Entrant entrant,
      Relay relay,
      Route.Upstream route,
      Wanted wanted,
      List<HeaderField> upstreamHeaders,
      Permit permit) {
    this.id = asker.id();
    this.entrant = entrant;
    this.relay = relay;
    this.route = route;
    this.wanted = wanted;
    this.upstreamHeaders = upstreamHeaders;
    this.permit = permit;
    this.bodyRoom = relay.bodyMemory().share(entrant.user());
    this.delivery = relay.delivery(Wanted.EVENTS, asker);
    this.allowance =
        switch (route.endpoint().kind()) {
          case MESSAGES -> relay.allowance(entrant);
          case MODEL_REQUEST -> relay.allowanceWithoutBudgets(entrant);
          case OPAQUE -> null;
        };
    this.account = new Account(asker, route.endpoint(), relay.book(), allowance, relay::nanoTime);
    this.headers = new AnswerHeaders(id, relay.door().hidesOrganisation(), allowance);
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

  // ---- the request

  @Override
  public void onBody(byte[] bytes, int length) {
    try {
      ask(bytes, length);
    } catch (RuntimeException | Error e) {
      failAtTheStart(e);
    }
  }

  private void ask(byte[] bytes, int length) {
    if (route.endpoint().kind() == Endpoint.Kind.OPAQUE) {
      attempt(bytes, length, null);
      return;
    }
    UpstreamBody body;
    try {
      body = entrant.body(bytes, length);
    } catch (InvalidBodyException e) {
      refuse(400, "invalid_request_error", String.valueOf(e.getMessage()));
      return;
    } catch (RefusedException e) {
      answerError(e.error(), refusal(e.error()));
      return;
    }
    if (body.length() > length
        && !bodyRoom.growTo(body.length())) { // by a preset's prompt and tools
      onNoRoomForBody();
      return;
    }
    account.asks(body.head().model());
    ApiError mismatch = wanted.mismatch(body.head().stream());
    if (mismatch != null) {
      answerError(mismatch, new Outcome(Outcome.Kind.REFUSED, "format"));
    } else if (allowance == null) {
      attempt(body.bytes(), body.length(), body.head());
    } else if (isModelNeeded() && body.head().model() == null) {
      refuse(
          400,
          "invalid_request_error",
          "model: is missing (expected: the name of a model, since the gateway keeps a budget for"
              + " cost)");
    } else if (state.compareAndSet(State.RECEIVING, State.ADMITTING)) {
      allowance.ask(relay.door(), body, account.asker().startedAt(), this);
    }
  }

  /** Whether the gateway has to know a price; all else that is missing is for the API to tell. */
  private boolean isModelNeeded() {
    return route.endpoint().kind() == Endpoint.Kind.MESSAGES && entrant.plan().needsPrice();
  }

  /** Containers tell nobody of an exception that comes out of a listener. */
  private void failAtTheStart(Throwable cause) {
    answerError(
        apiError("The gateway failed on this request. The server's log says more."),
        failure(cause));
    BestEffort.log(() -> LOG.error("Exchange {} could not be started", id, cause));
  }

  @Override
  public void onAllowed(UpstreamBody body, @Nullable Refusal wouldRefuse) {
    if (wouldRefuse != null) {
      relay.statistics().wouldRefuse();
      LOG.info(
          "Exchange {}: the plan {} would refuse it ({})",
          id,
          entrant.plan().name(),
          wouldRefuse.name());
    }
    attempt(body.bytes(), body.length(), body.head());
  }

  @Override
  public void onFailed(Throwable cause) {
    failAtTheStart(cause);
  }

  @Override
  public void onRefused(Refusal refusal) {
    Allowance asked = allowance;
    ApiError error = RateLimitHeaders.error(refusal, asked == null ? null : asked.unpricedModel());
    byte[] json = error.json();
    List<HeaderField> fields =
        ClientHeaders.with(headers.of(error, json), RateLimitHeaders.retry(refusal));
    answer(error.status(), fields, json, new Outcome(Outcome.Kind.REFUSED, refusal.name()));
  }

  private static Outcome refusal(ApiError error) {
    return new Outcome(Outcome.Kind.REFUSED, Integer.toString(error.status()));
  }

  /** What the request's body takes of the memory for all bodies. */
  BodyMemory.Share bodyRoom() {
    return bodyRoom;
  }

  @Override
  public void onNoRoomForBody() {
    ApiError error =
        new ApiError(
            503,
            "overloaded_error",
            "The gateway holds as many large request bodies as it has memory for.",
            null);
    answerBusy(error, "request bodies");
  }

  /** Most bytes of the request's body. */
  long maxBodyBytes() {
    return entrant.plan().policy().maxBodyBytes(relay.settings().request().maxBody().bytes());
  }

  @Override
  public void onBodyTooLarge() {
    try {
      entrant.plan().policy().checkSize(maxBodyBytes() + 1);
    } catch (RefusedException e) {
      answerError(e.error(), refusal(e.error()));
      return;
    }
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

  /**
   * {@inheritDoc} Jetty calls a body whole that was reset over HTTP/2, and says a moment later that
   * the client has left.
   */
  @Override
  public void onBodyShort() {
    relay.later(NEWS_OF_LEAVING, this::refuseShortBody);
  }

  private void refuseShortBody() {
    ApiError error =
        new ApiError(
            400,
            "invalid_request_error",
            "The body ended before its content-length: it was broken off, or a filter of this"
                + " application has read it.",
            null);
    byte[] json = error.json();
    answer(error.status(), headers.of(error, json), json, 1, refusal(error));
  }

  /** Says that the request could not be read for a reason that lies on this side. */
  void answerNotRead() {
    answerError(
        apiError(
            "The gateway could not read this request, perhaps because a filter of this application"
                + " has done so. The server's log says more."),
        new Outcome(Outcome.Kind.FAILED, "request not read"));
  }

  /** Whether nothing has been answered, and the request's body is still of interest. */
  boolean isReceiving() {
    return state.get() == State.RECEIVING;
  }

  /** Whether the request has a body that is to be read first. */
  boolean hasBody() {
    return route.endpoint().method().equals("POST");
  }

  /** Asks the upstream for what has no body. */
  void attempt() {
    attempt(null, 0, null);
  }

  private void attempt(byte @Nullable [] bytes, int length, @Nullable RequestHead head) {
    Permit connection = relay.takeUpstreamPermit();
    if (connection == null) {
      answerBusy(Relay.tooMany(), "upstream.max-connections");
      return;
    }
    upstreamPermit = connection;
    Endpoint endpoint = route.endpoint();
    Attempts prepared =
        relay
            .upstreams()
            .attempts(
                new UpstreamCall(
                    endpoint.method(),
                    route.pathAndQuery(),
                    upstreamHeaders,
                    bytes,
                    length,
                    head,
                    endpoint.mayRunTwice(),
                    account.isMetered()),
                account.startNanos(),
                this);
    attempts = prepared;
    eventsWanted = account.isMetered() && head != null && head.stream();
    if (eventsWanted) {
      delivery = relay.delivery(wanted, account.asker());
    }
    if (state.compareAndSet(State.RECEIVING, State.ATTEMPTING)
        || state.compareAndSet(State.ADMITTING, State.ATTEMPTING)) {
      prepared.start();
    } else {
      connection.release(); // ended meanwhile, perhaps before it could see the permit
    }
  }

  // ---- the answer, on the upstream's I/O thread but for a commit and a failure by a clock

  @Override
  public boolean onCommit(Answer answer, byte[] first) {
    if (!state.compareAndSet(State.ATTEMPTING, State.STREAMING)) {
      return false;
    }
    bodyRoom.release(); // from now on no attempt can need it again
    account.requestId(answer.head().header("request-id"));
    followed = answer.isEventStream();
    answerComplete = answer.isStopped();
    boolean asWanted = !eventsWanted || delivery.begin(answer, readersOf(answer));
    ClientStream stream = client();
    if (stream.head(answer.head().status(), headers.of(answer.head(), delivery, fallbackModel()))) {
      account.answers(answer.head().status());
    } else {
      begunEarly = true; // the sweeper may be about to say so
    }
    // Behind the head: a gateway that closes ends with an error event whatever may take one, and
    // alone that would go out as a 200 that does not say what it is.
    eventStream = delivery.takesEvents(answer);
    if ((begunEarly && !eventStream) || !asWanted) {
      eventStream = delivery.canBeginEarly();
      otherwise = true; // a stream was promised: onCommitted says what came instead
      return true;
    }
    delivery.pass(stream, answer, first, 0, first.length);
    account.begins();
    return true;
  }

  private List<EventConsumer> readersOf(Answer answer) {
    List<EventConsumer> readers = new ArrayList<>(2);
    Reassembly listening = startReassembly(answer);
    if (listening != null) {
      readers.add(listening);
    }
    if (entrant.plan().stopsAtBudget()) {
      budgetEnd = new BudgetEnd();
      readers.add(budgetEnd);
    }
    return readers;
  }

  private @Nullable Reassembly startReassembly(Answer answer) {
    if (!account.isMetered() || !answer.head().isEventStream()) {
      return null;
    }
    Reassembly started = relay.listeners().follow(account.streamStart());
    reassembly = started;
    Ending over = ending;
    if (started != null && over != null) {
      // Ended meanwhile, by somebody who may not have seen that anybody listens.
      started.end(over.outcome, over.tokens);
    }
    return started;
  }

  /** The model that answers when it is not the one that the client asked for. */
  private @Nullable String fallbackModel() {
    Attempts running = attempts;
    return running == null ? null : running.fallbackModel();
  }

  @Override
  public void onCommitted(Answer answer) {
    if (otherwise) {
      cutForSomethingElse();
    } else {
      goOn();
      stopAtBudget(answer);
    }
  }

  /** {@inheritDoc} What the bytes have come to is looked at with the next ones. */
  @Override
  public void onCommittedByClock(Answer answer) {
    if (otherwise) {
      cutForSomethingElse();
    } else {
      grantOwed();
    }
  }

  private void cutForSomethingElse() {
    cutShort(
        apiError("The API answered with something else than an event stream."),
        new Outcome(Outcome.Kind.UPSTREAM_ERROR, UsageBook.NO_EVENT_STREAM));
  }

  @Override
  public void onPause() {
    client().wake();
  }

  @Override
  public boolean wantsSingleEvents() {
    return eventsWanted && entrant.plan().stopsAtBudget();
  }

  @Override
  public void onBytes(Answer answer, byte[] bytes, int offset, int length) {
    if (answer.isStopped()) {
      answerComplete = true;
    }
    State now = state.get();
    if (now == State.STREAMING) {
      int waiting = delivery.pass(client(), answer, bytes, offset, length);
      if (waiting >= WORTH_WRITING) {
        client().wake();
      }
      goOn();
      stopAtBudget(answer);
      if (waiting > relay.settings().buffers().hard().bytes()) {
        cutShort(
            apiError("The client did not keep up with the answer (buffers.hard)."),
            new Outcome(Outcome.Kind.CLIENT_GONE, "buffers.hard"));
      }
    } else if (now == State.DRAINING) {
      delivery.passBy(bytes, offset, length);
      drain(answer, length);
    }
  }

  /** What a translation asks for once its bytes are on their way. */
  private void goOn() {
    String failure = delivery.failure();
    if (failure != null) {
      cutShort(
          apiError(failure), new Outcome(Outcome.Kind.UPSTREAM_ERROR, UsageBook.UNREADABLE_EVENT));
    }
    grantOwed();
  }

  private void grantOwed() {
    int credit = delivery.takeCredit(grantStep());
    if (credit > 0) {
      upstream().grant(credit);
    }
  }

  /** Ends a stream behind the event with which its budget is used up. */
  private void stopAtBudget(Answer answer) {
    BudgetEnd end = budgetEnd;
    if (end != null
        && allowance != null
        && answer.atBoundary()
        && !answer.isStopped()
        && allowance.isUsedUp(answer.usage())) {
      delivery.passLast(client(), end.events(answer.usage().estimatedOutputTokens()));
      finish(new Outcome(Outcome.Kind.CANCELLED, "budget"));
    }
  }

  /** In larger steps, since each grant wakes the upstream's selector. */
  private int grantStep() {
    int soft = relay.settings().buffers().soft().toInt();
    return delivery.translates() ? soft / 4 : soft / 2; // two pay back where bytes become fewer
  }

  /** Reads on for the usage, after the client has left. */
  private void drain(Answer answer, int length) {
    if (tokensWhenLeft < 0) {
      tokensWhenLeft = answer.usage().estimatedOutputTokens();
    }
    if (!answer.isStopped() // else only the end of the body is missing, and the connection is kept
        && answer.usage().estimatedOutputTokens() - tokensWhenLeft
            > relay.settings().disconnect().drainTokens()) {
      end(new Outcome(Outcome.Kind.CLIENT_GONE, "drain-tokens"));
    } else {
      upstream().grant(length);
    }
  }

  private Attempts upstream() {
    return requireNonNull(attempts, "attempts");
  }

  @Override
  public void onEnd(Answer answer) {
    delivery.end();
    if (endDrained(answer)) {
      return;
    }
    if (answer.isEventStream() || delivery.translates() || answer.isIncomplete()) {
      endOfEvents(answer, "The API ended its answer before it was complete.", "no message_stop");
    } else {
      answerComplete = true;
      finish(Outcome.of(Outcome.Kind.COMPLETED));
    }
    endDrained(answer); // the client may have left just now
  }

  /** Ends an exchange whose client has left when the answer has ended, too. */
  private boolean endDrained(Answer answer) {
    if (state.get() != State.DRAINING) {
      return false;
    }
    end(new Outcome(Outcome.Kind.CLIENT_GONE, answer.isStopped() ? "drained" : ""));
    return true;
  }

  @Override
  public void onCut(Answer answer, UpstreamFailure failure) {
    if (failure.kind() != UpstreamFailure.Kind.CANCELLED) { // which may come while bytes are read
      delivery.end();
    }
    if (!endDrained(answer)) {
      endOfEvents(
          answer,
          "The connection to the API broke before the answer was complete.",
          failure.kind().name());
      endDrained(answer); // the client may have left just now
    }
  }

  /**
   * What the end of an event stream means depends on its last events, not on how the bytes ended.
   */
  private void endOfEvents(Answer answer, String ifIncomplete, String detail) {
    if (answer.isStopped()) {
      answerComplete = true;
      finish(Outcome.of(Outcome.Kind.COMPLETED));
    } else if (answer.hasErrorEvent()) {
      Outcome outcome = new Outcome(Outcome.Kind.UPSTREAM_ERROR, "error event");
      if (delivery.passesErrorsOn()) {
        finish(outcome);
      } else {
        ApiError told = delivery.upstreamError();
        cutShort(
            told == null
                ? apiError("The API ended its answer with an error.")
                : told.orRequestId(account.requestId()),
            outcome);
      }
    } else {
      cutShort(apiError(ifIncomplete), new Outcome(Outcome.Kind.UPSTREAM_CUT, detail));
    }
  }

  @Override
  public void onWhole(Answer answer, byte[] body) {
    account.requestId(answer.head().header("request-id"));
    answerComplete = true;
    answer(
        answer.head().status(),
        headers.ofWhole(answer.head(), body.length, fallbackModel()),
        body,
        Outcome.of(Outcome.Kind.COMPLETED));
  }

  @Override
  public void onWaiting(long nanos) {
    Future<?> pending = relay.sweepLater(this, nanos);
    wakeUp = pending;
    if (state.get() == State.ENDED) {
      pending.cancel(false);
    }
  }

  @Override
  public void onGivenUp(AttemptFailure failure, boolean exhausted) {
    LastFailure last =
        LastFailure.of(failure, relay.clocks(), relay.settings().timeouts().connect(), id);
    account.requestId(upstream().requestId());
    try {
      if (last.warning() != null) {
        LOG.warn("Exchange {}: {}", id, last.warning());
      }
    } finally { // a log may fail, and nobody else would answer
      answerFailure(last, exhausted);
    }
  }

  private void answerFailure(LastFailure last, boolean exhausted) {
    List<HeaderField> fields =
        exhausted ? AnswerHeaders.withoutRetry(last.headers()) : last.headers();
    String requestId = account.requestId();
    if (requestId != null) {
      fields = ClientHeaders.with(fields, "request-id", requestId);
    }
    answer(last.status(), headers.complete(fields, fallbackModel()), last.body(), last.outcome());
  }

  // ---- answers of our own

  private void refuse(int refusalStatus, String type, String message) {
    answerError(
        new ApiError(refusalStatus, type, message, null),
        new Outcome(Outcome.Kind.REFUSED, Integer.toString(refusalStatus)));
  }

  private void answerError(ApiError error, Outcome outcome) {
    byte[] json = error.json();
    answer(error.status(), headers.of(error, json), json, outcome);
  }

  /** In a moment there may be room again. */
  private void answerBusy(ApiError error, String what) {
    byte[] json = error.json();
    answer(
        error.status(),
        ClientHeaders.with(headers.of(error, json), "retry-after", "1"),
        json,
        new Outcome(Outcome.Kind.REFUSED, what));
  }

  private void answerFinalError(ApiError error, Outcome outcome) {
    byte[] json = error.json();
    answer(error.status(), AnswerHeaders.withoutRetry(headers.of(error, json)), json, outcome);
  }

  /** Sends a whole answer, if nothing of another was sent before. */
  private void answer(int answerStatus, List<HeaderField> fields, byte[] bytes, Outcome outcome) {
    answer(answerStatus, fields, bytes, 0, outcome);
  }

  /**
   * As above, for a client that may have left.
   *
   * @param ahead how many bytes are sent before the rest: Jetty (12.1.14) tells nobody that the
   *     last write of an answer has failed
   */
  private void answer(
      int answerStatus, List<HeaderField> fields, byte[] bytes, int ahead, Outcome outcome) {
    State now;
    do {
      now = state.get();
      if (now != State.RECEIVING && now != State.ADMITTING && now != State.ATTEMPTING) {
        return;
      }
    } while (!state.compareAndSet(now, State.FINISHING));
    lastly(() -> send(answerStatus, fields, bytes, ahead, outcome));
  }

  private void send(
      int answerStatus, List<HeaderField> fields, byte[] bytes, int ahead, Outcome outcome) {
    ClientStream stream = client();
    if (stream.head(answerStatus, fields)) {
      account.answers(answerStatus);
      account.begins();
      if (ahead > 0) {
        stream.append(bytes, 0, ahead, ClientQueue.Place.INSIDE);
      }
      stream.queue(bytes, ahead, bytes.length - ahead, ClientQueue.Place.END);
      stream.finish(outcome);
    } else { // an event stream was begun early
      Outcome instead =
          outcome.kind() == Outcome.Kind.COMPLETED
              ? new Outcome(Outcome.Kind.UPSTREAM_ERROR, UsageBook.NO_EVENT_STREAM)
              : outcome;
      byte[] event =
          delivery.translates()
              ? delivery.lastEvent(LastFailure.asError(bytes, answerStatus, account.requestId()))
              : LastFailure.asEvent(bytes, answerStatus, account.requestId());
      stream.finishWith(event, instead);
    }
  }

  /**
   * Does what ends the answer. Nobody else will: when it throws, such as for lack of memory, the
   * connection is dropped.
   */
  private void lastly(Runnable act) {
    try {
      finishing();
      act.run();
    } catch (RuntimeException | Error e) {
      client().abort(failure(e));
      throw e;
    }
  }

  private static Outcome failure(Throwable cause) {
    return new Outcome(Outcome.Kind.FAILED, cause.getClass().getSimpleName());
  }

  private void finishing() {
    bodyRoom.release();
    finishNanos = relay.nanoTime();
    releaseUpstream();
  }

  /** Ends a stream that has begun and is complete, or whose error the client has already read. */
  private void finish(Outcome outcome) {
    if (state.compareAndSet(State.STREAMING, State.FINISHING)) {
      lastly(() -> client().finish(outcome));
    }
  }

  private ApiError apiError(String message) {
    return new ApiError(500, "api_error", message, account.requestId());
  }

  /** Ends a stream that has begun and is not complete, so that nobody takes it for complete. */
  private void cutShort(ApiError error, Outcome outcome) {
    if (state.compareAndSet(State.STREAMING, State.FINISHING)) {
      lastly(() -> endShort(error, outcome));
    }
  }

  private void endShort(ApiError error, Outcome outcome) {
    if (eventStream) {
      client().finishWith(delivery.lastEvent(error), outcome);
    } else if (delivery.translates()) {
      cutText(error, outcome);
    } else {
      client().abort(outcome);
    }
  }

  /** A format without errors can only break off, unless nothing of it has been sent. */
  private void cutText(ApiError error, Outcome outcome) {
    byte[] json = error.json();
    if (client().answerInstead(error.status(), headers.of(error, json), json, outcome)) {
      account.answers(error.status());
    } else {
      client().cut(outcome);
    }
  }

  private void releaseUpstream() {
    Attempts running = attempts;
    if (running != null) {
      running.cancel(); // does nothing to one that has ended: its connection stays in the pool
    }
    Future<?> pending = wakeUp;
    if (pending != null) {
      pending.cancel(false);
    }
  }

  // ---- the client, on whichever thread writes

  @Override
  public void onTaken(int bytes) {
    ungranted += bytes;
    Attempts running = attempts;
    if (running != null && ungranted >= grantStep()) {
      running.grant(ungranted);
      ungranted = 0;
    }
  }

  @Override
  public void onFinished(Outcome outcome) {
    end(outcome);
  }

  @Override
  public void onGone(String why) {
    BestEffort.log(() -> LOG.debug("Exchange {}: the client has left ({})", id, why));
    leftNanos = relay.nanoTime();
    if (drains() && state.compareAndSet(State.STREAMING, State.DRAINING)) {
      // Nobody takes bytes any more, so nobody would grant any: enough to use up what is in flight.
      upstream().grantUnread(relay.settings().buffers().soft().toInt());
    } else {
      end(Outcome.of(Outcome.Kind.CLIENT_GONE));
    }
  }

  @Override
  public void onUnwritable() {
    if (!enterFinishing()) {
      return;
    }
    ApiError error =
        apiError(
            "A filter of this application keeps answers from being written. The server's log says"
                + " which one and what to change.");
    byte[] json = error.json();
    account.answers(error.status());
    if (!client().answerUnwritable(error.status(), headers.of(error, json), json, BY_WRAPPER)) {
      client().abort(BY_WRAPPER);
    }
  }

  @Override
  public void onBroken(Throwable cause) {
    end(cause instanceof Error ? failure(cause) : new Outcome(Outcome.Kind.FAILED, "filter"));
    BestEffort.log(() -> LOG.error("Exchange {} cannot go on", id, cause));
  }

  @Override
  public void onEndedByWrapper() {
    end(BY_WRAPPER);
  }

  private boolean drains() {
    return disconnectPolicy() == GatewaySettings.DisconnectPolicy.DRAIN
        && followed
        && !answerComplete
        && !relay.isDraining();
  }

  /** What the preset says, else what holds for all. */
  private GatewaySettings.DisconnectPolicy disconnectPolicy() {
    String name = account.asker().preset();
    GatewaySettings.Preset preset = name == null ? null : relay.settings().presets().get(name);
    GatewaySettings.DisconnectPolicy own = preset == null ? null : preset.disconnectPolicy();
    return own == null ? relay.settings().disconnect().policy() : own;
  }

  @Override
  public void onContainerEnds() {
    shutDown();
    if (state.get() == State.STREAMING) {
      cutShort(shutDownError(), shutDownOutcome()); // in mid-event: there is no later moment
    }
  }

  @Override
  public void onInterrupted() {
    endNow("The server has interrupted this request.", "interrupted");
  }

  /** The single way out: the first caller's outcome counts, later calls change nothing. */
  private void end(Outcome outcome) {
    if (state.getAndSet(State.ENDED) == State.ENDED) {
      return;
    }
    releaseUpstream();
    Permit connection = upstreamPermit;
    if (connection != null) {
      connection.release();
    }
    permit.release();
    bodyRoom.release();
    Attempts made = attempts;
    UsageBook.Used used = null;
    try {
      used = account.end(outcome, made); // before the gateway can close
    } finally {
      try {
        tellListeners(new Ending(outcome, used == null ? Tokens.NONE : used.tokens()));
      } finally {
        relay.ended(this, outcome);
      }
    }
    ClientStream stream = client;
    long written = stream == null ? 0 : stream.bytesWritten();
    BestEffort.log(() -> account.log(outcome, made, written)); // the client may still wait
  }

  private void tellListeners(Ending how) {
    ending = how;
    Reassembly listening = reassembly;
    if (listening != null) {
      listening.end(how.outcome, how.tokens);
    }
  }

  @Override
  public void onDropped(int number, @Nullable String requestId, @Nullable UsageView usage) {
    account.dropped(number, requestId, usage);
  }

  /** Ends an exchange that somebody else answers with a refusal. */
  void refused(int refusalStatus, String detail) {
    account.answers(refusalStatus);
    end(new Outcome(Outcome.Kind.REFUSED, detail));
  }

  /** Ends an exchange whose handling itself failed before it could answer. */
  void fail(String detail) {
    end(new Outcome(Outcome.Kind.FAILED, detail));
  }

  // ---- the clocks, on the sweeper's thread

  /** Looks at every clock of this exchange, at its heartbeat and at its next attempt. */
  void sweep(long now) {
    Attempts running = attempts;
    if (running != null && state.get() == State.ATTEMPTING) {
      running.startIfDue();
      running.passOnTrial(now);
      if (running.holdsForTooLong(now)) {
        running.commitHeld();
      }
    }
    Clocks.Reading reading = reading(now);
    if (reading == null) {
      return;
    }
    if (reading.phase() != Clocks.Phase.RECEIVING && client().isUnwritable(now)) {
      onUnwritable();
      return;
    }
    Clocks clocks = relay.clocks();
    Clocks.Clock expired = clocks.expired(reading, now);
    if (expired == Clocks.Clock.IDLE && answerComplete && state.get() != State.DRAINING) {
      finish(Outcome.of(Outcome.Kind.COMPLETED)); // message_stop has come, only the end has not
    } else if (expired != null) {
      timeOut(expired, reading, clocks);
    } else {
      keepAlive(clocks, now);
    }
  }

  /** Null when no clock counts because the exchange has ended. */
  private Clocks.@Nullable Reading reading(long now) {
    State current = requireNonNull(state.get());
    if (current == State.ENDED) {
      return null;
    }
    // Nothing waits for a client that has left.
    long stuck = current == State.DRAINING ? 0 : client().stuckNanos(now);
    Attempts running = attempts;
    if (running == null || current == State.RECEIVING || current == State.FINISHING) {
      Clocks.Phase phase =
          switch (current) {
            case FINISHING -> Clocks.Phase.FINISHING;
            case ADMITTING -> Clocks.Phase.BETWEEN;
            default -> Clocks.Phase.RECEIVING;
          };
      long phaseNanos = finishNanos == 0 ? now : finishNanos; // it has only just begun
      return new Clocks.Reading(phase, account.startNanos(), phaseNanos, 0, 0, stuck);
    }
    Attempts.Reading attempt = running.reading();
    Clocks.Phase phase =
        switch (current) {
          case DRAINING -> Clocks.Phase.DRAINING;
          case STREAMING -> Clocks.Phase.STREAMING;
          default ->
              !attempt.running()
                  ? Clocks.Phase.BETWEEN
                  : attempt.holding() ? Clocks.Phase.HOLDING : Clocks.Phase.WAITING;
        };
    return new Clocks.Reading(
        phase,
        account.startNanos(),
        current == State.DRAINING ? leftNanos : attempt.startNanos(),
        attempt.byteNanos(),
        followed ? attempt.contentNanos() : attempt.byteNanos(),
        stuck);
  }

  /** Writes a comment when it is time for one, also where an answer is begun before it has come. */
  private void keepAlive(Clocks clocks, long now) {
    ClientStream stream = client();
    long queued = stream.queuedBytes(); // before all else: what comes after it cancels the comment
    State current = state.get();
    boolean early = current == State.ATTEMPTING && eventsWanted && delivery.canBeginEarly();
    if (early && !begunEarly && clocks.earlyCommitIsDue(account.startNanos(), now)) {
      if (stream.head(200, ClientHeaders.ofEarlyEvents(id))) {
        begunEarly = true;
        account.answers(200);
        relay.statistics().earlyCommit();
        stream.appendIfQuiet(KEEP_ALIVE, queued);
      }
      return;
    }
    boolean flowing = current == State.STREAMING && eventStream && !answerComplete;
    if ((flowing || (early && begunEarly))
        && clocks.heartbeatIsDue(stream.lastWriteNanos(), now)
        && stream.appendIfQuiet(KEEP_ALIVE, queued)) {
      relay.statistics().heartbeat();
    }
  }

  /**
   * @param reading what the decision rests on: the exchange may have gone on since
   */
  private void timeOut(Clocks.Clock clock, Clocks.Reading reading, Clocks clocks) {
    State now = requireNonNull(state.get());
    Outcome outcome = new Outcome(Outcome.Kind.TIMED_OUT, clock.settingName());
    if (now == State.FINISHING
        && clock != Clocks.Clock.SLOW_CLIENT
        && reading.phase() != Clocks.Phase.FINISHING) {
      return; // it has come to its end meanwhile, and its last bytes have a clock of their own
    }
    if (clock == Clocks.Clock.SLOW_CLIENT || now == State.FINISHING) {
      dropClient(outcome);
    } else if (now == State.DRAINING) {
      end(new Outcome(Outcome.Kind.CLIENT_GONE, answerComplete ? "drained" : clock.settingName()));
    } else if (clock != Clocks.Clock.TOTAL
        && (reading.phase() == Clocks.Phase.WAITING || reading.phase() == Clocks.Phase.HOLDING)) {
      upstream().timeOut(clock.settingName(), reading.phaseNanos()); // another attempt may follow
    } else if (clock != Clocks.Clock.BODY || now == State.RECEIVING) {
      ApiError error =
          clock == Clocks.Clock.BODY
              ? new ApiError(408, "invalid_request_error", clocks.message(clock), null)
              : new ApiError(504, "timeout_error", clocks.message(clock), account.requestId());
      if (now == State.ATTEMPTING && relay.settings().retry().maxAttempts() > 1) {
        answerFinalError(error, outcome);
      } else {
        answerError(error, outcome);
      }
      cutShort(error, outcome);
    }
  }

  /** The client takes nothing: whatever waits for it cannot be delivered. */
  private void dropClient(Outcome outcome) {
    if (enterFinishing()) {
      abort(client(), outcome);
    }
  }

  /** However the stream has ended before: whoever it should have told of that may have failed. */
  private void abort(ClientStream stream, Outcome outcome) {
    stream.abort(outcome);
    if (stream.isOver()) {
      end(outcome);
    }
  }

  /**
   * Whatever the exchange was at, only its last bytes are left now; false if it has ended, or its
   * client has left just now: then nobody would ever take these.
   */
  private boolean enterFinishing() {
    State now;
    do {
      now = requireNonNull(state.get());
      if (now == State.ENDED || now == State.DRAINING) {
        return false;
      }
    } while (!state.compareAndSet(now, State.FINISHING));
    finishing();
    return true;
  }

  // ---- ends that somebody asks for

  /**
   * Ends this exchange because the gateway closes; the client is told. In mid-event nothing is
   * done: the caller comes again.
   */
  void shutDown() {
    if (state.get() == State.DRAINING) {
      end(shutDownOutcome());
      return;
    }
    ApiError error = shutDownError();
    byte[] json = error.json();
    answer(
        error.status(),
        ClientHeaders.with(headers.of(error, json), "retry-after", Relay.AFTER_RESTART),
        json,
        shutDownOutcome());
    endAtBoundary(error, shutDownOutcome());
  }

  private ApiError shutDownError() {
    return new ApiError(503, "api_error", "The gateway is shutting down.", account.requestId());
  }

  private static Outcome shutDownOutcome() {
    return new Outcome(Outcome.Kind.CANCELLED, "shutdown");
  }

  /** Ends a stream that has begun with an error event, only where an event can stand. */
  private void endAtBoundary(ApiError error, Outcome outcome) {
    if (state.get() == State.STREAMING
        && eventStream
        && client().finishAtBoundaryWith(delivery.lastEvent(error), outcome)
        && state.compareAndSet(State.STREAMING, State.FINISHING)) {
      finishing();
    }
  }

  /** Ends this exchange now because an operator wants so; the client is told. */
  void cancel() {
    endNow("This request was cancelled by an operator.", "operator");
  }

  private void endNow(String message, String detail) {
    Outcome outcome = new Outcome(Outcome.Kind.CANCELLED, detail);
    ApiError error = new ApiError(503, "api_error", message, account.requestId());
    answerFinalError(error, outcome);
    cutShort(error, outcome);
    if (state.get() == State.DRAINING) { // the client may have left just now
      end(outcome);
    }
  }

  /** Drops a client that did not take the last bytes in the time that was left. */
  void abandon() {
    if (state.get() == State.DRAINING) {
      end(shutDownOutcome());
      return;
    }
    ClientStream stream = client;
    if (stream != null) {
      cutShort(shutDownError(), shutDownOutcome());
      abort(stream, shutDownOutcome());
    }
  }
}
