package dev.headrace.upstream;

import static java.util.Objects.requireNonNull;

import dev.headrace.messages.RequestHead;
import dev.headrace.messages.UsageView;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The attempts of one exchange: one after another while nothing of an answer was passed on, and
 * never again after that.
 *
 * <pre>
 *           ┌──────────── due ─────────────┐
 *           ▼                              │
 * start ─► HOLDING ── failed, worth it ─► waiting
 *           │   └──── failed, not worth it ─► given up
 *           └─ first event ─► COMMITTED ─► end or cut
 * </pre>
 *
 * <p>Each attempt leaves HOLDING exactly once, and whoever takes it out of there does what follows:
 * the I/O thread with an event or an end, the watcher of the clocks with a timeout, anybody with
 * {@link #cancel}. So only one thread at a time is between two attempts. Thread-safe.
 */
public final class Attempts implements AttemptRun.Owner {

  /** Told what becomes of the attempts, one call at a time. Must not block. */
  public interface Listener {

    /**
     * The answer begins: from now on its bytes are passed on. Called with a lock held: must only
     * queue.
     *
     * @param first the bytes held so far; not used again
     * @return false if nobody wants the answer any more
     */
    boolean onCommit(Answer answer, byte[] first);

    /** Right after {@link #onCommit}, without the lock. */
    void onCommitted(Answer answer);

    /**
     * The same on the thread of the clocks, because events were held for too long: the I/O thread
     * may bring the next bytes at this very moment.
     */
    void onCommittedByClock(Answer answer);

    /** The next bytes of the answer, valid during this call; to be queued. */
    void onBytes(Answer answer, byte[] bytes, int offset, int length);

    /** Nothing more is at hand: what was queued may be written now. */
    void onPause();

    /**
     * Whether {@link #onBytes} is to get the bytes of one event at a time, so that it can end the
     * attempt behind any of them; costs a call for each.
     */
    boolean wantsSingleEvents();

    /** The body has ended by the rules of its framing; not always by those of its content. */
    void onEnd(Answer answer);

    /** The answer broke off after {@link #onCommit}. */
    void onCut(Answer answer, UpstreamFailure failure);

    /** A whole answer that is no error, of which nothing was passed on before. */
    void onWhole(Answer answer, byte[] body);

    /**
     * There will be no answer, and nothing was passed on.
     *
     * @param failure of the last attempt
     * @param exhausted whether a client should not try again by itself, since that was done for it
     *     or cannot help
     */
    void onGivenUp(AttemptFailure failure, boolean exhausted);

    /**
     * An attempt is given up that may have cost something: its message had begun, or another
     * attempt follows one that the upstream was at work on. Also after {@link Attempts#cancel}.
     *
     * @param number of the attempt, from 1
     * @param requestId the upstream's id of it, if known
     * @param usage null when nothing was told of it
     */
    void onDropped(int number, @Nullable String requestId, @Nullable UsageView usage);

    /** The next attempt is due in so long: {@link #startIfDue} is to be called then. */
    void onWaiting(long nanos);
  }

  /** What the clocks need to know. All instants are of {@link TimeSource#nanos}. */
  public record Reading(
      boolean running, boolean holding, long startNanos, long byteNanos, long contentNanos) {}

  private static final Logger LOG = LoggerFactory.getLogger(Attempts.class);

  private static final long NEVER = Long.MIN_VALUE;

  private final UpstreamPool pool;
  private final long exchangeStartNanos;
  private final Listener listener;
  private final List<String> fallbacks;
  private final AtomicLong dueNanos = new AtomicLong(NEVER);
  private final AtomicLong queuedNanos = new AtomicLong(NEVER); // waits for a starter since
  private volatile boolean over;
  private volatile @Nullable AttemptRun current;
  private volatile int made;
  private volatile @Nullable String fallbackModel;

  // Passed on from attempt to attempt.
  private @Nullable UpstreamCall call; // null once nobody can need the body again
  private String model; // that it asks; empty when unknown
  private final @Nullable String ownLimits; // behind the model's name; null when no rest counts
  private final boolean namesWorkspace; // which may be all that is refused
  private final List<PoolMember> tried = new ArrayList<>();
  private Duration lastWait = Duration.ZERO;
  private long restingSinceNanos = NEVER; // since when no member could be asked
  private int fallbacksUsed;
  private @Nullable AttemptFailure lastFailure;
  private @Nullable UpstreamCall original; // as the client asked, whatever model is asked now

  Attempts(UpstreamPool pool, UpstreamCall call, long exchangeStartNanos, Listener listener) {
    this.pool = pool;
    this.call = call;
    this.original = call;
    this.exchangeStartNanos = exchangeStartNanos;
    this.listener = listener;
    String asked = call.model();
    this.model = asked == null ? "" : asked;
    // Only a message may come from another model: tokens are counted differently by each.
    this.fallbacks =
        call.metered()
            ? pool.settings().retry().fallbacks().getOrDefault(model, List.of())
            : List.of();
    this.ownLimits = call.metered() ? ownLimits(call) : null;
    this.namesWorkspace =
        call.headers().stream().anyMatch(field -> field.is("anthropic-workspace-id"));
  }

  /** What has limits of its own beside the model (API reference, "Rate limits"). */
  private static String ownLimits(UpstreamCall call) {
    StringBuilder limits = new StringBuilder();
    RequestHead head = call.head();
    if (head != null && "fast".equals(head.speed())) {
      limits.append(" fast");
    }
    for (HeaderField field : call.headers()) {
      if (field.is("anthropic-workspace-id")) {
        limits.append(' ').append(field.value());
      }
    }
    return limits.toString();
  }

  /**
   * What a member may rest for: requests for messages with the same limits. Others, such as for the
   * count of tokens, never wait because of these, and nobody does because of them.
   */
  private String limits() {
    if (ownLimits == null) {
      return "";
    }
    return ownLimits.isEmpty() ? model : model + ownLimits;
  }

  /** Starts the first attempt; on another thread if it might wait for something. */
  public void start() {
    pool.countRequest();
    if (pool.startsAtOnce()) {
      begin();
    } else {
      beginElsewhere();
    }
  }

  /** Starts the next attempt if its time has come; cheap if not. */
  public void startIfDue() {
    long due = dueNanos.get();
    if (due != NEVER
        && pool.time().nanos() - due >= 0
        && dueNanos.compareAndSet(due, NEVER)
        && !over) {
      beginElsewhere();
    }
  }

  /** Ends everything: no further attempt, and the running one loses its connection. Idempotent. */
  public void cancel() {
    over = true;
    AttemptRun run = current;
    if (run != null) {
      run.cancel();
    }
  }

  /**
   * Ends the running attempt because of a clock, if nothing of it was passed on yet, and goes on as
   * after any failure.
   *
   * @param clock its name in {@code timeouts}
   * @param startNanos when the attempt began that it is about, as {@link #reading} said: another
   *     one may run by now
   */
  public void timeOut(String clock, long startNanos) {
    if (startNanos != NEVER && queuedNanos.compareAndSet(startNanos, NEVER)) {
      giveUp(new AttemptFailure.TimedOut(clock), true);
      return;
    }
    AttemptRun run = current;
    if (run != null && run.startNanos() == startNanos && run.drop()) {
      run.cancelCall();
      run.failed(() -> run.judged(new AttemptFailure.TimedOut(clock)));
    }
  }

  /** Passes on the events that are held back, since they have been for long enough. */
  public void commitHeld() {
    AttemptRun run = current;
    if (run != null) {
      run.commitHeld();
    }
  }

  /** As {@link #grant} when the client has left, and nobody will take what waits for it. */
  public void grantUnread(int bytes) {
    AttemptRun run = current;
    if (run != null) {
      run.grantUnread(bytes);
    }
  }

  /** Lets the upstream of the running attempt send so many bytes more. */
  public void grant(int bytes) {
    AttemptRun run = current;
    if (run != null) {
      run.grant(bytes);
    }
  }

  /** How far the running attempt is. */
  public Reading reading() {
    long queued = queuedNanos.get();
    if (queued != NEVER) {
      return new Reading(true, false, queued, queued, queued);
    }
    AttemptRun run = current;
    if (run == null || dueNanos.get() != NEVER || run.state() == AttemptRun.State.DROPPED) {
      return new Reading(false, false, exchangeStartNanos, exchangeStartNanos, exchangeStartNanos);
    }
    return run.reading();
  }

  /** Whether events have been held back for longer than {@code retry.hold-time}. */
  public boolean holdsForTooLong(long nowNanos) {
    AttemptRun run = current;
    return run != null && run.holdsForTooLong(nowNanos);
  }

  /** Lets others try a failing upstream, too, if this is a trial that has said nothing for long. */
  public void passOnTrial(long nowNanos) {
    AttemptRun run = current;
    if (run != null) {
      run.passOnTrial(nowNanos);
    }
  }

  /** How many attempts have been started. */
  public int made() {
    return made;
  }

  /** The member that the last attempt went to; null before the first. */
  public @Nullable String member() {
    AttemptRun run = current;
    return run == null ? null : run.member().name();
  }

  /** The upstream's id of the last attempt; null if its head has not come. */
  public @Nullable String requestId() {
    AttemptRun run = current;
    return run == null ? null : run.requestId();
  }

  /**
   * What is left to account for when the exchange ends. Immutable.
   *
   * @param nothing the last attempt has ended in a way that the API does not bill, was told to
   *     {@link Listener#onDropped}, or was never made
   * @param usage what the last message has used so far; null when none has begun
   */
  public record Remainder(boolean nothing, @Nullable UsageView usage) {
    static final Remainder NOTHING = new Remainder(true, null);
  }

  /**
   * To be called once, when the exchange ends: from now on no attempt is accounted for by itself.
   */
  public Remainder takeRemainder() {
    AttemptRun run = current;
    return run == null ? Remainder.NOTHING : run.takeRemainder();
  }

  /** The model that was asked instead of the client's; null when it was not. */
  public @Nullable String fallbackModel() {
    return fallbackModel;
  }

  // ---- between two attempts

  /** On a thread that may wait; until it has one, the clock of the first event runs. */
  private void beginElsewhere() {
    long now = pool.time().nanos();
    queuedNanos.set(now);
    try {
      pool.starter()
          .execute(
              () -> {
                if (queuedNanos.compareAndSet(now, NEVER)) {
                  begin();
                }
              });
    } catch (RuntimeException | Error e) { // no thread is to be had
      if (queuedNanos.compareAndSet(now, NEVER)) {
        notStarted(e);
      }
    }
  }

  /** Nobody else would start an attempt, and no clock but that of the whole would end the wait. */
  private void notStarted(Throwable cause) {
    giveUp(
        new AttemptFailure.Broken(
            new UpstreamFailure(UpstreamFailure.Kind.NOT_STARTED, cause.getClass().getName())),
        false);
    LOG.error("An upstream call could not be started", cause); // last: a log may fail, too
  }

  private void begin() {
    try {
      beginWithAMember();
    } catch (RuntimeException | Error e) {
      notStarted(e);
    }
  }

  private void beginWithAMember() {
    if (over) {
      return;
    }
    long now = pool.time().nanos();
    restingSinceNanos = restingSinceNanos == NEVER ? now : restingSinceNanos;
    Duration rested = Duration.ofNanos(now - restingSinceNanos);
    UpstreamPool.Pick pick = pool.pick(limits(), tried);
    long shortestRest = pick.restNanos();
    while (pick.restNanos() > 0 && !fits(rested.plusNanos(pick.restNanos())) && turnToFallback()) {
      pick = pool.pick(limits(), tried);
      shortestRest = Math.min(shortestRest, pick.restNanos());
    }
    PoolMember member = pick.member();
    if (member != null) {
      restingSinceNanos = NEVER;
      begin(member);
    } else if (pick.restNanos() > 0 && fits(rested.plusNanos(pick.restNanos()))) {
      waitFor(Duration.ofNanos(pick.restNanos()));
    } else if (made > 0) {
      giveUp(requireNonNull(lastFailure), true); // breakers have opened meanwhile
    } else if (pick.restNanos() > 0) {
      giveUp(new AttemptFailure.AllRest(Duration.ofNanos(shortestRest)), true);
    } else {
      giveUp(new AttemptFailure.BreakerOpen(pick.retryAfter()), true);
    }
  }

  private void begin(PoolMember member) {
    UpstreamCall asked = requireNonNull(call);
    int before = made;
    AttemptRun run = new AttemptRun(pool, member, before + 1, asked, this, listener);
    pool.countAttempt(before > 0);
    if (fallbacksUsed > 0) {
      fallbackModel = model;
      pool.countFallback();
    }
    made = before + 1; // only the one thread between two attempts writes it
    current = run;
    if (over) {
      run.cancel();
      return;
    }
    List<HeaderField> headers = new ArrayList<>(asked.headers());
    Attempt attempt;
    try {
      headers.add(member.credentials()); // may take as long as the application's source likes
      run.handsOver();
      if (over || run.state() == AttemptRun.State.DROPPED) {
        run.cancel();
        return;
      }
      attempt =
          pool.client()
              .start(
                  new UpstreamRequest(
                      member.origin(),
                      asked.method(),
                      member.basePath() + asked.pathAndQuery(),
                      headers,
                      asked.body(),
                      asked.bodyLength()),
                  run);
    } catch (RuntimeException | Error e) { // also of the application's source of the key
      if (run.drop()) {
        run.saysNothing();
        run.setCostNothing();
        notStarted(e);
      } else {
        LOG.error("An upstream call could not be started", e);
      }
      return;
    }
    run.runsAs(attempt);
  }

  @Override
  public boolean isOver() {
    return over;
  }

  @Override
  public void settled() {
    call = null;
    original = null;
  }

  @Override
  public void failed(AttemptRun run, AttemptFailure failure) {
    try {
      goOnAfter(run, failure);
    } catch (RuntimeException | Error e) {
      notStarted(e);
    }
  }

  private void goOnAfter(AttemptRun run, AttemptFailure failure) {
    run.report(failure);
    boolean free = isFree(failure) || run.wasNeverSent();
    if (free) {
      run.setCostNothing();
    }
    UsageView usage = run.usage();
    if (usage != null) {
      run.accountFor(() -> listener.onDropped(run.number(), run.requestId(), usage));
    }
    Duration retryAfter = RetryPolicy.retryAfter(failure, pool.time().wall().instant());
    if (retryAfter != null && isLimit(failure) && run.isMetered()) {
      run.member().rest(limits(), retryAfter);
    }
    if (RetryPolicy.refusesAccount(failure) && !namesWorkspace) {
      run.member().refused();
    }
    if (over) {
      return;
    }
    tried.add(run.member());
    lastFailure = failure;
    RetryPolicy policy = pool.policy();
    UpstreamCall asked = requireNonNull(call);
    if (!policy.isRetryable(failure, asked.safe())) {
      giveUp(failure, made > 1 || RetryPolicy.isSpendLimit(failure));
      return;
    }
    int left = policy.maxAttempts() - made;
    int fallbacksLeft = Math.min(left, fallbacks.size() - fallbacksUsed);
    Duration wait = waitAfter(run, failure, retryAfter);
    boolean inTime = fits(run, failure, wait);
    boolean fallBack = fallbacksLeft > 0 && (fallbacksLeft == left || !inTime);
    if (left == 0 || !(inTime || fallBack) || !pool.tryRetry()) {
      giveUp(failure, policy.maxAttempts() > 1);
    } else {
      if (usage == null && !free && wasAtWork(failure)) {
        run.accountFor(() -> listener.onDropped(run.number(), run.requestId(), null));
      }
      waitFor(fallBack && turnToFallback() ? Duration.ZERO : wait);
    }
  }

  /** Errors are not billed, and what never arrived is not either. */
  private static boolean isFree(AttemptFailure failure) {
    if (failure instanceof AttemptFailure.Broken broken) {
      return switch (broken.failure().kind()) {
        case CONNECT, CONNECT_TIMEOUT, NOT_STARTED -> true;
        case NO_RESPONSE, CUT, NO_EVENT, CANCELLED -> false;
      };
    }
    return !(failure instanceof AttemptFailure.TimedOut);
  }

  /**
   * Whether the upstream has most likely worked on a request that is not free. Not when it closed
   * the connection without a word: that is mostly one that had been idle for too long.
   */
  private static boolean wasAtWork(AttemptFailure failure) {
    return !(failure instanceof AttemptFailure.Broken broken
        && broken.failure().kind() == UpstreamFailure.Kind.NO_RESPONSE);
  }

  private static boolean isLimit(AttemptFailure failure) {
    return failure instanceof AttemptFailure.ErrorStatus answer
        && (answer.head().status() == 429 || answer.head().status() == 529);
  }

  private Duration waitAfter(
      AttemptRun run, AttemptFailure failure, @Nullable Duration retryAfter) {
    if (failure instanceof AttemptFailure.TimedOut || pool.hasFresh(limits(), tried)) {
      return Duration.ZERO; // waited long enough already, or another member has not been asked yet
    }
    Duration wait = pool.policy().backoff(made, failure, lastWait);
    // And another may be ready before it.
    boolean rests = run.isMetered() && isLimit(failure) && pool.hasChoice();
    if (retryAfter != null && !rests && retryAfter.compareTo(wait) > 0) {
      wait = retryAfter;
    }
    Duration rest = Duration.ofNanos(pool.restNanos(limits()));
    return rest.compareTo(wait) > 0 ? rest : wait;
  }

  /**
   * Whether there is time for a wait: within {@code first-event}, counted from the attempt that has
   * failed, and within {@code total}. An attempt that used up {@code first-event} is followed at
   * once.
   */
  private boolean fits(AttemptRun run, AttemptFailure failure, Duration wait) {
    return failure instanceof AttemptFailure.TimedOut
        ? fits(wait)
        : fits(wait.plusNanos(pool.time().nanos() - run.startNanos()));
  }

  private boolean fits(Duration wait) {
    Duration total = pool.settings().timeouts().total();
    Duration spent = Duration.ofNanos(pool.time().nanos() - exchangeStartNanos);
    return wait.compareTo(pool.settings().timeouts().firstEvent()) <= 0
        && (total.isZero() || spent.plus(wait).compareTo(total) < 0);
  }

  /** Makes the next attempt one with the next of the other models; false if there is none. */
  private boolean turnToFallback() {
    if (fallbacksUsed == fallbacks.size()) {
      return false;
    }
    model = fallbacks.get(fallbacksUsed++);
    call = requireNonNull(original).forModel(model); // its token ranges fit no other
    tried.clear();
    return true;
  }

  private void waitFor(Duration wait) {
    lastWait = wait;
    if (wait.isZero()) {
      beginElsewhere();
      return;
    }
    dueNanos.set(pool.time().nanos() + wait.toNanos());
    listener.onWaiting(wait.toNanos());
  }

  private void giveUp(AttemptFailure failure, boolean exhausted) {
    settled();
    listener.onGivenUp(failure, exhausted);
  }
}
