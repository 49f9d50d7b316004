package dev.headrace.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.admission.LimitFixtures.Time;
import dev.headrace.admission.Limits.Enforcement;
import dev.headrace.admission.Limits.RequestRate;
import dev.headrace.admission.Limits.Shortfall;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Plays a hundred thousand requests, and as many other operations at random, against the store and
 * against a model that keeps every reservation in a list and adds them up anew each time.
 */
class MemoryLimitStoreModelTest {

  private static final int OPERATIONS = 200_000; // half of them are requests
  private static final Price PRICE = LimitFixtures.price(2, 11);
  private static final Duration PERIOD = Duration.ofSeconds(1);

  private final Time time = new Time("2026-03-28T22:59:30Z"); // the clocks go forward next night
  private final MemoryLimitStore store = time.store(100_000);
  private final Map<String, User> users = new TreeMap<>();
  private final IdentityHashMap<Reservation, Entry> open = new IdentityHashMap<>();
  private final List<Reservation> openList = new ArrayList<>();
  private final List<Reservation> ended = new ArrayList<>();
  private int accepted;
  private final Map<String, Integer> refused = new TreeMap<>(); // by the limit's name

  /** Everything that one reservation has taken, in the model. */
  private static final class Entry {
    final Instant admittedAt;
    final Map<String, Long> amounts = new HashMap<>(); // by kind and window
    final Map<String, Instant> ends = new HashMap<>();
    boolean request;
    boolean running = true;

    Entry(Instant admittedAt) {
      this.admittedAt = admittedAt;
    }
  }

