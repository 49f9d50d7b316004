package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.GatewayInside;
import dev.headrace.ManualTime;
import dev.headrace.config.GatewaySettings.DisconnectPolicy;
import dev.headrace.config.GatewaySettings.Preset;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What {@code disconnect.policy} decides when a client leaves in mid-stream: with {@code cancel}
 * the upstream connection is closed, with {@code drain} the answer is read on to its end, or to one
 * of two limits, and permit and connection are held until then.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
@Tag("slow")
final class DisconnectPolicyTest extends GatewayContract {

  private static final Duration SOON = Duration.ofSeconds(5);
  private static final Duration DRAIN_TIME = Duration.ofSeconds(30);

  private final ManualTime time = new ManualTime();

  DisconnectPolicyTest(ContainerKind kind) {
    super(kind);
  }

  @ParameterizedTest
  @EnumSource
  void drainReadsTheUpstreamToItsEnd(Departure how) throws Exception {
    GatewayUnderTest headrace = start(DisconnectPolicy.DRAIN, s -> s);
    headrace.claude().answers(deltas(40, 80));
    SeenRequest request = leaveInMidstream(headrace, how);

    request.awaitEvents(20, SOON); // far more than the two writes by which leaving is noticed
    assertThat(held(headrace)).isEqualTo("1 1 1");

    request.awaitFinished(SOON);
    assertThat(request.clientGone()).isFalse();
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE(drained)", 1L));

    headrace.claude().answers(Answer.text("next"));
    assertThat(post(headrace, STREAMING).status()).isEqualTo(200);
    assertThat(headrace.claude().lastRequest().connectionId()).isEqualTo(request.connectionId());
  }

  @ParameterizedTest
  @EnumSource(names = {"RST", "HTTP2_STREAM_RESET"})
  void cancelClosesTheUpstreamInsteadAtOnce(Departure how) throws Exception {
    GatewayUnderTest headrace = start(DisconnectPolicy.CANCEL, s -> s);
    headrace.claude().answers(deltas(1_000, 20));
    SeenRequest request = leaveInMidstream(headrace, how);
    request.awaitClientGone(SOON);
    headrace.awaitIdle(SOON);
    assertThat(request.eventsSent()).isLessThan(20);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE", 1L));
  }

