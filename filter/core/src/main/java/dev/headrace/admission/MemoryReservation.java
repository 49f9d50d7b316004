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

  /** Output tokens that are taken beyond what is needed, so that not each event asks again. */
  private static final int MORE = 256;

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
  public boolean covers(long outputTokens, long inputCost) {
    if (!stops) {
      return true;
    }
    for (Hold hold : held.holds()) {
      if (!hold.covers(demand, outputTokens, inputCost)) {
        return false;
      }
    }
    return true;
  }

  @Override
  public boolean extend(long outputTokens, long inputCost) {
    if (stops) {
      long enough = Math.max(demand.maxOutputTokens(), outputTokens + MORE);
      store.whileOpen(
          key,
          state,
          open,
          () -> held.holds().forEach(hold -> hold.extend(demand, enough, inputCost)));
    }
    return covers(outputTokens, inputCost);
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
