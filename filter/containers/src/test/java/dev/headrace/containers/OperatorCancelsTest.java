package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.GatewayInside;
import dev.headrace.ManualTime;
import dev.headrace.config.GatewaySettings.DisconnectPolicy;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code Gateway.cancel}: the client is told, the upstream is closed, nothing follows. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class OperatorCancelsTest extends GatewayContract {

  private static final Duration SOON = Duration.ofSeconds(5);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(30);
  private static final String SAID = "This request was cancelled by an operator.";
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final ManualTime time = new ManualTime();

  OperatorCancelsTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void aStreamCancelledBetweenTwoEventsEndsWithOneErrorEvent() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s);
    headrace.claude().answers(Answer.text("Hel").stallAfterEvents(4));
    RawClient client = client(headrace).post(STREAMING);
    String id = client.replyHead().header("headrace-exchange-id").orElseThrow();
    client.readBodyUntil("Hel");
    client.readBodyUntil("\n\n");

    assertThat(headrace.gateway().cancel(id)).isTrue();

    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    assertThat(client.readBody(rest, Long.MAX_VALUE)).isEqualTo(End.COMPLETE);
    assertIsOneErrorEvent(rest.toString(StandardCharsets.UTF_8));
    headrace.claude().lastRequest().awaitClientGone(SOON);
    assertCancelledOnce(headrace);
    assertThat(headrace.gateway().cancel(id)).as("it has ended").isFalse();
  }

  /** Whatever the events did at that moment, the client never sees a complete answer. */
  @Test
  void streamsCancelledWhileEventsFlowNeverLookComplete() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s);
    String[] deltas = new String[50_000];
    Arrays.fill(deltas, "lo");
    headrace.claude().answersAlways(Answer.text("Hel", deltas).paced(1_000));
    int streams = 20;
    for (int i = 0; i < streams; i++) {
      RawClient client = client(headrace).post(STREAMING);
      String id = client.replyHead().header("headrace-exchange-id").orElseThrow();
      client.readBodyUntil("Hel");

      assertThat(headrace.gateway().cancel(id)).isTrue();

      ByteArrayOutputStream rest = new ByteArrayOutputStream();
      End end = client.readBody(rest, Long.MAX_VALUE);
      String body = rest.toString(StandardCharsets.UTF_8);
      assertThat(body).doesNotContain("message_stop");
      if (end == End.COMPLETE) {
        assertIsOneErrorEvent(body.substring(body.indexOf("event: error")));
      } else {
        assertThat(end).isIn(End.CUT, End.RESET);
        assertThat(body).doesNotContain("event: error");
      }
    }
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes())
        .isEqualTo(Map.of("CANCELLED(operator)", (long) streams));
  }

  /** There is no place for an event of ours, so the connection is dropped. */
  @Test
  void aStreamCancelledInTheMiddleOfAnEventIsDropped() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s);
    // One event that takes 400 writes.
    headrace
        .claude()
        .answers(Answer.text("Hel").largeEvent(400_000).trickle(1_000, Duration.ofMillis(20)));
    RawClient client = client(headrace).post(STREAMING);
    String id = client.replyHead().header("headrace-exchange-id").orElseThrow();
    client.readBodyUntil("Hel");
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    assertThat(client.readBody(body, 5_000)).isEqualTo(End.COMPLETE);

    assertThat(headrace.gateway().cancel(id)).isTrue();

    assertThat(client.readBody(body, Long.MAX_VALUE)).isIn(End.CUT, End.RESET);
    assertThat(body.toString(StandardCharsets.UTF_8)).doesNotContain("event: error");
    assertCancelledOnce(headrace);
  }

  @Test
  void aStreamOverHttp2EndsWithAnErrorEventToo() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s);
    headrace.claude().answers(Answer.text("Hel").stallAfterEvents(4));
    try (Departure.Client client = Departure.HTTP2_FIN.connect(headrace.port())) {
      client.post(STREAMING);
      client.readUntil("Hel");
      assertThat(headrace.gateway().cancel(onlyId(headrace))).isTrue();
      client.readUntil("event: error");
      client.readUntil(SAID);
    }
    assertCancelledOnce(headrace);
  }

  @Test
  void aRequestThatWaitsForItsAnswerGets503() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s);
    headrace.claude().answersAlways(Answer.text("never").stallBeforeHead());
    for (String body : List.of(STREAMING, Requests.whole("Hello"))) {
      RawClient client = client(headrace).post(body);
      Awaitility.await().atMost(SOON).until(() -> headrace.claude().openStreams() == 1);
      SeenRequest request = headrace.claude().lastRequest();

      assertThat(headrace.gateway().cancel(onlyId(headrace))).isTrue();

      assertIsRefusal(client.reply());
      request.awaitClientGone(SOON);
      headrace.awaitIdle(SOON);
    }
    assertThat(headrace.claude().attempts()).isEqualTo(2);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CANCELLED(operator)", 2L));
  }

  @Test
  void aRequestWhoseBodyIsStillSentGets503AndCallsNobody() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s);
    RawClient client =
        client(headrace)
            .send(
                RawClient.head("POST", "/claude/v1/messages")
                    .append("Content-Length: 1000\r\n\r\n")
                    .toString(),
                "{\"model\":".getBytes(StandardCharsets.UTF_8));
    Awaitility.await().atMost(SOON).until(() -> headrace.gateway().runningExchanges() == 1);

    assertThat(headrace.gateway().cancel(onlyId(headrace))).isTrue();

    assertIsRefusal(client.reply());
    assertCancelledOnce(headrace);
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void aRequestThatWaitsForItsNextAttemptGets503AndNoneFollows() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s);
    RawClient client = waitingForItsNextAttempt(headrace);

    assertThat(headrace.gateway().cancel(onlyId(headrace))).isTrue();

    assertIsRefusal(client.reply());
    assertNoAttemptFollows(headrace);
  }

  @Test
  void aStreamBegunEarlyThatWaitsForItsNextAttemptEndsWithAnErrorEvent() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s.timeoutsEarlyCommit(Duration.ofSeconds(1)));
    RawClient client = waitingForItsNextAttempt(headrace);
    time.advance(Duration.ofSeconds(2));
    String id = client.replyHead().header("headrace-exchange-id").orElseThrow();
    client.readBodyUntil(": keep-alive\n\n");

    assertThat(headrace.gateway().cancel(id)).isTrue();

    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    assertThat(client.readBody(rest, Long.MAX_VALUE)).isEqualTo(End.COMPLETE);
    assertIsOneErrorEvent(rest.toString(StandardCharsets.UTF_8));
    assertNoAttemptFollows(headrace);
  }

  @Test
  void anUnknownIdChangesNothing() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s);
    headrace.claude().answers(Answer.text("Hel", "lo").pauseAfterEvents(4, Duration.ofMillis(300)));
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();

    assertThat(headrace.gateway().cancel("0123456789abcdef")).isFalse();
    assertThat(headrace.gateway().cancel("")).isFalse();

    client.readBodyUntil("event: message_stop");
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("COMPLETED", 1L));
  }

  @Test
  void manyOperatorsAtOnceEndAStreamOnce() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s);
    headrace.claude().answersAlways(Answer.text("Hel").stallAfterEvents(4));
    int operators = 4;
    int rounds = 20;
    ExecutorService threads = Executors.newFixedThreadPool(operators);
    try {
      for (int round = 0; round < rounds; round++) {
        RawClient client = client(headrace).post(STREAMING);
        String id = client.replyHead().header("headrace-exchange-id").orElseThrow();
        client.readBodyUntil("Hel");
        client.readBodyUntil("\n\n");
        CyclicBarrier together = new CyclicBarrier(operators);
        List<Future<Boolean>> cancels = new ArrayList<>();
        for (int i = 0; i < operators; i++) {
          cancels.add(
              threads.submit(
                  () -> {
                    together.await(5, TimeUnit.SECONDS);
                    return headrace.gateway().cancel(id);
                  }));
        }
        int accepted = 0;
        for (Future<Boolean> cancel : cancels) {
          accepted += cancel.get(5, TimeUnit.SECONDS) ? 1 : 0;
        }
        assertThat(accepted).isPositive();
        ByteArrayOutputStream rest = new ByteArrayOutputStream();
        assertThat(client.readBody(rest, Long.MAX_VALUE)).isEqualTo(End.COMPLETE);
        assertIsOneErrorEvent(rest.toString(StandardCharsets.UTF_8));
      }
    } finally {
      threads.shutdownNow();
    }
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes())
        .isEqualTo(Map.of("CANCELLED(operator)", (long) rounds));
  }

  /** The client need not take its last event for the upstream to be closed. */
  @Test
  void theUpstreamOfAClientThatTakesNothingIsClosedAtOnce() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s);
    headrace.claude().answers(Answer.empty().flood(1L << 30));
    RawClient client = clientWithSmallBuffer(headrace).post(STREAMING);
    String id = client.replyHead().header("headrace-exchange-id").orElseThrow();
    SeenRequest request = headrace.claude().awaitRequest(0, SOON);
    Standstill.await(request::bytesSent);

    assertThat(headrace.gateway().cancel(id)).isTrue();

    request.awaitClientGone(SOON);
    client.reset();
    headrace.awaitIdle(SOON);
    // It left before it had the error event.
    assertThat(headrace.gateway().outcomes().values()).containsExactly(1L);
  }

  @Test
  void anAnswerThatIsReadOnAfterItsClientHasLeftIsEnded() throws Exception {
    GatewayUnderTest headrace = startWith(s -> s.disconnectPolicy(DisconnectPolicy.DRAIN));
    String[] deltas = new String[1_000];
    Arrays.fill(deltas, "lo");
    headrace.claude().answers(Answer.text("Hel", deltas).paced(40));
    try (Departure.Client client = Departure.HTTP2_STREAM_RESET.connect(headrace.port())) {
      client.post(STREAMING);
      client.readUntil("Hel");
      client.leave();
    }
    SeenRequest request = headrace.claude().lastRequest();
    request.awaitEvents(request.eventsSent() + 20, SOON); // half a second: it is being drained

    assertThat(headrace.gateway().cancel(onlyId(headrace))).isTrue();

    request.awaitClientGone(SOON);
    assertCancelledOnce(headrace);
  }

  // ----

  private GatewayUnderTest startWith(UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return keep(
        GatewayUnderTest.start(
            kind(), ClaudeSimulator.builder().apiKey(KEY).start(), time, change));
  }

  private RawClient waitingForItsNextAttempt(GatewayUnderTest headrace) throws Exception {
    headrace.claude().answers(Answer.status(529).retryAfter(RETRY_AFTER));
    RawClient client = client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(0, SOON).awaitFinished(SOON);
    Awaitility.await("the wait between two attempts")
        .atMost(SOON)
        .pollInterval(Duration.ofMillis(10))
        .until(() -> GatewayInside.scheduledTasks(headrace.gateway()) > 2);
    return client;
  }

  /** Once the exchange is over and its task gone, nothing is left that could start one. */
  private void assertNoAttemptFollows(GatewayUnderTest headrace) {
    assertCancelledOnce(headrace);
    time.advance(RETRY_AFTER.multipliedBy(2));
    assertThat(GatewayInside.scheduledTasks(headrace.gateway())).isLessThanOrEqualTo(2);
    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  /** Clients learn the id with the head; before that only the gateway knows it. */
  private static String onlyId(GatewayUnderTest headrace) {
    Set<String> ids = GatewayInside.runningIds(headrace.gateway());
    assertThat(ids).hasSize(1);
    return ids.iterator().next();
  }

  private static void assertCancelledOnce(GatewayUnderTest headrace) {
    headrace.awaitIdle(SOON);
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CANCELLED(operator)", 1L));
  }

  private static void assertIsRefusal(Reply reply) {
    assertThat(reply.status()).isEqualTo(503);
    assertThat(reply.header("x-should-retry")).contains("false");
    assertThat(reply.header("headrace-exchange-id")).isPresent();
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertIsError(JSON.readTree(reply.body()));
  }

  private static void assertIsOneErrorEvent(String text) {
    assertThat(text).startsWith("event: error\ndata: ").endsWith("\n\n");
    String data = text.substring("event: error\ndata: ".length(), text.length() - 2);
    assertThat(data).doesNotContain("\n");
    assertIsError(JSON.readTree(data));
  }

  private static void assertIsError(JsonNode error) {
    assertThat(error.path("type").asString()).isEqualTo("error");
    assertThat(error.path("error").path("type").asString()).isEqualTo("api_error");
    assertThat(error.path("error").path("message").asString()).isEqualTo(SAID);
  }
}
