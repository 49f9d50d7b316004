package dev.headrace.admission;

import dev.headrace.admission.Refusal.Waiting;
import dev.headrace.observe.BestEffort;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets refused requests wait in front of a store until they pass, where waiting makes sense and can
 * be short enough. Within a user it is first come, first served; between users the turn goes round.
 * A request is asked again when a reservation comes back or its limit is full again; it is refused
 * with the last reason when its time is over. Holds no thread. Thread-safe.
 *
 * <p>A request whose user has a line already joins it without being asked, or it would overtake.
 */
public final class WaitingRoom implements LimitStore {

  /**
   * The bounds of the room. Immutable.
   *
   * @param places for all users together; above zero
   * @param placesPerUser above zero
   * @param longest how long a request waits at most; above zero
   */
  public record Settings(int places, int placesPerUser, Duration longest) {
    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if a value is out of range
     */
    public Settings {
      if (places <= 0 || placesPerUser <= 0 || longest.isNegative() || longest.isZero()) {
        throw new IllegalArgumentException(
            "waiting room: " + places + ", " + placesPerUser + ", " + longest);
      }
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(WaitingRoom.class);

  /** A timer may be early by its own tick; asking again at once would only be refused again. */
  private static final Duration SHORTEST_TIMER = Duration.ofMillis(1);

  private final LimitStore store;
  private final Settings settings;
  private final Timer timer;
  private final LongSupplier nanoTime;

  /** How many reservations have come back; tells whether one did while a question was open. */
  private final AtomicLong returns = new AtomicLong();

  /** Calls of {@link #serve} that are still to be made by whoever makes them. */
  private final AtomicInteger rounds = new AtomicInteger();

  // Guarded by lock, under which nothing is called out.
  private final Object lock = new Object();

  /** By user; the first that is due has the next turn. Who passes goes to the end. */
  private final Map<String, Line> lines = new LinkedHashMap<>();

  private final AtomicInteger waiting = new AtomicInteger(); // written under lock

  public WaitingRoom(LimitStore store, Settings settings, Timer timer, LongSupplier nanoTime) {
    this.store = store;
    this.settings = settings;
    this.timer = timer;
    this.nanoTime = nanoTime;
  }

  /** How many requests wait. */
  public int waiting() {
    return waiting.get();
  }

  @Override
  public PendingAdmission admit(
      String user, Limits limits, Demand demand, Consumer<? super Admission> answer) {
    Visitor visitor = new Visitor(user, limits, demand, answer);
    boolean lineExists;
    Refusal full = null;
    synchronized (lock) {
      Line line = waiting.get() == 0 ? null : lineFor(user, limits);
      lineExists = line != null;
      if (line != null && hasPlace(line)) {
        join(line, visitor);
      } else if (line != null) {
        full = line.refusal;
      }
    }
    if (full != null) {
      visitor.end(new Admission.Refused(full));
    } else if (lineExists) {
      startClock(visitor);
    } else {
      ask(visitor);
    }
    return visitor;
  }

  /** Where it has to wait its turn; null for nowhere, as when others wait for what it needs not. */
  private @Nullable Line lineFor(String user, Limits limits) {
    Line line = lines.get(user);
    if (line == null || !limits.budgets().isEmpty()) {
      return line;
    }
    Refusal refusal = line.refusal;
    return refusal == null
            || refusal.kind() == LimitKind.REQUESTS
            || refusal.kind() == LimitKind.CONCURRENT
        ? line
        : null;
  }

  private boolean hasPlace(Line line) {
    return waiting.get() < settings.places() && line.visitors.size() < settings.placesPerUser();
  }

  private void join(Line line, Visitor visitor) {
    line.visitors.add(visitor);
    visitor.line = line;
    waiting.incrementAndGet();
  }

  private void startClock(Visitor visitor) {
    Duration left = Duration.ofNanos(Math.max(0, visitor.deadlineNanos - nanoTime.getAsLong()));
    Future<?> clock = timer.after(left, () -> giveUp(visitor));
    boolean over;
    synchronized (lock) {
      visitor.clock = clock;
      over = visitor.isOver();
    }
    if (over) {
      clock.cancel(false);
    }
  }

  private void giveUp(Visitor visitor) {
    Refusal refusal;
    synchronized (lock) {
      refusal = visitor.line == null ? null : visitor.line.refusal;
    }
    if (refusal != null) {
      visitor.end(new Admission.Refused(refusal));
    }
  }

  /** Asks the store for one request; not under the lock, because the answer may come at once. */
  private void ask(Visitor visitor) {
    long seen = returns.get();
    PendingAdmission question =
        store.admit(
            visitor.user,
            visitor.limits,
            visitor.demand,
            admission -> {
              if (admission instanceof Admission.Granted granted) {
                granted(visitor, granted);
              } else if (admission instanceof Admission.Refused refused) {
                refused(visitor, refused.refusal(), seen);
              }
            });
    boolean left;
    synchronized (lock) {
      visitor.question = question;
      left = visitor.isOver();
    }
    if (left && question.leave()) {
      answered(visitor); // no answer will say so
    }
  }

  private void granted(Visitor visitor, Admission.Granted granted) {
    Reservation reservation = new Returning(visitor.user, granted.reservation());
    answered(visitor);
    synchronized (lock) {
      Line line = lines.remove(visitor.user);
      if (line != null) {
        lines.put(visitor.user, line); // others have their turn first
      }
    }
    if (!visitor.end(new Admission.Granted(reservation, granted.wouldRefuse()))) {
      reservation.cancel(); // the client has left meanwhile
    }
  }

  private void refused(Visitor visitor, Refusal refusal, long seen) {
    answered(visitor);
    boolean waits = false;
    boolean isNew = false;
    synchronized (lock) {
      if (!visitor.isOver() && isWorthWaiting(visitor, refusal)) {
        isNew = visitor.line == null;
        waits = !isNew || enter(visitor);
      }
      Line line = visitor.line;
      if (waits && line != null) {
        line.refusal = refusal;
        // What came back while the store was asked has found nobody waiting here.
        line.due |= returns.get() != seen;
        line.due |= line.visitors.peek() != visitor; // its alarm is to be that of its head
      }
    }
    if (!waits) {
      visitor.end(new Admission.Refused(refusal));
      serve(); // it may have left before; then the next in its line has waited for this answer
      return;
    }
    if (isNew) {
      startClock(visitor);
    }
    setAlarm(visitor, refusal);
    serve();
  }

  /** Takes a place for a request that was refused for the first time. */
  private boolean enter(Visitor visitor) {
    if (waiting.get() >= settings.places()) {
      return false;
    }
    if (lines.containsKey(visitor.user) && lineFor(visitor.user, visitor.limits) == null) {
      return false; // those who wait there wait for something else
    }
    Line line = lines.computeIfAbsent(visitor.user, user -> new Line());
    if (!hasPlace(line)) {
      return false;
    }
    join(line, visitor);
    return true;
  }

  private boolean isWorthWaiting(Visitor visitor, Refusal refusal) {
    return switch (refusal.waiting()) {
      case USELESS -> false;
      case UNTIL_OWN_RETURN, UNTIL_ANY_RETURN -> true;
      case UNTIL_RESET ->
          refusal.resetsIn() != null
              && refusal.resetsIn().toNanos() <= visitor.deadlineNanos - nanoTime.getAsLong();
    };
  }

  /** Sees to it that the line is asked again when its limit is full again. */
  private void setAlarm(Visitor visitor, Refusal refusal) {
    Duration delay = refusal.resetsIn();
    if (delay == null || delay.compareTo(settings.longest()) > 0) {
      return; // it will have given up
    }
    Duration wait = delay.compareTo(SHORTEST_TIMER) < 0 ? SHORTEST_TIMER : delay;
    Future<?> alarm = timer.after(wait, () -> wake(visitor.user));
    Future<?> old = alarm;
    synchronized (lock) {
      Line line = visitor.line;
      if (line != null && !visitor.isOver()) {
        old = line.alarm;
        line.alarm = alarm;
      }
    }
    if (old != null) {
      old.cancel(false);
    }
  }

  private void wake(String user) {
    synchronized (lock) {
      Line line = lines.get(user);
      if (line != null) {
        line.due = true;
      }
    }
    serve();
  }

  /** A reservation has come back. */
  private void returned(String user) {
    returns.incrementAndGet();
    if (waiting.get() == 0) {
      return;
    }
    synchronized (lock) {
      lines.forEach(
          (name, line) -> {
            boolean shared =
                line.refusal != null && line.refusal.waiting() == Waiting.UNTIL_ANY_RETURN;
            line.due |= shared || name.equals(user);
          });
    }
    serve();
  }

  /** Asks the heads of all lines that are due, in turn. One thread at a time does it for all. */
  private void serve() {
    if (rounds.getAndIncrement() != 0) {
      return;
    }
    int todo = 1;
    do {
      for (Visitor head = next(); head != null; head = next()) {
        askAgain(head);
      }
      todo = rounds.addAndGet(-todo);
    } while (todo != 0);
  }

  private void askAgain(Visitor head) {
    try {
      ask(head);
    } catch (RuntimeException | Error e) { // else nobody who waits would be asked again
      BestEffort.log(
          () ->
              LOG.error(
                  "A request that waits for its user's limits could not be asked for again", e));
      answered(head);
      giveUp(head);
    }
  }

  /** The head of the line whose turn it is, or null if no line is due. */
  private @Nullable Visitor next() {
    synchronized (lock) {
      for (Line line : lines.values()) {
        Visitor head = line.visitors.peek();
        if (line.due && !line.asking && head != null) {
          line.due = false;
          line.asking = true;
          head.asked = true;
          return head;
        }
      }
      return null;
    }
  }

  /** The question for this request is no longer open. */
  private void answered(Visitor visitor) {
    synchronized (lock) {
      if (visitor.line != null && visitor.asked) {
        visitor.line.asking = false;
        visitor.asked = false;
      }
    }
  }

  /** Takes a request out of its line; the next one may pass now, or be the first to be asked. */
  private void removeFromLine(Visitor visitor, List<Future<?>> timers) {
    if (visitor.clock != null) {
      timers.add(visitor.clock);
    }
    Line line = visitor.line;
    if (line == null) {
      return;
    }
    line.due |= line.visitors.peek() == visitor;
    if (!line.visitors.remove(visitor)) {
      return;
    }
    waiting.decrementAndGet();
    if (line.visitors.isEmpty()) {
      lines.remove(visitor.user);
      if (line.alarm != null) {
        timers.add(line.alarm);
      }
    }
  }

  /** The requests of one user that wait. Guarded by the lock of the room. */
  private static final class Line {
    private final ArrayDeque<Visitor> visitors = new ArrayDeque<>();
    private @Nullable Refusal refusal; // the last one
    private @Nullable Future<?> alarm;
    private boolean due; // its head is to be asked
    private boolean asking; // its head is being asked
  }

  /** One request, from its first question to its answer. */
  private final class Visitor implements PendingAdmission {
    private final String user;
    private final Limits limits;
    private final Demand demand;
    private final long deadlineNanos;

    // Guarded by the lock of the room.
    private @Nullable Consumer<? super Admission> answer; // holds the request; null once it is over
    private boolean asked; // by its line
    private @Nullable Line line;
    private @Nullable Future<?> clock;
    private @Nullable PendingAdmission question;

    Visitor(String user, Limits limits, Demand demand, Consumer<? super Admission> answer) {
      this.user = user;
      this.limits = limits;
      this.demand = demand;
      this.answer = answer;
      deadlineNanos = nanoTime.getAsLong() + settings.longest().toNanos();
    }

    /** With the lock of the room held. */
    private boolean isOver() {
      return answer == null;
    }

    /** Ends the visit with an answer. Returns false if it had ended before. */
    private boolean end(Admission admission) {
      Consumer<? super Admission> told = close();
      if (told == null) {
        return false;
      }
      told.accept(admission);
      serve();
      return true;
    }

    @Override
    public boolean leave() {
      if (close() == null) {
        return false;
      }
      serve();
      return true;
    }

    /** Whom to tell how it has ended; null if somebody else does. */
    private @Nullable Consumer<? super Admission> close() {
      List<Future<?>> timers = new ArrayList<>(2);
      PendingAdmission open;
      Consumer<? super Admission> told;
      synchronized (lock) {
        if (isOver()) {
          return null;
        }
        told = answer;
        answer = null;
        open = question;
        removeFromLine(this, timers);
      }
      timers.forEach(each -> each.cancel(false));
      if (open != null && open.leave()) {
        answered(this); // else the answer says so, and gives back what it brings
      }
      return told;
    }
  }

  /** A reservation whose end lets those go on who wait for it. */
  private final class Returning implements Reservation {
    private final String user;
    private final Reservation reservation;

    Returning(String user, Reservation reservation) {
      this.user = user;
      this.reservation = reservation;
    }

    @Override
    public long allowedOutputTokens() {
      return reservation.allowedOutputTokens();
    }

    @Override
    public boolean covers(long outputTokens, long inputCost) {
      return reservation.covers(outputTokens, inputCost);
    }

    @Override
    public boolean extend(long outputTokens, long inputCost) {
      return reservation.extend(outputTokens, inputCost);
    }

    @Override
    public void settle(long inputTokens, long outputTokens, long cost) {
      reservation.settle(inputTokens, outputTokens, cost);
      returned(user);
    }

    @Override
    public void cancel() {
      reservation.cancel();
      returned(user);
    }

    @Override
    public List<Limit> limits() {
      return reservation.limits();
    }
  }
}