  private static final class User {
    final List<Entry> entries = new ArrayList<>();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 20261122})
  void everyPermitAndReservationIsBackAfterRandomOperations(long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < OPERATIONS; i++) {
      int what = random.nextInt(1_000);
      if (what < 500) {
        admit(random);
      } else if (what < 750) {
        end(random, false);
      } else if (what < 850) {
        end(random, true);
      } else if (what < 950) {
        endAgain(random);
      } else if (what < 998) {
        time.advance(PERIOD.multipliedBy(random.nextInt(3)));
      } else {
        time.advance(PERIOD.multipliedBy(random.nextInt(400_000)));
        forgetWhatIsOver();
        while (random.nextInt(4) != 0) {
          end(random, random.nextBoolean()); // else most would be refused for running streams
        }
      }
      if (openList.size() > 30) {
        end(random, false);
      }
    }
    assertThat(accepted).isGreaterThan(10_000);
    assertThat(refused)
        .containsOnlyKeys(
            "concurrent",
            "requests",
            "price",
            "input tokens per minute",
            "input tokens per month",
            "output tokens per minute",
            "output tokens per hour",
            "cost per minute",
            "cost per day",
            "cost per month");
    while (!openList.isEmpty()) {
      end(random, random.nextBoolean());
    }
    assertThat(store.usersWithStreams()).isZero();
    for (String name : users.keySet()) {
      UserState state = store.peek(name);
      if (state != null) {
        assertThat(state.held()).isZero();
        assertThat(state.activeStreams()).isZero();
      }
    }
    time.advance(Duration.ofDays(40));
    store.cleanUp();
    assertThat(store.users()).isZero();
    System.out.printf("seed %d: %d accepted, refused by %s%n", seed, accepted, refused);
  }

  private static final Limits[] PLANS = {
    new Limits(
        new RequestRate(12, PERIOD),
        4,
        List.of(
            new Budget(LimitKind.INPUT_TOKENS, 2_500, Window.MINUTE),
            new Budget(LimitKind.OUTPUT_TOKENS, 5_000, Window.HOUR),
            new Budget(LimitKind.COST, 45_000, Window.DAY)),
        Shortfall.REFUSE,
        Enforcement.REFUSE,
        ZoneId.of("Europe/Berlin")),
    new Limits(
        new RequestRate(5, PERIOD),
        9,
        List.of(
            new Budget(LimitKind.OUTPUT_TOKENS, 2_500, Window.MINUTE),
            new Budget(LimitKind.OUTPUT_TOKENS, 4_000, Window.HOUR),
            new Budget(LimitKind.COST, 150_000, Window.MONTH)),
        Shortfall.LOWER_MAX_TOKENS,
        Enforcement.REFUSE,
        ZoneId.of("Europe/Berlin")),
    new Limits(
        null,
        0,
        List.of(
            new Budget(LimitKind.COST, 30_000, Window.MINUTE),
            new Budget(LimitKind.INPUT_TOKENS, 9_000, Window.MONTH)),
        Shortfall.STOP_AT_BUDGET,
        Enforcement.REFUSE,
        ZoneId.of("Europe/Berlin")),
    new Limits(
        new RequestRate(3, PERIOD),
        1,
        List.of(new Budget(LimitKind.COST, 10_000, Window.MINUTE)),
        Shortfall.REFUSE,
        Enforcement.SHADOW,
        ZoneId.of("Europe/Berlin")),
  };

  private void admit(Random random) {
    String name = "user-" + random.nextInt(12);
    Limits plan = PLANS[random.nextInt(PLANS.length)];
    Demand demand =
        new Demand(
            random.nextInt(700), random.nextInt(900), random.nextInt(50) == 0 ? null : PRICE);
    User user = users.computeIfAbsent(name, key -> new User());
    boolean shadow = plan.enforcement() == Enforcement.SHADOW;
    Expected expected = expect(user, plan, demand);

    Admission answer = LimitFixtures.ask(store, name, plan, demand);

    if (answer instanceof Admission.Granted granted) {
      assertThat(expected.passes || shadow).as("granted: %s %s", plan, demand).isTrue();
      assertThat(granted.wouldRefuse() == null).isEqualTo(expected.passes);
      Reservation reservation = granted.reservation();
      long output = shadow ? demand.maxOutputTokens() : expected.output;
      assertThat(reservation.allowedOutputTokens()).isEqualTo(output);
      take(user, plan, demand, output, reservation);
      accepted++;
    } else {
      assertThat(expected.passes || shadow).as("%s: %s %s", answer, plan, demand).isFalse();
      refused.merge(((Admission.Refused) answer).refusal().name(), 1, Integer::sum);
    }
  }

  private record Expected(boolean passes, long output) {}

  private Expected expect(User user, Limits plan, Demand demand) {
    boolean passes =
        plan.concurrent() == 0
            || user.entries.stream().filter(entry -> entry.running).count() < plan.concurrent();
    passes &= plan.requests() == null || requestsUsed(user) < plan.requests().count();
    long output = demand.maxOutputTokens();
    for (Budget budget : plan.budgets()) {
      long left = left(user, budget, plan);
      Price price = demand.price();
      if (budget.kind() == LimitKind.INPUT_TOKENS) {
        passes &= demand.inputTokens() <= left;
      } else if (budget.kind() == LimitKind.OUTPUT_TOKENS) {
        output = Math.min(output, left);
      } else if (price == null || demand.inputTokens() * 2 > left) {
        passes = false;
      } else {
        output = Math.min(output, (left - demand.inputTokens() * 2) / 11);
      }
    }
    long least =
        plan.shortfall() == Shortfall.REFUSE
            ? demand.maxOutputTokens()
            : Math.min(1, demand.maxOutputTokens());
    return new Expected(passes && output >= least, output);
  }

  private static String key(Budget budget) {
    return budget.kind() + " " + budget.window();
  }

  private long left(User user, Budget budget, Limits plan) {
    Instant end = budget.window().endAfter(time.instant(), plan.zone());
    long used = 0;
    for (Entry entry : user.entries) {
      if (end.equals(entry.ends.get(key(budget)))) {
        used += entry.amounts.getOrDefault(key(budget), 0L);
      }
    }
    return budget.amount() - used;
  }

  /** Time moves by whole periods, so a period is one instant of the test. */
  private long requestsUsed(User user) {
    return user.entries.stream()
        .filter(entry -> entry.request && entry.admittedAt.equals(time.instant()))
        .count();
  }

  private void take(User user, Limits plan, Demand demand, long output, Reservation reservation) {
    Entry entry = new Entry(time.instant());
    for (Budget budget : plan.budgets()) {
      long need =
          switch (budget.kind()) {
            case INPUT_TOKENS -> demand.inputTokens();
            case OUTPUT_TOKENS -> output;
            default -> demand.price() == null ? 0 : demand.inputTokens() * 2 + output * 11;
          };
      long taken = Math.max(0, Math.min(need, left(user, budget, plan)));
      entry.amounts.put(key(budget), taken);
      entry.ends.put(key(budget), budget.window().endAfter(time.instant(), plan.zone()));
    }
    RequestRate rate = plan.requests();
    entry.request = rate != null && requestsUsed(user) < rate.count();
    user.entries.add(entry);
    open.put(reservation, entry);
    openList.add(reservation);
  }

  private void end(Random random, boolean cancel) {
    if (openList.isEmpty()) {
      return;
    }
    Reservation reservation = openList.remove(random.nextInt(openList.size()));
    Entry entry = open.remove(reservation);
    if (entry == null) {
      throw new AssertionError("the model has lost a reservation");
    }
    entry.running = false;
    if (cancel) {
      reservation.cancel();
      entry.amounts.clear();
      entry.request = false;
    } else {
      // Sometimes cut and unknown, sometimes more than was reserved.
      long input = random.nextInt(5) == 0 ? Reservation.UNKNOWN : random.nextInt(900);
      long output = random.nextInt(5) == 0 ? Reservation.UNKNOWN : random.nextInt(1_100);
      long cost = random.nextInt(5) == 0 ? Reservation.UNKNOWN : random.nextInt(15_000);
      reservation.settle(input, output, cost);
      entry.amounts.replaceAll(
          (budget, taken) -> {
            long used = budget.startsWith("INPUT") ? input : cost;
            used = budget.startsWith("OUTPUT") ? output : used;
            return used == Reservation.UNKNOWN ? taken : used;
          });
    }
    if (ended.size() < 1_000) {
      ended.add(reservation);
    } else {
      ended.set(random.nextInt(ended.size()), reservation);
    }
  }

  private void endAgain(Random random) {
    @Nullable Reservation reservation =
        ended.isEmpty() ? null : ended.get(random.nextInt(ended.size()));
    if (reservation == null) {
      return;
    }
    if (random.nextBoolean()) {
      reservation.cancel();
    } else {
      reservation.settle(random.nextInt(1_000), random.nextInt(1_000), random.nextInt(1_000));
    }
  }

  /** Keeps the model's lists short: ended and in no window that still runs. */
  private void forgetWhatIsOver() {
    for (User user : users.values()) {
      user.entries.removeIf(
          entry ->
              !entry.running
                  && !entry.admittedAt.equals(time.instant())
                  && entry.ends.values().stream().noneMatch(end -> end.isAfter(time.instant())));
    }
  }
}