  /** The whole is set to the opposite. */
  @ParameterizedTest
  @EnumSource
  void aPresetMaySayOtherwise(DisconnectPolicy own) throws Exception {
    DisconnectPolicy other =
        own == DisconnectPolicy.DRAIN ? DisconnectPolicy.CANCEL : DisconnectPolicy.DRAIN;
    Preset preset =
        new Preset("p", List.of(), "claude-opus-5-5", null, false, null, 512, null, own, List.of());
    GatewayUnderTest headrace = start(other, s -> s.presets(Map.of("p", preset)));
    headrace.claude().answers(deltas(40, 80));
    byte[] body =
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}".getBytes(UTF_8);
    try (RawClient client = RawClient.connect(headrace.port())) {
      String head =
          RawClient.head("POST", "/claude/chat/p")
              .append("Content-Type: application/json\r\nContent-Length: ")
              .append(body.length)
              .append("\r\n\r\n")
              .toString();
      client.send(head, body);
      client.replyHead();
      client.readBodyUntil("Hel");
      ContainerThreads.awaitNoneInARequest();
    }
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes())
        .isEqualTo(
            Map.of(own == DisconnectPolicy.DRAIN ? "CLIENT_GONE(drained)" : "CLIENT_GONE", 1L));
    headrace.claude().lastRequest().awaitEnded(SOON);
    assertThat(headrace.claude().lastRequest().clientGone())
        .isEqualTo(own == DisconnectPolicy.CANCEL);
  }

  /** Each delta is one token by the gateway's estimate, since the simulator pads none here. */
  @ParameterizedTest
  @EnumSource(names = {"RST", "HTTP2_STREAM_RESET"})
  void drainEndsAtDrainTokens(Departure how) throws Exception {
    GatewayUnderTest headrace = start(DisconnectPolicy.DRAIN, s -> s.disconnectDrainTokens(20));
    headrace.claude().answers(deltas(2_000, 100));
    SeenRequest request = leaveInMidstream(headrace, how);
    long before = request.eventsSent();

    request.awaitClientGone(SOON);

    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE(drain-tokens)", 1L));
    // And what comes until leaving is noticed, and until the end of the connection arrives: a
    // tenth of a second at most on a machine that has time.
    assertThat(request.eventsSent() - before).isBetween(20L, 60L);
  }

  @Test
  void drainEndsAtDrainTimeAndHoldsPermitAndConnectionUntilThen() throws Exception {
    GatewayUnderTest headrace = start(DisconnectPolicy.DRAIN, s -> s);
    headrace.claude().answers(Answer.text("Hel", "lo").pauseAfterEvents(4, Duration.ofHours(1)));
    SeenRequest request = leaveInMidstream(headrace, Departure.HTTP2_STREAM_RESET);
    Awaitility.await("the container's word that the client has left")
        .during(Duration.ofMillis(300)) // drained or cancelled, it would have ended by then
        .atMost(SOON)
        .until(() -> held(headrace).equals("1 1 1"));

    time.advance(DRAIN_TIME.minusMillis(1));
    Awaitility.await("three looks at the clocks")
        .during(Duration.ofMillis(300))
        .atMost(SOON)
        .until(() -> held(headrace).equals("1 1 1"));
    time.advance(Duration.ofSeconds(1));

    request.awaitClientGone(SOON);
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE(drain-time)", 1L));
    assertThat(GatewayInside.statistics(headrace.gateway()).heartbeats()).isZero();
  }

  /** Only the end of the body is missing, and may be for long. */
  @Test
  void drainOfAWholeAnswerEndsAtIdle() throws Exception {
    GatewayUnderTest headrace =
        start(DisconnectPolicy.DRAIN, s -> s.timeoutsIdle(Duration.ofSeconds(5)));
    Answer answer = Answer.text("Hel", "lo");
    int events = 8; // message_stop is the last
    headrace
        .claude()
        .answers(answer.pauseAfterEvents(4, Duration.ofSeconds(1)).stallAfterEvents(events));
    SeenRequest request = leaveInMidstream(headrace, Departure.HTTP2_STREAM_RESET);
    request.awaitEvents(events, SOON);
    Awaitility.await("three looks at the clocks")
        .during(Duration.ofMillis(300))
        .atMost(SOON)
        .until(() -> held(headrace).equals("1 1 1"));

    time.advance(Duration.ofSeconds(6));

    request.awaitClientGone(SOON);
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE(drained)", 1L));
  }

  /** Nobody takes bytes any more, so that nobody would make room for further ones. */
  @Test
  void drainReadsOnWhereTheClientHadNotTakenWhatWasThere() throws Exception {
    // 400 KB, more than the first grant: buffers.soft
    GatewayUnderTest headrace =
        start(DisconnectPolicy.DRAIN, s -> s.disconnectDrainTokens(100_000));
    headrace.claude().answers(Answer.text("a").flood(1L << 30));
    RawClient client = clientWithSmallBuffer(headrace).post(STREAMING);
    client.replyHead();
    SeenRequest request = headrace.claude().awaitRequest(0, SOON);
    Standstill.await(request::bytesSent);

    client.reset();

    request.awaitClientGone(SOON);
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE(drain-tokens)", 1L));
  }

  @ParameterizedTest
  @EnumSource
  void aRequestThatDoesNotStreamIsCancelledWithBoth(DisconnectPolicy policy) throws Exception {
    GatewayUnderTest headrace = start(policy, s -> s);
    headrace
        .claude()
        .answers(Answer.text("never").stallBeforeHead())
        .answers(Answer.text("x".repeat(300_000)).trickle(100_000, Duration.ofMinutes(1)));

    try (Departure.Client client = Departure.HTTP2_STREAM_RESET.connect(headrace.port())) {
      client.post(Requests.whole("before its answer"));
      SeenRequest request = headrace.claude().awaitRequest(0, SOON);
      client.leave();
      request.awaitClientGone(SOON);
    }
    try (Departure.Client client = Departure.HTTP2_STREAM_RESET.connect(headrace.port())) {
      client.post(Requests.whole("in the middle of it"));
      client.readUntil("xxx");
      client.leave();
      headrace.claude().awaitRequest(1, SOON).awaitClientGone(SOON);
    }

    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE", 2L));
  }

  /** Before its first event a stream has cost little, and might still be repeated. */
  @Test
  void aStreamThatHasNotBegunIsCancelledWithDrainToo() throws Exception {
    GatewayUnderTest headrace = start(DisconnectPolicy.DRAIN, s -> s);
    headrace.claude().answers(Answer.text("never").stallBeforeHead());
    try (Departure.Client client = Departure.HTTP2_STREAM_RESET.connect(headrace.port())) {
      client.post(STREAMING);
      SeenRequest request = headrace.claude().awaitRequest(0, SOON);
      client.leave();
      request.awaitClientGone(SOON);
    }
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE", 1L));
  }

  @Test
  void anUpstreamThatBreaksWhileItIsDrainedEndsTheExchange() throws Exception {
    GatewayUnderTest headrace = start(DisconnectPolicy.DRAIN, s -> s);
    headrace.claude().answers(deltas(30, 40).resetAfterEvents(25));
    leaveInMidstream(headrace, Departure.HTTP2_STREAM_RESET);
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE", 1L));
  }

  @Test
  void closingTheGatewayEndsWhatIsDrained() throws Exception {
    GatewayUnderTest headrace = start(DisconnectPolicy.DRAIN, s -> s.shutdownDrain(Duration.ZERO));
    headrace.claude().answers(Answer.text("Hel").stallAfterEvents(4));
    SeenRequest request = leaveInMidstream(headrace, Departure.HTTP2_STREAM_RESET);
    Awaitility.await("the container's word that the client has left")
        .during(Duration.ofMillis(300))
        .atMost(SOON)
        .until(() -> held(headrace).equals("1 1 1"));

    headrace.gateway().close();

    request.awaitClientGone(SOON);
    assertThat(held(headrace)).startsWith("0 0 ");
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CANCELLED(shutdown)", 1L));
  }

  @Test
  void nothingIsDrainedOnceTheGatewayPreparesToClose() throws Exception {
    GatewayUnderTest headrace = start(DisconnectPolicy.DRAIN, s -> s);
    headrace.claude().answers(Answer.text("Hel").stallAfterEvents(4));
    try (Departure.Client client = Departure.HTTP2_STREAM_RESET.connect(headrace.port())) {
      client.post(STREAMING);
      client.readUntil("Hel");
      headrace.gateway().drain();
      client.leave();
      headrace.claude().lastRequest().awaitClientGone(SOON);
    }
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE", 1L));
  }

  // ----

  private GatewayUnderTest start(
      DisconnectPolicy policy, UnaryOperator<GatewaySettingsBuilder> change) throws Exception {
    return keep(
        GatewayUnderTest.start(
            kind(),
            ClaudeSimulator.builder().apiKey(KEY).noPadding().start(),
            time,
            s -> change.apply(s.disconnectPolicy(policy).disconnectDrainTime(DRAIN_TIME))));
  }

  private static SeenRequest leaveInMidstream(GatewayUnderTest headrace, Departure how)
      throws Exception {
    try (Departure.Client client = how.connect(headrace.port())) {
      client.post(STREAMING);
      client.readUntil("Hel");
      SeenRequest request = headrace.claude().awaitRequest(0, SOON);
      request.awaitEvents(4, SOON);
      client.leave();
      return request;
    }
  }

  private static Answer deltas(int count, int perSecond) {
    String[] deltas = new String[count];
    Arrays.fill(deltas, "lo");
    return Answer.text("Hel", deltas).paced(perSecond);
  }

  /** Permits, exchanges and upstream connections that are in use. */
  private static String held(GatewayUnderTest headrace) {
    return headrace.gateway().permitsInUse()
        + " "
        + headrace.gateway().runningExchanges()
        + " "
        + headrace.gateway().upstreamConnectionsInUse();
  }
}
