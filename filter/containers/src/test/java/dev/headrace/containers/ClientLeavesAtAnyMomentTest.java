package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.headrace.GatewayInside;
import dev.headrace.ManualTime;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What the upstream still sends, or is still asked, after a client has left: nothing over HTTP/2,
 * where the container tells at once; over HTTP/1.1 two writes, which are two events, or two
 * heartbeats in silence. Each case twice: on a fresh upstream connection and on one that was used
 * before, since the two are cancelled in different ways.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
@Tag("slow")
final class ClientLeavesAtAnyMomentTest extends GatewayContract {

  /** So slow that the third write stays away while the second is failing, on a busy machine too. */
  private static final int EVENTS_PER_SECOND = 5;

  private static final Duration SOON = Duration.ofSeconds(5);
  private static final Duration HEARTBEAT = Duration.ofSeconds(10);
  private static final Duration EARLY_COMMIT = Duration.ofSeconds(1);
  private static final Duration RETRY_AFTER = Duration.ofHours(10);

  /** Longer than all moves of a test together. */
  private static final Duration NEVER = Duration.ofDays(10);

  /** message_start, content_block_start, ping and the first delta wait for nothing. */
  private static final int EVENTS_OF_THE_FIRST_WRITE = 4;

  private final ManualTime time = new ManualTime();

  ClientLeavesAtAnyMomentTest(ContainerKind kind) {
    super(kind);
  }

  @ParameterizedTest
  @EnumSource
  void leavingWhileEventsFlowCostsTwoWritesAtMost(Departure how) throws Exception {
    GatewayUnderTest headrace = startWithManualTime(s -> s);
    coldAndReused(
        headrace,
        endless(),
        index -> {
          try (Departure.Client client = how.connect(headrace.port())) {
            client.post(STREAMING);
            client.readUntil("Hel");
            SeenRequest request = headrace.claude().awaitRequest(index, SOON);
            request.awaitEvents(EVENTS_OF_THE_FIRST_WRITE, SOON);

            long left = client.leave();

            request.awaitClientGone(SOON);
            assertThat(request.eventsSentAfter(left)).isLessThanOrEqualTo(how.isTold() ? 1 : 2);
          }
        });
    assertThat(heartbeats(headrace)).isZero();
    assertThat(headrace.gateway().outcomes()).containsEntry("CLIENT_GONE", 2L);
  }

  @ParameterizedTest
  @EnumSource
  void leavingInSilenceCostsTwoHeartbeatsAtMost(Departure how) throws Exception {
    GatewayUnderTest headrace = startWithManualTime(s -> s);
    coldAndReused(
        headrace,
        Answer.text("Hel").stallAfterEvents(4),
        index -> {
          try (Departure.Client client = how.connect(headrace.port())) {
            client.post(STREAMING);
            client.readUntil("Hel");
            SeenRequest request = headrace.claude().awaitRequest(index, SOON);
            request.awaitEvents(4, SOON);

            client.leave();

            assertGoneWithinTwoHeartbeats(headrace, how);
            request.awaitClientGone(SOON);
            assertThat(request.eventsSent()).isEqualTo(4);
          }
        });
  }

  /** Over HTTP/1.1 there is nothing to write, and so no way to know, until the answer begins. */
  @ParameterizedTest
  @EnumSource
  void leavingBeforeTheHeadCostsTheFirstTwoWritesAtMost(Departure how) throws Exception {
    GatewayUnderTest headrace = startWithManualTime(s -> s);
    coldAndReused(
        headrace,
        how.isTold()
            ? Answer.text("never").stallBeforeHead()
            : endless().beforeHead(Duration.ofMillis(200)),
        index -> {
          try (Departure.Client client = how.connect(headrace.port())) {
            client.post(STREAMING);
            SeenRequest request = headrace.claude().awaitRequest(index, SOON);

            client.leave();

            request.awaitClientGone(SOON);
            assertThat(request.eventsSent())
                .isLessThanOrEqualTo(how.isTold() ? 0 : EVENTS_OF_THE_FIRST_WRITE + 1);
          }
        });
    assertThat(headrace.gateway().outcomes()).containsEntry("CLIENT_GONE", 2L);
  }

