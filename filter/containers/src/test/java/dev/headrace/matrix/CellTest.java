package dev.headrace.matrix;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.Figures;
import dev.headrace.containers.RawClient;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.containers.Requests;
import dev.headrace.matrix.Protocol.Client;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;

/** What the cases of one cell share: the server, started once; clients, closed after each case. */
abstract class CellTest {

  static final String STREAMING = Requests.streaming("Hello");

  /** Plain text in eight events; the third is a ping, the fourth the first with content. */
  static final String TEXT = new String(Transcripts.text(), UTF_8);

  static final String COMMENT = ": keep-alive\n\n";

  private static @Nullable Bench bench;
  private static long startedNanos;
  private static long upNanos;
  private static final Map<Protocol, Boolean> ASYNC = new EnumMap<>(Protocol.class);
  private static final Map<Protocol, List<String>> NOTICED = new EnumMap<>(Protocol.class);

  private final List<Client> clients = new ArrayList<>();
  final Cell cell;

  CellTest(Cell cell) {
    this.cell = cell;
  }

  @BeforeParameterizedClassInvocation
  static void startServer(Cell cell) throws Exception {
    ASYNC.clear();
    NOTICED.clear();
    startedNanos = System.nanoTime();
    bench = Bench.start(cell);
    upNanos = System.nanoTime();
  }

  /** Also compares what was measured with the README, as far as it must be the same each time. */
  @AfterParameterizedClassInvocation
  static void stopServer(Cell cell) throws Exception {
    requireNonNull(bench, "bench").close();
    bench = null;
    Figures.note(
        "matrix, " + cell.id(),
        "%d s in all, %d s of them until all applications were up"
            .formatted(
                TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startedNanos),
                TimeUnit.NANOSECONDS.toSeconds(upNanos - startedNanos)));
    List<Row> rows = new ArrayList<>();
    for (Protocol protocol : cell.protocols()) {
      if (ASYNC.containsKey(protocol)) {
        rows.add(
            Row.of(
                cell,
                protocol,
                requireNonNull(ASYNC.get(protocol)),
                String.join(", ", NOTICED.getOrDefault(protocol, List.of()))));
      }
    }
    MatrixTable.keep(cell, rows);
    if (MatrixTable.IS_WRITTEN) {
      MatrixTable.write();
    } else {
      Map<String, Row> inReadme = MatrixTable.byKey(MatrixTable.inReadme());
      for (Row row : rows) {
        Row known = inReadme.get(row.key());
        if (known != null) { // that none is missing is MatrixTableTest's matter
          assertThat(row.lasting()).as("measured, against the README").isEqualTo(known.lasting());
        }
      }
    }
  }

  /** Notes for the table whether streams were asynchronous. */
  static void noteAsync(Protocol protocol, boolean async) {
    ASYNC.put(protocol, async);
  }

  /** Notes for the table after what time a client that had left was noticed. */
  static void noteNoticed(Protocol protocol, String words) {
    NOTICED.computeIfAbsent(protocol, key -> new ArrayList<>()).add(words);
  }

  static List<Protocol> protocols() {
    return bench().cell().protocols();
  }

  static Bench bench() {
    return requireNonNull(bench, "bench");
  }

  static ClaudeSimulator claude() {
    return bench().claude();
  }

  static int port() {
    return bench().server().port();
  }

  /** A client that is closed after the case. */
  final Client client(Protocol protocol) throws IOException {
    Client client = protocol.connect(port());
    clients.add(client);
    return client;
  }

  final Client narrowClient(Protocol protocol) throws IOException {
    Client client = protocol.connectNarrow(port());
    clients.add(client);
    return client;
  }

  /** One answer on a connection of its own. */
  static Reply post(Context context, String body, String... headerLines) throws IOException {
    try (RawClient client = RawClient.connect(port())) {
      return client.post(context.messages(), body, headerLines).reply();
    }
  }

  static boolean isReady(int port, Context context) throws IOException {
    try (RawClient client = RawClient.connect(port)) {
      return client.request("GET", context.path("/ops/ready")).reply().status() == 200;
    }
  }

  /** Waits until no answer of the simulator's is under way. */
  static void awaitIdle() {
    Awaitility.await("upstream answers")
        .atMost(Duration.ofSeconds(20))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(10))
        .until(() -> claude().openStreams() == 0);
  }

  @AfterEach
  final void everythingIsGivenBack() throws Exception {
    for (Client client : clients) {
      client.close();
    }
    claude().reset();
    try {
      awaitIdle();
    } finally {
      claude().resetConnections(); // whatever went wrong, the next case begins afresh
    }
  }

  /** The first events of {@link #TEXT}. */
  static String firstEvents(int count) {
    int end = 0;
    for (int i = 0; i < count; i++) {
      end = TEXT.indexOf("\n\n", end) + 2;
    }
    return TEXT.substring(0, end);
  }

  /** Their length in bytes. */
  static int endOfEvent(int number) {
    return firstEvents(number).getBytes(UTF_8).length;
  }
}
