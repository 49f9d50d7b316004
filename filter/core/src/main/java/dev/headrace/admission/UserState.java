package dev.headrace.admission;

import dev.headrace.admission.Limits.Enforcement;
import dev.headrace.admission.Limits.RequestRate;
import dev.headrace.admission.Limits.Shortfall;
import dev.headrace.admission.Refusal.Waiting;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one user has used and holds. Not thread-safe: {@link MemoryLimitStore} lets one thread at a
 * time in.
 */
final class UserState {

  /** The time of one call: all limits see the same. */
  record Now(long nanos, Instant instant) {}

  /** A part of a reservation. Changed under the lock of the user. */
  static final class Hold {
    private final BudgetWindow window;
    private volatile long taken;

    Hold(BudgetWindow window, long tokens) {
      this.window = window;
      this.taken = window.hold(tokens);
    }

    LimitKind kind() {
      return window.kind;
    }

    /** Whether it is enough for this output. */
    boolean covers(Demand demand, long outputTokens, long inputCost) {
      return taken >= need(kind(), demand, outputTokens, inputCost);
    }

    /** Takes what is missing to what this output needs, or what the window has left of it. */
    void extend(Demand demand, long outputTokens, long inputCost) {
      long before = taken;
      taken = before + window.hold(need(kind(), demand, outputTokens, inputCost) - before);
    }

    private void settle(long used) {
      window.settle(taken, used < 0 ? taken : used);
    }
  }

  /**
   * What a reservation holds of a state.
   *
   * @param requestPeriod when the period began from which the request was taken; null for none
   */
  record Held(long outputTokens, List<Hold> holds, @Nullable Long requestPeriod) {}

  /**
   * The outcome of one question.
   *
   * @param held null if it is refused
   * @param limits empty if it is refused
   */
  record Decision(@Nullable Held held, @Nullable Refusal refusal, List<Limit> limits) {}

  /**
   * Longer than clocks are set back, unless they were wrong: so that no state is dropped before its
   * windows have ended, and that none of these begins twice.
   */
  private static final Duration MARGIN = Duration.ofMinutes(1);

  private final RunningStreams streams = new RunningStreams();
  private final List<BudgetWindow> windows = new ArrayList<>(4);
  private @Nullable RequestCount requests;

  Decision admit(Limits plan, Demand demand, Now now) {
    adapt(plan, now);
    boolean enforced = plan.enforcement() == Enforcement.REFUSE;
    Refusal refusal = null;
    if (!streams.hasRoom(plan.concurrent())) {
      refusal =
          new Refusal(
              LimitKind.CONCURRENT, null, plan.concurrent(), 0, 0, null, Waiting.UNTIL_OWN_RETURN);
    }
    RequestCount count = plan.requests() == null ? null : requests;
    if (count != null && count.available(now.nanos) <= 0) {
      refusal = longest(refusal, refusalOf(count, now));
    }
    long output = demand.maxOutputTokens();
    for (Budget budget : plan.budgets()) {
      BudgetWindow window = windowOf(budget);
      long buys = outputFor(window, demand);
      refusal = longest(refusal, refusalOf(window, plan, demand, buys, now));
      output = Math.min(output, Math.max(0, buys));
    }
    if (refusal != null && enforced) {
      return new Decision(null, refusal, List.of());
    }
    if (!enforced) {
      output = demand.maxOutputTokens();
    }
    return new Decision(take(plan, demand, output, count, now), refusal, states(plan, now));
  }

  /** Takes from all limits; in shadow mode from each what it has. */
  private Held take(
      Limits plan, Demand demand, long output, @Nullable RequestCount count, Now now) {
    List<Hold> holds = new ArrayList<>(plan.budgets().size());
    for (Budget budget : plan.budgets()) {
      BudgetWindow window = windowOf(budget);
      holds.add(new Hold(window, need(window.kind, demand, output, Reservation.UNKNOWN)));
    }
    boolean counted = count != null && count.tryTake(now.nanos);
    streams.enter(plan.concurrent());
    return new Held(
        output, holds, count != null && counted ? count.periodStartNanos(now.nanos) : null);
  }

  /** How many output tokens a budget buys; -1 if not even the input. */
  private static long outputFor(BudgetWindow window, Demand demand) {
    long most = demand.maxOutputTokens();
    long left = window.available();
    return switch (window.kind) {
      case INPUT_TOKENS -> demand.inputTokens() <= left ? most : -1;
      case OUTPUT_TOKENS -> Math.min(left, most);
      default -> {
        Price price = demand.price();
        yield price == null
            ? -1
            : Demand.outputFor(price, price.ofInput(demand.inputTokens()), most, left);
      }
    };
  }

  /**
   * How much of a budget a request with this much output needs.
   *
   * @param inputCost {@link Reservation#UNKNOWN} for what was estimated
   */
  private static long need(LimitKind kind, Demand demand, long output, long inputCost) {
    return switch (kind) {
      case INPUT_TOKENS -> demand.inputTokens();
      case OUTPUT_TOKENS -> output;
      default -> {
        Price price = demand.price();
        if (price == null) {
          yield 0;
        }
        long input =
            inputCost == Reservation.UNKNOWN ? price.ofInput(demand.inputTokens()) : inputCost;
        yield Demand.cost(price, input, output);
      }
    };
  }