  @ParameterizedTest
  @EnumSource
  void leavingBeforeTheHeadAfterAnEarlyCommitCostsTwoHeartbeatsAtMost(Departure how)
      throws Exception {
    GatewayUnderTest headrace = startWithManualTime(s -> s.timeoutsEarlyCommit(EARLY_COMMIT));
    coldAndReused(
        headrace,
        Answer.text("never").stallBeforeHead(),
        index -> {
          try (Departure.Client client = how.connect(headrace.port())) {
            client.post(STREAMING);
            SeenRequest request = headrace.claude().awaitRequest(index, SOON);
            time.advance(EARLY_COMMIT.multipliedBy(2));
            client.readUntil(": keep-alive\n\n");

            client.leave();

            assertGoneWithinTwoHeartbeats(headrace, how);
            request.awaitClientGone(SOON);
            assertThat(request.eventsSent()).isZero();
          }
        });
  }

  /** Over HTTP/1.1 nobody tells, so that the next attempt is made, and its first writes fail. */
  @ParameterizedTest
  @EnumSource
  void leavingInTheWaitBetweenAttemptsCausesNoFurtherOneOrTheFirstTwoWrites(Departure how)
      throws Exception {
    GatewayUnderTest headrace = startWithManualTime(s -> s);
    coldAndReused(
        headrace,
        Answer.status(529).retryAfter(RETRY_AFTER),
        index -> {
          try (Departure.Client client = how.connect(headrace.port())) {
            client.post(STREAMING);
            awaitWait(headrace, index);

            client.leave();

            if (how.isTold()) {
              awaitNoExchange(headrace);
              time.advance(RETRY_AFTER.multipliedBy(2));
              assertThat(GatewayInside.scheduledTasks(headrace.gateway())).isLessThanOrEqualTo(2);
              assertThat(headrace.claude().attempts()).isEqualTo(index + 1);
            } else {
              headrace.claude().answers(endless());
              time.advance(RETRY_AFTER.multipliedBy(2));
              SeenRequest request = headrace.claude().awaitRequest(index + 1, SOON);
              request.awaitClientGone(SOON);
              assertThat(request.eventsSent()).isLessThanOrEqualTo(EVENTS_OF_THE_FIRST_WRITE + 1);
              awaitNoExchange(headrace);
            }
          }
        });
    assertThat(headrace.gateway().outcomes()).containsEntry("CLIENT_GONE", 2L);
  }

  @ParameterizedTest
  @EnumSource
  void leavingInTheWaitAfterAnEarlyCommitCausesNoFurtherAttempt(Departure how) throws Exception {
    GatewayUnderTest headrace = startWithManualTime(s -> s.timeoutsEarlyCommit(EARLY_COMMIT));
    coldAndReused(
        headrace,
        Answer.status(529).retryAfter(RETRY_AFTER),
        index -> {
          try (Departure.Client client = how.connect(headrace.port())) {
            client.post(STREAMING);
            awaitWait(headrace, index);
            time.advance(EARLY_COMMIT.multipliedBy(2));
            client.readUntil(": keep-alive\n\n");

            client.leave();

            assertGoneWithinTwoHeartbeats(headrace, how);
            time.advance(RETRY_AFTER.multipliedBy(2));
            assertThat(headrace.claude().attempts()).isEqualTo(index + 1);
          }
        });
  }

  /** Over HTTP/1.1 blind until the answer, which is small enough for the kernel to take it. */
  @ParameterizedTest
  @EnumSource
  void leavingANonStreamingRequestCancelsItAtOnceOverHttp2AndEndsItWithTheAnswerElse(Departure how)
      throws Exception {
    GatewayUnderTest headrace = startWithManualTime(s -> s);
    coldAndReused(
        headrace,
        how.isTold()
            ? Answer.text("never").stallBeforeHead()
            : Answer.text("late").beforeHead(Duration.ofMillis(200)),
        index -> {
          try (Departure.Client client = how.connect(headrace.port())) {
            client.post(Requests.whole("Hello"));
            SeenRequest request = headrace.claude().awaitRequest(index, SOON);

            client.leave();

            if (how.isTold()) {
              request.awaitClientGone(SOON);
            } else {
              request.awaitFinished(SOON);
            }
            awaitNoExchange(headrace);
          }
        });
    Map<String, Long> outcomes = headrace.gateway().outcomes();
    if (how.isTold()) {
      assertThat(outcomes).containsEntry("CLIENT_GONE", 2L);
    }
    assertThat(outcomes.keySet()).isSubsetOf("COMPLETED", "CLIENT_GONE");
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.MATCH_ALL, names = "HTTP2.*")
  void leavingInTheMiddleOfALargeJsonAnswerCancelsItAtOnce(Departure how) throws Exception {
    GatewayUnderTest headrace = startWithManualTime(s -> s);
    coldAndReused(
        headrace,
        Answer.text("x".repeat(300_000)).trickle(100_000, Duration.ofMinutes(1)),
        index -> {
          try (Departure.Client client = how.connect(headrace.port())) {
            client.post(Requests.whole("Hello"));
            client.readUntil("xxx");
            SeenRequest request = headrace.claude().awaitRequest(index, SOON);

            client.leave();

            request.awaitClientGone(SOON);
          }
        });
    assertThat(headrace.gateway().outcomes()).containsEntry("CLIENT_GONE", 2L);
  }

