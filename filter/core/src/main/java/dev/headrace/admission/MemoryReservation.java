package dev.headrace.admission;

import dev.headrace.admission.Limits.Enforcement;
import dev.headrace.admission.Limits.Shortfall;
import dev.headrace.admission.UserState.Decision;
import dev.headrace.admission.UserState.Held;
import dev.headrace.admission.UserState.Hold;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;

/** A reservation of a {@link MemoryLimitStore}. Thread-safe. */
final class MemoryReservation implements Reservation {

  private final MemoryLimitStore store;
  private final String key;
  private final UserState state;
  private final Demand demand;
  private final boolean stops;
  private final Held held;
  private final List<Limit> limits;
  private final AtomicBoolean open = new AtomicBoolean(true);

  MemoryReservation(
      MemoryLimitStore store,
      String key,
      UserState state,
      Limits plan,
      Demand demand,
      Decision decision) {
    this.store = store;
    this.key = key;
    this.state = state;
    this.demand = demand;
    this.held = Objects.requireNonNull(decision.held(), "held");
    this.limits = decision.limits();
    this.stops =
        plan.shortfall() == Shortfall.STOP_AT_BUDGET && plan.enforcement() == Enforcement.REFUSE;
  }

  @Override
  public long allowedOutputTokens() {
    return held.outputTokens();
  }

  @Override
  public long allowedOutputTokens(long exactInputTokens) {
    if (!stops) {
      return held.outputTokens();
    }
    long allowed = demand.maxOutputTokens();
    for (Hold hold : held.holds()) {
      Price price = demand.price();
      if (hold.window().kind == LimitKind.OUTPUT_TOKENS) {
        allowed = Math.min(allowed, hold.taken());
      } else if (hold.window().kind == LimitKind.COST && price != null) {
        allowed = Math.max(0, Demand.outputFor(price, exactInputTokens, allowed, hold.taken()));
      }
    }
    return allowed;
  }

  @Override
  public void settle(long inputTokens, long outputTokens, long cost) {
    if (open.compareAndSet(true, false)) {
      store.settle(key, state, held, inputTokens, outputTokens, cost);
    }
  }

  @Override
  public void cancel() {
    if (open.compareAndSet(true, false)) {
      store.cancel(key, state, held);
    }
  }

  @Override
  public List<Limit> limits() {
    return limits;
  }
}
