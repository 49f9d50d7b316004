package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import com.anthropic.client.AnthropicClient;
import com.anthropic.errors.RateLimitException;
import dev.headrace.config.Budget;
import dev.headrace.config.BudgetWindow;
import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings.AboveMaxTokens;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.GatewaySettings.Shortfall;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.IdentitySource;
import dev.headrace.config.PlanBuilder;
import dev.headrace.config.RequestRate;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Identity;
import dev.headrace.spi.UsageRecord;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Plans in force: who may ask what, how much, and what they are told. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class PlansTest extends GatewayContract {

  private static final String MODEL = "claude-sonnet-5-5"; // 2 and 10 USD per million tokens

  private final RecordingSink sink = new RecordingSink();

  PlansTest(ContainerKind kind) {
    super(kind);
  }

  /** Users are who they say in a header, and have the role that a second header says. */
  private GatewayUnderTest headrace(UnaryOperator<PlanBuilder> change) throws Exception {
    return headrace(Map.of("all", change.apply(Plan.builder("all")).build()));
  }

  private GatewayUnderTest headrace(Map<String, Plan> plans) throws Exception {
    return headrace(plans, s -> s.retryMaxAttempts(1));
  }

  private GatewayUnderTest headrace(
      Map<String, Plan> plans, UnaryOperator<GatewaySettingsBuilder> settings) throws Exception {
    return startWith(
        ClaudeSimulator.builder().apiKey(KEY).rememberRequests(1000),
        s -> settings.apply(s.identitySources(List.of(IdentitySource.RESOLVER)).plans(plans)),
        gateway ->
            gateway
                .sink("test", sink)
                .resolver(
                    request -> {
                      String user = request.getHeader("x-user");
                      String role = request.getHeader("x-role");
                      return user == null
                          ? null
                          : new Identity(user, role == null ? Set.of() : Set.of(role));
                    }));
  }

  private RawClient.Reply ask(GatewayUnderTest headrace, String user, String body)
      throws Exception {
    try (RawClient client = RawClient.connect(headrace.port())) {
      return client.post("/claude/v1/messages", body, "x-user: " + user).reply();
    }
  }

  @Test
  void whoIsNotIdentifiedIsToldSo() throws Exception {
    GatewayUnderTest headrace = headrace(plan -> plan);
    RawClient.Reply reply = post(headrace, STREAMING);
    assertThat(reply.status()).isEqualTo(401);
    assertThat(reply.body()).contains("\"authentication_error\"");
    assertThat(reply.header("www-authenticate")).hasValue("Bearer");
    assertThat(headrace.claude().attempts()).isZero();
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(200);
    assertThat(sink.awaitOne().user()).isEqualTo("alice");
  }

  @Test
  void requestsOverTheLimitGet429ThatNamesItAndCostNothing() throws Exception {
    GatewayUnderTest headrace =
        headrace(plan -> plan.requests(new RequestRate(3, Duration.ofMinutes(1))));
    for (int left = 2; left >= 0; left--) {
      RawClient.Reply reply = ask(headrace, "alice", STREAMING);
      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.header("anthropic-ratelimit-requests-limit")).hasValue("3");
      assertThat(reply.header("anthropic-ratelimit-requests-remaining")).hasValue("" + left);
      assertThat(reply.header("anthropic-ratelimit-requests-reset")).isPresent();
      // the organisation's own
      assertThat(reply.header("anthropic-ratelimit-tokens-limit")).isEmpty();
    }
    RawClient.Reply refused = ask(headrace, "alice", STREAMING);
    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused.body()).contains("\"rate_limit_error\"").contains("3 requests");
    assertThat(Long.parseLong(refused.header("retry-after").orElseThrow())).isBetween(1L, 60L);
    assertThat(Long.parseLong(refused.header("retry-after-ms").orElseThrow()))
        .isBetween(1L, 60_000L);
    assertThat(refused.header("x-should-retry")).isEmpty();
    assertThat(headrace.claude().attempts()).isEqualTo(3);
    assertThat(ask(headrace, "bob", STREAMING).status()).isEqualTo(200);
  }

  /** No limit of a plan has counted them yet. */
  @Test
  void unfinishedUploadsOfOneUserLeaveRoomForOthers() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            Map.of("all", Plan.builder("all").concurrent(2).build()),
            s -> s.upstreamMaxConnections(20).requestBodyTimeout(Duration.ofMinutes(5)));
    RawClient first = upload(headrace, "mallory");
    for (int i = 1; i < 500; i++) {
      upload(headrace, "mallory");
    }
    FailureContract.quickly()
        .untilAsserted(() -> assertThat(headrace.gateway().runningExchanges()).isEqualTo(500));
    for (int i = 0; i < 250; i++) {
      RawClient.Reply refused = upload(headrace, "mallory").reply();
      assertThat(refused.status()).isEqualTo(429);
      assertThat(refused.header("retry-after")).hasValue("1");
      assertThat(refused.body())
          .contains("\"rate_limit_error\"")
          .contains("at most 500 request bodies may be on their way");
    }
    assertThat(ask(headrace, "bob", STREAMING).status()).isEqualTo(200);
    first.send("", " ".repeat(99).getBytes(UTF_8));
    assertThat(first.reply().status()).isEqualTo(400); // no JSON, but whole
    assertThat(ask(headrace, "mallory", STREAMING).status()).isEqualTo(200);

    for (int i = 0; i < 501; i++) {
      upload(headrace, i == 0 ? "mallory" : "trudy");
    }
    FailureContract.quickly()
        .untilAsserted(() -> assertThat(headrace.gateway().runningExchanges()).isEqualTo(1000));
    RawClient.Reply full = ask(headrace, "bob", STREAMING);
    assertThat(full.status()).isEqualTo(503);
    assertThat(full.body())
        .contains("already holds as many requests as it may: 1000, those included whose body")
        .doesNotContain("max-connections");
  }

  /** Sends the first of a hundred bytes. */
  private RawClient upload(GatewayUnderTest headrace, String user) throws Exception {
    String head =
        RawClient.head(
                "POST",
                "/claude/v1/messages",
                "x-user: " + user,
                "Content-Type: application/json",
                "Content-Length: 100")
            + "\r\n";
    return client(headrace).send(head, "{".getBytes(UTF_8));
  }

  @Test
  void theJavaSdkReadsOur429AsItsRateLimitException() throws Exception {
    GatewayUnderTest headrace =
        headrace(plan -> plan.requests(new RequestRate(1, Duration.ofHours(1))));
    AnthropicClient client = JavaSdk.client(headrace, "x-user", "alice");
    try {
      client.messages().create(JavaSdk.hello());
      RateLimitException refused =
          catchThrowableOfType(
              RateLimitException.class, () -> client.messages().create(JavaSdk.hello()));
      assertThat(refused.headers().values("x-should-retry")).containsExactly("false");
      assertThat(Long.parseLong(refused.headers().values("retry-after").get(0)))
          .isBetween(3_500L, 3_600L);
      assertThat(headrace.claude().attempts()).isEqualTo(1);
    } finally {
      client.close();
    }
  }

  @Test
  void ofManyAtOnceExactlyTheAllowedNumberPasses() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.concurrent(4)
                    .requests(new RequestRate(60, Duration.ofMinutes(1)))
                    .budgets(Budget.ofDollars(new BigDecimal("0.0125"), BudgetWindow.MONTH)));
    headrace.claude().answersAlways(Answer.text("x".repeat(100)).usage(20, 25));
    ExecutorService threads = Executors.newFixedThreadPool(100);
    try {
      List<Future<RawClient.Reply>> replies = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        replies.add(threads.submit(() -> ask(headrace, "alice", STREAMING)));
      }
      int passed = 0;
      for (Future<RawClient.Reply> reply : replies) {
        RawClient.Reply got = reply.get();
        assertThat(got.status()).isIn(200, 429);
        passed += got.status() == 200 ? 1 : 0;
      }
      assertThat(headrace.claude().attempts()).isEqualTo(passed);
      List<UsageRecord> records = sink.await(100);
      BigDecimal sum =
          records.stream().map(UsageRecord::costUsd).reduce(BigDecimal.ZERO, BigDecimal::add);
      assertThat(sum).isLessThanOrEqualTo(new BigDecimal("0.0125"));
      assertThat(passed).isBetween(4, 60);
      Figures.note(
          kind(), "100 parallel requests of one user", passed + " passed, " + sum + " USD");
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void fastModeIsReservedAtTwiceThePrice() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan -> plan.budgets(Budget.ofDollars(new BigDecimal("0.0015"), BudgetWindow.MONTH)));
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(200); // 0.001 and the prompt
    for (String speed : List.of("\"speed\":\"fast\"", "\"sp\\u0065ed\" : \"f\\u0061st\"")) {
      RawClient.Reply refused =
          ask(
              headrace,
              "bob",
              STREAMING.replaceFirst("\\{", "{" + Matcher.quoteReplacement(speed) + ","));
      assertThat(refused.status()).isEqualTo(429);
      assertThat(refused.body()).contains("\"billing_error\"").contains("0.0015 USD");
    }
    assertThat(ask(headrace, "bob", STREAMING).status()).isEqualTo(200);
    assertThat(headrace.claude().attempts()).isEqualTo(2);
  }

  @Test
  void aBudgetThatIsUsedUpRefusesWithItsAmountAndWindow() throws Exception {
    GatewayUnderTest headrace =
        headrace(plan -> plan.budgets(Budget.ofOutputTokens(150, BudgetWindow.DAY)));
    headrace.claude().answersAlways(Answer.text("Hi").usage(20, 90));
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(200);
    RawClient.Reply refused = ask(headrace, "alice", STREAMING); // asks for 100, 60 are left
    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused.body()).contains("150 output tokens").contains("60 output tokens left");
    assertThat(refused.header("x-should-retry")).hasValue("false");
    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  @Test
  void whereThePlanSaysSoMaxTokensIsLoweredToWhatTheBudgetBuys() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.budgets(Budget.ofOutputTokens(150, BudgetWindow.DAY))
                    .shortfall(Shortfall.LOWER_MAX_TOKENS));
    headrace.claude().answersAlways(Answer.text("Hi").usage(20, 90));
    ask(headrace, "alice", STREAMING);
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(200);
    assertThat(headrace.claude().lastRequest().bodyText())
        .isEqualTo(STREAMING.replace("\"max_tokens\":100", "\"max_tokens\":60"));
  }

  /** The API fetches it, so that nobody knows here how long the prompt will be. */
  @Test
  void promptsThatAreOnlyReferredToDoNotOverrunABudgetTogether() throws Exception {
    GatewayUnderTest headrace =
        headrace(plan -> plan.budgets(Budget.ofDollars(new BigDecimal("0.50"), BudgetWindow.DAY)));
    headrace
        .claude()
        .answersAlways(
            Answer.text("Hello").usage(200_000, 5).pauseAfterEvents(2, Duration.ofMillis(500)));
    String document =
        Requests.streaming("Hello")
            .replace(
                "\"Hello\"",
                "[{\"type\":\"document\",\"source\":{\"type\":\"url\",\"url\":\"https://a.example/b\"}}]");
    ExecutorService clients = Executors.newFixedThreadPool(10);
    try {
      List<Future<RawClient.Reply>> replies = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        replies.add(clients.submit(() -> ask(headrace, "alice", document)));
      }
      int passed = 0;
      for (Future<RawClient.Reply> reply : replies) {
        passed += reply.get().status() == 200 ? 1 : 0;
      }
      assertThat(passed).isBetween(1, 2); // 0.40 USD each
    } finally {
      clients.shutdownNow();
    }
  }

  @Test
  void whereSpendLandsIsTheOperatorsMatterWhereThePlanSaysSo() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            Map.of(
                "closed", Plan.builder("closed").roles("closed").workspaces(false).build(),
                "open", Plan.builder("open").roles("open").build()));
    headrace.claude().answersAlways(Answer.text("Hello"));
    for (String header : List.of("anthropic-workspace-id", "Anthropic-User-Profile-Id")) {
      for (String path : List.of("/claude/v1/messages", "/claude/v1/messages/count_tokens")) {
        try (RawClient client = RawClient.connect(headrace.port())) {
          RawClient.Reply refused =
              client
                  .post(path, STREAMING, "x-user: alice", "x-role: closed", header + ": theirs")
                  .reply();
          assertThat(refused.status()).isEqualTo(403);
          assertThat(refused.body()).contains("permission_error", "plans.closed.workspaces");
        }
      }
      assertThat(headrace.claude().attempts()).isZero();
    }
    try (RawClient client = RawClient.connect(headrace.port())) {
      String id = "anthropic-workspace-id: wrkspc_1";
      assertThat(
              client
                  .post("/claude/v1/messages", STREAMING, "x-user: bob", "x-role: open", id)
                  .reply()
                  .status())
          .isEqualTo(200);
      assertThat(headrace.claude().lastRequest().headers().get("anthropic-workspace-id"))
          .containsExactly("wrkspc_1");
    }
  }

  @Test
  void theLogSaysThatLongBudgetsAreForgottenByARestart() throws Exception {
    for (BudgetWindow window : BudgetWindow.values()) {
      try (LogLines lines = new LogLines("dev.headrace.relay.Admittance")) {
        headrace(plan -> plan.budgets(Budget.ofInputTokens(1_000, window)));
        boolean isLong = window == BudgetWindow.DAY || window == BudgetWindow.MONTH;
        assertThat(lines.at(Level.INFO))
            .as(window.name())
            .hasSize(isLong ? 1 : 0)
            .allMatch(line -> line.contains("they start afresh when the gateway restarts"));
      }
    }
  }

  @Test
  void countingTokensIsLimitedInNumberButUsesNoBudget() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.requests(new RequestRate(2, Duration.ofHours(1)))
                    .budgets(Budget.ofDollars(new BigDecimal("0.01"), BudgetWindow.DAY)));
    for (int status : new int[] {200, 200, 429}) {
      try (RawClient client = RawClient.connect(headrace.port())) {
        RawClient.Reply reply =
            client
                .post("/claude/v1/messages/count_tokens", Requests.whole("Hello"), "x-user: alice")
                .reply();
        assertThat(reply.status()).isEqualTo(status);
      }
    }
    assertThat(headrace.claude().attempts()).isEqualTo(2);
    headrace.awaitIdle(Duration.ofSeconds(5));
  }

  @Test
  void bodiesAreReadNoFurtherThanThePlanAllows() throws Exception {
    GatewayUnderTest headrace = headrace(plan -> plan.maxBody(ByteSize.ofKibibytes(16)));
    try (RawClient client = RawClient.connect(headrace.port())) {
      String head =
          RawClient.head(
                  "POST",
                  "/claude/v1/messages",
                  "x-user: alice",
                  "Content-Type: application/json",
                  "Transfer-Encoding: chunked")
              + "\r\n";
      client.send(head, ("8000\r\n" + " ".repeat(0x8000) + "\r\n").getBytes(UTF_8)); // goes on
      RawClient.Reply reply = client.reply();
      assertThat(reply.status()).isEqualTo(413);
      assertThat(reply.body()).contains("plans.all.max-body");
    }
  }

  @Test
  void aStreamThatUsesUpItsBudgetEndsThereAsAWholeMessage() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.budgets(Budget.ofOutputTokens(50, BudgetWindow.DAY))
                    .shortfall(Shortfall.STOP_AT_BUDGET));
    String[] words = new String[1000];
    Arrays.fill(words, "abcdefgh"); // two tokens each, estimated
    headrace.claude().answersAlways(Answer.text("abcdefgh", words).tokenwise());

    RawClient.Reply reply = ask(headrace, "alice", STREAMING);

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isEqualTo(RawClient.End.COMPLETE);
    assertThat(reply.body())
        .contains("\"stop_reason\":\"max_tokens\"")
        .contains("event: content_block_stop")
        .endsWith("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    UsageRecord record = sink.awaitOne();
    assertThat(record.outcome()).isEqualTo("CANCELLED");
    assertThat(record.outcomeDetail()).isEqualTo("budget");
    assertThat(record.tokens().output()).isBetween(50L, 52L); // one event beyond at most
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(429);
    assertThat(ask(headrace, "bob", STREAMING).status()).isEqualTo(200);
  }

  /** Of thinking that is not shown nothing comes while it runs. */
  @Test
  void aStreamThatWouldBeStoppedIsAskedForNoMoreThanIsLeft() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.budgets(Budget.ofOutputTokens(50, BudgetWindow.DAY))
                    .shortfall(Shortfall.STOP_AT_BUDGET));
    headrace.claude().answersAlways(Answer.omittedThinking().thenText("Hello").usage(20, 30));
    assertThat(ask(headrace, "alice", STREAMING).body()).contains("end_turn");
    assertThat(headrace.claude().lastRequest().bodyText())
        .isEqualTo(STREAMING.replace("\"max_tokens\":100", "\"max_tokens\":50"));
    sink.awaitOne();
    ask(headrace, "alice", STREAMING);
    assertThat(headrace.claude().lastRequest().bodyText()).contains("\"max_tokens\":20,");
  }

  @Test
  void anAnswerThatCostsLessThanAskedForMayBeAsMuchLonger() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.budgets(Budget.ofDollars(new BigDecimal("0.0015"), BudgetWindow.DAY))
                    .shortfall(Shortfall.STOP_AT_BUDGET));
    String[] words = new String[49];
    Arrays.fill(words, "abcdefgh"); // 100 tokens for 0.001 dollars, twice as much when it is fast
    headrace.claude().answersAlways(Answer.text("abcdefgh", words).usage(10, 100).tokenwise());
    String fast = STREAMING.replace("\"max_tokens\"", "\"speed\":\"fast\",\"max_tokens\"");
    RawClient.Reply reply = ask(headrace, "alice", fast);
    assertThat(reply.body()).contains("\"stop_reason\":\"end_turn\"");
    assertThat(sink.awaitOne().outcome()).isEqualTo("COMPLETED");
  }

  @Test
  void withABudgetInDollarsAModelHasToBeNamedAndPriced() throws Exception {
    GatewayUnderTest headrace =
        headrace(plan -> plan.budgets(Budget.ofDollars(new BigDecimal("0.50"), BudgetWindow.DAY)));
    RawClient.Reply none =
        ask(headrace, "alice", STREAMING.replace("\"model\":\"" + MODEL + "\",", ""));
    assertThat(none.status()).isEqualTo(400);
    assertThat(none.body()).contains("\"invalid_request_error\"").contains("model: is missing");
    RawClient.Reply unpriced =
        ask(
            headrace,
            "alice",
            STREAMING.replace(
                "\"max_tokens\"", "\"fallbacks\":[{\"model\":\"claude-new\"}],\"max_tokens\""));
    assertThat(unpriced.status()).isEqualTo(429);
    assertThat(unpriced.body()).contains("The price of the model \\\"claude-new\\\" is not known");
    assertThat(headrace.claude().attempts()).isZero();
  }

  /** A client may name models that cost more than the one whose price it shows. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"fallbacks\":[{\"model\":\"claude-fable-5\"}],",
        "\"tools\":[{\"type\":\"advisor_20260301\",\"name\":\"advisor\",\"model\":\"claude-fable-5\"}],"
      })
  void otherModelsInTheBodyAreReservedForToo(String field) throws Exception {
    Plan plan =
        Plan.builder("all")
            .budgets(Budget.ofDollars(new BigDecimal("0.01"), BudgetWindow.DAY))
            .build();
    GatewayUnderTest headrace = headrace(Map.of("all", plan));
    headrace.claude().answersAlways(Answer.text("Hi"));
    String cheap =
        STREAMING
            .replace(MODEL, "claude-haiku-5-5")
            .replace("\"max_tokens\":100", "\"max_tokens\":1000");
    assertThat(ask(headrace, "alice", cheap).status()).isEqualTo(200);
    String dear = cheap.replaceFirst("\\{", "{" + field.replace("$", "\\$"));
    assertThat(ask(headrace, "bob", dear).status()).isEqualTo(429);
    assertThat(ask(headrace, "bob", dear.replace("fable-5", "unheard-of")).status())
        .as("a model without a price")
        .isGreaterThanOrEqualTo(400);
    assertThat(headrace.claude().requests()).hasSize(1);
  }

  @Test
  void theModelThatAnswersInsteadIsPaidAtItsOwnPrice() throws Exception {
    Plan plan =
        Plan.builder("all")
            .budgets(Budget.ofDollars(new BigDecimal("0.002"), BudgetWindow.DAY))
            .shortfall(Shortfall.STOP_AT_BUDGET)
            .build();
    String fallback = "claude-opus-5-5"; // ten times the price of the model that is asked, or more
    GatewayUnderTest headrace =
        headrace(
            Map.of("all", plan),
            s ->
                s.retryMaxAttempts(2)
                    .retryFallbacks(Map.of("claude-haiku-5-5", List.of(fallback))));
    String[] words = new String[1000];
    Arrays.fill(words, "abcdefgh");
    headrace
        .claude()
        .answers(Answer.status(529))
        .answers(Answer.text("abcdefgh", words).usage(10, 2000).tokenwise());
    String body =
        STREAMING
            .replace(MODEL, "claude-haiku-5-5")
            .replace("\"max_tokens\":100", "\"max_tokens\":3000");

    RawClient.Reply reply = ask(headrace, "alice", body);

    assertThat(reply.header("headrace-model")).hasValue(fallback);
    assertThat(reply.body()).contains("\"stop_reason\":\"max_tokens\"");
    UsageRecord record = sink.awaitOne();
    assertThat(record.outcomeDetail()).isEqualTo("budget");
    assertThat(record.costUsd()).isBetween(new BigDecimal("0.0015"), new BigDecimal("0.0022"));
  }

  @Test
  void aStreamThatMayHaveAllItsMaxTokensIsEndedByTheApiAlone() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.budgets(Budget.ofOutputTokens(1_000, BudgetWindow.DAY))
                    .shortfall(Shortfall.STOP_AT_BUDGET));
    // 250 tokens by the estimate, where the API has counted 90 of the 100 that were asked for
    Answer dense = Answer.text("-".repeat(1_000)).thenText("end").usage(20, 90);
    headrace.claude().answersAlways(dense);
    RawClient.Reply reply = ask(headrace, "alice", STREAMING);
    assertThat(reply.body()).contains("\"end\"").contains("\"stop_reason\":\"end_turn\"");
    assertThat(sink.awaitOne().outcome()).isEqualTo("COMPLETED");
  }

  @Test
  void anAnswerThatHasToldWhyItStoppedIsLeftAsItIs() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.budgets(Budget.ofOutputTokens(50, BudgetWindow.DAY))
                    .shortfall(Shortfall.STOP_AT_BUDGET));
    headrace.claude().answersAlways(Answer.tool("search", "{\"q\": 1}").usage(20, 60));
    RawClient.Reply reply = ask(headrace, "alice", STREAMING);
    assertThat(reply.body().split("event: message_delta", -1)).hasSize(2);
    assertThat(reply.body()).contains("\"stop_reason\":\"tool_use\"");
    UsageRecord record = sink.awaitOne();
    assertThat(record.outcome()).isEqualTo("COMPLETED");
    assertThat(record.tokens().output()).isEqualTo(60);
  }

  @Test
  void aPromptThatCostsMoreThanEstimatedIsPaidFromTheRestOfTheBudget() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.budgets(Budget.ofDollars(new BigDecimal("0.02"), BudgetWindow.DAY))
                    .shortfall(Shortfall.STOP_AT_BUDGET));
    // A picture by its address: 3,000 tokens of input for 0.006 dollars, where a few were expected,
    // and all that was reserved is 0.001.
    headrace.claude().answersAlways(Answer.text("Hello", " you").usage(3_000, 10));
    for (int i = 0; i < 3; i++) {
      RawClient.Reply reply = ask(headrace, "alice", STREAMING);
      assertThat(reply.body()).contains("\"stop_reason\":\"end_turn\"").contains(" you");
    }
    assertThat(sink.await(3)).allMatch(record -> record.outcome().equals("COMPLETED"));
    // 0.0017 dollars are left, the input alone costs more.
    RawClient.Reply last = ask(headrace, "alice", STREAMING);
    assertThat(last.body())
        .doesNotContain(" you")
        .contains("\"stop_reason\":\"max_tokens\"")
        .endsWith("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(429);
  }

  @Test
  void aStreamWhoseUsageCannotBeReadCountsAsAllThatItMayHaveHad() throws Exception {
    GatewayUnderTest headrace =
        headrace(plan -> plan.budgets(Budget.ofOutputTokens(100, BudgetWindow.DAY)));
    headrace
        .claude()
        .answersAlways(
            Answer.transcript(
                """
                event: message_start
                data: {"type":"message_start","message":{"id":"m","usage":"none"}}

                event: content_block_delta
                data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}

                event: message_stop
                data: {"type":"message_stop"}

                """));
    assertThat(ask(headrace, "alice", STREAMING).body()).contains("Hello");
    UsageRecord record = sink.awaitOne();
    assertThat(record.outcome()).isEqualTo("COMPLETED");
    assertThat(record.accuracy()).isEqualTo(Accuracy.UNKNOWN);
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(429);
  }

  @Test
  void anAnswerInOnePieceIsAskedForShorterWhereAStreamWouldBeEnded() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.budgets(Budget.ofOutputTokens(50, BudgetWindow.DAY))
                    .shortfall(Shortfall.STOP_AT_BUDGET));
    assertThat(ask(headrace, "alice", Requests.whole("Hello")).status()).isEqualTo(200);
    assertThat(headrace.claude().lastRequest().bodyText()).contains("\"max_tokens\":50,");
  }

  @Test
  void whoLeavesBeforeAStreamBeginsPaysForThePromptOnly() throws Exception {
    GatewayUnderTest headrace =
        headrace(plan -> plan.budgets(Budget.ofOutputTokens(100, BudgetWindow.DAY)));
    cancelBeforeTheAnswer(headrace, STREAMING);
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(200); // all 100 are back
  }

  @Test
  void whoLeavesBeforeAnAnswerInOnePiecePaysForAllThatItMayHaveHad() throws Exception {
    GatewayUnderTest headrace =
        headrace(plan -> plan.budgets(Budget.ofOutputTokens(100, BudgetWindow.DAY)));
    cancelBeforeTheAnswer(headrace, Requests.whole("Hello"));
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(429);
  }

  /** An error of the API is not billed, whoever ends the wait for the next call. */
  @Test
  void whoLeavesBetweenTwoCallsPaysNothing() throws Exception {
    Plan plan = Plan.builder("all").budgets(Budget.ofOutputTokens(100, BudgetWindow.DAY)).build();
    GatewayUnderTest headrace =
        headrace(
            Map.of("all", plan),
            s ->
                s.retryMaxAttempts(2)
                    .retryWaitDuration(Duration.ofSeconds(20))
                    .retryMaxWaitDuration(Duration.ofSeconds(20)));
    headrace.claude().answers(Answer.status(529).header("retry-after", "20"));
    try (RawClient client = RawClient.connect(headrace.port())) {
      client.post("/claude/v1/messages", Requests.whole("Hello"), "x-user: alice");
      headrace.claude().awaitRequest(0, Duration.ofSeconds(5)).awaitFinished(Duration.ofSeconds(5));
      await().until(() -> headrace.gateway().upstreamConnectionsInUse() == 0);
      headrace
          .gateway()
          .cancel(dev.headrace.GatewayInside.runningIds(headrace.gateway()).iterator().next());
      assertThat(client.reply().status()).isEqualTo(503);
    }
    UsageRecord record = sink.awaitOne();
    assertThat(record.accuracy()).isEqualTo(Accuracy.EXACT);
    assertThat(record.costUsd()).isZero();
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(200); // all 100 are back
  }

  private static void cancelBeforeTheAnswer(GatewayUnderTest headrace, String body)
      throws Exception {
    headrace.claude().answers(Answer.text("never").stallBeforeHead());
    try (RawClient client = RawClient.connect(headrace.port())) {
      client.post("/claude/v1/messages", body, "x-user: alice");
      headrace.claude().awaitRequest(0, Duration.ofSeconds(5));
      headrace
          .gateway()
          .cancel(dev.headrace.GatewayInside.runningIds(headrace.gateway()).iterator().next());
      assertThat(client.reply().status()).isEqualTo(503);
    }
  }

  @Test
  void theJavaSdkReadsAStreamThatWasEndedAtItsBudgetAsAMessage() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.budgets(Budget.ofOutputTokens(50, BudgetWindow.DAY))
                    .shortfall(Shortfall.STOP_AT_BUDGET));
    headrace
        .claude()
        .answersAlways(
            Answer.tool("search", "{\"query\": \"" + "abcd ".repeat(200) + "\"}").tokenwise());
    AnthropicClient client = JavaSdk.client(headrace, "x-user", "alice");
    try {
      assertThat(JavaSdk.accumulate(client, JavaSdk.hello()).stopReason().orElseThrow().asString())
          .isEqualTo("max_tokens");
    } finally {
      client.close();
    }
  }

  @Test
  void parallelStreamsNeverOverrunABudgetTogether() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.budgets(Budget.ofOutputTokens(500, BudgetWindow.DAY))
                    .shortfall(Shortfall.STOP_AT_BUDGET));
    String[] words = new String[300];
    Arrays.fill(words, "abcdefgh");
    headrace.claude().answersAlways(Answer.text("abcdefgh", words).tokenwise());
    ExecutorService threads = Executors.newFixedThreadPool(20);
    try {
      List<Future<RawClient.Reply>> replies = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        replies.add(threads.submit(() -> ask(headrace, "alice", STREAMING)));
      }
      int streams = 0;
      for (Future<RawClient.Reply> reply : replies) {
        streams += reply.get().status() == 200 ? 1 : 0;
      }
      long used = sink.await(20).stream().mapToLong(record -> record.tokens().output()).sum();
      assertThat(used).isBetween(100L, 500L + 2L * streams); // an event has two tokens
      Figures.note(kind(), "20 parallel streams on a budget of 500 tokens", used + " used");
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void aRuleOfThePlanRefusesBeforeTheApiIsAsked() throws Exception {
    GatewayUnderTest headrace =
        headrace(
            plan ->
                plan.models("claude-haiku-5-5")
                    .maxTokens(50, AboveMaxTokens.REFUSE)
                    .serverTools(false));
    RawClient.Reply model = ask(headrace, "alice", STREAMING);
    assertThat(model.status()).isEqualTo(403);
    assertThat(model.body()).contains("plans.all.models").contains("claude-haiku-5-5");
    RawClient.Reply cap = ask(headrace, "alice", STREAMING.replace(MODEL, "claude-haiku-5-5"));
    assertThat(cap.status()).isEqualTo(400);
    assertThat(cap.body()).contains("plans.all.max-tokens");
    assertThat(headrace.claude().attempts()).isZero();
    assertThat(sink.await(2)).allMatch(record -> record.outcome().equals("REFUSED"));
  }

  @Test
  void theFirstPlanThatFitsIsTheUsersAndNobodyElseGetsIn() throws Exception {
    Map<String, Plan> plans = new java.util.LinkedHashMap<>();
    plans.put(
        "staff",
        Plan.builder("staff")
            .roles("staff")
            .requests(new RequestRate(2, Duration.ofMinutes(1)))
            .build());
    plans.put(
        "guest",
        Plan.builder("guest")
            .roles("guest")
            .requests(new RequestRate(1, Duration.ofMinutes(1)))
            .build());
    GatewayUnderTest headrace = headrace(plans);
    try (RawClient client = RawClient.connect(headrace.port())) {
      RawClient.Reply staff =
          client.post("/claude/v1/messages", STREAMING, "x-user: a", "x-role: staff").reply();
      assertThat(staff.header("anthropic-ratelimit-requests-limit")).hasValue("2");
      RawClient.Reply guest =
          client.post("/claude/v1/messages", STREAMING, "x-user: b", "x-role: guest").reply();
      assertThat(guest.header("anthropic-ratelimit-requests-limit")).hasValue("1");
      RawClient.Reply nobody = client.post("/claude/v1/messages", STREAMING, "x-user: c").reply();
      assertThat(nobody.status()).isEqualTo(403);
      assertThat(nobody.body()).contains("permission_error").contains("plans.*.roles");
    }
    assertThat(sink.await(2).get(0).role()).isIn("staff", "guest");
  }

  @Test
  void aShadowPlanLetsThroughAndTells() throws Exception {
    GatewayUnderTest headrace =
        headrace(plan -> plan.requests(new RequestRate(1, Duration.ofMinutes(1))).shadow(true));
    for (int i = 0; i < 3; i++) {
      assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(200);
    }
    assertThat(dev.headrace.GatewayInside.statistics(headrace.gateway()).wouldRefuseCount())
        .isEqualTo(2);
  }

  @Test
  void plansChangeWhileTheGatewayRunsAndWhatWasUsedStaysUsed() throws Exception {
    GatewayUnderTest headrace =
        headrace(plan -> plan.requests(new RequestRate(2, Duration.ofMinutes(1))));
    ask(headrace, "alice", STREAMING);
    ask(headrace, "alice", STREAMING);
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(429);
    headrace
        .gateway()
        .setPlans(
            Map.of(
                "all",
                Plan.builder("all").requests(new RequestRate(3, Duration.ofMinutes(1))).build()));
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(200);
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(429);
  }

  @Test
  void aPlanThatComesLaterMayNameRolesThatNobodyHasNamedBefore() throws Exception {
    GatewayUnderTest headrace = headrace(plan -> plan);
    headrace.gateway().setPlans(Map.of("gold", Plan.builder("gold").roles("gold").build()));
    assertThat(ask(headrace, "alice", STREAMING).status()).isEqualTo(403);
    try (RawClient client = RawClient.connect(headrace.port())) {
      RawClient.Reply reply =
          client.post("/claude/v1/messages", STREAMING, "x-user: alice", "x-role: gold").reply();
      assertThat(reply.status()).isEqualTo(200);
    }
  }

  @Test
  void plansThatComeLaterHideTheLimitsOfTheOrganisation() throws Exception {
    GatewayUnderTest headrace = headrace(Map.of());
    headrace
        .claude()
        .answersAlways(Answer.text("Hi").header("anthropic-ratelimit-tokens-limit", "4000"));
    assertThat(ask(headrace, "alice", STREAMING).header("anthropic-ratelimit-tokens-limit"))
        .isPresent();
    headrace.gateway().setPlans(Map.of("all", Plan.builder("all").build()));
    assertThat(ask(headrace, "alice", STREAMING).header("anthropic-ratelimit-tokens-limit"))
        .isEmpty();
  }

  @Test
  void aWaitingRoomHoldsARequestUntilAStreamOfItsUserEnds() throws Exception {
    GatewayUnderTest headrace =
        startWith(
            ClaudeSimulator.builder().apiKey(KEY),
            s ->
                s.plans(Map.of("all", Plan.builder("all").concurrent(1).build()))
                    .limitsWaitingPlaces(10)
                    .limitsWaitingLongest(Duration.ofSeconds(8)),
            gateway -> gateway);
    headrace
        .claude()
        .answersAlways(Answer.text("Hello", " there").pauseAfterEvents(3, Duration.ofSeconds(1)));
    RawClient first = client(headrace).post(STREAMING);
    first.replyHead();
    RawClient second = client(headrace).post(STREAMING);
    assertThat(second.reply().status()).isEqualTo(200);
    assertThat(headrace.claude().attempts()).isEqualTo(2);
  }

  @Test
  void waitingEndsWith429AndLeavingGivesThePlaceBack() throws Exception {
    GatewayUnderTest headrace =
        startWith(
            ClaudeSimulator.builder().apiKey(KEY),
            s ->
                s.plans(Map.of("all", Plan.builder("all").concurrent(1).build()))
                    .limitsWaitingPlaces(1)
                    .limitsWaitingLongest(Duration.ofMillis(700)),
            gateway -> gateway);
    headrace.claude().answersAlways(Answer.text("Hello").stallAfterEvents(3));
    RawClient first = client(headrace).post(STREAMING);
    first.replyHead();
    first.readBodyUntil("message_start");
    long start = System.nanoTime();
    RawClient.Reply refused = client(headrace).post(STREAMING).reply();
    assertThat(refused.status()).isEqualTo(429);
    assertThat(refused.body()).contains("requests at a time");
    assertThat(System.nanoTime() - start).isGreaterThan(Duration.ofMillis(600).toNanos());
    first.reset();
    headrace
        .gateway()
        .cancel(
            await()
                .until(
                    () ->
                        dev.headrace.GatewayInside.runningIds(headrace.gateway()).stream()
                            .findFirst(),
                    java.util.Optional::isPresent)
                .orElseThrow());
    headrace.awaitIdle(Duration.ofSeconds(5));
  }
}
