package dev.headrace.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.spi.Accuracy;
import dev.headrace.spi.UsageRecord;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What must hold with every database. */
abstract class JdbcContract {

  private final List<JdbcSink> sinks = new ArrayList<>();
  private @Nullable Database database;

  abstract String url();

  abstract @Nullable String user();

  abstract String password();

  final Database database() {
    if (database == null) {
      database = Database.of(settings(url(), user(), password()));
    }
    return database;
  }

  static GatewaySettings.Usage settings(String url, @Nullable String user, String password) {
    var builder =
        GatewaySettings.builder()
            .enabled(false)
            .usageSpool(Path.of("not-used-here"))
            .usageJdbcUrl(url);
    if (user != null) {
      builder.usageJdbcUser(user).usageJdbcPassword(Secret.of(password));
    }
    return builder.build().usage();
  }

  final JdbcSink sink() {
    JdbcSink sink = new JdbcSink(database());
    sinks.add(sink);
    return sink;
  }

  @BeforeEach
  final void noTables() throws SQLException {
    execute("DROP TABLE IF EXISTS headrace_usage");
    execute("DROP TABLE IF EXISTS headrace_schema");
  }

  @AfterEach
  final void closeSinks() {
    sinks.forEach(JdbcSink::close);
  }

  final void execute(String sql) throws SQLException {
    try (Connection connection = database().open(Database.SILENCE).connection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
      connection.commit();
    }
  }

