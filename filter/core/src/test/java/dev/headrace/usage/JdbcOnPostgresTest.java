package dev.headrace.usage;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

import dev.headrace.databases.PostgresServer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JdbcOnPostgresTest extends JdbcContract {

  private static @Nullable PostgresServer server;

  @BeforeAll
  static void start() throws Exception {
    server = PostgresServer.start();
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static PostgresServer server() {
    return requireNonNull(server);
  }

  @Override
  String url() {
    return server().url();
  }

  @Override
  String user() {
    return server().user();
  }

  @Override
  String password() {
    return server().password();
  }

  @Test
  void serverThatHangsIsNoticed() throws Exception {
    JdbcSink sink = new JdbcSink(database(), Duration.ofMillis(500));
    sink.keep(List.of(Records.full("a")));
    server().freeze();
    try {
      long before = System.nanoTime();
      assertThatExceptionOfType(SQLException.class)
          .isThrownBy(() -> sink.keep(List.of(Records.full("b"))));
      assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
    } finally {
      server().thaw();
    }
    sink.keep(List.of(Records.full("b")));
    assertThat(ids()).containsExactly("a", "b");
    sink.close();
  }

  @Test
  void callThatHangsIsEndedFromAnotherThread() throws Exception {
    JdbcSink sink = new JdbcSink(database(), Duration.ofMinutes(1));
    sink.keep(List.of(Records.full("a")));
    server().freeze();
    try {
      Thread caller =
          new Thread(
              () ->
                  assertThatExceptionOfType(SQLException.class)
                      .isThrownBy(() -> sink.keep(List.of(Records.full("b")))));
      caller.start();
      await().until(() -> caller.getState() != Thread.State.NEW && isReading(caller));
      sink.abort();
      caller.join(5_000);
      assertThat(caller.isAlive()).isFalse();
    } finally {
      server().thaw();
    }
  }

  private static boolean isReading(Thread thread) {
    for (StackTraceElement frame : thread.getStackTrace()) {
      if (frame.getClassName().startsWith("sun.nio.ch") || frame.getMethodName().equals("read")) {
        return true;
      }
    }
    return false;
  }

  @Test
  void whatComesWhileTheServerIsStoppedOrKilledIsThereOnceAfterwards(@TempDir Path folder)
      throws Exception {
    JdbcSink sink = sink();
    SpooledSink spooled = SpooledSink.open("jdbc", sink, sink::abort, folder, 10 << 20, 10_000);
    Records.numbered(0, 100).forEach(spooled::offer);
    await().until(() -> spooled.figures().kept() == 100);
    server().stop();
    Records.numbered(100, 200).forEach(spooled::offer);
    await().until(() -> spooled.figures().spooledBytes() > 0);
    server().resume();
    Records.numbered(200, 300).forEach(spooled::offer);
    await().until(() -> spooled.figures().kept() == 300);
    server().kill();
    Records.numbered(300, 400).forEach(spooled::offer);
    server().resume();
    await().until(() -> spooled.figures().kept() == 400);
    spooled.close(Duration.ofSeconds(5));
    assertThat(ids()).isEqualTo(Records.ids(Records.numbered(0, 400)));
    assertThat(SinkThreadNames.alive()).isEmpty();
  }

  @Test
  void whatTheEncodingOfTheDatabaseDoesNotHaveStopsNoRecord() throws Exception {
    try (Connection connection = database().connect();
        Statement statement = connection.createStatement()) {
      statement.execute("DROP DATABASE IF EXISTS old");
      statement.execute(
          "CREATE DATABASE old ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    }
    Database old = Database.of(settings(url().replaceAll("/[^/]*$", "/old"), user(), password()));
    JdbcSink sink = new JdbcSink(old);
    sink.keep(
        List.of(
            Records.of("1", "2026-11-10T00:00:00Z", "J\u00f6rg", "m", "1"),
            Records.of("2", "2026-11-10T00:00:00Z", "\u0141ukasz", "x\ud83d\ude00", "2"),
            Records.of("3", "2026-11-10T00:00:00Z", "ann", "m", "3")));
    sink.keep(List.of(Records.of("4", "2026-11-10T00:00:00Z", "bob", "m", "4")));
    sink.close();
    List<String> found = new ArrayList<>();
    try (Connection connection = old.connect();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "SELECT id || ' ' || user_name || ' ' || model_served FROM headrace_usage"
                    + " ORDER BY id")) {
      while (rows.next()) {
        found.add(rows.getString(1));
      }
    }
    assertThat(found).containsExactly("1 J\u00f6rg m", "2 ?ukasz x?", "3 ann m", "4 bob m");
  }

  @Test
  void userWhoMayOnlyReadAndInsertCanUseTablesThatAreThere() throws Exception {
    sink().keep(List.of(Records.full("a")));
    execute("DROP ROLE IF EXISTS clerk");
    execute("CREATE ROLE clerk LOGIN PASSWORD 'clerk-password'");
    execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    execute("GRANT SELECT, INSERT ON headrace_usage, headrace_schema TO clerk");
    Database asClerk = Database.of(settings(url(), "clerk", "clerk-password"));
    JdbcSink sink = new JdbcSink(asClerk);
    sink.keep(List.of(Records.full("a"), Records.full("b")));
    sink.close();
    assertThat(ids()).containsExactly("a", "b");
    execute("DROP TABLE headrace_usage, headrace_schema");
    execute("DROP OWNED BY clerk");
    execute("DROP ROLE clerk");
  }
}
