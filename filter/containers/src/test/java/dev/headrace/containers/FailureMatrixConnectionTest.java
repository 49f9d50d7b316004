package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The failure matrix, connections that give no answer, or not even the beginning of one. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class FailureMatrixConnectionTest extends FailureContract {

  private static final String NO_ANSWER = "The API closed the connection without an answer.";
  private static final String BROKEN_ANSWER =
      "The API closed the connection in the middle of its answer.";

  /**
   * One way in which a connection fails, done to every attempt.
   *
   * @param message what the client reads
   * @param cause the detail of the outcome
   */
  record Row(String name, Answer answer, String message, String cause) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static Row noAnswer(String name, Answer answer) {
    return new Row(name, answer, NO_ANSWER, "NO_RESPONSE");
  }

  private static Row broken(String name, Answer answer) {
    return new Row(name, answer, BROKEN_ANSWER, "CUT");
  }

  private static Answer raw(String bytes) {
    return Answer.rawHttp(bytes.getBytes(UTF_8));
  }

  static Stream<Arguments> everyRow() {
    String eventStream = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
    return withEachAsked(
        List.of(
            noAnswer("closed before the head", Answer.text("a").closeBeforeHead()),
            noAnswer("reset before the head", Answer.text("a").resetBeforeHead()),
            noAnswer("not HTTP at all", raw("SSH-2.0-OpenSSH_9.9\r\n")),
            noAnswer("a status that is none", raw("HTTP/1.1 abc\r\n\r\n")),
            noAnswer("half a head", raw("HTTP/1.1 200 OK\r\nConte")),
            broken("a head and nothing else", raw(eventStream + "Content-Length: 5\r\n\r\n")),
            broken(
                "a chunk without a size",
                raw(eventStream + "Transfer-Encoding: chunked\r\n\r\nzz")),
            broken("cut within the first event", Answer.transcript(TEXT).cutAtByte(20)),
            broken("reset within the first event", Answer.transcript(TEXT).resetAtByte(20))));
  }

  FailureMatrixConnectionTest(ContainerKind kind) {
    super(kind);
  }

  @ParameterizedTest(name = "{0}, asked for {1}")
  @MethodSource("everyRow")
  void aConnectionThatFailsEachTimeBecomesABadGatewayAfterThreeAttempts(Row row, Asked asked)
      throws Exception {
    GatewayUnderTest headrace = start(FailureContract::quick);
    headrace.claude().answersAlways(row.answer());

    RawClient.Reply reply = post(headrace, asked.body());

    assertError(reply, 502, "api_error", row.message());
    assertThat(reply.header("x-should-retry")).hasValue("false");
    assertThat(headrace.claude().attempts()).isEqualTo(3);
    assertOutcome(headrace, "UPSTREAM_CUT(" + row.cause() + ")");
  }

  @ParameterizedTest(name = "{0}, asked for {1}")
  @MethodSource("everyRow")
  void afterTwoSuchConnectionsTheThirdAttemptIsAllThatTheClientSees(Row row, Asked asked)
      throws Exception {
    GatewayUnderTest headrace = start(FailureContract::quick);
    headrace
        .claude()
        .answers(row.answer())
        .answers(row.answer())
        .answers(Answer.transcript(TEXT))
        .answersAlways(row.answer());

    assertCleanAnswer(post(headrace, asked.body()), asked);

    assertThat(headrace.claude().attempts()).isEqualTo(3);
    assertOutcome(headrace, "COMPLETED");
  }

  @Test
  void aHundredFailuresCostNoThread() throws Exception {
    GatewayUnderTest headrace =
        start(
            s ->
                quick(s)
                    .retryWaitDuration(Duration.ofMillis(1))
                    .retryMaxWaitDuration(Duration.ofMillis(2))
                    .breakerEnabled(false));
    List<Answer> faults =
        List.of(
            Answer.status(529),
            Answer.errorFirst("api_error"),
            Answer.text("a").resetBeforeHead(),
            Answer.transcript(TEXT).cutAtByte(20),
            Answer.transcript(TEXT).resetAfterEvents(4));
    Map<String, Integer> before = Map.of();
    for (int round = 0; round < 25; round++) {
      for (Answer fault : faults) {
        headrace.claude().answersAlways(fault);
        RawClient.Reply reply = post(headrace, STREAMING);
        assertThat(reply.body()).doesNotContain("message_stop");
      }
      if (round == 4) {
        before = gatewaysThreads(); // by now all have been needed
      }
    }
    assertThat(before).isNotEmpty();
    assertThat(gatewaysThreads()).isEqualTo(before);
  }

  /** Those of the container, of other tests' SDKs and of the log of usage records come and go. */
  private static Map<String, Integer> gatewaysThreads() {
    Map<String, Integer> counted = ThreadWatch.countedThreads();
    counted
        .keySet()
        .removeIf(
            name ->
                name.matches("(?i)(qtp|http-nio|catalina|scheduler|okhttp|okio).*")
                    || name.equals("headrace-usage-log"));
    return counted;
  }

  @ParameterizedTest
  @EnumSource
  void aRefusedConnectionBecomesABadGatewayAfterThreeAttempts(Asked asked) throws Exception {
    GatewayUnderTest headrace = start(FailureContract::quick);
    headrace.claude().refuseConnections();
    try (ExchangeLines lines = new ExchangeLines()) {
      RawClient.Reply reply = post(headrace, asked.body());

      assertError(reply, 502, "api_error", "The gateway could not connect to the API.");
      assertThat(reply.header("x-should-retry")).hasValue("false");
      assertOutcome(headrace, "UPSTREAM_CUT(CONNECT)");
      assertThat(lines.awaitOne()).contains(" attempts=3 ").contains(" status=502 ");
    }
    assertThat(headrace.claude().attempts()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void anUpstreamThatComesBackBetweenTwoAttemptsAnswersAsIfItHadNeverBeenAway(Asked asked)
      throws Exception {
    GatewayUnderTest headrace =
        start(
            s ->
                quick(s)
                    .retryMaxAttempts(10)
                    .retryWaitDuration(Duration.ofMillis(200))
                    .retryMaxWaitDuration(Duration.ofMillis(400)));
    headrace.claude().refuseConnections().answersAlways(Answer.transcript(TEXT));
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    try {
      var back =
          timer.schedule(() -> headrace.claude().acceptConnections(), 300, TimeUnit.MILLISECONDS);
      assertCleanAnswer(post(headrace, asked.body()), asked);
      assertThat(back.isDone()).isTrue();
    } finally {
      timer.shutdownNow();
    }
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    assertOutcome(headrace, "COMPLETED");
  }

  /** A listener whose queue is full lets nobody in and says nothing: only our clock ends that. */
  @Test
  void aConnectionThatIsNeverMadeBecomesAGatewayTimeoutAfterAllAttempts() throws Exception {
    try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        Waiting waiting = new Waiting(full);
        ExchangeLines lines = new ExchangeLines()) {
      GatewayUnderTest headrace =
          start(
              s ->
                  quick(s)
                      .retryMaxAttempts(2)
                      .upstreamBaseUrl(URI.create("http://127.0.0.1:" + full.getLocalPort()))
                      .timeoutsConnect(Duration.ofMillis(150)));

      RawClient.Reply reply = post(headrace, STREAMING);

      assertThat(waiting.count()).isPositive();
      assertError(reply, 504, "timeout_error", "timeouts.connect of 150ms is over.");
      assertThat(reply.header("x-should-retry")).hasValue("false");
      assertOutcome(headrace, "TIMED_OUT(connect)");
      assertThat(lines.awaitOne()).contains(" attempts=2 ");
    }
  }

  /** Connections that nobody accepts, as many as it takes to fill the queue of a listener. */
  private static final class Waiting implements AutoCloseable {

    private final List<Socket> sockets = new ArrayList<>();

    Waiting(ServerSocket listener) throws IOException {
      for (int i = 0; i < 50; i++) {
        Socket socket = new Socket();
        sockets.add(socket);
        try {
          socket.connect(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.getLocalPort()),
              100);
        } catch (SocketTimeoutException full) {
          return;
        }
      }
      throw new IOException("the listener's queue is never full");
    }

    int count() {
      return sockets.size();
    }

    @Override
    public void close() throws IOException {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }
}
