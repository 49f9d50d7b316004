package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A client that has left ends the upstream call: at the first write that fails. After an RST that
 * is the first one, after a FIN the second, since the kernel takes one more (HTTP/1.1; nothing
 * tells an idle connection's end).
 */
@Tag("alone")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class ClientLeavesTest extends GatewayContract {

  private static final Duration HEARTBEAT = Duration.ofMillis(200);
  private static final int EVENTS_PER_SECOND = 20;

  enum Leaving {
    FIN {
      @Override
      void leave(RawClient client) throws IOException {
        client.leave();
      }
    },
    RST {
      @Override
      void leave(RawClient client) throws IOException {
        client.reset();
      }
    };

    abstract void leave(RawClient client) throws IOException;
  }

  ClientLeavesTest(ContainerKind kind) {
    super(kind);
  }

  @ParameterizedTest
  @EnumSource
  void leavingWhileEventsFlowClosesTheUpstreamAfterAFewEvents(Leaving how) throws Exception {
    GatewayUnderTest headrace = startWithHeartbeat(Duration.ofSeconds(10));
    headrace.claude().answers(endless());
    assertLeavingClosesUpstream(headrace, how, 0, "while events flow");
  }

  @ParameterizedTest
  @EnumSource
  void leavingOnAReusedUpstreamConnectionClosesItToo(Leaving how) throws Exception {
    GatewayUnderTest headrace = startWithHeartbeat(Duration.ofSeconds(10));
    headrace.claude().answers(Answer.text("warm")).answers(endless());
    assertThat(post(headrace, STREAMING).end()).isEqualTo(RawClient.End.COMPLETE);
    headrace.awaitIdle(Duration.ofSeconds(5));

    assertLeavingClosesUpstream(headrace, how, 1, "on a reused connection");

    List<SeenRequest> requests = headrace.claude().requests();
    assertThat(requests.get(1).connectionId()).isEqualTo(requests.get(0).connectionId());
  }

  @ParameterizedTest
  @EnumSource
  void leavingInSilenceClosesTheUpstreamAfterTwoHeartbeatsAtMost(Leaving how) throws Exception {
    GatewayUnderTest headrace = startWithHeartbeat(HEARTBEAT);
    headrace.claude().answers(Answer.text("warm")).answers(Answer.text("Hel").stallAfterEvents(4));
    assertThat(post(headrace, STREAMING).end()).isEqualTo(RawClient.End.COMPLETE);
    headrace.awaitIdle(Duration.ofSeconds(5));
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();
    client.readBodyUntil("Hel");

    long left = System.nanoTime();
    how.leave(client);

    SeenRequest request = headrace.claude().awaitRequest(1, Duration.ofSeconds(5));
    request.awaitClientGone(Duration.ofSeconds(5));
    long millis = (request.clientGoneAtNanos().orElseThrow() - left) / 1_000_000;
    Figures.note(kind(), "upstream closed after " + how + " in silence", millis + " ms");
    assertThat(millis).isLessThan(2 * HEARTBEAT.toMillis() + 1000);
  }

  /** Before the head there is nothing to write, and so no way to know. */
  @ParameterizedTest
  @EnumSource
  void leavingBeforeTheHeadEndsTheExchangeAtTheFirstWrites(Leaving how) throws Exception {
    GatewayUnderTest headrace = startWithHeartbeat(Duration.ofSeconds(10));
    headrace.claude().answers(endless().beforeHead(Duration.ofMillis(300)));
    RawClient client = client(headrace).post(STREAMING);
    SeenRequest request = headrace.claude().awaitRequest(0, Duration.ofSeconds(5));

    how.leave(client);

    request.awaitClientGone(Duration.ofSeconds(10));
    Figures.note(
        kind(), "events sent after " + how + " before the head", request.eventsSent() + "");
    // message_start, content_block_start and ping leave in one write.
    assertThat(request.eventsSent()).isBetween(1L, 8L);
  }

  @Test
  void leavingWhileTheBodyIsSentCallsNobody() throws Exception {
    GatewayUnderTest headrace = start();
    for (Leaving how : Leaving.values()) {
      RawClient client =
          client(headrace)
              .send(
                  RawClient.head("POST", "/claude/v1/messages")
                      .append("Content-Length: 1000\r\n\r\n")
                      .toString(),
                  "{\"model\":".getBytes(java.nio.charset.StandardCharsets.UTF_8));
      org.awaitility.Awaitility.await()
          .atMost(Duration.ofSeconds(5))
          .until(() -> headrace.gateway().runningExchanges() == 1);

      how.leave(client);

      headrace.awaitIdle(Duration.ofSeconds(5));
    }
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void thousandsOfClientsThatLeaveAtRandomInstantsLeaveNothingBehind() throws Exception {
    GatewayUnderTest headrace = startWithHeartbeat(HEARTBEAT);
    headrace
        .claude()
        .answersBy(
            request ->
                switch (request.index() % 4) {
                  case 0 -> endless();
                  case 1 -> Answer.text("short");
                  case 2 -> Answer.text("a", "b", "c").beforeHead(Duration.ofMillis(20));
                  default -> Answer.text("Hel").stallAfterEvents(4);
                });
    int clients = Load.count(2_000, 20_000);
    AtomicInteger started = new AtomicInteger();
    ExecutorService threads = Executors.newFixedThreadPool(32);
    try {
      List<Future<?>> done = new ArrayList<>();
      for (int i = 0; i < 32; i++) {
        SplittableRandom random = new SplittableRandom(i);
        done.add(
            threads.submit(
                () -> {
                  while (started.getAndIncrement() < clients) {
                    leaveSomewhere(headrace, random);
                  }
                  return null;
                }));
      }
      for (Future<?> one : done) {
        one.get(120, TimeUnit.SECONDS);
      }
    } finally {
      threads.shutdownNow();
    }

    // Most left before the head, so that the simulator has to answer first: on a busy machine that
    // takes it a while.
    long before = System.nanoTime();
    headrace.awaitIdle(Duration.ofSeconds(90));
    long millis = (System.nanoTime() - before) / 1_000_000;
    Figures.note(kind(), "idle after the last of " + clients + " clients had left", millis + " ms");
    assertThat(headrace.gateway().permitsInUse()).isZero();
    assertThat(headrace.gateway().runningExchanges()).isZero();
    assertThat(headrace.gateway().upstreamConnectionsInUse()).isZero();
    headrace.claude().answers(Answer.text("still here"));
    assertThat(post(headrace, STREAMING).body()).contains("message_");
  }

  private static void leaveSomewhere(GatewayUnderTest headrace, SplittableRandom random)
      throws IOException {
    try (RawClient client = RawClient.connect(headrace.port())) {
      String head =
          RawClient.head("POST", "/claude/v1/messages")
              .append("Content-Type: application/json\r\nanthropic-version: 2026-10-21\r\n")
              .append("Content-Length: " + STREAMING.length() + "\r\n\r\n")
              .toString();
      byte[] body = STREAMING.getBytes(java.nio.charset.StandardCharsets.UTF_8);
      int sent = random.nextInt(10) == 0 ? random.nextInt(body.length) : body.length;
      client.send(head, Arrays.copyOf(body, sent));
      readFor(client, Duration.ofMillis(random.nextInt(1, 60)));
      if (random.nextBoolean()) {
        client.reset();
      }
    }
  }

  /** Reads until a time is over or the answer is; the time is the whole one, not that of a read. */
  private static void readFor(RawClient client, Duration time) throws IOException {
    long deadline = System.nanoTime() + time.toNanos();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    try {
      client.patience(time).replyHead();
      int before = -1;
      RawClient.End end = RawClient.End.COMPLETE;
      while (end == RawClient.End.COMPLETE && body.size() > before) {
        before = body.size();
        Duration left = Duration.ofNanos(deadline - System.nanoTime());
        if (left.isNegative()) {
          return;
        }
        end = client.patience(left).readBody(body, 1);
      }
    } catch (IOException e) {
      // no head came before the time was over
    }
  }

  private GatewayUnderTest startWithHeartbeat(Duration heartbeat) throws Exception {
    return start(
        ClaudeSimulator.builder().apiKey(KEY).recordEventTimes(),
        // A machine may be so busy that connections are not made in time.
        settings -> settings.timeoutsHeartbeat(heartbeat).breakerEnabled(false));
  }

  private static Answer endless() {
    String[] deltas = new String[2_000];
    Arrays.fill(deltas, "Hel");
    return Answer.text("Hel", deltas).paced(EVENTS_PER_SECOND);
  }

  private void assertLeavingClosesUpstream(
      GatewayUnderTest headrace, Leaving how, int index, String when) throws Exception {
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();
    client.readBodyUntil("Hel");
    SeenRequest request = headrace.claude().awaitRequest(index, Duration.ofSeconds(5));
    // The simulator notes the first four, which leave together, only after they were sent.
    request.awaitEvents(4, Duration.ofSeconds(5));

    long left = System.nanoTime();
    how.leave(client);

    request.awaitClientGone(Duration.ofSeconds(5));
    long millis = (request.clientGoneAtNanos().orElseThrow() - left) / 1_000_000;
    long events = request.eventsSentAfter(left);
    Figures.note(
        kind(),
        "upstream closed after " + how + " " + when,
        millis + " ms, " + events + " events after");
    assertThat(millis).isLessThan(1000);
    // Two writes on an idle machine; on a busy one what flows until the I/O thread gets its turn.
    assertThat(events).isLessThanOrEqualTo(EVENTS_PER_SECOND);
  }
}
