package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** An outage of the upstream under load is not made worse, and is over soon after it is over. */
@Tag("long")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class OutageTest extends FailureContract {

  private static final int CLIENTS = 200;
  private static final int BUDGET_PERCENT = 20;
  private static final int BUDGET_PER_SECOND = 3;
  private static final Duration OUTAGE = Duration.ofSeconds(Load.count(5, 30));
  private static final Duration OUTAGE_WITHOUT_BREAKER = Duration.ofSeconds(Load.count(3, 30));
  private static final String REFUSED = "REFUSED(breaker open)";

  OutageTest(ContainerKind kind) {
    super(kind);
  }

  private GatewayUnderTest startWith(UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return start(
        s ->
            change.apply(
                s.retryWaitDuration(Duration.ofMillis(50))
                    .retryBudgetPercent(BUDGET_PERCENT)
                    .retryBudgetPerSecond(BUDGET_PER_SECOND)));
  }

  @Test
  void withoutABreakerRetriesStayWithinTheirBudget() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s.breakerEnabled(false));
    headrace.claude().answersAlways(Answer.status(529));
    long start = System.nanoTime();
    try (Clients clients = new Clients(headrace)) {
      clients.runFor(OUTAGE_WITHOUT_BREAKER);
    }
    headrace.awaitIdle(Duration.ofSeconds(10));
    long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start) + 1;

    long requests = headrace.gateway().outcomes().getOrDefault("UPSTREAM_ERROR(status 529)", 0L);
    long retries = headrace.claude().attempts() - requests;
    long allowed = requests * BUDGET_PERCENT / 100 + BUDGET_PER_SECOND * (seconds + 1);
    Figures.note(
        kind(),
        "outage of "
            + OUTAGE_WITHOUT_BREAKER.toSeconds()
            + " s without a breaker: requests, retries (allowed)",
        requests + ", " + retries + " (" + allowed + ")");
    assertThat(headrace.gateway().outcomes()).hasSize(1);
    assertThat(requests).isGreaterThan(CLIENTS);
    assertThat(retries).isLessThanOrEqualTo(allowed);
    // Without a budget it would be twice the requests, without retries none.
    assertThat(retries).isGreaterThan(requests / 10);
  }

  @Test
  void theBreakerOpensDuringTheOutageAndClosesWithinItsWaitAfterIt() throws Exception {
    Duration open = Duration.ofSeconds(1);
    int trials = 5;
    GatewayUnderTest headrace =
        startWith(
            s ->
                s.breakerWaitDurationInOpenState(open)
                    .breakerPermittedNumberOfCallsInHalfOpenState(trials));
    headrace.claude().answersAlways(Answer.status(529));
    long recovery;
    long attempts;
    Map<String, Long> outcomes;
    try (Clients clients = new Clients(headrace)) {
      clients.runFor(OUTAGE);
      attempts = headrace.claude().attempts();
      outcomes = headrace.gateway().outcomes();
      long well = System.nanoTime();
      headrace.claude().answersAlways(Answer.transcript(TEXT));
      clients.awaitNoFailureForAWhile();
      recovery = clients.lastFailureNanos() - well;
      assertThat(clients.answers()).containsOnlyKeys("200", "529", "529 by the breaker");
    }
    headrace.awaitIdle(Duration.ofSeconds(10));

    long refused = outcomes.getOrDefault(REFUSED, 0L);
    long requests = outcomes.values().stream().mapToLong(Long::longValue).sum();
    Figures.note(
        kind(),
        "outage of " + OUTAGE.toSeconds() + " s: requests, attempts, refused by the breaker",
        requests + ", " + attempts + ", " + refused);
    Figures.note(
        kind(),
        "last failure after the end of the outage, breaker open for 1 s",
        recovery / 1_000_000 + " ms");
    assertThat(outcomes.keySet()).isSubsetOf(REFUSED, "UPSTREAM_ERROR(status 529)");
    // The first wave may be under way when the breaker opens; then each opening costs its trials.
    long firstWave = CLIENTS * (100 + BUDGET_PERCENT) / 100 + BUDGET_PER_SECOND * 2;
    assertThat(attempts).isLessThanOrEqualTo(firstWave + trials * (OUTAGE.dividedBy(open) + 1));
    assertThat(refused).isGreaterThan(requests / 2);
    // After its wait the trial calls must be answered; the rest is for a busy machine.
    assertThat(recovery).isLessThan(open.plusMillis(1_500).toNanos());
  }

  /** So many clients, each of which asks again a second after its last answer. */
  private static final class Clients implements AutoCloseable {

    private final GatewayUnderTest headrace;
    private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(CLIENTS);
    private final Map<String, LongAdder> answers = new ConcurrentHashMap<>();
    private final AtomicLong lastFailureNanos = new AtomicLong(System.nanoTime());

    Clients(GatewayUnderTest headrace) {
      this.headrace = headrace;
      for (int i = 0; i < CLIENTS; i++) {
        var unused = threads.scheduleWithFixedDelay(this::ask, i, 1_000, TimeUnit.MILLISECONDS);
      }
    }

    private void ask() {
      String answer;
      try (RawClient client = RawClient.connect(headrace.port())) {
        answer = describe(client.post(STREAMING).reply());
      } catch (java.io.IOException e) {
        answer = e.toString();
      }
      if (!answer.equals("200")) {
        lastFailureNanos.set(System.nanoTime());
      }
      answers.computeIfAbsent(answer, unused -> new LongAdder()).increment();
    }

    private static String describe(Reply reply) {
      if (reply.status() == 200) {
        return reply.body().equals(TEXT) ? "200" : "200 with " + reply.body();
      }
      boolean breaker = reply.body().contains("(breaker.*)");
      boolean told =
          reply.header("x-should-retry").filter("false"::equals).isPresent()
              && reply.header("retry-after").isPresent() == breaker
              && reply.body().contains("\"overloaded_error\"");
      return reply.status()
          + (told ? "" : " without what belongs to it: " + reply)
          + (breaker ? " by the breaker" : "");
    }

    void runFor(Duration time) {
      long end = System.nanoTime() + time.toNanos();
      Awaitility.await().atMost(time.plusSeconds(10)).until(() -> System.nanoTime() - end > 0);
    }

    /** Every client has asked at least once more, and was answered. */
    void awaitNoFailureForAWhile() {
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> System.nanoTime() - lastFailureNanos() > 1_500_000_000L);
    }

    long lastFailureNanos() {
      return lastFailureNanos.get();
    }

    Map<String, LongAdder> answers() {
      return answers;
    }

    @Override
    public void close() {
      threads.shutdown();
      Awaitility.await().atMost(Duration.ofSeconds(30)).until(threads::isTerminated);
    }
  }
}
