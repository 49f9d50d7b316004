package dev.headrace.containers;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.databases.PostgresServer;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A whole gateway under load whose database is stopped and killed, and which is itself killed and
 * started again: its ledger against the simulator's own account of what it has sent.
 */
@Tag("long")
final class BooksSurviveTest {

  private static final int CLIENTS = 8;

  @TempDir Path spool;
  private final List<Process> processes = new ArrayList<>();

  @AfterEach
  void endProcesses() throws InterruptedException {
    for (Process process : processes) {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void theLedgerIsCompleteAfterBothWereKilled() throws Exception {
    run(Duration.ofSeconds(2), Duration.ofSeconds(2));
  }

  @Test
  void theLedgerIsCompleteAfterAMinuteWithoutADatabase() throws Exception {
    run(Duration.ofSeconds(60), Duration.ofSeconds(10));
  }

  private void run(Duration down, Duration up) throws Exception {
    AtomicInteger number = new AtomicInteger();
    try (PostgresServer postgres = PostgresServer.start();
        ClaudeSimulator claude =
            ClaudeSimulator.builder()
                .apiKey(GatewayUnderTest.API_KEY)
                .rememberRequests(1_000_000)
                .answersBy(
                    request -> {
                      int i = number.incrementAndGet();
                      return Answer.text("Hello", " you", " there").usage(100 + i % 7, 5 + i % 11);
                    })
                .start()) {
      Books books = new Books(claude);
      Gate first = new Gate(claude, postgres);
      books.load(first.port, up);
      postgres.stop();
      books.load(first.port, down);
      postgres.resume();
      books.load(first.port, up);
      postgres.kill();
      books.loadUntilKilled(first, up);

      postgres.resume();
      Gate second = new Gate(claude, postgres);
      books.load(second.port, up);
      books.loadUntilKilled(second, up);

      Gate third = new Gate(claude, postgres);
      books.load(third.port, up);
      third.close();

      books.compare(postgres, down);
    }
  }

  /** One gateway process. */
  private final class Gate {
    final Process process;
    final int port;
    private final BufferedReader out;

    Gate(ClaudeSimulator claude, PostgresServer postgres) throws IOException {
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx256m",
                  "-cp",
                  System.getProperty("java.class.path"),
                  GatewayMain.class.getName(),
                  ContainerKind.JETTY.name(),
                  claude.baseUrl().toString(),
                  postgres.url(),
                  postgres.user(),
                  postgres.password(),
                  spool.toString())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      processes.add(process);
      out =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
      String line = out.readLine();
      while (line != null && !line.startsWith("port ")) {
        line = out.readLine(); // the log goes there too
      }
      port = Integer.parseInt(requireNonNull(line, "the gateway did not start").substring(5));
    }

    void close() throws IOException, InterruptedException {
      process.getOutputStream().close();
      String line = out.readLine();
      while (line != null && !line.equals("closed")) {
        line = out.readLine();
      }
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    }
  }

  /** What is known outside of the gateway. */
  private static final class Books {
    private final ClaudeSimulator claude;

    /** By the API's request id: when the client had the whole answer. */
    private final Map<String, Long> delivered = new ConcurrentHashMap<>();

    private final List<Long> kills = new ArrayList<>();

    Books(ClaudeSimulator claude) {
      this.claude = claude;
    }

    void load(int port, Duration time) throws InterruptedException {
      List<Thread> clients = new ArrayList<>();
      long end = System.nanoTime() + time.toNanos();
      for (int i = 0; i < CLIENTS; i++) {
        Thread client = new Thread(() -> askUntil(port, end), "client-" + i);
        client.start();
        clients.add(client);
      }
      for (Thread client : clients) {
        client.join();
      }
    }

    void loadUntilKilled(Gate gate, Duration time) throws InterruptedException {
      Thread killer =
          new Thread(
              () -> {
                try {
                  TimeUnit.NANOSECONDS.sleep(time.toNanos()); // in the middle of the load
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
                kills.add(System.currentTimeMillis());
                gate.process.destroyForcibly();
              });
      killer.start();
      load(gate.port, time.plusSeconds(2));
      killer.join();
    }

    private void askUntil(int port, long end) {
      while (System.nanoTime() < end) {
        try (RawClient client = RawClient.connect(port)) {
          RawClient.Reply reply = client.post(Requests.streaming("Hello")).reply();
          if (reply.end() == RawClient.End.COMPLETE && reply.status() == 200) {
            delivered.put(reply.header("request-id").orElseThrow(), System.currentTimeMillis());
          }
        } catch (IOException | RuntimeException e) {
          return; // killed
        }
      }
    }

    void compare(PostgresServer postgres, Duration down) throws SQLException {
      Map<String, long[]> kept = new HashMap<>();
      int rows = 0;
      try (Connection connection =
              DriverManager.getConnection(postgres.url(), postgres.user(), postgres.password());
          Statement statement = connection.createStatement();
          ResultSet result =
              statement.executeQuery(
                  "SELECT upstream_request_id, input_tokens, output_tokens FROM headrace_usage")) {
        while (result.next()) {
          rows++;
          kept.put(result.getString(1), new long[] {result.getLong(2), result.getLong(3)});
        }
      }
      assertThat(kept).as("none twice").hasSize(rows);
      int due = 0;
      long input = 0;
      long booked = 0;
      for (SeenRequest request : claude.requests()) {
        Long at = delivered.get(request.requestId());
        boolean justBeforeAKill =
            at != null && kills.stream().anyMatch(kill -> at > kill - 1_000 && at <= kill + 5_000);
        if (at == null || justBeforeAKill) {
          continue; // torn by the kill, or not yet on the disk: in flight
        }
        due++;
        long[] row = kept.get(request.requestId());
        assertThat(row).as("on the books: %s", request.requestId()).isNotNull();
        long[] counts = requireNonNull(row);
        assertThat(counts[0]).isEqualTo(request.usageSent().inputTokens());
        assertThat(counts[1]).isEqualTo(request.usageSent().outputTokens());
        input += request.usageSent().inputTokens();
        booked += counts[0];
      }
      assertThat(booked).isEqualTo(input);
      assertThat(due).isGreaterThan(500);
      Figures.note(
          "whole gateway, database down for " + down.toSeconds() + " s, gateway killed twice",
          "%d answers delivered, %d due, all booked; %d rows, none twice"
              .formatted(delivered.size(), due, rows));
    }
  }
}
