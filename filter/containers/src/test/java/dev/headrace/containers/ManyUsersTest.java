package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.headrace.GatewayInside;
import dev.headrace.admission.MemoryLimitStore;
import dev.headrace.config.Budget;
import dev.headrace.config.BudgetWindow;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.IdentitySource;
import dev.headrace.config.RequestRate;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import dev.headrace.spi.Identity;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Invented users fill no memory, and no way to end keeps anything that a user had reserved. */
@Tag("long")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class ManyUsersTest extends GatewayContract {

  private static final int THREADS = 8;
  private static final int MAX_USERS = 1_000;
  private static final int USERS = 20_000;
  private static final int REQUESTS = 5_000;
  private static final int CUSTOMERS = 25;
  private static final long BUDGET = 10_000_000;
  private static final int MAX_TOKENS = 100;

  private final RecordingSink sink = new RecordingSink();

  ManyUsersTest(ContainerKind kind) {
    super(kind);
  }

  private GatewayUnderTest headrace(Plan plan, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return startWith(
        ClaudeSimulator.builder().apiKey(KEY),
        s ->
            change.apply(
                s.identitySources(List.of(IdentitySource.RESOLVER))
                    .plans(Map.of("all", plan))
                    .retryMaxAttempts(1)),
        gateway ->
            gateway
                .sink("test", sink)
                .resolver(request -> new Identity(request.getHeader("x-user"))));
  }

  /** Something that one of the threads does. */
  private interface Work {
    void run(int thread) throws Exception;
  }

  private static void inThreads(Work work) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < THREADS; i++) {
        int thread = i;
        all.add(
            threads.submit(
                () -> {
                  work.run(thread);
                  return null;
                }));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void inventedUsersDoNotFillTheMemory() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            Plan.builder("all")
                .requests(new RequestRate(5, Duration.ofHours(1)))
                .concurrent(2)
                .budgets(Budget.ofOutputTokens(BUDGET, BudgetWindow.DAY))
                .build(),
            s -> s.limitsMaxUsers(MAX_USERS));
    MemoryLimitStore store = GatewayInside.limitStore(headrace.gateway());
    AtomicInteger most = new AtomicInteger();
    inThreads(
        thread -> {
          try (RawClient client = RawClient.connect(headrace.port())) {
            for (int i = 0; i < USERS / THREADS; i++) {
              // Some have very long names.
              String name = (i % 10 == 0 ? "x".repeat(2_000) : "user") + thread + "-" + i;
              RawClient.Reply reply =
                  client
                      .post("/claude/v1/messages", Requests.whole("Hi"), "x-user: " + name)
                      .reply();
              assertThat(reply.status()).isEqualTo(200);
              most.accumulateAndGet((int) store.users(), Math::max);
            }
          }
        });
    headrace.awaitIdle(Duration.ofSeconds(10));
    assertThat(store.usersWithStreams()).isZero();
    store.cleanUp();
    assertThat(store.users()).isBetween(MAX_USERS / 2L, (long) MAX_USERS);
    Figures.note(
        kind(),
        "users remembered while " + USERS + " came (limits.max-users " + MAX_USERS + ")",
        "at most " + most + ", " + store.users() + " afterwards");
    assertThat(most.get()).isLessThanOrEqualTo(MAX_USERS + 10 * THREADS);
  }

  // ---- every end

  /** What is tried, as the simulator reads it in the prompt. */
  private enum Try {
    WHOLE_STREAM,
    WHOLE_JSON,
    REFUSED_BY_RULE,
    REFUSED_BODY,
    OVERLOADED,
    CUT_EARLY,
    CUT,
    RESET,
    ERROR_EVENT,
    CLIENT_LEAVES,
    CLIENT_LEAVES_EARLY,
    OPERATOR_CANCELS
  }

  private static Answer answer(SeenRequest request) {
    String body = request.bodyText();
    Answer text = Answer.text("Hello", " ", "there").usage(20, 12);
    for (Try one : Try.values()) {
      if (body.contains("\"" + one + "\"")) {
        return switch (one) {
          case OVERLOADED -> Answer.status(529);
          case CUT_EARLY -> Answer.text("Hello").closeBeforeHead();
          case CUT -> text.cutAfterEvents(4);
          case RESET -> text.resetAfterEvents(4);
          case ERROR_EVENT -> text.errorAfterEvents(4, "api_error");
          case CLIENT_LEAVES, OPERATOR_CANCELS -> text.stallAfterEvents(3);
          case CLIENT_LEAVES_EARLY -> text.beforeHead(Duration.ofMillis(50));
          default -> text;
        };
      }
    }
    throw new IllegalStateException("an unknown request");
  }

  @Test
  void howeverARequestEndsNothingOfItsUsersStaysReserved() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            Plan.builder("all")
                .models("claude-sonnet-5-5")
                .concurrent(2)
                .budgets(Budget.ofOutputTokens(BUDGET, BudgetWindow.MONTH))
                .build(),
            s -> s.timeoutsHeartbeat(Duration.ofMillis(200)));
    headrace.claude().answersBy(ManyUsersTest::answer);
    Map<String, AtomicInteger> came = new ConcurrentHashMap<>();
    long seed = System.nanoTime();
    inThreads(
        thread -> {
          Random random = new Random(seed + thread);
          for (int i = 0; i < REQUESTS / THREADS; i++) {
            Try one = Try.values()[random.nextInt(Try.values().length)];
            String end = run(headrace, one, "user" + random.nextInt(CUSTOMERS));
            came.computeIfAbsent(one + " " + end, key -> new AtomicInteger()).incrementAndGet();
          }
        });
    headrace.awaitIdle(Duration.ofSeconds(30));
    MemoryLimitStore store = GatewayInside.limitStore(headrace.gateway());
    await().atMost(Duration.ofSeconds(5)).until(() -> store.usersWithStreams() == 0);
    Figures.note(kind(), REQUESTS + " ends (seed " + seed + ")", new TreeMap<>(came).toString());

    // Settled to the token: what is left is the budget without what stands in the books.
    int asked = came.values().stream().mapToInt(AtomicInteger::get).sum();
    assertThat(asked).isEqualTo(REQUESTS / THREADS * THREADS);
    for (int i = 0; i < CUSTOMERS; i++) {
      String user = "user" + i;
      RawClient.Reply probe;
      try (RawClient client = RawClient.connect(headrace.port())) {
        probe = client.post("/claude/v1/messages", body(Try.WHOLE_JSON), "x-user: " + user).reply();
      }
      assertThat(probe.status()).isEqualTo(200);
      long left =
          Long.parseLong(probe.header("anthropic-ratelimit-output-tokens-remaining").orElseThrow());
      String own = probe.header("headrace-exchange-id").orElseThrow();
      await(user + ", seed " + seed)
          .atMost(Duration.ofSeconds(5))
          .untilAsserted(() -> assertThat(used(user, own)).isEqualTo(BUDGET - left - MAX_TOKENS));
    }
  }

  /**
   * What the books say, without the probe itself. Of a stream that told nothing only the prompt
   * counts, which has no share in this budget.
   */
  private long used(String user, String probe) {
    return sink.await(1).stream()
        .filter(record -> user.equals(record.user()) && !probe.equals(record.exchangeId()))
        .mapToLong(record -> record.tokens().output())
        .sum();
  }

  private static String body(Try one) {
    String body =
        one == Try.WHOLE_JSON ? Requests.whole(one.toString()) : Requests.streaming(one.toString());
    return switch (one) {
      case REFUSED_BY_RULE -> body.replace("claude-sonnet-5-5", "claude-opus-5-5");
      case REFUSED_BODY -> body.substring(0, body.length() - 1);
      default -> body;
    };
  }

  /** Runs one and says how it ended. */
  private static String run(GatewayUnderTest headrace, Try one, String user) throws IOException {
    try (RawClient client = RawClient.connect(headrace.port())) {
      client.post("/claude/v1/messages", body(one), "x-user: " + user);
      if (one == Try.CLIENT_LEAVES_EARLY) {
        client.reset();
        return "left";
      }
      if (one != Try.CLIENT_LEAVES && one != Try.OPERATOR_CANCELS) {
        RawClient.Reply reply = client.reply();
        return reply.status() + " " + reply.end();
      }
      RawClient.Reply head = client.replyHead();
      if (head.status() != 200) {
        return head.status() + "";
      }
      client.readBodyUntil("message_start");
      if (one == Try.CLIENT_LEAVES) {
        client.reset();
        return "left";
      }
      String id = head.header("headrace-exchange-id").orElseThrow();
      return "cancelled " + headrace.gateway().cancel(id);
    }
  }
}
