package dev.headrace.upstream;

import static java.util.Objects.requireNonNull;

import dev.headrace.config.GatewaySettings;
import dev.headrace.messages.ApiError;
import dev.headrace.messages.UsageView;
import dev.headrace.observe.BestEffort;
import java.nio.ByteBuffer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One attempt: holds back the beginning of its answer until it is clear what it is, and passes on
 * the rest. It leaves HOLDING exactly once, and whoever takes it out of there does what follows:
 * the I/O thread with an event or an end, the watcher of the clocks with a timeout, anybody with
 * {@link #cancel}. Its circuit breaker hears of it at the same moment. Thread-safe.
 */
final class AttemptRun implements AttemptListener {

  /** How far it is. */
  enum State {
    /** Nothing of it was passed on. */
    HOLDING,
    /** Its bytes are passed on. */
    COMMITTED,
    /** It has failed, or nobody wants it. */
    DROPPED
  }

  /** Whose attempt it is. */
  interface Owner {

    /** Whether nobody wants any attempt of this exchange any more. */
    boolean isOver();

    /** An answer has begun, so the request is not needed again. */
    void settled();

    /** What follows a failure; called once, by the thread that took the attempt out of HOLDING. */
    void failed(AttemptRun run, AttemptFailure failure);
  }

  private static final Logger LOG = LoggerFactory.getLogger(AttemptRun.class);

  private static final long NEVER = Long.MIN_VALUE;

  private final UpstreamPool pool;
  private final Owner owner;
  private final Attempts.Listener listener;

  private final PoolMember member;
  private final PoolMember.Permission permission;
  private final int number;
  private final boolean metered;
  private final boolean whole; // a message that is not streamed
  private final long startNanos;
  private volatile @Nullable Attempt attempt;
  private int grantedEarly; // guarded by this; granted before the attempt was known
  private volatile State state = State.HOLDING; // leaves HOLDING under the lock of this
  private @Nullable Answer answer; // guarded by this while HOLDING, then the I/O thread's
  private volatile @Nullable String requestId;
  private volatile boolean handedOver; // to the client, which may send it
  private volatile boolean costNothing;
  private final Object accounting = new Object();
  private boolean accountedFor; // guarded by accounting
  private volatile boolean holding; // the head of an answer that is held whole has come
  private volatile long heldSinceNanos = NEVER; // events are held back since
  private volatile long byteNanos;
  private volatile long contentNanos;
  private int beyondSoft; // guarded by this; credit that the held bytes got beyond buffers.soft
  private long events; // I/O thread only
  private byte[] copy = new byte[0]; // I/O thread only, for buffers without an array

  AttemptRun(
      UpstreamPool pool,
      PoolMember member,
      int number,
      UpstreamCall call,
      Owner owner,
      Attempts.Listener listener) {
    this.pool = pool;
    this.member = member;
    this.permission = member.permission();
    this.number = number;
    this.metered = call.metered();
    this.whole = call.metered() && (call.head() == null || !call.head().stream());
    this.owner = owner;
    this.listener = listener;
    this.startNanos = pool.time().nanos();
    this.byteNanos = startNanos;
    this.contentNanos = startNanos;
  }

  /**
   * Ties the run to its call, which exists only once it was started: by then the I/O thread may
   * have brought an answer, a clock may have run out, the client may have taken a window full.
   */
  void runsAs(Attempt started) {
    int early;
    synchronized (this) {
      attempt = started;
      early = grantedEarly;
      grantedEarly = 0;
    }
    if (owner.isOver() || state == State.DROPPED) {
      started.cancel();
    } else if (early > 0) {
      started.grant(early);
    }
  }

  void grant(int bytes) {
    // The silence until now may have been ours: the clocks start when reading goes on.
    byteNanos = pool.time().nanos();
    contentNanos = byteNanos;
    int credit;
    synchronized (this) {
      int had = Math.min(bytes, beyondSoft);
      beyondSoft -= had;
      credit = bytes - had;
    }
    pay(credit);
  }

  /** Grants bytes that nobody will take: what was granted for held ones is not given back. */
  void grantUnread(int bytes) {
    synchronized (this) {
      beyondSoft = 0;
    }
    grant(bytes);
  }

  private void pay(int credit) {
    Attempt running;
    synchronized (this) {
      running = attempt;
      if (running == null) {
        grantedEarly += credit;
        return;
      }
    }
    if (credit > 0) {
      running.grant(credit);
    }
  }

  PoolMember member() {
    return member;
  }

  State state() {
    return state;
  }

  long startNanos() {
    return startNanos;
  }

  /** The upstream's id of this attempt; null if its head has not come. */
  @Nullable String requestId() {
    return requestId;
  }

  Attempts.Reading reading() {
    return new Attempts.Reading(true, holding, startNanos, byteNanos, contentNanos);
  }

  /** Whether events have been held back for longer than {@code retry.hold-time}. */
  boolean holdsForTooLong(long nowNanos) {
    return state == State.HOLDING
        && heldSinceNanos != NEVER
        && nowNanos - heldSinceNanos > pool.settings().retry().holdTime().toNanos();
  }

  /** Tells the breaker that nothing is known. */
  void saysNothing() {
    permission.neither();
  }

  /** Lets others try the upstream, too, if this has been a trial for long. */
  void passOnTrial(long nowNanos) {
    if (state == State.HOLDING) {
      permission.passOnIfSilent(nowNanos);
    }
  }

  /** Takes the attempt out of HOLDING as failed; true for the one caller that did. */
  synchronized boolean drop() {
    return leaveHolding();
  }

  private synchronized boolean leaveHolding() {
    if (state != State.HOLDING) {
      return false;
    }
    state = State.DROPPED;
    return true;
  }

  void cancel() {
    if (leaveHolding()) {
      permission.neither();
    }
    cancelCall();
  }

  /** Whether its answer is a message, whose usage counts. */
  boolean isMetered() {
    return metered;
  }

  /** Remembers that it has ended in a way that is not billed. */
  void setCostNothing() {
    costNothing = true;
  }

  /**
   * Accounts for this attempt by itself, unless the exchange has done so; should that end at the
   * same moment, it waits.
   */
  void accountFor(Runnable drop) {
    synchronized (accounting) {
      if (!accountedFor) {
        accountedFor = true;
        drop.run();
      }
    }
  }

  /** What is to be accounted for together with the exchange, which ends now. */
  Attempts.Remainder takeRemainder() {
    synchronized (accounting) {
      if (accountedFor) {
        return Attempts.Remainder.NOTHING;
      }
      accountedFor = true;
      return new Attempts.Remainder(costNothing || wasNeverSent(), usage());
    }
  }

  /**
   * Says that it is about to be handed over to the client; from then on it may be sent. To be
   * looked at behind this: {@link #state} and {@link Owner#isOver}.
   */
  void handsOver() {
    handedOver = true;
  }

  /** Whether the upstream has surely seen nothing of it. */
  boolean wasNeverSent() {
    if (!handedOver) {
      return true;
    }
    Attempt running = attempt;
    return running != null && !running.mayHaveBeenSent();
  }

  /** Its number within the exchange, from 1. */
  int number() {
    return number;
  }

  /** What the message of this attempt has used so far; null when none has begun. */
  synchronized @Nullable UsageView usage() {
    UsageView usage = answer == null ? null : answer.usage();
    return usage == null || (usage.usage() == null && !usage.unreadable()) ? null : usage;
  }

  /**
   * What a failure of the connection or a clock amounts to: an answer that is an error by its
   * status is judged by that, although not all of its body has come.
   */
  synchronized AttemptFailure judged(AttemptFailure failure) {
    Answer begun = answer;
    return begun != null && begun.head().isError()
        ? new AttemptFailure.ErrorStatus(begun.head(), begun.takeHeld(), false)
        : failure;
  }

  /** Whatever happens: what follows is to be done in any case. */
  void cancelCall() {
    Attempt running = attempt;
    if (running == null) {
      return;
    }
    try {
      running.cancel(); // does nothing to one that has ended: its connection stays in the pool
    } catch (RuntimeException | Error e) { // of the client's, which calls back
      BestEffort.log(() -> LOG.error("An upstream call could not be cancelled", e));
    }
  }

  /** Tells the breaker whose fault it was. */
  void report(AttemptFailure failure) {
    if (handedOver && isUpstreamsFault(failure)) {
      permission.failed(failure);
    } else if (failure instanceof AttemptFailure.ErrorStatus answered
        && answered.head().status() != 429
        && answered.head().status() != 408) {
      permission.succeeded();
    } else {
      permission.neither();
    }
  }

  /** A message in one piece may take as long as it likes: that nothing comes says nothing. */
  private boolean isUpstreamsFault(AttemptFailure failure) {
    if (failure instanceof AttemptFailure.ErrorStatus answered) {
      return answered.head().status() >= 500;
    }
    if (failure instanceof AttemptFailure.ErrorEvent event) {
      return ApiError.statusOf(event.error().type()) >= 500;
    }
    return (failure instanceof AttemptFailure.TimedOut && !(whole && answer == null))
        || (failure instanceof AttemptFailure.Broken broken
            && broken.failure().kind() != UpstreamFailure.Kind.CANCELLED);
  }

  @Override
  public void onHead(UpstreamResponseHead head) {
    byteNanos = pool.time().nanos();
    contentNanos = byteNanos;
    requestId = head.header("request-id");
    synchronized (this) {
      answer = new Answer(head, pool.settings().buffers(), pool.settings().retry().hold(), metered);
      holding = !answer.isEventStream();
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
    byteNanos = pool.time().nanos();
    if (listener.wantsSingleEvents()) {
      takeOneByOne(array, offset, offset + length);
    } else {
      take(array, offset, length);
    }
  }

  /** Cuts behind each blank line; the API ends lines with LF. */
  private void takeOneByOne(byte[] array, int offset, int end) {
    int from = offset;
    for (int i = offset; i < end && !owner.isOver(); i++) {
      if (array[i] == '\n' && (i == offset || array[i - 1] == '\n')) {
        take(array, from, i + 1 - from);
        from = i + 1;
      }
    }
    if (from < end && !owner.isOver()) {
      take(array, from, end - from);
    }
  }

  private void take(byte[] array, int offset, int length) {
    if (state == State.HOLDING) {
      hold(array, offset, length);
    } else if (state == State.COMMITTED) {
      pass(array, offset, length);
    }
  }

  private void pass(byte[] array, int offset, int length) {
    Answer passing = begun();
    passing.pass(array, offset, length);
    noteContent(passing);
    listener.onBytes(passing, array, offset, length);
  }

  private void noteContent(Answer passing) {
    long now = passing.events();
    if (now != events) {
      events = now;
      contentNanos = byteNanos;
    }
  }

  /** Keeps the first bytes back until it is clear what they are the beginning of. */
  private void hold(byte[] array, int offset, int length) {
    Answer held;
    Answer.Decision decision;
    boolean committed = false;
    synchronized (this) {
      held = begun();
      if (state == State.COMMITTED) {
        decision = Answer.Decision.COMMIT; // the watcher of the clocks was faster
      } else if (state == State.DROPPED) {
        return;
      } else {
        decision = held.hold(array, offset, length);
        noteContent(held);
        if (held.holdsEvents() && heldSinceNanos == NEVER) {
          heldSinceNanos = byteNanos;
        }
        if (decision == Answer.Decision.COMMIT) {
          commit(held);
          committed = true;
        }
      }
    }
    if (committed) {
      listener.onCommitted(held);
    } else if (decision == Answer.Decision.COMMIT) {
      pass(array, offset, length);
    } else if (decision == Answer.Decision.HOLD) {
      letHoldFill(held.heldBytes());
    } else if (decision == Answer.Decision.ERROR_EVENT && drop()) {
      cancelCall(); // nothing should follow, but nobody would wait for its end
      failed(
          () ->
              new AttemptFailure.ErrorEvent(
                  held.head(), requireNonNull(held.firstError()), held.firstErrorJson()));
    } else if (decision == Answer.Decision.LONG_ERROR && drop()) {
      cancelCall(); // its status has said enough
      failed(() -> new AttemptFailure.ErrorStatus(held.head(), held.takeHeld(), false));
    }
  }

  /**
   * Grants more as bytes are held, until there are too many to hold: nobody takes them, so nobody
   * else would, and an upstream whose first credit ({@code buffers.soft}) is used up would be
   * silent from then on. Once the client takes them that is given back: see {@link #grant}.
   */
  private void letHoldFill(int heldBytes) {
    GatewaySettings.Buffers buffers = pool.settings().buffers();
    int soft = buffers.soft().toInt();
    int step;
    synchronized (this) {
      step = Math.min(soft, buffers.hold().toInt() + 1 - soft - beyondSoft);
      if (step <= 0 || heldBytes < (soft + beyondSoft) / 2) {
        return;
      }
      beyondSoft += step;
    }
    pay(step);
  }

  /** Passes on what is held and lets go of the request; with the lock held. */
  private void commit(Answer held) {
    if (listener.onCommit(held, held.takeHeld())) {
      state = State.COMMITTED;
      permission.succeeded();
    } else {
      state = State.DROPPED;
      permission.neither();
    }
    owner.settled();
  }

  void commitHeld() {
    Answer held;
    synchronized (this) {
      if (state != State.HOLDING || answer == null || !answer.holdsEvents()) {
        return;
      }
      held = answer;
      commit(held);
    }
    listener.onCommittedByClock(held);
    listener.onPause();
  }

  /** What follows a failure, also where it cannot be said in full: a body may be large. */
  void failed(Supplier<AttemptFailure> failure) {
    AttemptFailure told;
    try {
      told = failure.get();
    } catch (RuntimeException | Error e) {
      told = brokenBy(e);
    }
    owner.failed(this, told);
  }

  private static AttemptFailure brokenBy(Throwable cause) {
    return new AttemptFailure.Broken(
        new UpstreamFailure(UpstreamFailure.Kind.CUT, cause.getClass().getName()));
  }

  private Answer begun() {
    return requireNonNull(answer, "a body before its head");
  }

  @Override
  public void onPause() {
    if (state == State.COMMITTED) {
      listener.onPause();
    }
  }

  @Override
  public void onEnd() {
    Answer whole = begun();
    whole.end();
    boolean useless = whole.isEventStream() || whole.head().isError();
    if (useless ? drop() : leaveHolding()) {
      try {
        endOfHeld(whole);
      } catch (RuntimeException | Error e) {
        owner.failed(this, brokenBy(e)); // nobody else would answer
        throw e;
      }
    } else if (state == State.COMMITTED) {
      listener.onEnd(whole);
    }
  }

  /** A complete body that was held whole, or an event stream without an event that counts. */
  private void endOfHeld(Answer whole) {
    if (whole.isEventStream()) {
      owner.failed(
          this,
          new AttemptFailure.Broken(
              new UpstreamFailure(UpstreamFailure.Kind.NO_EVENT, "ended without an event")));
    } else if (whole.head().isError()) {
      owner.failed(this, new AttemptFailure.ErrorStatus(whole.head(), whole.takeHeld(), true));
    } else {
      permission.succeeded();
      owner.settled();
      listener.onWhole(whole, whole.takeHeld());
    }
  }

  @Override
  public void onFailure(UpstreamFailure failure) {
    Answer broken = answer;
    // A cancel comes on its own thread, while the I/O thread may be about to read the next bytes.
    if (broken != null && failure.kind() != UpstreamFailure.Kind.CANCELLED) {
      broken.end();
    }
    if (state == State.HOLDING && drop()) {
      AttemptFailure useless = new AttemptFailure.Broken(failure);
      failed(() -> failure.kind() == UpstreamFailure.Kind.CANCELLED ? useless : judged(useless));
    } else if (state == State.COMMITTED) {
      listener.onCut(begun(), failure);
    }
  }
}