  private static @Nullable Refusal refusalOf(
      BudgetWindow window, Limits plan, Demand demand, long buys, Now now) {
    if (window.kind == LimitKind.COST && demand.price() == null) {
      return new Refusal(LimitKind.PRICE, null, 0, 0, 0, null, Waiting.USELESS);
    }
    long most = demand.maxOutputTokens();
    long least = plan.shortfall() == Shortfall.REFUSE ? most : Math.min(1, most);
    if (buys >= least) {
      return null;
    }
    long need = need(window.kind, demand, least, Reservation.UNKNOWN);
    long left = window.available();
    Waiting waiting;
    if (need > window.amount()) {
      waiting = Waiting.USELESS;
    } else {
      waiting = need <= left + window.held() ? Waiting.UNTIL_OWN_RETURN : Waiting.UNTIL_RESET;
    }
    return new Refusal(
        window.kind,
        window.window,
        window.amount(),
        Math.max(0, left),
        need(window.kind, demand, Math.min(1, most), Reservation.UNKNOWN),
        Duration.between(now.instant, window.end()),
        waiting);
  }

  private static Refusal refusalOf(RequestCount count, Now now) {
    return new Refusal(
        LimitKind.REQUESTS,
        null,
        count.count(),
        0,
        0,
        count.resetsIn(now.nanos),
        Waiting.UNTIL_RESET);
  }

  private static @Nullable Refusal longest(@Nullable Refusal one, @Nullable Refusal other) {
    return other != null && other.outlasts(one) ? other : one;
  }

  private List<Limit> states(Limits plan, Now now) {
    List<Limit> states = new ArrayList<>(plan.budgets().size() + 2);
    if (requests != null && plan.requests() != null) {
      states.add(
          new Limit(
              LimitKind.REQUESTS,
              null,
              requests.count(),
              Math.max(0, requests.available(now.nanos)),
              now.instant.plus(requests.resetsIn(now.nanos))));
    }
    if (plan.concurrent() > 0) {
      int left = Math.max(0, plan.concurrent() - streams.active());
      states.add(new Limit(LimitKind.CONCURRENT, null, plan.concurrent(), left, null));
    }
    for (Budget budget : plan.budgets()) {
      BudgetWindow window = windowOf(budget);
      long left = Math.max(0, window.available());
      states.add(new Limit(window.kind, window.window, window.amount(), left, window.end()));
    }
    return List.copyOf(states);
  }

  /** Ends what a reservation holds; {@link Reservation#UNKNOWN} keeps what was taken. */
  void settle(Held held, long inputTokens, long outputTokens, long cost) {
    for (Hold hold : held.holds) {
      long used =
          switch (hold.kind()) {
            case INPUT_TOKENS -> inputTokens;
            case OUTPUT_TOKENS -> outputTokens;
            default -> cost;
          };
      hold.settle(used);
    }
    streams.leave();
  }

  /** Gives back everything that a reservation holds. */
  void cancel(Held held, Now now) {
    settle(held, 0, 0, 0);
    if (held.requestPeriod != null && requests != null) {
      requests.giveBack(held.requestPeriod, now.nanos);
    }
  }

  /**
   * Begins the windows that are due and follows a change of the plan. What the plan of now does not
   * mention stays until its window ends: to change the plan and to change it back gives nothing.
   */
  private void adapt(Limits plan, Now now) {
    windows.removeIf(window -> window.isOver(now.instant));
    windows.forEach(window -> window.followClock(now.instant, plan.zone(), MARGIN));
    RequestRate rate = plan.requests();
    RequestCount count = requests;
    if (rate != null && count == null) {
      requests = new RequestCount(rate, now.nanos);
    } else if (rate != null && count != null && !count.isFor(rate)) {
      requests = count.changedTo(rate, now.nanos);
    }
    for (Budget budget : plan.budgets()) {
      BudgetWindow window = find(budget);
      if (window == null) {
        windows.add(new BudgetWindow(budget, now.instant, plan.zone()));
      } else {
        window.resize(budget.amount());
      }
    }
  }

  private @Nullable BudgetWindow find(Budget budget) {
    for (BudgetWindow window : windows) {
      if (window.isFor(budget)) {
        return window;
      }
    }
    return null;
  }

  private BudgetWindow windowOf(Budget budget) {
    BudgetWindow window = find(budget);
    if (window == null) {
      throw new IllegalStateException("no window for a budget of the plan");
    }
    return window;
  }

  int activeStreams() {
    return streams.active();
  }

  /** What running reservations hold of all budgets that are still in force. */
  long held() {
    return windows.stream().mapToLong(BudgetWindow::held).sum();
  }

  /** Makes itself small, because no stream runs; forgets what a new state would say as well. */
  void rest(Now now) {
    windows.removeIf(window -> window.isOver(now.instant) || !window.isUsed());
    if (requests != null && requests.available(now.nanos) >= requests.count()) {
      requests = null;
    } else if (requests != null) {
      requests.rest(now.nanos);
    }
  }

  /**
   * How long this state still says something that a new one would not; zero if it could be dropped
   * at once.
   */
  Duration memory(Now now) {
    Duration longest = Duration.ZERO;
    if (requests != null && requests.available(now.nanos) < requests.count()) {
      longest = requests.resetsIn(now.nanos);
    }
    for (BudgetWindow window : windows) {
      if (window.isUsed() && !window.isOver(now.instant)) {
        Duration rest = Duration.between(now.instant, window.end()).plus(MARGIN);
        longest = rest.compareTo(longest) > 0 ? rest : longest;
      }
    }
    return longest;
  }
}
