package dev.headrace.admission;

import static dev.headrace.admission.LimitFixtures.plan;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.headrace.admission.LimitFixtures.ManualTimer;
import dev.headrace.admission.LimitFixtures.Time;
import dev.headrace.admission.LimitStore.PendingAdmission;
import dev.headrace.admission.Refusal.Waiting;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class WaitingRoomTest {

  private static final Demand SMALL = new Demand(10, 10, null);
  private static final Limits ONE_STREAM = plan().concurrent(1).limits();
  private static final Duration LONGEST = Duration.ofSeconds(5);

  private final Time time = new Time("2026-11-22T10:15:04Z");
  private final ManualTimer timer = new ManualTimer(time);
  private final MemoryLimitStore store = time.store(1_000);
  private final List<String> passed = new ArrayList<>();
  private final List<Reservation> reservations = new ArrayList<>();
  private final List<String> refused = new ArrayList<>();

  private WaitingRoom room(LimitStore behind) {
    return room(behind, new WaitingRoom.Settings(6, 3, LONGEST));
  }

  private WaitingRoom room(LimitStore behind, WaitingRoom.Settings settings) {
    return new WaitingRoom(behind, settings, timer, time::nanos);
  }

  private PendingAdmission ask(
      WaitingRoom room, String user, Limits limits, Demand demand, String name) {
    return room.admit(
        user,
        limits,
        demand,
        answer -> {
          if (answer instanceof Admission.Granted granted) {
            passed.add(name);
            reservations.add(granted.reservation());
          } else if (answer instanceof Admission.Refused no) {
            refused.add(name + ": " + no.refusal().name());
          }
        });
  }

  private void endFirst() {
    reservations.remove(0).settle(1, 1, 1);
  }

  @Test
  void aRequestWaitsForAStreamOfItsUserAndPassesInTurn() {
    WaitingRoom room = room(store);
    for (String name : List.of("1", "2", "3")) {
      ask(room, "ann", ONE_STREAM, SMALL, name);
    }
    ask(room, "bob", ONE_STREAM, SMALL, "bob");
    assertThat(passed).containsExactly("1", "bob");
    assertThat(room.waiting()).isEqualTo(2);
    timer.advance(Duration.ofSeconds(4));

    endFirst();
    assertThat(passed).containsExactly("1", "bob", "2");
    endFirst(); // bob's
    assertThat(passed).hasSize(3);
    endFirst();
    assertThat(passed).containsExactly("1", "bob", "2", "3");
    endFirst();

    assertThat(refused).isEmpty();
    assertThat(room.waiting()).isZero();
    assertThat(timer.pending()).isZero();
    assertThat(store.usersWithStreams()).isZero();
  }

  /** What needs no budget does not stand behind those who wait for one. */
  @Test
  void whoNeedsNoBudgetDoesNotWaitForOne() {
    WaitingRoom room = room(store);
    Limits limits =
        plan().concurrent(2).budget(LimitKind.OUTPUT_TOKENS, 1_000, Window.DAY).limits();
    Limits noBudget = requireNonNull(limits.withoutBudgets());
    Demand nothing = new Demand(0, 0, null);
    ask(room, "ann", limits, new Demand(0, 1_000, null), "1");
    ask(room, "ann", limits, new Demand(0, 600, null), "2");
    assertThat(room.waiting()).isEqualTo(1);
    ask(room, "ann", noBudget, nothing, "3");
    assertThat(passed).containsExactly("1", "3");
    ask(room, "ann", noBudget, nothing, "4"); // two streams run
    assertThat(refused).containsExactly("4: concurrent");
    assertThat(room.waiting()).isEqualTo(1);
  }

  /**
   * The answer holds a request's body, and whoever asked keeps the question for its stream's life.
   */
  @Test
  void whatIsToldTheAnswerIsLetGoOfBehindIt() {
    WaitingRoom room = room(store);
    List<WeakReference<byte[]>> bodies = new ArrayList<>();
    PendingAdmission question = askWithABody(room, bodies);
    assertThat(passed).containsExactly("1000 bytes");
    await()
        .until(
            () -> {
              System.gc();
              return bodies.get(0).get() == null;
            });
    assertThat(question.leave()).isFalse(); // still there until here
  }

  private PendingAdmission askWithABody(WaitingRoom room, List<WeakReference<byte[]>> bodies) {
    byte[] body = new byte[1000];
    bodies.add(new WeakReference<>(body));
    return room.admit("ann", ONE_STREAM, SMALL, answer -> passed.add(body.length + " bytes"));
  }

  @Test
  void waitingEndsWithTheReasonAfterItsLimit() {
    WaitingRoom room = room(store);
    ask(room, "ann", ONE_STREAM, SMALL, "1");
    ask(room, "ann", ONE_STREAM, SMALL, "2");
    timer.advance(Duration.ofSeconds(2));
    ask(room, "ann", ONE_STREAM, SMALL, "3");
    timer.advance(Duration.ofSeconds(3));
    assertThat(refused).containsExactly("2: concurrent");
    timer.advance(Duration.ofSeconds(2));
    assertThat(refused).containsExactly("2: concurrent", "3: concurrent");
    assertThat(room.waiting()).isZero();
    assertThat(timer.pending()).isZero();
    endFirst();
    assertThat(passed).containsExactly("1");
  }

  @Test
  void onlyWhatCanPassSoonEnoughWaits() {
    WaitingRoom room = room(store);
    Limits perMinute = plan().requests(1, Duration.ofMinutes(1)).limits();
    ask(room, "ann", perMinute, SMALL, "1");
    ask(room, "ann", perMinute, SMALL, "2");
    assertThat(refused).containsExactly("2: requests");
    Limits daily = plan().budget(LimitKind.OUTPUT_TOKENS, 5, Window.DAY).limits();
    ask(room, "ann", daily, SMALL, "3");
    assertThat(refused).containsExactly("2: requests", "3: output tokens per day");

    time.advance(Duration.ofSeconds(56));
    ask(room, "ann", perMinute, SMALL, "4");
    assertThat(room.waiting()).isEqualTo(1);
    timer.advance(Duration.ofMillis(3_990));
    assertThat(passed).containsExactly("1");
    timer.advance(Duration.ofMillis(10));
    assertThat(passed).containsExactly("1", "4");
    assertThat(timer.pending()).isZero();
  }

  @Test
  void whatAReservationGivesBackOfABudgetLetsTheNextPass() {
    WaitingRoom room = room(store);
    Limits limits = plan().budget(LimitKind.OUTPUT_TOKENS, 1_000, Window.DAY).limits();
    ask(room, "ann", limits, new Demand(0, 1_000, null), "1");
    ask(room, "ann", limits, new Demand(0, 600, null), "2");
    assertThat(room.waiting()).isEqualTo(1);
    endFirst();
    assertThat(passed).containsExactly("1", "2");
  }

  @Test
  void theRoomIsBoundedForEachUserAndInAll() {
    WaitingRoom room = room(store);
    for (String user : List.of("ann", "bob", "cid")) {
      for (int i = 0; i < 6; i++) {
        ask(room, user, ONE_STREAM, SMALL, user + i);
      }
    }
    assertThat(room.waiting()).isEqualTo(6);
    assertThat(refused)
        .containsExactly(
            "ann4: concurrent",
            "ann5: concurrent",
            "bob4: concurrent",
            "bob5: concurrent",
            "cid1: concurrent",
            "cid2: concurrent",
            "cid3: concurrent",
            "cid4: concurrent",
            "cid5: concurrent");
  }

  @Test
  void whoLeavesGivesThePlaceBackAndHoldsNobodyUp() {
    WaitingRoom room = room(store);
    Limits limits =
        plan().concurrent(2).budget(LimitKind.OUTPUT_TOKENS, 1_000, Window.DAY).limits();
    PendingAdmission first = ask(room, "ann", limits, new Demand(0, 900, null), "1");
    PendingAdmission large = ask(room, "ann", limits, new Demand(0, 900, null), "large");
    ask(room, "ann", limits, new Demand(0, 50, null), "small");
    assertThat(passed).containsExactly("1"); // first come, first served, although it would fit

    assertThat(large.leave()).isTrue();
    assertThat(large.leave()).isFalse();
    assertThat(passed).containsExactly("1", "small");
    assertThat(first.leave()).isFalse();
    assertThat(room.waiting()).isZero();
    assertThat(timer.pending()).isZero();
    assertThat(refused).isEmpty();
    endFirst();
    endFirst();
    assertThat(store.usersWithStreams()).isZero();
  }

  @Test
  void whenAllShareALimitTheTurnGoesRoundBetweenUsers() {
    Shared shared = new Shared(1);
    WaitingRoom room = room(shared);
    ask(room, "zoe", ONE_STREAM, SMALL, "first");
    for (String name : List.of("a1", "a2", "a3", "b1", "b2", "c1")) {
      ask(room, name.substring(0, 1), ONE_STREAM, SMALL, name);
    }
    while (!reservations.isEmpty()) {
      endFirst();
    }
    assertThat(passed).containsExactly("first", "a1", "b1", "c1", "a2", "b2", "a3");
  }

  @Test
  void aReturnThatComesWhileTheStoreIsStillAnsweringIsNotMissed() {
    Slow slow = new Slow();
    WaitingRoom room = room(slow);
    ask(room, "ann", ONE_STREAM, SMALL, "1");
    slow.answerNext();
    ask(room, "ann", ONE_STREAM, SMALL, "2");
    slow.decideNext(); // refused, but the answer is still on its way
    endFirst();
    slow.answerNext();
    slow.answerNext(); // was asked again at once
    assertThat(passed).containsExactly("1", "2");
    endFirst();
    assertThat(slow.free).isEqualTo(1);
  }

  @Test
  void whoLeavesBeforeTheAnswerOfASlowStoreGivesBackWhatItBrings() {
    Slow slow = new Slow();
    WaitingRoom room = room(slow);
    PendingAdmission gone = ask(room, "ann", ONE_STREAM, SMALL, "gone");
    assertThat(gone.leave()).isTrue();
    slow.answerNext();
    assertThat(passed).isEmpty();
    assertThat(slow.free).isEqualTo(1);

    ask(room, "ann", ONE_STREAM, SMALL, "1");
    slow.answerNext();
    PendingAdmission second = ask(room, "ann", ONE_STREAM, SMALL, "2");
    slow.answerNext();
    ask(room, "ann", ONE_STREAM, SMALL, "3");
    endFirst();
    second.leave(); // while it is being asked again
    slow.answerNext();
    slow.answerNext();
    assertThat(passed).containsExactly("1", "3");
    endFirst();
    assertThat(slow.free).isEqualTo(1);
    assertThat(room.waiting()).isZero();
  }

  @Test
  void underLoadEverybodyIsAnsweredAndNobodyIsOverTheLimit() throws Exception {
    MemoryLimitStore real = new MemoryLimitStore(100, System::nanoTime, time::instant);
    ScheduledThreadPoolExecutor clocks = new ScheduledThreadPoolExecutor(1);
    clocks.setRemoveOnCancelPolicy(true);
    ExecutorService clients = Executors.newFixedThreadPool(8);
    WaitingRoom room =
        new WaitingRoom(
            real,
            new WaitingRoom.Settings(50, 20, Duration.ofSeconds(20)),
            (delay, task) -> clocks.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS),
            System::nanoTime);
    Limits two = plan().concurrent(2).limits();
    AtomicInteger[] running = {new AtomicInteger(), new AtomicInteger(), new AtomicInteger()};
    AtomicInteger tooMany = new AtomicInteger();
    AtomicInteger served = new AtomicInteger();
    AtomicInteger left = new AtomicInteger();
    try {
      List<Callable<Void>> all = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        Random random = new Random(i);
        all.add(
            () -> {
              for (int n = 0; n < 3_000; n++) {
                int user = random.nextInt(running.length);
                CountDownLatch done = new CountDownLatch(1);
                PendingAdmission pending =
                    room.admit(
                        "user-" + user,
                        two,
                        SMALL,
                        answer -> {
                          if (answer instanceof Admission.Granted granted) {
                            if (running[user].incrementAndGet() > 2) {
                              tooMany.incrementAndGet();
                            }
                            served.incrementAndGet();
                            clients.execute(
                                () -> {
                                  running[user].decrementAndGet();
                                  granted.reservation().settle(1, 1, 1);
                                  done.countDown();
                                });
                          } else {
                            done.countDown();
                          }
                        });
                if (random.nextInt(4) == 0 && pending.leave()) {
                  left.incrementAndGet();
                } else if (random.nextInt(8) == 0) {
                  assertThat(done.await(30, TimeUnit.SECONDS)).isTrue();
                }
              }
              return null;
            });
      }
      // The clients' own pool ends the streams, so those who wait for an end come from another.
      ExecutorService askers = Executors.newFixedThreadPool(8);
      try {
        for (Future<Void> each : askers.invokeAll(all)) {
          each.get(60, TimeUnit.SECONDS);
        }
      } finally {
        askers.shutdownNow();
      }
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while ((room.waiting() > 0 || real.usersWithStreams() > 0) && System.nanoTime() < deadline) {
        Thread.onSpinWait();
      }
    } finally {
      clients.shutdown();
      assertThat(clients.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
      clocks.shutdownNow();
    }
    assertThat(tooMany.get()).isZero();
    assertThat(served.get()).isGreaterThan(1_000);
    assertThat(room.waiting()).isZero();
    assertThat(real.usersWithStreams()).isZero();
    assertThat(clocks.getQueue()).isEmpty();
    System.out.printf("%d of 24,000 served, %d left while they waited%n", served.get(), left.get());
  }

  /** A limit that all users share. */
  private static class Shared implements LimitStore {
    int free;

    Shared(int free) {
      this.free = free;
    }

    @Override
    public PendingAdmission admit(
        String user, Limits limits, Demand demand, Consumer<? super Admission> answer) {
      answer.accept(decide());
      return PendingAdmission.ANSWERED;
    }

    Admission decide() {
      if (free == 0) {
        return new Admission.Refused(
            new Refusal(LimitKind.CONCURRENT, null, 1, 0, 0, null, Waiting.UNTIL_ANY_RETURN));
      }
      free--;
      return new Admission.Granted(new Returned(() -> free++), null);
    }
  }

  /** A shared limit that is asked over a slow line. */
  private static final class Slow extends Shared {
    private final List<Consumer<? super Admission>> questions = new ArrayList<>();
    private final List<Admission> decisions = new ArrayList<>();

    Slow() {
      super(1);
    }

    @Override
    public PendingAdmission admit(
        String user, Limits limits, Demand demand, Consumer<? super Admission> answer) {
      questions.add(answer);
      return PendingAdmission.ANSWERED; // cannot be taken back
    }

    void decideNext() {
      decisions.add(decide());
    }

    void answerNext() {
      if (decisions.isEmpty()) {
        decideNext();
      }
      questions.remove(0).accept(decisions.remove(0));
    }
  }

  private record Returned(Runnable giveBack) implements Reservation {
    @Override
    public long allowedOutputTokens() {
      return 0;
    }

    @Override
    public boolean extend(long outputTokens, long inputCost) {
      return covers(outputTokens, inputCost);
    }

    @Override
    public boolean covers(long outputTokens, long inputCost) {
      return true;
    }

    @Override
    public void settle(long inputTokens, long outputTokens, long cost) {
      giveBack.run();
    }

    @Override
    public void cancel() {
      giveBack.run();
    }

    @Override
    public List<Limit> limits() {
      return List.of();
    }
  }
}
