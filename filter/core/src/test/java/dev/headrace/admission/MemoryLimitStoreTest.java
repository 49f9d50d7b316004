package dev.headrace.admission;

import static dev.headrace.admission.LimitFixtures.CHEAP;
import static dev.headrace.admission.LimitFixtures.DOLLAR;
import static dev.headrace.admission.LimitFixtures.ask;
import static dev.headrace.admission.LimitFixtures.granted;
import static dev.headrace.admission.LimitFixtures.plan;
import static dev.headrace.admission.LimitFixtures.refused;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.admission.LimitFixtures.Time;
import dev.headrace.admission.Limits.Shortfall;
import dev.headrace.admission.Refusal.Waiting;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class MemoryLimitStoreTest {

  private static final Demand SMALL = new Demand(100, 100, CHEAP);

  private final Time time = new Time("2026-11-22T10:15:04Z");
  private final MemoryLimitStore store = time.store(1_000);

  @Test
  void requestsPassUpToTheCountOfThePeriodAndAgainInTheNext() {
    Limits limits = plan().requests(3, Duration.ofMinutes(1)).limits();
    for (int i = 0; i < 3; i++) {
      granted(store, "ann", limits, SMALL).settle(1, 1, 1);
    }
    time.advance(Duration.ofSeconds(20));

    Refusal refusal = refused(store, "ann", limits, SMALL);
    assertThat(refusal.name()).isEqualTo("requests");
    assertThat(refusal.size()).isEqualTo(3);
    assertThat(refusal.left()).isZero();
    assertThat(refusal.resetsIn()).isEqualTo(Duration.ofSeconds(40));
    assertThat(refusal.waiting()).isEqualTo(Waiting.UNTIL_RESET);
    granted(store, "bob", limits, SMALL).settle(1, 1, 1);

    time.advance(Duration.ofSeconds(40));
    granted(store, "ann", limits, SMALL).settle(1, 1, 1);
  }

  @Test
  void theNextRequestPassesWhenAStreamEndsHoweverItEnds() {
    Limits limits = plan().concurrent(2).limits();
    Reservation one = granted(store, "ann", limits, SMALL);
    Reservation two = granted(store, "ann", limits, SMALL);

    Refusal refusal = refused(store, "ann", limits, SMALL);
    assertThat(refusal.name()).isEqualTo("concurrent");
    assertThat(refusal.size()).isEqualTo(2);
    assertThat(refusal.resetsIn()).isNull();
    assertThat(refusal.waiting()).isEqualTo(Waiting.UNTIL_OWN_RETURN);

    one.cancel();
    one.cancel();
    one.settle(1, 1, 1);
    Reservation three = granted(store, "ann", limits, SMALL);
    refused(store, "ann", limits, SMALL);
    two.settle(1, 1, 1);
    two.settle(1, 1, 1);
    three.settle(1, 1, 1);
    assertThat(store.usersWithStreams()).isZero();
  }

  /** Each of the three kinds, each window: what fits, what does not, and when it is full again. */
  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          INPUT_TOKENS,  MINUTE, 250,       50,        100, input tokens per minute,  PT56S
          INPUT_TOKENS,  HOUR,   250,       50,        100, input tokens per hour,    PT44M56S
          OUTPUT_TOKENS, DAY,    250,       50,        1,   output tokens per day,    PT13H44M56S
          OUTPUT_TOKENS, MONTH,  250,       50,        1,   output tokens per month,  PT205H44M56S
          COST,          DAY,    1500000000, 300000000, 105000000, cost per day,      PT13H44M56S
          COST,          MONTH,  1500000000, 300000000, 105000000, cost per month,    PT205H44M56S
          """)
  void aBudgetIsKeptAndIsFullAgainInTheNextWindow(
      LimitKind kind,
      Window window,
      long amount,
      long left,
      long least,
      String name,
      Duration resetsIn) {
    Limits limits = plan().budget(kind, amount, window).limits();
    granted(store, "ann", limits, SMALL).settle(100, 100, 600_000_000);
    granted(store, "ann", limits, SMALL).settle(100, 100, 600_000_000);

    Refusal refusal = refused(store, "ann", limits, SMALL);
    assertThat(refusal)
        .isEqualTo(new Refusal(kind, window, amount, left, least, resetsIn, Waiting.UNTIL_RESET));
    assertThat(refusal.name()).isEqualTo(name);

    time.advance(resetsIn.minusMillis(1));
    refused(store, "ann", limits, SMALL);
    time.advance(Duration.ofMillis(1));
    Reservation next = granted(store, "ann", limits, SMALL);
    long remaining = requireNonNull(next.tightest(kind)).remaining();
    assertThat(remaining).isLessThan(amount).isGreaterThan(left);
  }

  @Test
  void whatWasReservedAndNotUsedComesBack() {
    Limits limits = plan().budget(LimitKind.OUTPUT_TOKENS, 1_000, Window.DAY).limits();
    Reservation all = granted(store, "ann", limits, new Demand(5, 1_000, null));
    assertThat(refused(store, "ann", limits, new Demand(5, 1, null)).waiting())
        .isEqualTo(Waiting.UNTIL_OWN_RETURN);
    all.settle(5, 300, Reservation.UNKNOWN);
    all.settle(5, 0, 0);
    all.cancel();
    refused(store, "ann", limits, new Demand(5, 701, null));
    granted(store, "ann", limits, new Demand(5, 700, null)).cancel();
    granted(store, "ann", limits, new Demand(5, 700, null));
  }

  @Test
  void whatIsNotKnownAtTheEndCountsAsItWasReserved() {
    Limits limits =
        plan()
            .budget(LimitKind.INPUT_TOKENS, 1_000, Window.DAY)
            .budget(LimitKind.OUTPUT_TOKENS, 1_000, Window.DAY)
            .limits();
    granted(store, "ann", limits, new Demand(400, 600, null))
        .settle(Reservation.UNKNOWN, 100, Reservation.UNKNOWN);
    Reservation next = granted(store, "ann", limits, new Demand(0, 0, null));
    assertThat(next.limits()).extracting(Limit::remaining).containsExactly(600L, 900L);
  }

  @Test
  void whatWasUsedBeyondTheReservationIsAnOverdraftOfItsOwnWindow() {
    Limits limits = plan().budget(LimitKind.OUTPUT_TOKENS, 100, Window.MINUTE).limits();
    Reservation stream = granted(store, "ann", limits, new Demand(0, 60, null));
    stream.settle(0, 250, 0);
    assertThat(refused(store, "ann", limits, new Demand(0, 1, null)).left()).isZero();

    time.advanceTo("2026-11-22T10:16:00Z");
    Reservation late = granted(store, "ann", limits, new Demand(0, 60, null));
    time.advanceTo("2026-11-22T10:17:00Z");
    Reservation next = granted(store, "ann", limits, new Demand(0, 10, null));
    late.settle(0, 5_000, 0); // began in the minute before
    next.settle(0, 10, 0);
    granted(store, "ann", limits, new Demand(0, 90, null));
  }

  @ParameterizedTest
  @EnumSource(Window.class)
  void aClockThatWasWrongForAMomentLocksNobodyOutForLonger(Window window) {
    Limits limits = plan().budget(LimitKind.OUTPUT_TOKENS, 100, window).limits();
    time.setWall("2036-03-01T00:00:00Z");
    granted(store, "ann", limits, new Demand(0, 100, null)).settle(0, 100, 0);
    time.setWall("2026-11-22T10:15:04Z");
    Refusal refusal = refused(store, "ann", limits, SMALL); // what was used stays used
    assertThat(refusal.resetsIn())
        .isEqualTo(
            Duration.between(time.instant(), window.endAfter(time.instant(), ZoneOffset.UTC)));
    time.advance(Duration.ofDays(31));
    granted(store, "ann", limits, SMALL).settle(1, 1, 1);
  }

  /** As clocks are by NTP: the minute that has begun does not begin again. */
  @Test
  void aClockThatIsSetBackALittleGivesNothing() {
    Limits limits = plan().budget(LimitKind.OUTPUT_TOKENS, 100, Window.MINUTE).limits();
    time.setWall("2026-11-22T10:16:01Z");
    granted(store, "ann", limits, new Demand(0, 100, null)).settle(0, 100, 0);
    time.setWall("2026-11-22T10:15:58Z");
    assertThat(refused(store, "ann", limits, SMALL).resetsIn()).isEqualTo(Duration.ofSeconds(62));
    time.setWall("2026-11-22T10:16:02Z");
    refused(store, "ann", limits, SMALL);
  }

  @Test
  void anAbsurdOverdraftNeverBecomesACredit() {
    Limits limits = plan().budget(LimitKind.COST, Budget.MAX_AMOUNT, Window.DAY).limits();
    for (int i = 0; i < 5; i++) {
      Admission answer = ask(store, "ann", limits, SMALL);
      if (answer instanceof Admission.Granted granted) {
        granted.reservation().settle(1, 1, Long.MAX_VALUE);
      }
    }
    assertThat(refused(store, "ann", limits, SMALL).left()).isZero();
  }

  @Test
  void severalWindowsHoldAtOnceAndTheOneThatLastsLongestIsNamed() {
    Limits limits =
        plan()
            .requests(1, Duration.ofMinutes(1))
            .concurrent(1)
            .budget(LimitKind.OUTPUT_TOKENS, 100, Window.MINUTE)
            .budget(LimitKind.OUTPUT_TOKENS, 150, Window.DAY)
            .limits();
    Reservation first = granted(store, "ann", limits, SMALL);
    assertThat(refused(store, "ann", limits, SMALL).name())
        .isEqualTo("requests"); // the others are free again when the first one has ended
    first.settle(100, 100, 0);
    assertThat(refused(store, "ann", limits, new Demand(0, 50, null)).name())
        .isEqualTo("requests"); // a minute from the first request on; the minute's budget is sooner
    time.advance(Duration.ofMinutes(1));
    granted(store, "ann", limits, new Demand(0, 50, null));
  }

  @Test
  void aRunningRequestThatWouldComeBackSoonDoesNotHideALimitThatIsUsedUp() {
    Limits limits =
        plan()
            .budget(LimitKind.OUTPUT_TOKENS, 200, Window.DAY)
            .budget(LimitKind.OUTPUT_TOKENS, 290, Window.MONTH)
            .limits();
    granted(store, "ann", limits, SMALL).settle(0, 100, 0);
    Reservation running = granted(store, "ann", limits, SMALL);
    Refusal refusal = refused(store, "ann", limits, SMALL);
    assertThat(refusal.name()).isEqualTo("output tokens per month"); // both come back: the longer
    assertThat(refusal.waiting()).isEqualTo(Waiting.UNTIL_OWN_RETURN);
    running.settle(0, 100, 0);
    Reservation more = granted(store, "bob", limits, SMALL);
    more.settle(0, 150, 0); // 50 left for the day, 140 for the month
    granted(store, "bob", limits, new Demand(0, 50, null));
    Refusal usedUp = refused(store, "bob", limits, SMALL);
    assertThat(usedUp.name()).isEqualTo("output tokens per day");
    assertThat(usedUp.waiting()).isEqualTo(Waiting.UNTIL_RESET);
  }

  /** Whichever limit refuses, all others are as they were. */
  @ParameterizedTest
  @EnumSource(
      value = LimitKind.class,
      names = {"CONCURRENT", "REQUESTS", "INPUT_TOKENS", "OUTPUT_TOKENS", "COST", "PRICE"})
  void aRefusedRequestCostsNothing(LimitKind refusing) {
    Limits limits =
        plan()
            .requests(10, Duration.ofMinutes(1))
            .concurrent(10)
            .budget(LimitKind.INPUT_TOKENS, 1_000, Window.DAY)
            .budget(LimitKind.OUTPUT_TOKENS, 1_000, Window.DAY)
            .budget(LimitKind.COST, DOLLAR, Window.DAY)
            .limits();
    List<Reservation> running = new ArrayList<>();
    for (int i = 0; i < (refusing == LimitKind.CONCURRENT ? 10 : 1); i++) {
      running.add(granted(store, "ann", limits, new Demand(1, 1, CHEAP)));
    }
    if (refusing == LimitKind.REQUESTS) {
      for (int i = 0; i < 9; i++) {
        granted(store, "ann", limits, new Demand(0, 0, CHEAP)).settle(0, 0, 0);
      }
    }
    if (refusing == LimitKind.CONCURRENT) {
      time.advance(Duration.ofMinutes(1)); // else the requests are used up as well
    }
    Demand demand =
        switch (refusing) {
          case INPUT_TOKENS -> new Demand(1_000, 1, CHEAP);
          case OUTPUT_TOKENS -> new Demand(1, 1_000, CHEAP);
          case COST -> new Demand(1, 1, LimitFixtures.price(1, DOLLAR));
          case PRICE -> new Demand(1, 1, null);
          case CONCURRENT, REQUESTS -> new Demand(1, 1, CHEAP);
        };
    for (int i = 0; i < 100; i++) {
      assertThat(refused(store, "ann", limits, demand).kind()).isEqualTo(refusing);
    }
    running.forEach(Reservation::cancel);
    if (refusing == LimitKind.REQUESTS) {
      time.advance(Duration.ofMinutes(1));
    }

    Reservation whole = granted(store, "ann", limits, new Demand(0, 0, CHEAP));
    assertThat(whole.limits())
        .extracting(Limit::remaining)
        .containsExactly(9L, 9L, 1_000L, 1_000L, DOLLAR);
  }

  @Test
  void aRequestThatIsLargerThanTheWholeBudgetNeedNotWait() {
    Limits limits = plan().budget(LimitKind.INPUT_TOKENS, 1_000, Window.DAY).limits();
    assertThat(refused(store, "ann", limits, new Demand(1_001, 1, null)).waiting())
        .isEqualTo(Waiting.USELESS);
  }

  @Test
  void withoutAPriceABudgetForCostRefusesAndSaysWhy() {
    Limits limits = plan().budget(LimitKind.COST, DOLLAR, Window.DAY).limits();
    Refusal refusal = refused(store, "ann", limits, new Demand(1, 1, null));
    assertThat(refusal.name()).isEqualTo("price");
    assertThat(refusal.waiting()).isEqualTo(Waiting.USELESS);
    granted(store, "bob", plan().concurrent(1).limits(), new Demand(1, 1, null));
  }

  @Test
  void maxTokensAreLoweredToWhatTheBudgetsStillBuy() {
    Limits limits =
        plan()
            .shortfall(Shortfall.LOWER_MAX_TOKENS)
            .budget(LimitKind.OUTPUT_TOKENS, 5_000, Window.DAY)
            .budget(LimitKind.COST, DOLLAR / 100, Window.DAY) // 2,000 output tokens
            .limits();
    Reservation one = granted(store, "ann", limits, new Demand(1_000, 500, CHEAP));
    assertThat(one.allowedOutputTokens()).isEqualTo(500);
    Reservation two = granted(store, "ann", limits, new Demand(1_000, 64_000, CHEAP));
    assertThat(two.allowedOutputTokens()).isEqualTo(1_100); // 2,000 - 500 - 2 * 1,000 / 5
    assertThat(two.covers(5_000, CHEAP.ofInput(3_000))).isTrue(); // was sent so and stays so
    assertThat(refused(store, "ann", limits, new Demand(0, 1, CHEAP)).name())
        .isEqualTo("cost per day");
    one.cancel();
    assertThat(granted(store, "ann", limits, new Demand(0, 1_000, CHEAP)).allowedOutputTokens())
        .isEqualTo(700);
  }

  @Test
  void aStreamThatStopsAtItsBudgetMayProduceWhatTheExactInputLeaves() {
    Limits limits =
        plan()
            .shortfall(Shortfall.STOP_AT_BUDGET)
            .budget(LimitKind.OUTPUT_TOKENS, 1_900, Window.DAY)
            .budget(LimitKind.COST, DOLLAR / 100, Window.DAY)
            .limits();
    Reservation stream = granted(store, "ann", limits, new Demand(1_000, 64_000, CHEAP));
    assertThat(stream.allowedOutputTokens()).isEqualTo(1_800);
    assertThat(stream.covers(1_800, Reservation.UNKNOWN)).isTrue();
    assertThat(stream.covers(1_801, Reservation.UNKNOWN)).isFalse();
    assertThat(stream.covers(1_200, CHEAP.ofInput(4_000))).isTrue();
    assertThat(stream.covers(1_201, CHEAP.ofInput(4_000))).isFalse();
    assertThat(stream.covers(1_801, CHEAP.ofInput(500))).isFalse(); // all the tokens held
    assertThat(stream.extend(1_801, CHEAP.ofInput(500))).isTrue(); // the budget has 100 more
    assertThat(stream.extend(1_901, CHEAP.ofInput(500))).isFalse();
    assertThat(stream.covers(0, CHEAP.ofInput(50_000))).isFalse();
    assertThat(refused(store, "ann", limits, new Demand(0, 1, CHEAP)).name())
        .isEqualTo("output tokens per day");
  }

  @Test
  void aStreamThatStopsAtItsBudgetTakesMoreOfItWhileThereIsSome() {
    Limits limits =
        plan()
            .shortfall(Shortfall.STOP_AT_BUDGET)
            .budget(LimitKind.OUTPUT_TOKENS, 2_000, Window.DAY)
            .budget(LimitKind.COST, DOLLAR / 100, Window.DAY)
            .limits();
    Reservation stream = granted(store, "ann", limits, new Demand(100, 500, CHEAP));
    Reservation other = granted(store, "ann", limits, new Demand(0, 1_000, CHEAP));
    long input = CHEAP.ofInput(2_000); // where 100 tokens were expected: as much as 400 of output
    assertThat(stream.covers(120, input)).isTrue();
    assertThat(stream.covers(121, input)).isFalse();
    assertThat(stream.extend(121, input)).isTrue();
    assertThat(stream.covers(500, input)).isTrue();
    assertThat(stream.extend(501, input)).isTrue(); // beyond what was asked for, too
    long all = CHEAP.ofInput(10_000);
    assertThat(stream.extend(1, all)).isFalse(); // the other one has half of the budget
    other.settle(0, 0, 0);
    assertThat(stream.extend(1, all)).isFalse(); // the input alone has cost all of it
    assertThat(stream.extend(200, CHEAP.ofInput(9_000))).isTrue();
    assertThat(stream.extend(201, CHEAP.ofInput(9_000))).isFalse();
    stream.settle(100, 20, CHEAP.ofInput(100));
    assertThat(granted(store, "ann", limits, new Demand(0, 5_000, CHEAP)).allowedOutputTokens())
        .isEqualTo(1_980);
  }

  @Test
  void whatHasEndedTakesNothingMore() {
    Limits limits =
        plan()
            .shortfall(Shortfall.STOP_AT_BUDGET)
            .budget(LimitKind.OUTPUT_TOKENS, 1_000, Window.DAY)
            .limits();
    Reservation stream = granted(store, "ann", limits, new Demand(0, 600, null));
    Reservation behind = granted(store, "ann", limits, new Demand(0, 600, null));
    assertThat(behind.allowedOutputTokens()).isEqualTo(400);
    stream.settle(0, 0, 0);
    behind.cancel();
    assertThat(behind.extend(401, Reservation.UNKNOWN)).isFalse();
    assertThat(granted(store, "ann", limits, new Demand(0, 1_000, null)).allowedOutputTokens())
        .isEqualTo(1_000);
  }

  @Test
  void aCancelledRequestGivesBackEvenTheRequestWhileItsPeriodLasts() {
    Limits limits = plan().requests(2, Duration.ofMinutes(1)).concurrent(5).limits();
    Reservation one = granted(store, "ann", limits, SMALL);
    Reservation two = granted(store, "ann", limits, SMALL);
    one.cancel();
    Reservation three = granted(store, "ann", limits, SMALL);
    refused(store, "ann", limits, SMALL);

    time.advance(Duration.ofMinutes(1));
    two.cancel(); // too late
    granted(store, "ann", limits, SMALL);
    granted(store, "ann", limits, SMALL);
    refused(store, "ann", limits, SMALL);
    three.cancel();
    refused(store, "ann", limits, SMALL);
  }

  @Test
  void aGrantTellsHowEachLimitStandsForTheHeaders() {
    Limits limits =
        plan()
            .requests(60, Duration.ofMinutes(1))
            .concurrent(4)
            .budget(LimitKind.OUTPUT_TOKENS, 10_000, Window.HOUR)
            .budget(LimitKind.OUTPUT_TOKENS, 5_000, Window.DAY)
            .limits();
    Reservation stream = granted(store, "ann", limits, SMALL);
    assertThat(stream.limits())
        .containsExactly(
            new Limit(LimitKind.REQUESTS, null, 60, 59, Instant.parse("2026-11-22T10:16:04Z")),
            new Limit(LimitKind.CONCURRENT, null, 4, 3, null),
            new Limit(
                LimitKind.OUTPUT_TOKENS,
                Window.HOUR,
                10_000,
                9_900,
                Instant.parse("2026-11-22T11:00:00Z")),
            new Limit(
                LimitKind.OUTPUT_TOKENS,
                Window.DAY,
                5_000,
                4_900,
                Instant.parse("2026-11-23T00:00:00Z")));
    assertThat(stream.tightest(LimitKind.OUTPUT_TOKENS)).isEqualTo(stream.limits().get(3));
    assertThat(stream.tightest(LimitKind.COST)).isNull();
  }

  @Test
  void aChangedPlanKeepsWhatWasUsed() {
    Limits before =
        plan()
            .requests(10, Duration.ofMinutes(1))
            .concurrent(5)
            .budget(LimitKind.OUTPUT_TOKENS, 1_000, Window.DAY)
            .limits();
    List<Reservation> running = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      running.add(granted(store, "ann", before, SMALL));
    }

    Limits smaller =
        plan()
            .requests(3, Duration.ofMinutes(1))
            .concurrent(2)
            .budget(LimitKind.OUTPUT_TOKENS, 300, Window.DAY)
            .budget(LimitKind.INPUT_TOKENS, 1_000, Window.DAY)
            .limits();
    assertThat(refused(store, "ann", smaller, SMALL).name()).isEqualTo("requests");
    Limits larger =
        plan()
            .requests(20, Duration.ofMinutes(1))
            .concurrent(6)
            .budget(LimitKind.OUTPUT_TOKENS, 2_000, Window.DAY)
            .limits();
    Reservation sixth = granted(store, "ann", larger, SMALL);
    assertThat(sixth.limits()).extracting(Limit::remaining).containsExactly(14L, 0L, 1_400L);

    Limits fewer = plan().concurrent(2).limits();
    for (Reservation each : running) {
      refused(store, "ann", fewer, SMALL);
      each.settle(100, 100, 0);
    }
    granted(store, "ann", fewer, SMALL);
    refused(store, "ann", fewer, SMALL);
  }

  @Test
  void changingThePlanToAndFroGivesNothing() {
    Limits strict =
        plan()
            .requests(2, Duration.ofHours(1))
            .budget(LimitKind.OUTPUT_TOKENS, 200, Window.DAY)
            .limits();
    granted(store, "ann", strict, SMALL).settle(0, 100, 0);
    granted(store, "ann", strict, SMALL).settle(0, 100, 0);
    granted(store, "ann", plan().concurrent(1).limits(), SMALL).settle(0, 0, 0);
    Limits stricter = plan().requests(1, Duration.ofHours(1)).limits();
    refused(store, "ann", stricter, SMALL);
    assertThat(refused(store, "ann", strict, SMALL).name()).isEqualTo("output tokens per day");
    Limits requestsOnly = plan().requests(2, Duration.ofHours(1)).limits();
    refused(store, "ann", requestsOnly, SMALL);
  }

  @Test
  void inShadowModeNothingIsRefusedAndWhatWouldHaveBeenIsTold() {
    Limits limits =
        plan()
            .shadow()
            .concurrent(1)
            .requests(2, Duration.ofMinutes(1))
            .shortfall(Shortfall.LOWER_MAX_TOKENS)
            .budget(LimitKind.OUTPUT_TOKENS, 150, Window.DAY)
            .limits();
    Admission.Granted first = (Admission.Granted) ask(store, "ann", limits, SMALL);
    assertThat(first.wouldRefuse()).isNull();
    Admission.Granted second = (Admission.Granted) ask(store, "ann", limits, SMALL);
    assertThat(second.wouldRefuse()).extracting(Refusal::name).isEqualTo("concurrent");
    assertThat(second.reservation().allowedOutputTokens()).isEqualTo(100); // not lowered either
    Admission.Granted third = (Admission.Granted) ask(store, "ann", limits, SMALL);
    assertThat(third.wouldRefuse()).extracting(Refusal::name).isEqualTo("requests");
    Admission.Granted fourth =
        (Admission.Granted) ask(store, "ann", limits, new Demand(0, 0, null));
    assertThat(fourth.wouldRefuse()).extracting(Refusal::name).isEqualTo("requests");

    for (Admission.Granted each : List.of(first, second, third, fourth)) {
      each.reservation().settle(100, 20, 0);
    }
    assertThat(store.usersWithStreams()).isZero();
    Admission.Granted last = (Admission.Granted) ask(store, "ann", limits, SMALL);
    assertThat(last.reservation().limits())
        .extracting(Limit::remaining)
        .containsExactly(0L, 0L, 0L); // 150 - 4 * 20 leaves 70, which the last one holds
    last.reservation().cancel();
    assertThat(store.peek("ann")).isNotNull().extracting(UserState::held).isEqualTo(0L);
  }

  @Test
  void anInterruptedThreadIsNotTakenForAFullLimit() {
    Limits limits = plan().concurrent(1).limits();
    Thread.currentThread().interrupt();
    granted(store, "ann", limits, SMALL);
    assertThat(Thread.interrupted()).isTrue();
    refused(store, "ann", limits, SMALL);
  }

  @Test
  void aStateIsDroppedAsSoonAsItSaysNothingMore() {
    Limits limits =
        plan()
            .requests(5, Duration.ofSeconds(30))
            .budget(LimitKind.OUTPUT_TOKENS, 1_000, Window.HOUR)
            .limits();
    granted(store, "never", limits, SMALL).cancel();
    refused(store, "greedy", limits, new Demand(0, 1_001, null));
    assertThat(store.users()).isZero();

    granted(store, "ann", limits, SMALL).settle(100, 100, 0);
    granted(store, "bob", limits, SMALL).settle(100, 0, 0);
    assertThat(store.users()).isEqualTo(2);
    time.advance(Duration.ofSeconds(30));
    store.cleanUp();
    assertThat(store.peek("bob")).isNull();
    assertThat(store.peek("ann")).isNotNull();
    time.advance(Duration.ofHours(1));
    store.cleanUp();
    assertThat(store.users()).isZero();
  }

  @Test
  void usersWithRunningStreamsAreRememberedHoweverManyOthersCome() {
    MemoryLimitStore tiny = time.store(10);
    Limits limits =
        plan().concurrent(1).budget(LimitKind.OUTPUT_TOKENS, 1_000, Window.MONTH).limits();
    Reservation stream = granted(tiny, "ann", limits, SMALL);
    for (int i = 0; i < 10_000; i++) {
      granted(tiny, "invented-" + i, limits, SMALL).settle(1, 1, 1);
    }
    tiny.cleanUp();
    assertThat(tiny.users()).isLessThanOrEqualTo(11);
    refused(tiny, "ann", limits, SMALL);

    time.advance(Duration.ofDays(40)); // longer than anything is remembered
    tiny.cleanUp();
    assertThat(tiny.users()).isEqualTo(1);
    refused(tiny, "ann", limits, SMALL);
    stream.settle(1, 1, 1);
    granted(tiny, "ann", limits, SMALL);
    refused(tiny, "ann", limits, SMALL);
  }

  @Test
  void longNamesAreToldApartWithoutBeingKept() {
    Limits limits = plan().concurrent(1).limits();
    String name = "x".repeat(100_000);
    granted(store, name + "a", limits, SMALL);
    granted(store, name + "b", limits, SMALL);
    refused(store, name + "a", limits, SMALL);
  }

  @Test
  void whoAsksAndThrowsHoldsNothing() {
    Limits limits = plan().concurrent(1).limits();
    assertThatThrownBy(
            () ->
                store.admit(
                    "ann",
                    limits,
                    SMALL,
                    answer -> {
                      throw new IllegalStateException("the caller's own");
                    }))
        .hasMessage("the caller's own");
    granted(store, "ann", limits, SMALL);
  }

  @Test
  void oneTokenOfTheCheapestModelIsNotNothingAndAMillionDollarsFit() {
    Budget million = Budget.ofDollars(new BigDecimal("1000000"), Window.MONTH);
    assertThat(million.amount()).isEqualTo(1_000_000_000_000_000_000L);
    Limits limits = plan().budget(LimitKind.COST, million.amount(), Window.MONTH).limits();
    Price cheapest = LimitFixtures.price(10_000, 10_000); // 0.01 dollars for a million tokens
    Reservation one = granted(store, "ann", limits, new Demand(1, 0, cheapest));
    assertThat(one.limits().get(0).remaining()).isEqualTo(million.amount() - 10_000);
  }

  @Test
  void unusableLimitsAreNamed() {
    assertThatThrownBy(() -> new Budget(LimitKind.COST, 0, Window.DAY))
        .hasMessageStartingWith("cost per day: 0 (expected: above zero");
    assertThatThrownBy(() -> new Budget(LimitKind.REQUESTS, 1, Window.DAY))
        .hasMessage("there is no budget of requests");
    assertThatThrownBy(
            () ->
                plan()
                    .budget(LimitKind.COST, 1, Window.DAY)
                    .budget(LimitKind.COST, 2, Window.DAY)
                    .limits())
        .hasMessage("two budgets for cost per day");
    assertThatThrownBy(() -> plan().concurrent(-1).limits())
        .hasMessage("concurrent: -1 (expected: 0 or more)");
    assertThatThrownBy(() -> plan().requests(0, Duration.ofMinutes(1)))
        .hasMessageContaining("expected: both above zero");
  }
}
