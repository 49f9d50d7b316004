package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.GatewayInside;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Measures how soon a client that has left is noticed, for the table in the README: the median of
 * five runs each, at 20 events a second and with a heartbeat of 200 ms. What must hold in any case,
 * whatever the machine, is in {@link ClientLeavesAtAnyMomentTest}.
 */
@Tag("long")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class ClientLeavesFiguresTest extends GatewayContract {

  private static final int RUNS = 5;
  private static final Duration SOON = Duration.ofSeconds(10);

  private static final Duration HEARTBEAT = Duration.ofMillis(200);
  private static final String EVENTS = "while events flow";
  private static final String SILENCE = "in silence";
  private static final String BEFORE = "before the first event";
  private static final String WAIT = "in the wait between attempts";

  private static final List<Departure> MEASURED =
      List.of(Departure.FIN, Departure.RST, Departure.HTTP2_STREAM_RESET, Departure.HTTP2_FIN);

  private record Run(long micros, long events) {}

  ClientLeavesFiguresTest(ContainerKind kind) {
    super(kind);
  }

  /** Without early commit; over HTTP/1.1 nothing can be noticed before the first event then. */
  @Test
  void medians() throws Exception {
    GatewayUnderTest headrace = startToMeasure(s -> s);
    onOneThreadEach(
        MEASURED,
        how -> {
          measure(headrace, how, EVENTS);
          measure(headrace, how, SILENCE);
          if (how.isTold()) {
            measure(headrace, how, BEFORE);
          }
        });
    for (Departure how : MEASURED) {
      if (how.isTold()) {
        measureWait(headrace, how);
      }
    }
  }

  @Test
  void mediansWithEarlyCommit() throws Exception {
    GatewayUnderTest headrace = startToMeasure(s -> s.timeoutsEarlyCommit(Duration.ofMillis(100)));
    List<Departure> http1 = List.of(Departure.FIN, Departure.RST);
    onOneThreadEach(http1, how -> measure(headrace, how, BEFORE));
    for (Departure how : http1) {
      measureWait(headrace, how);
    }
  }

  private GatewayUnderTest startToMeasure(UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    String[] deltas = new String[2_000];
    Arrays.fill(deltas, "lo");
    Answer flowing = Answer.text("Hel", deltas).paced(20);
    GatewayUnderTest headrace =
        start(
            ClaudeSimulator.builder()
                .apiKey(KEY)
                .recordEventTimes()
                .answersBy(
                    request -> {
                      String body = request.bodyText();
                      if (body.contains(EVENTS)) {
                        return flowing;
                      } else if (body.contains(SILENCE)) {
                        return Answer.text("Hel").stallAfterEvents(4);
                      } else if (body.contains(BEFORE)) {
                        return Answer.text("never").stallBeforeHead();
                      } else if (body.contains(WAIT)) {
                        return Answer.status(529).retryAfter(Duration.ofSeconds(60));
                      }
                      return Answer.text("warm");
                    }),
            s ->
                change.apply(
                    s.timeoutsHeartbeat(HEARTBEAT)
                        .retryBudgetPerSecond(10_000)
                        .breakerEnabled(false)));
    for (Departure how : MEASURED) {
      for (int i = 0; i < 10; i++) {
        try (Departure.Client client = how.connect(headrace.port())) {
          client.post(STREAMING);
          client.readUntil("message_stop");
        }
      }
    }
    headrace.awaitIdle(SOON);
    return headrace;
  }

  private interface Measurement {
    void of(Departure how) throws Exception;
  }

  private static void onOneThreadEach(List<Departure> departures, Measurement measurement)
      throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(departures.size());
    try {
      List<Future<?>> all = new ArrayList<>();
      for (Departure how : departures) {
        all.add(
            threads.submit(
                () -> {
                  measurement.of(how);
                  return null;
                }));
      }
      for (Future<?> one : all) {
        one.get(60, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }
  }

  private void measure(GatewayUnderTest headrace, Departure how, String when) throws Exception {
    List<Run> runs = new ArrayList<>();
    for (int i = 0; i < RUNS; i++) {
      String prompt = "by " + how + " " + when + " " + i;
      try (Departure.Client client = how.connect(headrace.port())) {
        client.post(Requests.streaming(prompt));
        SeenRequest request = seen(headrace, prompt);
        if (!when.equals(BEFORE)) {
          client.readUntil("Hel");
          request.awaitEvents(4, SOON);
        } else if (!how.isTold()) {
          client.readUntil(": keep-alive\n\n");
        }

        long left = client.leave();

        request.awaitClientGone(SOON);
        long gone = request.clientGoneAtNanos().orElseThrow();
        runs.add(new Run((gone - left) / 1_000, request.eventsSentAfter(left)));
      }
    }
    note(how, when, runs);
  }

  private static SeenRequest seen(GatewayUnderTest headrace, String prompt) {
    return Awaitility.await("the upstream's request")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(1))
        .until(
            () ->
                headrace.claude().requests().stream()
                    .filter(request -> request.bodyText().contains(prompt))
                    .findFirst(),
            java.util.Optional::isPresent)
        .orElseThrow();
  }

  /** No upstream sees them go, so that only their number tells: all leave at the same moment. */
  private void measureWait(GatewayUnderTest headrace, Departure how) throws Exception {
    headrace.awaitIdle(SOON);
    List<Departure.Client> clients = new ArrayList<>();
    for (int i = 0; i < RUNS; i++) {
      Departure.Client client = how.connect(headrace.port());
      clients.add(client);
      client.post(Requests.streaming(how + " " + WAIT));
    }
    Awaitility.await("waits")
        .atMost(SOON)
        .until(() -> GatewayInside.scheduledTasks(headrace.gateway()) > RUNS);
    long attempts = headrace.claude().attempts();
    for (Departure.Client client : clients) {
      if (!how.isTold()) {
        client.readUntil(": keep-alive\n\n");
      }
    }
    ContainerThreads.awaitNoneInARequest();
    long left = System.nanoTime();
    for (Departure.Client client : clients) {
      client.leaveAtOnce();
    }
    List<Run> runs = new ArrayList<>();
    while (runs.size() < RUNS && System.nanoTime() - left < SOON.toNanos()) {
      int gone = RUNS - headrace.gateway().runningExchanges();
      while (runs.size() < gone) {
        runs.add(
            new Run((System.nanoTime() - left) / 1_000, headrace.claude().attempts() - attempts));
      }
      Thread.onSpinWait();
    }
    for (Departure.Client client : clients) {
      client.close();
    }
    note(how, WAIT, runs);
  }

  private void note(Departure how, String when, List<Run> runs) {
    assertThat(runs).hasSize(RUNS);
    long micros =
        runs.stream().mapToLong(Run::micros).sorted().skip(RUNS / 2).findFirst().orElse(0);
    long events =
        runs.stream().mapToLong(Run::events).sorted().skip(RUNS / 2).findFirst().orElse(0);
    Figures.note(
        kind(),
        "noticed that a client has left: " + how.described() + ", " + when,
        (micros < 10_000 ? String.valueOf(micros / 1_000.0) : String.valueOf(micros / 1_000))
            + " ms, "
            + events
            + " events sent meanwhile");
    assertThat(micros).isBetween(1L, 5_000_000L);
  }
}
