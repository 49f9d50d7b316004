package dev.headrace.admission;

import static dev.headrace.admission.LimitFixtures.CHEAP;
import static dev.headrace.admission.LimitFixtures.plan;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.headrace.admission.LimitFixtures.Time;
import dev.headrace.admission.Limits.Shortfall;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

/**
 * Many threads at once, and many users: exactly what is allowed passes, within the heap's bound.
 */
class ParallelAdmissionTest {

  private static final int THREADS = 16;

  private final Time time = new Time("2026-11-22T10:15:04Z");
  private final MemoryLimitStore store = time.store(10_000);

  @Test
  void neverMoreThanFourStreamsRunAtTheSameTime() throws Exception {
    Limits limits = plan().concurrent(4).limits();
    AtomicInteger running = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    AtomicInteger passed = new AtomicInteger();
    onAllThreads(
        THREADS,
        thread -> {
          for (int i = 0; i < 5_000; i++) {
            Admission answer = LimitFixtures.ask(store, "ann", limits, new Demand(1, 1, CHEAP));
            if (answer instanceof Admission.Granted granted) {
              most.accumulateAndGet(running.incrementAndGet(), Math::max);
              passed.incrementAndGet();
              Thread.onSpinWait();
              running.decrementAndGet();
              granted.reservation().settle(1, 1, 1);
            }
          }
        });
    assertThat(most.get()).isBetween(1, 4);
    assertThat(passed.get()).isGreaterThan(100);
    assertThat(store.usersWithStreams()).isZero();

    AtomicInteger atOnce = new AtomicInteger();
    onAllThreads(
        THREADS, thread -> atOnce.addAndGet(granted(limits, new Demand(1, 1, CHEAP)).size()));
    assertThat(atOnce.get()).isEqualTo(4);
  }

  @Test
  void exactlySixtyRequestsPassInAMinute() throws Exception {
    Limits limits = plan().requests(60, Duration.ofMinutes(1)).limits();
    for (int minute = 0; minute < 3; minute++) {
      AtomicInteger passed = new AtomicInteger();
      onAllThreads(
          THREADS,
          thread -> {
            for (int i = 0; i < 50; i++) {
              for (Reservation each : granted(limits, new Demand(1, 1, CHEAP))) {
                passed.incrementAndGet();
                each.settle(1, 1, 1);
              }
            }
          });
      assertThat(passed.get()).isEqualTo(60);
      time.advance(Duration.ofMinutes(1));
    }
  }

  @Test
  void exactlyTenRequestsPassThatTheBudgetPaysFor() throws Exception {
    Demand demand = new Demand(1_000, 2_000, CHEAP);
    long costOfOne = CHEAP.ofInput(1_000) + CHEAP.ofOutput(2_000);
    Limits limits = plan().budget(LimitKind.COST, 10 * costOfOne, Window.DAY).limits();
    AtomicInteger passed = new AtomicInteger();
    onAllThreads(
        THREADS,
        thread -> {
          for (int i = 0; i < 50; i++) {
            for (Reservation each : granted(limits, demand)) {
              passed.incrementAndGet();
              each.settle(1_000, 2_000, costOfOne);
            }
          }
        });
    assertThat(passed.get()).isEqualTo(10);
  }

  @Test
  void streamsThatStopAtTheBudgetNeverProduceMoreTogetherThanItBuys() throws Exception {
    Limits limits =
        plan()
            .shortfall(Shortfall.STOP_AT_BUDGET)
            .budget(LimitKind.OUTPUT_TOKENS, 100_000, Window.DAY)
            .limits();
    AtomicLong produced = new AtomicLong();
    onAllThreads(
        THREADS,
        thread -> {
          for (int i = 0; i < 500; i++) {
            for (Reservation each : granted(limits, new Demand(10, 3_000, null))) {
              long wanted = ThreadLocalRandom.current().nextLong(6_000);
              long used = 0;
              while (used < wanted && each.extend(used + 100, Reservation.UNKNOWN)) {
                used += 100;
              }
              produced.addAndGet(used);
              each.settle(10, used, 0);
            }
          }
        });
    assertThat(produced.get()).isLessThanOrEqualTo(100_000).isGreaterThan(90_000);
  }

  /** Whose price hangs holds up nobody else; a few names that share a lock do not count. */
  @Test
  void usersDoNotWaitForEachOther() throws Exception {
    Limits limits = everything();
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Price slow =
        new Price() {
          @Override
          public long ofInput(long tokens) {
            asked.countDown();
            try {
              goOn.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            return 1;
          }

          @Override
          public long ofOutput(long tokens) {
            return 1;
          }
        };
    ExecutorService others = Executors.newCachedThreadPool();
    try {
      Future<Admission> ann =
          others.submit(() -> LimitFixtures.ask(store, "ann", limits, new Demand(10, 10, slow)));
      assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
      AtomicInteger answered = new AtomicInteger();
      for (int i = 0; i < 20; i++) {
        String user = "bob-" + i;
        others.execute(
            () -> {
              LimitFixtures.ask(store, user, limits, new Demand(10, 10, CHEAP));
              answered.incrementAndGet();
            });
      }
      await().untilAsserted(() -> assertThat(answered).hasValueGreaterThanOrEqualTo(15));
      assertThat(ann.isDone()).isFalse();
      goOn.countDown();
      assertThat(ann.get(30, TimeUnit.SECONDS)).isInstanceOf(Admission.Granted.class);
    } finally {
      goOn.countDown();
      others.shutdownNow();
    }
  }

  @Test
  void aMillionInventedUsersStayWithinTheBoundOfTheHeap() {
    int bound = 20_000;
    Limits limits = everything();
    MemoryLimitStore bounded = time.store(bound);
    long before = usedHeap();
    for (int i = 0; i < 1_000_000; i++) {
      LimitFixtures.granted(bounded, "invented-user-" + i, limits, new Demand(10, 10, CHEAP))
          .settle(10, 10, 10);
    }
    bounded.cleanUp();
    long bytes = usedHeap() - before;
    System.out.printf(
        "%,d of 1,000,000 users remembered in %,d KiB: %,d bytes each%n",
        bounded.users(), bytes / 1024, bytes / bounded.users());
    assertThat(bounded.users()).isBetween(bound * 9L / 10, (long) bound);
    assertThat(bytes).isLessThan(bound * 1_500L);
  }

  private static Limits everything() {
    return plan()
        .requests(1_000, Duration.ofMinutes(1))
        .concurrent(4)
        .budget(LimitKind.INPUT_TOKENS, 1_000_000, Window.MINUTE)
        .budget(LimitKind.OUTPUT_TOKENS, 1_000_000, Window.DAY)
        .budget(LimitKind.COST, LimitFixtures.DOLLAR, Window.MONTH)
        .limits();
  }

  private static long usedHeap() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  /** One reservation, or none if it was refused. */
  private List<Reservation> granted(Limits limits, Demand demand) {
    return LimitFixtures.ask(store, "ann", limits, demand) instanceof Admission.Granted granted
        ? List.of(granted.reservation())
        : List.of();
  }

  private static void onAllThreads(int threads, IntConsumer task) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    try {
      CountDownLatch ready = new CountDownLatch(threads);
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int number = i;
        all.add(
            pool.submit(
                () -> {
                  ready.countDown();
                  ready.await();
                  task.accept(number);
                  return null;
                }));
      }
      for (Future<?> each : all) {
        each.get(60, TimeUnit.SECONDS);
      }
    } finally {
      pool.shutdownNow();
    }
  }
}
