package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.databases.PostgresServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process with a ledger and a PostgreSQL, both stopped and killed under load: in the end every
 * record is in the table, and none twice. Lost may be what was recorded in the moment before a
 * process was killed, counted here generously as a second.
 */
@Tag("long")
final class LedgerUnderFaultsTest {

  private static final int MANY = 1_000_000;

  @TempDir Path spool;
  private final List<Child> children = new ArrayList<>();

  @AfterEach
  void endChildren() throws InterruptedException {
    for (Child child : children) {
      child.process.destroyForcibly().waitFor();
    }
  }

  /** One run of {@link LedgerMain}. */
  private final class Child {
    private final Process process;
    private final Map<String, Long> recorded = new ConcurrentSkipListMap<>();
    private final List<String> words = new CopyOnWriteArrayList<>();
    private final Thread reader;

    Child(PostgresServer postgres, String name, int count) throws IOException {
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx256m",
                  "-cp",
                  System.getProperty("java.class.path"),
                  LedgerMain.class.getName(),
                  postgres.url(),
                  postgres.user(),
                  postgres.password(),
                  spool.toString(),
                  name,
                  Integer.toString(count))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      children.add(this);
      reader = new Thread(this::read, "child-" + name);
      reader.setDaemon(true);
      reader.start();
      awaitWord("ready");
    }

    private void read() {
      try (BufferedReader out =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
        for (String line = out.readLine(); line != null; line = out.readLine()) {
          String[] parts = line.split(" ", 2);
          if (line.matches("\\w+-\\d{6} \\d+")) {
            recorded.put(parts[0], Long.parseLong(parts[1]));
          } else {
            words.add(line);
          }
        }
      } catch (IOException e) {
        words.add("gone");
      }
    }

    final void awaitWord(String start) {
      Awaitility.await(start)
          .atMost(Duration.ofSeconds(60))
          .until(() -> words.stream().anyMatch(word -> word.startsWith(start)));
    }

    void awaitMore(int records) {
      int before = recorded.size();
      Awaitility.await("records")
          .atMost(Duration.ofSeconds(60))
          .until(() -> recorded.size() >= before + records);
    }

    /** Kills it; what it had recorded more than a second before that must be on the books. */
    Set<String> kill() throws InterruptedException {
      long killedAt = System.currentTimeMillis();
      process.destroyForcibly().waitFor();
      reader.join(10_000);
      Set<String> due = new TreeSet<>();
      recorded.forEach(
          (id, at) -> {
            if (at < killedAt - 1_000) {
              due.add(id);
            }
          });
      return due;
    }

    /** Lets it end by itself once all is delivered; what it says then. */
    String end() throws IOException, InterruptedException {
      OutputStream in = process.getOutputStream();
      in.write('\n');
      in.flush();
      awaitWord("kept");
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      reader.join(10_000);
      return words.get(words.size() - 1);
    }
  }

  private static List<String> ids(PostgresServer postgres) throws SQLException {
    List<String> ids = new ArrayList<>();
    try (Connection connection =
            DriverManager.getConnection(postgres.url(), postgres.user(), postgres.password());
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT id FROM headrace_usage")) {
      while (rows.next()) {
        ids.add(rows.getString(1));
      }
    }
    return ids;
  }

  @Test
  void nothingIsLostOrTwiceWhenBothAreStoppedAndKilled() throws Exception {
    stopAndKill(Duration.ofSeconds(2));
  }

  @Test
  void nothingIsLostOrTwiceWhenTheDatabaseIsDownForAMinute() throws Exception {
    stopAndKill(Duration.ofSeconds(60));
  }

  private void stopAndKill(Duration down) throws Exception {
    try (PostgresServer postgres = PostgresServer.start()) {
      Child first = new Child(postgres, "first", MANY);
      first.awaitMore(300);
      postgres.stop();
      Thread.sleep(down.toMillis()); // the outage itself
      postgres.resume();
      first.awaitMore(1_500); // so that it is delivering again
      postgres.kill();
      first.awaitMore(1_500);
      Set<String> due = first.kill(); // while the database is down
      assertThat(due).hasSizeGreaterThan(1_500);

      postgres.resume();
      Child second = new Child(postgres, "second", MANY);
      second.awaitMore(500);
      postgres.kill();
      postgres.resume();
      second.awaitMore(2_000);
      due.addAll(second.kill()); // in the middle of its work

      Child third = new Child(postgres, "third", MANY);
      third.awaitMore(500);
      assertThat(third.end()).endsWith(" dropped 0");
      due.addAll(third.recorded.keySet());

      List<String> kept = ids(postgres);
      Set<String> recorded = new TreeSet<>(first.recorded.keySet());
      recorded.addAll(second.recorded.keySet());
      recorded.addAll(third.recorded.keySet());
      Set<String> missing = new TreeSet<>(due);
      missing.removeAll(kept);
      assertThat(missing).as("lost").isEmpty();
      assertThat(kept).as("twice").doesNotHaveDuplicates();
      assertThat(kept.size()).as("more than one line unprinted").isLessThan(recorded.size() + 10);
      Set<String> gone = new TreeSet<>(recorded);
      gone.removeAll(kept);
      Figures.note(
          "ledger under faults, database down for " + down.toSeconds() + " s",
          recorded.size() + " records, of which the kills lost " + gone.size());
    }
  }
}
