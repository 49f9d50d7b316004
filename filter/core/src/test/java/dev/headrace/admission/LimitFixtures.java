package dev.headrace.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.admission.Limits.Enforcement;
import dev.headrace.admission.Limits.RequestRate;
import dev.headrace.admission.Limits.Shortfall;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Plans, time and timers that the tests of limits share. */
final class LimitFixtures {

  static final long DOLLAR = Budget.PICO_DOLLARS_PER_DOLLAR;

  /** A dollar for a million input tokens, five for a million output tokens. */
  static final Price CHEAP = price(1_000_000, 5_000_000);

  private LimitFixtures() {}

  static Price price(long picoPerInput, long picoPerOutput) {
    return new Price() {
      @Override
      public long ofInput(long tokens) {
        return tokens * picoPerInput;
      }

      @Override
      public long ofOutput(long tokens) {
        return tokens * picoPerOutput;
      }
    };
  }

  static Plan plan() {
    return new Plan();
  }

  /** What a test says about a plan; nothing is limited that it does not mention. */
  static final class Plan {
    private @Nullable RequestRate requests;
    private int concurrent;
    private final List<Budget> budgets = new ArrayList<>();
    private Shortfall shortfall = Shortfall.REFUSE;
    private Enforcement enforcement = Enforcement.REFUSE;
    private ZoneId zone = ZoneOffset.UTC;

    Plan requests(int count, Duration period) {
      requests = new RequestRate(count, period);
      return this;
    }

    Plan concurrent(int max) {
      concurrent = max;
      return this;
    }

    Plan budget(LimitKind kind, long amount, Window window) {
      budgets.add(new Budget(kind, amount, window));
      return this;
    }

    Plan shortfall(Shortfall what) {
      shortfall = what;
      return this;
    }

    Plan shadow() {
      enforcement = Enforcement.SHADOW;
      return this;
    }

    Plan zone(String id) {
      zone = ZoneId.of(id);
      return this;
    }

    Limits limits() {
      return new Limits(requests, concurrent, budgets, shortfall, enforcement, zone);
    }
  }

  /** Stands still until it is moved. */
  static final class Time {
    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1_000);
    private volatile Instant wall;

    Time(String start) {
      wall = Instant.parse(start);
    }

    synchronized void advance(Duration by) {
      nanos.addAndGet(by.toNanos());
      wall = wall.plus(by);
    }

    void advanceTo(String instant) {
      advance(Duration.between(wall, Instant.parse(instant)));
    }

    /** Sets the clock on the wall, and no other. */
    void setWall(String instant) {
      wall = Instant.parse(instant);
    }

    long nanos() {
      return nanos.get();
    }

    Instant instant() {
      return wall;
    }

    MemoryLimitStore store(int maxUsers) {
      return new MemoryLimitStore(maxUsers, this::nanos, this::instant);
    }
  }

  /** Runs tasks when the test moves the time. */
  static final class ManualTimer implements Timer {
    private record Task(long atNanos, CompletableFuture<Void> state, Runnable what) {}

    private final Time time;
    private final List<Task> tasks = new ArrayList<>();

    ManualTimer(Time time) {
      this.time = time;
    }

    @Override
    public synchronized Future<?> after(Duration delay, Runnable what) {
      CompletableFuture<Void> state = new CompletableFuture<>();
      tasks.add(new Task(time.nanos() + delay.toNanos(), state, what));
      return state;
    }

    synchronized int pending() {
      tasks.removeIf(task -> task.state.isDone());
      return tasks.size();
    }

    /** Moves the time in small steps, and runs what is due after each. */
    void advance(Duration by) {
      for (long left = by.toMillis(); left > 0; left -= 10) {
        time.advance(Duration.ofMillis(Math.min(10, left)));
        for (Task task = due(); task != null; task = due()) {
          task.state.complete(null);
          task.what.run();
        }
      }
    }

    private synchronized @Nullable Task due() {
      tasks.removeIf(task -> task.state.isDone());
      for (Task task : tasks) {
        if (task.atNanos - time.nanos() <= 0) {
          return task;
        }
      }
      return null;
    }
  }

  /** The answer to a request that is answered at once. */
  static Admission ask(LimitStore store, String user, Limits limits, Demand demand) {
    AtomicReference<@Nullable Admission> answer = new AtomicReference<>();
    var unused =
        store.admit(
            user,
            limits,
            demand,
            admission -> assertThat(answer.getAndSet(admission)).as("a second answer").isNull());
    Admission admission = answer.get();
    if (admission == null) {
      throw new AssertionError("no answer");
    }
    return admission;
  }

  static Reservation granted(LimitStore store, String user, Limits limits, Demand demand) {
    Admission answer = ask(store, user, limits, demand);
    assertThat(answer).isInstanceOf(Admission.Granted.class);
    return ((Admission.Granted) answer).reservation();
  }

  static Refusal refused(LimitStore store, String user, Limits limits, Demand demand) {
    Admission answer = ask(store, user, limits, demand);
    assertThat(answer).isInstanceOf(Admission.Refused.class);
    return ((Admission.Refused) answer).refusal();
  }
}
