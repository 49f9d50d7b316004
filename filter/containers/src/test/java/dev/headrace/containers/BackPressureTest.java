package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.RawClient.End;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that does not read stops the upstream, and costs what the kernel holds for it. */
@Tag("alone")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class BackPressureTest extends GatewayContract {

  private static final long GIB = 1L << 30;

  /**
   * Linux gives a socket up to 4 MiB to send and 6 MiB to receive by default ({@code tcp_wmem},
   * {@code tcp_rmem}), and there are two connections. The gateway's own part is {@code
   * buffers.soft}, 256 KiB, and the container's buffer.
   */
  private static final long KERNEL_AND_GATEWAY = 20L << 20;

  private static final long LARGEST_HEAP_GROWTH = 1L << 20;

  private static final int CLIENTS = 4;

  private final List<RawClient> clients = new ArrayList<>();

  BackPressureTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void aClientThatDoesNotReadStopsTheUpstream() throws Exception {
    assertFloodIsStopped(ClaudeSimulator.builder(), "a flood");
  }

  @Test
  void aClientThatDoesNotReadStopsAnUpstreamBehindTls() throws Exception {
    ClaudeSimulator.Builder tls = ClaudeSimulator.builder().tls();
    assertFloodIsStopped(tls, "a TLS flood");
  }

  private void assertFloodIsStopped(ClaudeSimulator.Builder simulator, String what)
      throws Exception {
    ClaudeSimulator claude = simulator.apiKey(KEY).noPadding().start();
    GatewayUnderTest headrace =
        keep(
            GatewayUnderTest.start(
                kind(),
                claude,
                s -> isTls(claude) ? s.upstreamCaFile(claude.certificateFile()) : s));
    claude.answersAlways(Answer.empty().flood(GIB));
    // The first ones make the pools of all three parts, simulator included, as large as they get.
    floodClients(headrace, claude, 0);
    long before = heapInUse();
    long sent = floodClients(headrace, claude, CLIENTS);
    long growth = (heapInUse() - before) / CLIENTS;

    Figures.note(kind(), "most bytes taken from " + what + " while nobody reads", sent + "");
    Figures.note(kind(), "heap growth by each stream of " + what, growth + "");
    assertThat(sent).isLessThan(KERNEL_AND_GATEWAY);
    assertThat(growth).isLessThan(LARGEST_HEAP_GROWTH);
    clients.forEach(BackPressureTest::reset);
  }

  /** Starts clients that do not read; returns the most bytes that were taken for one of them. */
  private long floodClients(GatewayUnderTest headrace, ClaudeSimulator claude, int firstIndex)
      throws Exception {
    long most = 0;
    for (int i = 0; i < CLIENTS; i++) {
      clients.add(clientWithSmallBuffer(headrace).post(STREAMING));
    }
    for (int i = 0; i < CLIENTS; i++) {
      SeenRequest request = claude.awaitRequest(firstIndex + i, Duration.ofSeconds(10));
      Standstill.await(request::bytesSent);
      most = Math.max(most, request.bytesSent());
    }
    return most;
  }

  private static void reset(RawClient client) {
    try {
      client.reset();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aClientThatReadsLateGetsEverythingAndTripsNoIdleClock() throws Exception {
    GatewayUnderTest headrace =
        start(
            ClaudeSimulator.builder().apiKey(KEY).noPadding(),
            s -> s.timeoutsIdle(Duration.ofMillis(500)));
    headrace.claude().answers(Answer.empty().flood(GIB));
    RawClient client = clientWithSmallBuffer(headrace).post(STREAMING);
    SeenRequest request = headrace.claude().awaitRequest(0, Duration.ofSeconds(5));
    Standstill.await(request::bytesSent);
    long sent = request.bytesSent();
    // Much longer than the idle clock allows an upstream that could send.
    Awaitility.await()
        .pollDelay(1500, TimeUnit.MILLISECONDS)
        .until(() -> headrace.gateway().runningExchanges() == 1);
    assertThat(request.bytesSent()).isEqualTo(sent);

    client.replyHead();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    End end = End.COMPLETE;
    while (body.size() < sent + (20 << 20) && end == End.COMPLETE) {
      end = client.readBody(body, 1 << 20);
    }

    assertThat(end).isEqualTo(End.COMPLETE);
    assertThat(body.size()).isGreaterThanOrEqualTo((int) sent + (20 << 20));
    assertOneEventAgainAndAgain(body.toString(UTF_8));
    client.reset();
    request.awaitClientGone(Duration.ofSeconds(5));
  }

  /** A client that stops again and again meets every step of the granting. */
  @Test
  void aClientThatReadsInFitsAndStartsTripsNoIdleClock() throws Exception {
    GatewayUnderTest headrace =
        start(
            ClaudeSimulator.builder().apiKey(KEY).noPadding(),
            s -> s.timeoutsIdle(Duration.ofMillis(300)));
    headrace.claude().answers(Answer.empty().flood(GIB));
    RawClient client = clientWithSmallBuffer(headrace).post(STREAMING);
    client.replyHead();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (int i = 0; i < 5; i++) {
      SeenRequest request = headrace.claude().awaitRequest(0, Duration.ofSeconds(5));
      Standstill.await(request::bytesSent);
      assertThat(client.readBody(body, 8 << 20)).isEqualTo(End.COMPLETE);
    }
    assertOneEventAgainAndAgain(body.toString(UTF_8));
  }

  @Test
  void aClientThatTakesNothingIsDroppedByTheSlowClientClock() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsSlowClient(Duration.ofSeconds(1)));
    headrace.claude().answers(Answer.empty().flood(GIB));
    RawClient client = clientWithSmallBuffer(headrace).post(STREAMING);
    SeenRequest request = headrace.claude().awaitRequest(0, Duration.ofSeconds(5));

    request.awaitClientGone(Duration.ofSeconds(10));
    headrace.awaitIdle(Duration.ofSeconds(5));

    RawClient.Reply reply = client.reply();
    assertThat(reply.end()).isIn(End.CUT, End.RESET);
  }

  @Test
  void aSlowButSteadyClientIsNotDropped() throws Exception {
    GatewayUnderTest headrace =
        start(
            ClaudeSimulator.builder().apiKey(KEY).noPadding(),
            s -> s.timeoutsSlowClient(Duration.ofSeconds(2)).timeoutsIdle(Duration.ofSeconds(1)));
    headrace.claude().answers(Answer.empty().flood(24L << 20));
    RawClient client = clientWithSmallBuffer(headrace).post(STREAMING);
    client.replyHead();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    int before = -1;
    while (body.size() > before) {
      before = body.size();
      assertThat(client.readBody(body, 1 << 20)).isEqualTo(End.COMPLETE);
      Awaitility.await().pollDelay(100, TimeUnit.MILLISECONDS).until(() -> true);
    }
    assertThat(body.toString(UTF_8))
        .endsWith("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    assertThat(body.size()).isGreaterThan(24 << 20);
  }

  @Test
  void aLargeAnswerThatEndsAtOnceReachesASlowlyReadingClientWhole() throws Exception {
    GatewayUnderTest headrace = start(ClaudeSimulator.builder().apiKey(KEY).noPadding(), s -> s);
    String event =
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
            + "\"delta\":{\"type\":\"text_delta\",\"text\":\"%08d %s\"}}\n\n";
    StringBuilder stream =
        new StringBuilder("event: message_start\ndata: {\"type\":\"message_start\"}\n\n");
    for (int i = 0; stream.length() < 5_000_000; i++) {
      stream.append(event.formatted(i, "x".repeat(4_000)));
    }
    stream.append("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    String expected = stream.toString();
    headrace.claude().answersAlways(Answer.transcript(expected));
    for (int i = 0; i < 3; i++) {
      RawClient client = clientWithSmallBuffer(headrace).post(STREAMING);
      SeenRequest request = headrace.claude().awaitRequest(i, Duration.ofSeconds(5));
      Standstill.await(request::bytesSent);
      RawClient.Reply reply = client.reply();
      assertThat(reply.end()).isEqualTo(End.COMPLETE);
      assertThat(reply.body().length()).isEqualTo(expected.length());
      assertThat(reply.body().equals(expected)).isTrue();
    }
  }

  @Test
  void aLargeJsonAnswerReachesASlowlyReadingClientWhole() throws Exception {
    GatewayUnderTest headrace = start();
    String json = "{\"type\":\"message\",\"text\":\"" + "0123456789".repeat(500_000) + "\"}";
    headrace.claude().answers(Answer.json(200, json));
    RawClient client = clientWithSmallBuffer(headrace).post(Requests.whole("Hello"));
    Standstill.await(headrace.claude().awaitRequest(0, Duration.ofSeconds(5))::bytesSent);
    RawClient.Reply reply = client.reply();
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.body().equals(json)).isTrue();
  }

  private static boolean isTls(ClaudeSimulator claude) {
    return "https".equals(claude.baseUrl().getScheme());
  }

  private static void assertOneEventAgainAndAgain(String body) {
    int start = body.indexOf("event: content_block_delta");
    int end = body.indexOf("\n\n", start) + 2;
    String event = body.substring(start, end);
    int at = start;
    while (at + event.length() <= body.length()) {
      assertThat(body.startsWith(event, at)).as("the event at byte " + at).isTrue();
      at += event.length();
    }
    assertThat(event.startsWith(body.substring(at))).isTrue();
  }

  private static long heapInUse() {
    Runtime runtime = Runtime.getRuntime();
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 4; i++) {
      System.gc();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    return least;
  }
}
