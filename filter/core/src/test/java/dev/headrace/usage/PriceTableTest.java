package dev.headrace.usage;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.headrace.messages.MessageUsage;
import dev.headrace.messages.MessageUsage.Iteration;
import dev.headrace.messages.UsageView;
import dev.headrace.spi.Tokens;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** Prices and cost against figures written out by hand (API reference, "Usage and cost"). */
class PriceTableTest {
  private static final Instant NOW = Instant.parse("2026-11-22T10:15:00Z");
  private static final PriceTable PRICES = PriceTable.builtIn();

  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(UnknownModels.class);

  @BeforeEach
  void listen() {
    logger.setLevel(Level.WARN);
    logger.setAdditive(false);
    log.start();
    logger.addAppender(log);
  }

  @AfterEach
  void stopListening() {
    logger.detachAppender(log);
    logger.setLevel(null);
    logger.setAdditive(true);
  }

  private static MessageUsage usage(
      long input, long write5m, long write1h, long read, long output) {
    return usage(input, write5m, write1h, read, output, 0, null, null, null, List.of());
  }

  private static MessageUsage usage(
      long input,
      long write5m,
      long write1h,
      long read,
      long output,
      long searches,
      @Nullable String tier,
      @Nullable String geo,
      @Nullable String speed,
      List<Iteration> iterations) {
    return new MessageUsage(
        input,
        output,
        write5m + write1h,
        write1h,
        read,
        0,
        searches,
        0,
        tier,
        geo,
        speed,
        iterations);
  }

  private static @Nullable String cost(String model, MessageUsage usage, String when) {
    BigDecimal cost = PRICES.costUsd(model, usage, Instant.parse(when), true);
    return cost == null ? null : cost.toPlainString();
  }

  private static @Nullable String cost(String model, MessageUsage usage) {
    return cost(model, usage, NOW.toString());
  }

  /** Each model with the price of a million tokens of each class, in US dollars. */
  private static final String ROWS =
      """
      claude-fable-5-2,  8,    10,    16,   0.20, 40
      claude-mythos-5-2, 8,    10,    16,   0.20, 40
      claude-fable-5-1,  10,   12.50, 20,   0.25, 50
      claude-mythos-5-1, 10,   12.50, 20,   0.25, 50
      claude-fable-5,    10,   12.50, 20,   1.00, 50
      claude-mythos-5,   10,   12.50, 20,   1.00, 50
      claude-opus-5-5,   4,    5,     8,    0.20, 20
      claude-opus-5,     5,    6.25,  10,   0.50, 25
      claude-opus-4-8,   5,    6.25,  10,   0.50, 25
      claude-opus-4-7,   5,    6.25,  10,   0.50, 25
      claude-opus-4-6,   5,    6.25,  10,   0.50, 25
      claude-opus-4-5,   5,    6.25,  10,   0.50, 25
      claude-opus-4-1,   15,   18.75, 30,   1.50, 75
      claude-opus-4,     15,   18.75, 30,   1.50, 75
      claude-sonnet-5-5, 2,    2.50,  4,    0.10, 10
      claude-sonnet-5,   2,    2.50,  4,    0.20, 10
      claude-sonnet-4-6, 3,    3.75,  6,    0.30, 15
      claude-sonnet-4-5, 3,    3.75,  6,    0.30, 15
      claude-sonnet-4,   3,    3.75,  6,    0.30, 15
      claude-haiku-4-5,  1,    1.25,  2,    0.10, 5
      claude-haiku-3-5,  0.80, 1,     1.60, 0.08, 4
      claude-3-5-haiku,  0.80, 1,     1.60, 0.08, 4
      """;

