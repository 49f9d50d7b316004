package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.admission.Admission;
import dev.headrace.admission.Demand;
import dev.headrace.admission.Limits;
import dev.headrace.admission.Refusal;
import dev.headrace.admission.UpstreamBody;
import dev.headrace.config.Budget;
import dev.headrace.config.BudgetWindow;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.GatewaySettings.Shortfall;
import dev.headrace.config.Secret;
import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Tokens;
import dev.headrace.upstream.TimeSource;
import dev.headrace.usage.PriceTable;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AllowanceTest {

  private static final ZoneId ZONE = ZoneId.of("UTC");

  /**
   * 4,103 and 4,104 bytes: 1,026 and 1,027 tokens by the estimate, at 8 and 20 dollars a million.
   */
  private static final String BODY =
      "{\"model\":\"claude-opus-5-5\",\"max_tokens\":%d,\"stream\":%s,\"messages\":"
          + "[{\"role\":\"user\",\"content\":\""
          + "x".repeat(4_000)
          + "\"}]}";

  private final Admittance door =
      new Admittance(
          GatewaySettings.builder().upstreamApiKey(Secret.of("sk-test")).build(),
          TimeSource.system(),
          null,
          (delay, task) -> CompletableFuture.completedFuture(null));
  private final List<Long> sent = new ArrayList<>();

  private Allowance ask(Entrant entrant, String body) {
    Allowance allowance = new Allowance(entrant, limits(entrant), PriceTable.builtIn(), Map.of());
    byte[] bytes = body.getBytes(UTF_8);
    try {
      allowance.ask(
          door,
          entrant.body(bytes, bytes.length),
          Instant.now(),
          new Asking() {
            @Override
            public void onAllowed(UpstreamBody allowed, @Nullable Refusal wouldRefuse) {
              sent.add(allowed.head().maxTokens());
            }
          });
    } catch (Exception e) {
      throw new AssertionError(e);
    }
    return allowance;
  }

  /** Whoever has asked may be gone by then, such as when the request has waited for its turn. */
  @Test
  void whoeverCannotGoOnIsToldSo() throws Exception {
    Entrant entrant = entrant(Plan.builder("p").concurrent(1).build());
    byte[] bytes = BODY.formatted(8, false).getBytes(UTF_8);
    List<Throwable> failures = new ArrayList<>();
    new Allowance(entrant, limits(entrant), PriceTable.builtIn(), Map.of())
        .ask(
            door,
            entrant.body(bytes, bytes.length),
            Instant.now(),
            new Asking() {
              @Override
              public void onAllowed(UpstreamBody allowed, @Nullable Refusal wouldRefuse) {
                throw new OutOfMemoryError("as the test wants");
              }

              @Override
              public void onFailed(Throwable cause) {
                failures.add(cause);
              }
            });
    assertThat(failures).hasExactlyElementsOfTypes(OutOfMemoryError.class);
  }

  /** Is to be allowed. */
  private abstract static class Asking implements Allowance.Listener {
    @Override
    public void onRefused(Refusal refusal) {
      throw new AssertionError(refusal.name());
    }

    @Override
    public void onFailed(Throwable cause) {
      throw new AssertionError(cause);
    }
  }

  private static Entrant entrant(Plan plan) {
    return new Entrant("ann", null, PlanRules.of(plan, Map.of(), ZONE), null, List.of());
  }

  private static Limits limits(Entrant entrant) {
    return requireNonNull(entrant.plan().limits());
  }

  /** What is used of each budget, in the order of the plan. */
  private List<Long> used(Entrant entrant) {
    List<Long> used = new ArrayList<>();
    Limits asked =
        new Limits(
            null,
            0,
            limits(entrant).budgets(),
            Limits.Shortfall.REFUSE,
            Limits.Enforcement.SHADOW,
            ZONE);
    door.limits()
        .admit(
            entrant.account(),
            asked,
            new Demand(0, 0, null),
            admission ->
                ((Admission.Granted) admission)
                    .reservation()
                    .limits()
                    .forEach(limit -> used.add(limit.size() - limit.remaining())));
    return used;
  }

  @ParameterizedTest
  @CsvSource({
    // how the last attempt ends, then what counts of input and output
    "true,  UNKNOWN, 0, 1, 0",
    "true,  UNKNOWN, 2, 3, 0",
    "true,  NOTHING, 2, 2, 0",
    "false, UNKNOWN, 0, 1, 1",
    "false, UNKNOWN, 2, 3, 3",
    "false, NOTHING, 2, 2, 2",
  })
  void attemptsOfWhichNothingIsKnownCountAsWhatWasReserved(
      boolean stream, String last, int dropped, int prompts, int outputs) {
    Entrant entrant =
        entrant(
            Plan.builder("p")
                .budgets(
                    Budget.ofInputTokens(1_000_000, BudgetWindow.DAY),
                    Budget.ofOutputTokens(1_000_000, BudgetWindow.DAY))
                .build());
    Allowance allowance = ask(entrant, BODY.formatted(8_000, stream));
    for (int i = 0; i < dropped; i++) {
      allowance.addDropped(UsageBook.UNKNOWN);
    }
    allowance.end(last.equals("UNKNOWN") ? UsageBook.UNKNOWN : UsageBook.NOTHING, false);
    List<Long> used = used(entrant);
    assertThat(used.get(0)).isBetween(prompts * 1_020L, prompts * 1_030L);
    assertThat(used.get(1)).isEqualTo(outputs * 8_000L);
  }

  @ParameterizedTest
  @CsvSource({"true, 3, 0", "false, 3, 3"})
  void theirCostCountsToo(boolean stream, int prompts, int outputs) {
    Entrant entrant =
        entrant(
            Plan.builder("p")
                .budgets(Budget.ofDollars(new BigDecimal("100"), BudgetWindow.DAY))
                .build());
    Allowance allowance = ask(entrant, BODY.formatted(8_000, stream));
    allowance.addDropped(UsageBook.UNKNOWN);
    allowance.addDropped(UsageBook.UNKNOWN);
    allowance.end(UsageBook.UNKNOWN, false);
    double dollars = used(entrant).get(0) / 1e12;
    double expected = prompts * 1_026 * 8e-6 + outputs * 8_000 * 20e-6;
    assertThat(dollars).isBetween(expected * 0.99, expected * 1.01);
  }

  @ParameterizedTest
  @CsvSource({"LOWER_MAX_TOKENS", "STOP_AT_BUDGET"})
  void noAttemptCountsAsMoreThanItWasAllowed(Shortfall shortfall) {
    Entrant entrant =
        entrant(
            Plan.builder("p")
                .budgets(
                    Budget.ofOutputTokens(10_000, BudgetWindow.HOUR),
                    Budget.ofOutputTokens(1_000_000, BudgetWindow.MONTH))
                .shortfall(shortfall)
                .build());
    Allowance allowance = ask(entrant, BODY.formatted(64_000, false));
    assertThat(sent).containsExactly(10_000L);
    allowance.addDropped(UsageBook.UNKNOWN);
    allowance.end(
        new UsageBook.Used(
            new Tokens(100, 500, 0, 0, 0, 0, 0, 0), new BigDecimal("0.01"), Accuracy.EXACT),
        true);
    assertThat(used(entrant).get(1)).isEqualTo(10_500);
  }
}
