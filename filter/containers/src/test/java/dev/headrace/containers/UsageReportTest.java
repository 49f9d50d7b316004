package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.Gateway;
import dev.headrace.GatewayInside;
import dev.headrace.GatewayServlet;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.Secret;
import dev.headrace.containers.ContainerKind.Deployment;
import dev.headrace.containers.ContainerKind.RunningContainer;
import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Tokens;
import dev.headrace.spi.UsageRecord;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.security.Principal;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code GET <mount>/ops/usage}: who may read it, and what it says. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class UsageReportTest {

  private static final String KEY = "report-key-that-must-stay-secret";
  private static final String NOVEMBER = "?from=2026-11-01&to=2026-11-30";

  private final ContainerKind kind;
  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  @TempDir Path spool;
  private int port;

  UsageReportTest(ContainerKind kind) {
    this.kind = kind;
  }

  @AfterEach
  void close() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }

  private Gateway start(@Nullable Filter filter, UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    GatewaySettingsBuilder settings =
        GatewaySettings.builder()
            .upstreamBaseUrl(URI.create("http://127.0.0.1:1"))
            .upstreamApiKey(Secret.of("k"))
            .usageLog(false);
    Gateway gateway = Gateway.start(change.apply(settings).build());
    open.push(gateway);
    RunningContainer container =
        kind.start(new Deployment("", new GatewayServlet(gateway), null, filter));
    open.push(container);
    port = container.port();
    return gateway;
  }

  private GatewaySettingsBuilder withDatabase(GatewaySettingsBuilder settings) {
    return settings
        .usageSpool(spool)
        .usageJdbcUrl("jdbc:h2:mem:" + UUID.randomUUID() + ";DB_CLOSE_DELAY=-1")
        .usageReportKey(Secret.of(KEY));
  }

  private static void record(Gateway gateway, String id, String day, String user) {
    GatewayInside.ledger(gateway)
        .record(
            new UsageRecord(
                id,
                UsageRecord.Kind.EXCHANGE,
                id,
                Instant.parse(day + "T12:00:00Z"),
                user,
                null,
                null,
                "claude-a",
                "claude-a",
                new Tokens(10, 20, 0, 0, 0, 0, 0, 0),
                new BigDecimal("0.25"),
                "v",
                Accuracy.EXACT,
                "COMPLETED",
                "",
                null,
                200,
                1,
                1,
                2,
                null,
                null,
                null,
                null,
                null));
  }

  private HttpResponse<String> get(String pathAndQuery, String... headers) throws Exception {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/claude" + pathAndQuery));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return HttpClient.newHttpClient().send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static void awaitKept(Gateway gateway, int count) {
    Awaitility.await().until(() -> GatewayInside.ledger(gateway).sinks().get(0).kept() == count);
  }

  @Test
  void keyOpensTheReportAsJsonAndAsCsv() throws Exception {
    Gateway gateway = start(null, this::withDatabase);
    record(gateway, "1", "2026-11-05", "ann");
    record(gateway, "2", "2026-11-05", "=cmd");
    record(gateway, "3", "2026-12-01", "ann");
    awaitKept(gateway, 3);

    HttpResponse<String> json = get("/ops/usage" + NOVEMBER, "x-api-key", KEY);
    assertThat(json.statusCode()).isEqualTo(200);
    assertThat(json.headers().firstValue("content-type")).hasValue("application/json");
    assertThat(json.headers().firstValue("cache-control")).hasValue("no-store");
    assertThat(json.body())
        .startsWith(
            "{\"from\":\"2026-11-01\",\"to\":\"2026-11-30\",\"by\":[\"day\",\"model\"],\"rows\":["
                + "{\"day\":\"2026-11-05\",\"model\":\"claude-a\",\"requests\":2,"
                + "\"input_tokens\":20,\"output_tokens\":40,")
        .contains("\"cost_usd\":0.5,")
        .endsWith("],\"truncated\":false}");

    HttpResponse<String> csv =
        get(
            "/ops/usage" + NOVEMBER + "&by=user%2Cday&format=csv",
            "Authorization",
            "Bearer " + KEY);
    assertThat(csv.statusCode()).isEqualTo(200);
    assertThat(csv.headers().firstValue("content-type").orElseThrow())
        .isEqualToIgnoringCase("text/csv;charset=UTF-8");
    assertThat(csv.headers().firstValue("content-disposition"))
        .hasValue("attachment; filename=\"usage-2026-11-01-2026-11-30.csv\"");
    assertThat(csv.body().lines())
        .hasSize(3)
        .anyMatch(line -> line.startsWith("'=cmd,2026-11-05,1,10,20,"))
        .anyMatch(line -> line.startsWith("ann,2026-11-05,1,10,20,"));
  }

  @Test
  void whoHasNoKeyOrAWrongOneGets401InClaudesShape() throws Exception {
    start(null, this::withDatabase);
    for (String key : new String[] {"", KEY + "x", KEY.substring(1), "sk-ant-x"}) {
      HttpResponse<String> refused = get("/ops/usage", "x-api-key", key);
      assertThat(refused.statusCode()).isEqualTo(401);
      assertThat(refused.body())
          .startsWith("{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",")
          .doesNotContain(KEY);
    }
    assertThat(get("/ops/usage").statusCode()).isEqualTo(401);
    assertThat(get("/ops/usage", "Authorization", "Basic " + KEY).statusCode()).isEqualTo(401);
  }

  @Test
  void roleOpensTheReportAndAUserWithoutItGets403() throws Exception {
    Filter login =
        (request, response, chain) ->
            chain.doFilter(new LoggedIn((HttpServletRequest) request), response);
    Gateway gateway = start(login, s -> withDatabase(s).usageReportRole("controller"));
    record(gateway, "1", "2026-11-05", "ann");
    awaitKept(gateway, 1);
    HttpResponse<String> report = get("/ops/usage" + NOVEMBER, "test-user", "controller");
    assertThat(report.statusCode()).isEqualTo(200);
    assertThat(report.body()).contains("\"requests\":1");
    HttpResponse<String> refused = get("/ops/usage", "test-user", "clerk");
    assertThat(refused.statusCode()).isEqualTo(403);
    assertThat(refused.body()).contains("\"permission_error\"");
    assertThat(get("/ops/usage").statusCode()).isEqualTo(401);
  }

  /** A user whose name and only role is in a header, as no real login would have it. */
  private static final class LoggedIn extends HttpServletRequestWrapper {
    LoggedIn(HttpServletRequest request) {
      super(request);
    }

    @Override
    public @Nullable Principal getUserPrincipal() {
      String user = getHeader("test-user");
      return user == null ? null : () -> user;
    }

    @Override
    public boolean isUserInRole(String role) {
      return role.equals(getHeader("test-user"));
    }
  }

  @Test
  void withoutRoleAndKeyThereIsNoReport() throws Exception {
    start(null, s -> s);
    HttpResponse<String> answer = get("/ops/usage");
    assertThat(answer.statusCode()).isEqualTo(404);
    assertThat(answer.body()).contains("usage.report-role or usage.report-key");
  }

  @Test
  void withoutADatabaseThereIsNoReport() throws Exception {
    start(null, s -> s.usageReportKey(Secret.of(KEY)));
    HttpResponse<String> answer = get("/ops/usage", "x-api-key", KEY);
    assertThat(answer.statusCode()).isEqualTo(404);
    assertThat(answer.body()).contains("usage.jdbc-url or usage.data-source");
  }

  @Test
  void databaseThatIsDownIs503() throws Exception {
    start(
        null,
        s ->
            s.usageSpool(spool)
                .usageJdbcUrl("jdbc:postgresql://127.0.0.1:1/none")
                .usageReportKey(Secret.of(KEY)));
    HttpResponse<String> answer = get("/ops/usage", "x-api-key", KEY);
    assertThat(answer.statusCode()).isEqualTo(503);
    assertThat(answer.headers().firstValue("retry-after")).hasValue("10");
    assertThat(answer.body())
        .contains("The database of the usage records does not answer.")
        .doesNotContain("127.0.0.1");
  }

  @Test
  void wrongParameterIs400AndSaysWhatWasExpected() throws Exception {
    start(null, this::withDatabase);
    for (String query : new String[] {"?from=tomorrow", "?by=cost", "?format=xml", "?x=1"}) {
      HttpResponse<String> answer = get("/ops/usage" + query, "x-api-key", KEY);
      assertThat(answer.statusCode()).as(query).isEqualTo(400);
      assertThat(answer.body()).as(query).contains("(expected: ");
    }
    assertThat(get("/ops/usage?by=day&by=user", "x-api-key", KEY).statusCode()).isEqualTo(400);
  }

  @Test
  void otherMethodsAre405() throws Exception {
    start(null, this::withDatabase);
    HttpRequest post =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/claude/ops/usage"))
            .POST(HttpRequest.BodyPublishers.ofString("{}"))
            .build();
    HttpResponse<String> answer =
        HttpClient.newHttpClient().send(post, HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).isEqualTo(405);
    assertThat(answer.headers().firstValue("allow")).hasValue("GET");
  }
}
