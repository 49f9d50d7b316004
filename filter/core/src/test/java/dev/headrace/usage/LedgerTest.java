package dev.headrace.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.spi.UsageSink;
import java.nio.file.Path;
import java.sql.Driver;
import java.sql.DriverManager;
import java.time.Clock;
import java.util.AbstractMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {

  @TempDir Path spool;

  @AfterEach
  void noThreadRemains() {
    await().until(() -> SinkThreadNames.alive().isEmpty());
  }

  private static GatewaySettingsBuilder settings() {
    return GatewaySettings.builder().enabled(false).usageLog(false);
  }

  private GatewaySettingsBuilder withH2(String name) {
    return settings().usageSpool(spool).usageJdbcUrl("jdbc:h2:mem:" + name + ";DB_CLOSE_DELAY=-1");
  }

  private static Ledger open(GatewaySettingsBuilder settings) {
    return Ledger.open(settings.build().usage(), Map.of());
  }

  @Test
  void withoutAnythingThatKeepsRecordsThereIsNoThread() {
    try (Ledger ledger = open(settings())) {
      Records.numbered(0, 100).forEach(ledger::record);
      assertThat(SinkThreadNames.alive()).isEmpty();
      assertThat(ledger.sinks()).isEmpty();
      assertThat(ledger.totals().tokens("m", UsageTotals.TokenClass.INPUT)).isEqualTo(1_000);
    }
  }

  @Test
  void logAloneHasAThreadOnlyOnceThereIsSomethingToWrite() {
    try (LogLines log = new LogLines("dev.headrace.usage");
        Ledger ledger = open(settings().usageLog(true))) {
      assertThat(SinkThreadNames.alive()).isEmpty();
      ledger.record(Records.full("a"));
      await().until(() -> log.all().size() == 1);
      assertThat(log.all()).containsExactly("INFO " + UsageRecordJson.write(Records.full("a")));
    }
  }

  @Test
  void eachSinkGetsEveryRecordAndAFailingOneHoldsNoOtherUp() throws Exception {
    ScriptedSink failing = new ScriptedSink().now(ScriptedSink.Mode.FAILS);
    ScriptedSink good = new ScriptedSink();
    Ledger ledger =
        Ledger.open(withH2("each").build().usage(), Map.of("failing", failing, "good", good));
    try (ledger) {
      Records.numbered(0, 300).forEach(ledger::record);
      await().until(() -> good.kept().size() == 300 && figures(ledger, "jdbc").kept() == 300);
      await().until(() -> figures(ledger, "failing").waiting() == 300);
      UsageReport report =
          ledger.report(
              ReportQuery.parse(
                  Map.of("from", "2026-11-22", "to", "2026-11-22", "by", "user"),
                  Clock.systemUTC()));
      assertThat(report.bytes()).asString().contains("\"user\":\"u\",\"requests\":300");
    }
    assertThat(spool.resolve("failing")).isDirectoryContaining("glob:**.usage");
  }

  private static SinkFigures figures(Ledger ledger, String sink) {
    return ledger.sinks().stream()
        .filter(each -> each.sink().equals(sink))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void databaseThatIsDownIsNoReasonNotToStartAndRecordsWait() {
    GatewaySettingsBuilder down =
        settings().usageSpool(spool).usageJdbcUrl("jdbc:postgresql://127.0.0.1:1/none");
    try (Ledger ledger = open(down)) {
      Records.numbered(0, 10).forEach(ledger::record);
      await().until(() -> figures(ledger, "jdbc").spooledBytes() > 0);
    }
    try (Ledger ledger = open(down)) {
      await().until(() -> figures(ledger, "jdbc").waiting() == 10);
    }
  }

  @Test
  void driverThatIsNotThereIsAWrongSetting() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> open(settings().usageSpool(spool).usageJdbcUrl("jdbc:nosuch:x")))
        .withMessageStartingWith("usage.jdbc-url: there is no JDBC driver for it");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> open(withH2("x").usageJdbcDriver("org.example.Missing")))
        .withMessageStartingWith("usage.jdbc-driver: org.example.Missing cannot be loaded");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> open(withH2("x").usageJdbcDriver("org.postgresql.Driver")))
        .withMessageStartingWith("usage.jdbc-driver: org.postgresql.Driver does not take");
  }

  @Test
  void dataSourceThatIsNotThereIsAWrongSetting() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> open(settings().usageSpool(spool).usageDataSource("jdbc/books")))
        .withMessageStartingWith("usage.data-source: jdbc/books is not in the container's JNDI");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> open(settings().usageSpool(spool).usageDataSource("ldap://host/x")))
        .withMessageStartingWith("usage.data-source: is a URL");
  }

  @Test
  void driverByClassNameWorksAndNothingOfOthersIsDeregistered() {
    List<Driver> before = DriverManager.drivers().toList();
    try (Ledger ledger = open(withH2("named").usageJdbcDriver("org.h2.Driver"))) {
      ledger.record(Records.full("a"));
      await().until(() -> figures(ledger, "jdbc").kept() == 1);
    }
    assertThat(DriverManager.drivers().toList()).isEqualTo(before);
  }

  @Test
  void secondLedgerDoesNotGetTheSpool() {
    try (Ledger first = open(withH2("lock"))) {
      assertThat(first.hasDatabase()).isTrue();
      assertThatIllegalArgumentException()
          .isThrownBy(() -> open(withH2("lock")))
          .withMessageContaining("is in use by another gateway");
    }
    open(withH2("lock")).close();
  }

  @Test
  void anErrorInTheMiddleOfTheStartLeavesNoLock() {
    Map<String, UsageSink> failing =
        new AbstractMap<>() {
          @Override
          public Set<Entry<String, UsageSink>> entrySet() {
            return Set.of(Map.entry("first", new ScriptedSink()));
          }

          @Override
          public void forEach(BiConsumer<? super String, ? super UsageSink> action) {
            super.forEach(action);
            throw new OutOfMemoryError("no thread is to be had");
          }
        };
    GatewaySettings.Usage settings = settings().usageSpool(spool).build().usage();
    assertThatThrownBy(() -> Ledger.open(settings, failing)).isInstanceOf(OutOfMemoryError.class);
    Ledger.open(settings, Map.of("first", new ScriptedSink())).close();
  }

  @Test
  void nameOfASinkMustBeFitForAFolder() {
    for (String name : List.of("jdbc", "log", "../x", "A", "", "a".repeat(201))) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> Ledger.open(settings().build().usage(), Map.of(name, new ScriptedSink())))
          .withMessageStartingWith("The name of a usage sink cannot be used: ");
    }
  }

  @Test
  void recordAfterTheCloseNeitherThrowsNorStartsAThread() {
    Ledger ledger = open(withH2("closed").usageLog(true));
    ledger.close();
    ledger.close();
    ledger.record(Records.full("a"));
    assertThat(figures(ledger, "jdbc").dropped()).isEqualTo(1);
    assertThat(figures(ledger, "log").dropped()).isEqualTo(1);
  }
}