  // ----

  private interface Case {
    /**
     * @param index of the request at the simulator
     */
    void run(int index) throws Exception;
  }

  /** Runs a case on a fresh upstream connection, then on one that has served a request. */
  private void coldAndReused(GatewayUnderTest headrace, Answer answer, Case test) throws Exception {
    ClaudeSimulator claude = headrace.claude();
    claude.answers(answer);
    test.run(0);
    awaitNoExchange(headrace);
    claude.closeConnections();
    claude.reset();
    time.advance(RETRY_AFTER); // whoever asked to be left alone has been
    claude.answers(Answer.text("warm")).answers(answer);
    assertThat(postWhileTimeGoesOn(headrace)).isEqualTo(RawClient.End.COMPLETE);
    headrace.awaitIdle(SOON);
    test.run(1);
    awaitNoExchange(headrace);
    assertThat(claude.requests().get(1).connectionId())
        .isEqualTo(claude.requests().get(0).connectionId());
  }

  /** A pooled connection whose end was not noticed yet costs an attempt, and so a wait. */
  private RawClient.End postWhileTimeGoesOn(GatewayUnderTest headrace) throws Exception {
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try {
      Future<RawClient.Reply> reply = thread.submit(() -> post(headrace, STREAMING));
      await()
          .until(
              () -> {
                time.advance(Duration.ofMillis(100));
                return reply.isDone();
              });
      return reply.get().end();
    } finally {
      thread.shutdownNow();
    }
  }

  private GatewayUnderTest startWithManualTime(UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return keep(
        GatewayUnderTest.start(
            kind(),
            ClaudeSimulator.builder().apiKey(KEY).recordEventTimes().start(),
            time,
            s ->
                change.apply(
                    s.timeoutsHeartbeat(HEARTBEAT)
                        .timeoutsFirstEvent(NEVER)
                        .timeoutsIdle(NEVER)
                        .timeoutsIdleContent(NEVER)
                        .timeoutsTotal(Duration.ZERO))));
  }

  private void assertGoneWithinTwoHeartbeats(GatewayUnderTest headrace, Departure how) {
    long before = heartbeats(headrace);
    if (!how.isTold()) {
      advanceUntilHeartbeats(headrace, before + 1);
      advanceUntilHeartbeats(headrace, before + 2);
    }
    awaitNoExchange(headrace);
    assertThat(heartbeats(headrace) - before).isLessThanOrEqualTo(how.isTold() ? 0 : 2);
  }

  /** In many steps: what was written last may be noted only after the time has been moved. */
  private void advanceUntilHeartbeats(GatewayUnderTest headrace, long count) {
    Awaitility.await("heartbeat " + count + " or the exchange's end")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(20))
        .until(
            () -> {
              if (heartbeats(headrace) >= count || headrace.gateway().runningExchanges() == 0) {
                return true;
              }
              time.advance(HEARTBEAT.plusMillis(1));
              return false;
            });
  }

  private void awaitWait(GatewayUnderTest headrace, int index) {
    headrace.claude().awaitRequest(index, SOON).awaitFinished(SOON);
    Awaitility.await("the wait between two attempts")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(10))
        .until(() -> GatewayInside.scheduledTasks(headrace.gateway()) > 2);
    assertThat(headrace.gateway().runningExchanges()).isEqualTo(1);
    assertThat(headrace.gateway().upstreamConnectionsInUse()).isZero();
  }

  private static void awaitNoExchange(GatewayUnderTest headrace) {
    Awaitility.await("the exchange's end")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(10))
        .until(() -> headrace.gateway().runningExchanges() == 0);
    assertThat(headrace.gateway().permitsInUse()).isZero();
  }

  private static long heartbeats(GatewayUnderTest headrace) {
    return GatewayInside.statistics(headrace.gateway()).heartbeats();
  }

  private static Answer endless() {
    String[] deltas = new String[2_000];
    Arrays.fill(deltas, "Hel");
    return Answer.text("Hel", deltas).paced(EVENTS_PER_SECOND);
  }
}