  @ParameterizedTest
  @CsvSource(textBlock = ROWS)
  void everyModelHasThePriceOfItsRowForEachClassOfTokens(
      String model,
      BigDecimal input,
      BigDecimal write5m,
      BigDecimal write1h,
      BigDecimal read,
      BigDecimal output) {
    assertThat(PRICES.costUsd(model, usage(1_000_000, 0, 0, 0, 0), NOW, true))
        .isEqualTo(input.setScale(12));
    assertThat(PRICES.costUsd(model, usage(0, 1_000_000, 0, 0, 0), NOW, true))
        .isEqualTo(write5m.setScale(12));
    assertThat(PRICES.costUsd(model, usage(0, 0, 1_000_000, 0, 0), NOW, true))
        .isEqualTo(write1h.setScale(12));
    assertThat(PRICES.costUsd(model, usage(0, 0, 0, 1_000_000, 0), NOW, true))
        .isEqualTo(read.setScale(12));
    assertThat(PRICES.costUsd(model, usage(0, 0, 0, 0, 1_000_000), NOW, true))
        .isEqualTo(output.setScale(12));
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          0,      0,      0, 100000, 0.001000000000
          0,      0,      0, 100001, 0.005000050000
          100000, 0,      0, 0,      0.010000000000
          100001, 0,      0, 0,      0.050000500000
          0,      100000, 0, 0,      0.012500000000
          0,      100001, 0, 0,      0.062500625000
          0,      0, 100000, 0,      0.020000000000
          0,      0, 100001, 0,      0.100001000000
          40000,  30000, 20000, 10000, 0.011850000000
          40000,  30000, 20000, 10001, 0.059250050000
          """)
  void haiku55BillsTheWholeRequestByTheBandOfItsPrompt(
      long input, long write5m, long write1h, long read, String expected) {
    assertThat(cost("claude-haiku-5-5", usage(input, write5m, write1h, read, 0)))
        .isEqualTo(expected);
  }

  @Test
  void haiku55BillsItsOutputByTheBandOfThePromptAlone() {
    assertThat(cost("claude-haiku-5-5", usage(100_000, 0, 0, 0, 64_000)))
        .isEqualTo("0.042000000000");
    assertThat(cost("claude-haiku-5-5", usage(100_001, 0, 0, 0, 64_000)))
        .isEqualTo("0.210000500000");
  }

  @Test
  void theTableHasNoOtherModels() {
    Set<String> models = new HashSet<>(Set.of("claude-haiku-5-5"));
    ROWS.lines().map(line -> line.substring(0, line.indexOf(','))).forEach(models::add);
    assertThat(PRICES.models()).isEqualTo(models);
  }

  @Test
  void theWorkedExampleIsRightToTheLastDigit() {
    MessageUsage transcriptB = usage(61, 500, 1000, 8200, 58, 0, "standard", "us", null, List.of());
    assertThat(cost("claude-opus-5-5", transcriptB)).isEqualTo("0.014898400000");
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          # model,         searches, tier,  geo,  speed,    cost of 1 input, 10 + 100 writes, 1000 reads, 10000 output
          claude-opus-5-5,   0, standard, global, standard, 0.201054000000
          claude-opus-5-5,   0, ,         ,       ,         0.201054000000
          claude-opus-5-5,   0, priority, global, standard, 0.201054000000
          claude-opus-5-5,   0, batch,    global, standard, 0.100527000000
          claude-opus-5-5,   0, standard, us,     standard, 0.221159400000
          claude-opus-5-5,   0, standard, global, fast,     0.402108000000
          claude-opus-5-5,   0, standard, us,     fast,     0.442318800000
          claude-opus-5-5,   0, batch,    us,     fast,     0.221159400000
          claude-opus-5-5,   3, standard, global, standard, 0.231054000000
          claude-opus-5-5,   3, batch,    us,     fast,     0.251159400000
          claude-opus-5,     0, standard, global, fast,     0.503135000000
          claude-opus-4-8,   0, standard, global, fast,     0.503135000000
          claude-fable-5-2,  0, standard, global, fast,     0.803816000000
          claude-mythos-5-2, 0, standard, global, fast,     0.803816000000
          claude-opus-4-7,   0, standard, global, fast,     0.503135000000
          claude-sonnet-5-5, 0, standard, global, fast,     0.201054000000
          """)
  void whatTheAnswerSaysOfItsServingMultipliesThePrice(
      String model,
      long searches,
      @Nullable String tier,
      @Nullable String geo,
      @Nullable String speed,
      String expected) {
    MessageUsage usage = usage(1, 10, 100, 1000, 10_000, searches, tier, geo, speed, List.of());
    assertThat(cost(model, usage)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          claude-fable-5-2,  8.8
          claude-mythos-5-2, 8.8
          claude-fable-5-1,  11
          claude-mythos-5-1, 11
          claude-fable-5,    11
          claude-mythos-5,   11
          claude-opus-5-5,   4.4
          claude-opus-5,     5.5
          claude-opus-4-8,   5.5
          claude-opus-4-7,   5.5
          claude-opus-4-6,   5.5
          claude-opus-4-5,   5
          claude-opus-4-1,   15
          claude-opus-4,     15
          claude-sonnet-5-5, 2.2
          claude-sonnet-5,   2.2
          claude-sonnet-4-6, 3.3
          claude-sonnet-4-5, 3
          claude-sonnet-4,   3
          claude-haiku-5-5,  0.55
          claude-haiku-4-5,  1
          claude-haiku-3-5,  0.80
          """)
  void servingInTheUsCostsATenthMoreFromClaude46On(String model, BigDecimal million) {
    MessageUsage usage = usage(1_000_000, 0, 0, 0, 0, 0, null, "us", null, List.of());
    assertThat(PRICES.costUsd(model, usage, NOW, true)).isEqualTo(million.setScale(12));
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          claude-sonnet-5-5, 2026-10-06T00:00:00Z,     0.200000000000
          claude-sonnet-5-5, 2026-10-06T23:59:59.999Z, 0.200000000000
          claude-sonnet-5-5, 2026-10-07T00:00:00Z,     0.100000000000
          claude-sonnet-5-5, 2027-01-01T00:00:00Z,     0.100000000000
          claude-sonnet-5,   2026-10-07T00:00:00Z,     0.200000000000
          """)
  void thePriceIsThatOfTheDayInUtc(String model, String when, String expected) {
    assertThat(cost(model, usage(0, 0, 0, 1_000_000, 0), when)).isEqualTo(expected);
  }

  @Test
  void opus48HasFastPricesUntilTheEndOfNovember2026() {
    MessageUsage fast = usage(1_000_000, 0, 0, 0, 0, 0, null, null, "fast", List.of());
    PriceTable other =
        PriceTables.with("version: own\nfast-factor: 3\nprices:\n" + PriceTables.row("x"));
    assertThat(other.costUsd("claude-opus-4-8", fast, Instant.parse("2026-11-30T23:59:59Z"), true))
        .isEqualByComparingTo("10");
    assertThat(other.costUsd("claude-opus-4-8", fast, Instant.parse("2026-12-01T00:00:00Z"), true))
        .as("5 by the factor")
        .isEqualByComparingTo("15");
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          claude-haiku-4-5-20251001,  1
          claude-opus-4-1-20250805,   15
          claude-opus-4-20250514,     15
          claude-3-5-haiku-20241022,  0.80
          claude-opus-4-5-20251101,   5
          """)
  void aDatedIdHasThePriceOfItsModel(String model, BigDecimal million) {
    assertThat(PRICES.costUsd(model, usage(1_000_000, 0, 0, 0, 0), NOW, true))
        .isEqualTo(million.setScale(12));
  }

  @ParameterizedTest
  @CsvSource({
    "claude-opus-4-5-2025110",
    "claude-opus-4-5-202511011",
    "claude-opus-4-5-2025110x",
    "claude-opus-4-5x20251101",
    "claude-opus-4-5-fast",
    "claude-opus",
    "claude-opus-9",
    "Claude-opus-5",
    "-20251101",
    "20251101",
    "''"
  })
  void aModelIsNeverPricedByItsBeginning(String model) {
    assertThat(cost(model, usage(1, 0, 0, 0, 0))).isNull();
    assertThat(PRICES.estimateUsd(model, 1, 1, NOW)).isNull();
  }

  @Test
  void anUnknownModelHasNoCostAndIsNamedOnceInTheLog() {
    PriceTable prices = PriceTable.builtIn();
    for (int i = 0; i < 3; i++) {
      assertThat(prices.costUsd("claude-new\n\u0007 9", usage(1, 0, 0, 0, 0), NOW, true)).isNull();
      assertThat(prices.costUsd(null, usage(1, 0, 0, 0, 0), NOW, true)).isNull();
      assertThat(prices.estimateUsd("asked-by-a-client", 1, 1, NOW)).isNull();
    }
    assertThat(log.list).extracting(ILoggingEvent::getLevel).containsOnly(Level.WARN);
    assertThat(log.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly(
            "No price for the model claude-new???9: its tokens are recorded without a cost. Add it to"
                + " a price file of your own (prices 2026-11-22).",
            "No price for the model (none): its tokens are recorded without a cost. Add it to a price"
                + " file of your own (prices 2026-11-22).");
  }

  @Test
  void atMostAHundredUnknownModelsAreNamedAndNoneAtLength() {
    PriceTable prices = PriceTable.builtIn();
    for (int i = 0; i < 1000; i++) {
      assertThat(prices.costUsd(i + "m".repeat(500), usage(1, 0, 0, 0, 0), NOW, true)).isNull();
    }
    assertThat(log.list).hasSize(101);
    assertThat(log.list.get(0).getFormattedMessage())
        .contains(" model 0" + "m".repeat(99) + ": its");
    assertThat(log.list.get(100).getFormattedMessage())
        .isEqualTo("100 models without a price so far; further ones are not named.");
  }

  @Test
  void aRefusalBeforeAnyOutputCostsNothingWhoeverRefused() {
    MessageUsage usage = usage(31, 0, 0, 0, 4, 2, null, null, null, List.of());
    assertThat(PRICES.costUsd("claude-sonnet-5-5", usage, NOW, false))
        .isEqualTo(new BigDecimal("0.000000000000"));
    assertThat(PRICES.costUsd("claude-new", usage, NOW, false))
        .isEqualTo(new BigDecimal("0.000000000000"));
    assertThat(log.list).isEmpty();
    assertThat(PriceTable.billedTokens(usage)).isEqualTo(new Tokens(31, 4, 0, 0, 0, 0, 2, 0));
  }

  @Test
  void cacheWarmingWithoutOutputIsBilled() {
    assertThat(cost("claude-opus-5-5", usage(10, 0, 2000, 0, 0))).isEqualTo("0.016040000000");
  }

  @Test
  void cacheWritesWhoseTimeWasNotToldAreOfFiveMinutes() {
    MessageUsage unsplit =
        new MessageUsage(0, 0, 1_000_000, 0, 0, 0, 0, 0, null, null, null, List.of());
    assertThat(cost("claude-opus-5-5", unsplit)).isEqualTo("5.000000000000");
    assertThat(PriceTable.billedTokens(unsplit).cacheWrite5m()).isEqualTo(1_000_000);
  }

  @Test
  void iterationsAreBilledInsteadOfTheTotalsEachAtItsOwnModel() {
    MessageUsage usage =
        usage(
            1_000_000,
            0,
            0,
            0,
            0,
            1,
            null,
            "us",
            null,
            List.of(
                new Iteration("compaction", null, 100_000, 2_000, 0, 0, 0),
                new Iteration("advisor_message", "claude-opus-4-5", 1_000, 100, 30, 10, 4),
                new Iteration("message", null, 50_000, 1_000, 0, 0, 0)));
    // Sonnet 5.5: (150,000 * 2 + 3,000 * 10) * 1.1 = 363,000.
    // Opus 4.5, not dearer in the US: 5,000 + 2,500 + 20 * 6.25 + 10 * 10 + 4 * 0.5 = 7,727.
    assertThat(cost("claude-sonnet-5-5", usage)).isEqualTo("0.380727000000");
    assertThat(PriceTable.billedTokens(usage))
        .isEqualTo(new Tokens(151_000, 3_100, 4, 20, 10, 0, 1, 0));
  }

  @Test
  void theBandOfAnIterationIsThatOfItsOwnPrompt() {
    MessageUsage usage =
        usage(
            0,
            0,
            0,
            0,
            0,
            0,
            null,
            null,
            null,
            List.of(
                new Iteration("compaction", null, 100_001, 0, 0, 0, 0),
                new Iteration("message", null, 100_000, 0, 0, 0, 0)));
    assertThat(cost("claude-haiku-5-5", usage)).isEqualTo("0.060000500000");
  }

  @Test
  void oneIterationWithoutAPriceMakesTheCostUnknown() {
    MessageUsage usage =
        usage(
            0,
            0,
            0,
            0,
            0,
            0,
            null,
            null,
            null,
            List.of(
                new Iteration("message", null, 1, 1, 0, 0, 0),
                new Iteration("advisor_message", "claude-new", 1, 1, 0, 0, 0)));
    assertThat(cost("claude-opus-5-5", usage)).isNull();
    assertThat(log.list).hasSize(1);
  }

  /** The API gives up when the last model has declined, too. */
  @Test
  void theLastAttemptThatWasDeclinedIsNotBilledEither() {
    List<Iteration> iterations =
        List.of(
            new Iteration("message", "claude-opus-5-5", 1_000, 50, 0, 0, 0),
            new Iteration("fallback_message", "claude-sonnet-5-5", 1_000, 0, 0, 0, 0));
    MessageUsage usage = usage(1_000, 0, 0, 0, 0, 0, null, null, null, iterations);
    assertThat(refused("claude-sonnet-5-5", usage, true)).isEqualTo("0.005000000000");
    assertThat(cost("claude-sonnet-5-5", usage))
        .as("an answer without words")
        .isNotEqualTo("0.005000000000");

    List<Iteration> compacted =
        List.of(
            new Iteration("compaction", null, 100_000, 3_000, 0, 0, 0),
            new Iteration("message", null, 200, 5, 0, 0, 0));
    MessageUsage refusedAtOnce = usage(200, 0, 0, 0, 5, 0, null, null, null, compacted);
    assertThat(refused("claude-opus-5-5", refusedAtOnce, false))
        .as("what was done before is billed")
        .isEqualTo("0.460000000000");
  }

  private static String refused(String model, MessageUsage usage, boolean hasOutput) {
    UsageView view =
        new UsageView() {
          @Override
          public MessageUsage usage() {
            return usage;
          }

          @Override
          public String model() {
            return model;
          }

          @Override
          public @Nullable String messageId() {
            return null;
          }

          @Override
          public String stopReason() {
            return "refusal";
          }

          @Override
          public boolean isFinal() {
            return true;
          }

          @Override
          public boolean unreadable() {
            return false;
          }

          @Override
          public long estimatedOutputTokens() {
            return 0;
          }

          @Override
          public boolean hasOutput() {
            return hasOutput;
          }

          @Override
          public UsageView snapshot() {
            return this;
          }
        };
    return requireNonNull(PRICES.costUsd(view, usage, NOW)).toPlainString();
  }

  @Test
  void anAttemptThatWasDeclinedWithoutOutputIsNotBilled() {
    List<Iteration> iterations = new ArrayList<>();
    iterations.add(new Iteration("message", "claude-fable-5-2", 1_000_000, 0, 0, 0, 0));
    iterations.add(new Iteration("fallback_message", "claude-opus-5-5", 1_000_000, 10, 0, 0, 0));
    MessageUsage declined = usage(1, 0, 0, 0, 10, 0, null, null, null, iterations);
    assertThat(cost("claude-opus-5-5", declined)).isEqualTo("4.000200000000");
    assertThat(PriceTable.billedTokens(declined).input()).isEqualTo(1_000_000);

    iterations.set(0, new Iteration("message", "claude-fable-5-2", 1_000_000, 1, 0, 0, 0));
    MessageUsage begun = usage(1, 0, 0, 0, 10, 0, null, null, null, iterations);
    assertThat(cost("claude-opus-5-5", begun)).isEqualTo("12.000240000000");

    MessageUsage warmed =
        usage(
            1,
            0,
            0,
            0,
            0,
            0,
            null,
            null,
            null,
            List.of(new Iteration("message", null, 1_000_000, 0, 0, 0, 0)));
    assertThat(cost("claude-opus-5-5", warmed)).as("no fallback came").isEqualTo("4.000000000000");
  }

  @Test
  void amountsBeyondTwelveDecimalsAreRoundedHalfUp() {
    PriceTable prices =
        PriceTables.with(
            "version: own\nprices:\n"
                + PriceTables.row("x").replace("input: 1", "input: 0.000005")
                + "    us-factor: 1.1\n");
    MessageUsage one = usage(1, 0, 0, 0, 0);
    MessageUsage us = usage(1, 0, 0, 0, 0, 0, null, "us", null, List.of());
    assertThat(prices.costUsd("x", one, NOW, true)).isEqualTo(new BigDecimal("0.000000000005"));
    assertThat(prices.costUsd("x", us, NOW, true))
        .as("5.5e-12")
        .isEqualTo(new BigDecimal("0.000000000006"));
  }

  @Test
  void theLargestCountsAreBilledExactly() {
    long most = 1_000_000_000_000L;
    assertThat(cost("claude-opus-5-5", usage(most, most, most, most, most)))
        .isEqualTo("37200000.000000000000");
  }

  @Test
  void anEstimateTakesTheDearestInputAndTheBandOfThePrompt() {
    assertThat(PRICES.estimateUsd("claude-opus-5-5", 1000, 100, NOW))
        .as("1000 * 8 + 100 * 20")
        .isEqualTo(new BigDecimal("0.010000000000"));
    assertThat(PRICES.estimateUsd("claude-haiku-5-5", 76_923, 0, NOW))
        .isEqualTo(new BigDecimal("0.015384600000"));
    assertThat(PRICES.estimateUsd("claude-haiku-5-5", 76_924, 0, NOW))
        .as("30 % more are beyond 100,000")
        .isEqualTo(new BigDecimal("0.076924000000"));
    assertThat(PRICES.estimateUsd("claude-haiku-5-5-20261001", 100_001, 0, NOW))
        .isEqualTo(new BigDecimal("0.100001000000"));
    assertThat(PRICES.estimateUsd("claude-haiku-5-5", -5, -5, NOW))
        .isEqualTo(new BigDecimal("0.000000000000"));
  }

  @ParameterizedTest
  @CsvSource({
    "claude-opus-5-5, false, false, 0.010",
    "claude-opus-5-5, true, false, 0.020",
    "claude-opus-5-5, false, true, 0.011",
    "claude-opus-5-5, true, true, 0.022",
  })
  void anEstimateIsDearerForWhatTheRequestAsksFor(
      String model, boolean fast, boolean us, BigDecimal expected) {
    PriceTable.Serving serving = new PriceTable.Serving(fast, us);
    assertThat(PRICES.estimateUsd(model, 1000, 100, NOW, serving)).isEqualByComparingTo(expected);
  }

  @Test
  void billedTokensAreTheTotalsWhereThereAreNoIterations() {
    MessageUsage usage =
        new MessageUsage(61, 58, 1500, 1000, 8200, 41, 2, 3, null, null, null, List.of());
    assertThat(PriceTable.billedTokens(usage))
        .isEqualTo(new Tokens(61, 58, 8200, 500, 1000, 41, 2, 3));
  }
}