  final List<String> query(String sql) throws SQLException {
    List<String> found = new ArrayList<>();
    try (Connection connection = database().open(Database.SILENCE).connection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        found.add(rows.getString(1));
      }
    }
    return found;
  }

  final List<String> ids() throws SQLException {
    return query("SELECT id FROM headrace_usage ORDER BY id");
  }

  @Test
  void everyFieldIsKeptExactly() throws Exception {
    sink().keep(List.of(Records.full("a"), Records.empty("b")));
    try (Connection connection = database().open(Database.SILENCE).connection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT * FROM headrace_usage ORDER BY id")) {
      assertThat(row.next()).isTrue();
      UsageRecord full = Records.full("a");
      assertThat(row.getString("id")).isEqualTo("a");
      assertThat(row.getString("kind")).isEqualTo("EXCHANGE");
      assertThat(row.getString("exchange_id")).isEqualTo("exchange-a");
      Object time =
          url().startsWith("jdbc:mariadb")
              ? row.getObject("started_at", LocalDateTime.class).toInstant(ZoneOffset.UTC)
              : row.getObject("started_at", OffsetDateTime.class).toInstant();
      assertThat(time).isEqualTo(Records.TIME);
      assertThat(row.getString("user_name")).isEqualTo(full.user());
      assertThat(row.getString("user_role")).isEqualTo("gold");
      assertThat(row.getString("preset")).isEqualTo("support");
      assertThat(row.getString("model_asked")).isEqualTo("claude-asked");
      assertThat(row.getString("model_served")).isEqualTo("claude-served");
      assertThat(row.getLong("input_tokens")).isEqualTo(1);
      assertThat(row.getLong("output_tokens")).isEqualTo(2);
      assertThat(row.getLong("cache_read_tokens")).isEqualTo(3);
      assertThat(row.getLong("cache_write_5m_tokens")).isEqualTo(4);
      assertThat(row.getLong("cache_write_1h_tokens")).isEqualTo(5);
      assertThat(row.getLong("thinking_tokens")).isEqualTo(1);
      assertThat(row.getLong("web_searches")).isEqualTo(6);
      assertThat(row.getLong("web_fetches")).isEqualTo(7);
      assertThat(row.getBigDecimal("cost_usd")).isEqualTo(new BigDecimal("0.000123450000"));
      assertThat(row.getString("prices")).isEqualTo("2026-11-22");
      assertThat(row.getString("accuracy")).isEqualTo("ESTIMATED");
      assertThat(row.getString("outcome")).isEqualTo("TIMED_OUT");
      assertThat(row.getString("outcome_detail")).isEqualTo("idle");
      assertThat(row.getString("stop_reason")).isEqualTo("end_turn");
      assertThat(row.getInt("status")).isEqualTo(200);
      assertThat(row.getInt("attempts")).isEqualTo(2);
      assertThat(row.getLong("first_event_millis")).isEqualTo(345);
      assertThat(row.getLong("duration_millis")).isEqualTo(6789);
      assertThat(row.getString("upstream_request_id")).isEqualTo("req_1");
      assertThat(row.getString("message_id")).isEqualTo("msg_1");
      assertThat(row.getString("service_tier")).isEqualTo("standard");
      assertThat(row.getString("inference_geo")).isEqualTo("us");
      assertThat(row.getString("speed")).isEqualTo("fast");

      assertThat(row.next()).isTrue();
      for (String column :
          List.of("user_name", "user_role", "preset", "model_served", "cost_usd", "speed")) {
        assertThat(row.getString(column)).as(column).isNull();
      }
      assertThat(row.getString("outcome_detail")).isEmpty();
      assertThat(row.getLong("first_event_millis")).isEqualTo(-1);
      assertThat(row.next()).isFalse();
    }
  }

  @Test
  void idThatIsThereIsIgnoredAlsoWithinOneBatchAndChangesNothing() throws Exception {
    JdbcSink sink = sink();
    sink.keep(List.of(Records.full("a"), Records.full("b")));
    sink.keep(List.of(Records.empty("b"), Records.full("c"), Records.empty("c")));
    sink.keep(List.of(Records.empty("a")));
    sink().keep(List.of(Records.empty("a"), Records.full("d")));
    assertThat(ids()).containsExactly("a", "b", "c", "d");
    assertThat(query("SELECT COUNT(*) FROM headrace_usage WHERE kind = 'EXCHANGE'"))
        .containsExactly("4");
  }

  @Test
  void idsAndUsersThatDifferInCaseAreDifferent() throws Exception {
    sink().keep(List.of(record("a", "bob", null), record("A", "BOB", null)));
    assertThat(query("SELECT COUNT(*) FROM headrace_usage")).containsExactly("2");
    assertThat(query("SELECT user_name FROM headrace_usage GROUP BY user_name")).hasSize(2);
  }

  private static UsageRecord record(String id, String user, @Nullable String cost) {
    return Records.of(id, "2026-11-22T12:00:00Z", user, "m", cost);
  }

  @Test
  void gatewaysThatStartTogetherMakeTheTablesOnce() throws Exception {
    int gateways = 4;
    CyclicBarrier together = new CyclicBarrier(gateways);
    ExecutorService threads = Executors.newFixedThreadPool(gateways);
    try {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < gateways; i++) {
        JdbcSink sink = sink();
        UsageRecord usage = Records.full("gateway-" + i);
        Callable<Boolean> start =
            () -> {
              together.await();
              sink.keep(List.of(usage));
              return true;
            };
        all.add(threads.submit(start));
      }
      for (Future<?> each : all) {
        each.get();
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(ids()).hasSize(gateways);
    assertThat(query("SELECT version FROM headrace_schema")).containsExactly("1");
  }

  @Test
  void tablesOfANewerGatewayAreNotWrittenTo() throws Exception {
    sink().keep(List.of(Records.full("a")));
    execute("INSERT INTO headrace_schema (version) VALUES (2)");
    JdbcSink sink = sink();
    assertThatExceptionOfType(SQLException.class)
        .isThrownBy(() -> sink.keep(List.of(Records.full("b"))))
        .withMessage("the tables are of a newer Headrace: headrace_schema says 2 (expected: 1)");
  }

  @Test
  void namesThatNoDatabaseStoresDoNotStopTheRecordsBehindThem() throws Exception {
    String emoji = "\uD83D\uDE00";
    sink()
        .keep(
            List.of(
                record("a", "nul\u0000nul", null),
                record("b", "half\uD800", null),
                record("c", "x".repeat(254) + emoji, null),
                record("d", emoji.repeat(200), null),
                record("e".repeat(500), "last", "12345678901.1234567890123456")));
    assertThat(query("SELECT user_name FROM headrace_usage ORDER BY id"))
        .containsExactly("nul\uFFFDnul", "half\uFFFD", "x".repeat(254), emoji.repeat(127), "last");
    assertThat(query("SELECT cost_usd FROM headrace_usage WHERE user_name = 'last'"))
        .containsExactly("12345678901.123456789012");
  }

  @Test
  void connectionOfSomebodysPoolGoesBackAsItWas() throws Exception {
    List<String> back = new ArrayList<>();
    try (Connection owned = database().connect()) {
      owned.setNetworkTimeout(Runnable::run, 12_345);
      Connection lent =
          (Connection)
              Proxy.newProxyInstance(
                  JdbcContract.class.getClassLoader(),
                  new Class<?>[] {Connection.class},
                  (proxy, method, arguments) -> {
                    if (method.getName().equals("close")) {
                      back.add(owned.getAutoCommit() + " " + owned.getNetworkTimeout());
                      return null;
                    }
                    try {
                      return method.invoke(owned, arguments);
                    } catch (InvocationTargetException e) {
                      throw e.getCause();
                    }
                  });
      String asFound = "true " + owned.getNetworkTimeout(); // H2 has none
      Database pool =
          new Database() {
            @Override
            Connection connect() {
              return lent;
            }

            @Override
            boolean isPooled() {
              return true;
            }
          };
      JdbcSink sink = new JdbcSink(pool);
      sink.keep(List.of(Records.full("a")));
      assertThat(back).containsExactly(asFound);
      execute("DROP TABLE headrace_usage");
      assertThatExceptionOfType(SQLException.class)
          .isThrownBy(() -> sink.keep(List.of(Records.full("b"))));
      assertThat(back).containsExactly(asFound, asFound);
    }
  }

  @Test
  void tableThatWasDroppedIsMadeAgain() throws Exception {
    JdbcSink sink = sink();
    sink.keep(List.of(Records.full("a")));
    execute("DROP TABLE headrace_usage");
    execute("DROP TABLE headrace_schema");
    assertThatExceptionOfType(SQLException.class)
        .isThrownBy(() -> sink.keep(List.of(Records.full("b"))));
    sink.keep(List.of(Records.full("b")));
    assertThat(ids()).containsExactly("b");
  }

  @Test
  void batchOfManyIsKept() throws Exception {
    sink().keep(Records.numbered(0, 500));
    assertThat(ids()).isEqualTo(Records.ids(Records.numbered(0, 500)));
  }

  // ---- report ----

  private UsageReport report(ReportQuery query, int maxRows) throws SQLException {
    try (Connection connection = database().open(Database.SILENCE).connection()) {
      return UsageReport.read(connection, Dialect.of(connection), query, maxRows);
    }
  }

  private static ReportQuery ask(String from, String to, ReportQuery.Key... by) {
    return new ReportQuery(
        LocalDate.parse(from), LocalDate.parse(to), List.of(by), ReportQuery.Format.JSON);
  }

  @Test
  void reportAddsUpByDayInUtcWithBothDaysIncluded() throws Exception {
    sink()
        .keep(
            List.of(
                Records.of("1", "2026-11-09T23:59:59.999999999Z", "ann", "m", "1"),
                Records.of("2", "2026-11-10T00:00:00Z", "ann", "m", "0.000000000001"),
                Records.of("3", "2026-11-10T23:59:59.999999999Z", "bob", "m", "2.5"),
                Records.of("4", "2026-11-11T00:00:00Z", "bob", "n", "3"),
                Records.of("5", "2026-11-12T00:00:00Z", "bob", "n", "4")));
    JsonNode report =
        JsonMapper.shared()
            .readTree(report(ask("2026-11-10", "2026-11-11", ReportQuery.Key.DAY), 100).bytes());
    assertThat(report.path("truncated").asBoolean()).isFalse();
    assertThat(report.path("rows").size()).isEqualTo(2);
    JsonNode first = report.path("rows").get(0);
    assertThat(first.path("day").asString()).isEqualTo("2026-11-10");
    assertThat(first.path("requests").asInt()).isEqualTo(2);
    assertThat(first.path("input_tokens").asInt()).isEqualTo(20);
    assertThat(first.path("output_tokens").asInt()).isEqualTo(40);
    assertThat(report(ask("2026-11-10", "2026-11-11", ReportQuery.Key.DAY), 100).bytes())
        .asString(StandardCharsets.UTF_8)
        .contains("\"cost_usd\":2.500000000001,", "\"cost_usd\":3,");
  }

  @Test
  void reportUntilTheLastDayThatCanBeAskedForHasAllRecords() throws Exception {
    sink().keep(List.of(record("1", "ann", "1"), record("2", "bob", "1")));
    JsonNode rows =
        JsonMapper.shared()
            .readTree(report(ask("2026-11-22", "9999-12-31", ReportQuery.Key.USER), 100).bytes())
            .path("rows");
    assertThat(rows.size()).isEqualTo(2);
  }

  @Test
  void reportSaysWhatItDoesNotKnow() throws Exception {
    UsageRecord exact = record("1", "ann", "1");
    UsageRecord noPrice = record("2", "ann", null);
    UsageRecord dropped =
        new UsageRecord(
            "2.1",
            UsageRecord.Kind.DROPPED_ATTEMPT,
            "2",
            noPrice.startedAt(),
            "ann",
            null,
            null,
            "m",
            null,
            noPrice.tokens(),
            null,
            "",
            Accuracy.ESTIMATED,
            "DROPPED",
            "",
            null,
            0,
            1,
            -1,
            0,
            null,
            null,
            null,
            null,
            null);
    sink().keep(List.of(exact, noPrice, dropped, record("3", "bob", null)));
    JsonNode rows =
        JsonMapper.shared()
            .readTree(
                report(
                        ask(
                            "2026-11-22",
                            "2026-11-22",
                            ReportQuery.Key.USER,
                            ReportQuery.Key.MODEL),
                        100)
                    .bytes())
            .path("rows");
    JsonNode ann = rows.get(0);
    assertThat(ann.path("user").asString()).isEqualTo("ann");
    assertThat(ann.path("model").asString()).isEqualTo("m");
    assertThat(ann.path("requests").asInt()).isEqualTo(2);
    assertThat(ann.path("input_tokens").asInt()).isEqualTo(30);
    assertThat(ann.path("cost_usd").asInt()).isEqualTo(1);
    assertThat(ann.path("requests_without_price").asInt()).isEqualTo(1);
    assertThat(ann.path("requests_estimated").asInt()).isEqualTo(1);
    assertThat(ann.path("requests_unknown").asInt()).isZero();
    assertThat(rows.get(1).path("cost_usd").isNull()).isTrue();
  }

  @Test
  void reportThatIsTooLongIsCutAndSaysSo() throws Exception {
    List<UsageRecord> records = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      records.add(record("id" + i, String.format("user%02d", i), "1"));
    }
    sink().keep(records);
    UsageReport report = report(ask("2026-11-22", "2026-11-22", ReportQuery.Key.USER), 10);
    assertThat(report.isTruncated()).isTrue();
    JsonNode json = JsonMapper.shared().readTree(report.bytes());
    assertThat(json.path("rows").size()).isEqualTo(10);
    assertThat(json.path("note").asString()).startsWith("There are more than 10 rows");
    assertThat(report(ask("2026-11-22", "2026-11-22", ReportQuery.Key.USER), 12).isTruncated())
        .isFalse();
  }

  @Test
  void csvHasAHeadAndHarmlessFields() throws Exception {
    sink()
        .keep(
            List.of(
                record("1", "=1+1", "0.5"),
                record("2", "Smith, \"Al\"", null),
                Records.of("3", "2026-11-22T12:00:00Z", "zoe", "m", "10")));
    ReportQuery query =
        new ReportQuery(
            LocalDate.parse("2026-11-22"),
            LocalDate.parse("2026-11-22"),
            List.of(ReportQuery.Key.USER, ReportQuery.Key.ROLE),
            ReportQuery.Format.CSV);
    String csv = new String(report(query, 100).bytes(), StandardCharsets.UTF_8);
    assertThat(csv)
        .startsWith(
            "user,role,requests,input_tokens,output_tokens,cache_read_tokens,"
                + "cache_write_5m_tokens,cache_write_1h_tokens,thinking_tokens,web_searches,"
                + "web_fetches,cost_usd,requests_without_price,requests_estimated,"
                + "requests_unknown\r\n")
        .contains("\r\n'=1+1,,1,10,20,0,0,0,0,0,0,0.5,0,0,0\r\n")
        .contains("\r\n\"Smith, \"\"Al\"\"\",,1,10,20,0,0,0,0,0,0,,1,0,0\r\n")
        .endsWith("\r\nzoe,,1,10,20,0,0,0,0,0,0,10,0,0,0\r\n");
  }
}
