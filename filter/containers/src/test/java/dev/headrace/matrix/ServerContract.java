package dev.headrace.matrix;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import dev.headrace.containers.LoadClient;
import dev.headrace.containers.RawClient;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.containers.Requests;
import dev.headrace.containers.Standstill;
import dev.headrace.matrix.Protocol.Client;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import dev.headrace.simulator.Transcripts;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What must hold in every server. Where one cannot, the exact difference is asserted, under its
 * name in {@link Notes}.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class ServerContract extends CellTest {

  private static final int LAST = Integer.MAX_VALUE;
  private static final Duration SOON = Duration.ofSeconds(10);

  ServerContract(Cell cell) {
    super(cell);
  }

  // ---- streaming

  /** Nothing follows the event that is waited for, so nothing can push it out. */
  @ParameterizedTest
  @MethodSource("protocols")
  void everyEventArrivesBeforeTheNextOneIsSent(Protocol protocol) throws Exception {
    for (int event = 1; event <= 7; event++) {
      claude().answers(Answer.transcript(TEXT).stallAfterEvents(event));
      Client client = client(protocol).post(Context.OPEN.messages(), STREAMING);
      byte[] body = client.patience(SOON).readUntil(endOfEvent(event));
      assertThat(new String(body, UTF_8)).isEqualTo(firstEvents(event));
      client.reset();
    }
    claude().resetConnections();
  }

  /** More streams than the server has threads: {@code blocking.max-concurrent} is 0 as well. */
  @Test
  void streamsHoldNoThreadOfTheServer() throws Exception {
    int streams = 400;
    claude().answersAlways(Answer.transcript(TEXT).stallAfterEvents(4));
    List<Client> silent = new ArrayList<>();
    for (int i = 0; i < streams; i++) {
      silent.add(client(Protocol.HTTP_1_1).post(Context.OPEN.messages(), STREAMING));
    }
    for (Client client : silent) {
      client.patience(Duration.ofSeconds(30)).readUntil(endOfEvent(4));
    }
    claude().answers(Answer.transcript(TEXT));
    assertThat(post(Context.OPEN, STREAMING).body()).isEqualTo(TEXT);
    noteAsync(Protocol.HTTP_1_1, true);
    claude().resetConnections();
  }

  @Test
  void http2StreamsHoldNoThreadEither() throws Exception {
    assumeTrue(protocols().contains(Protocol.H2C), "a server without HTTP/2 in clear");
    claude().answersAlways(Answer.transcript(TEXT).stallAfterEvents(4));
    List<Client> silent = new ArrayList<>();
    for (int i = 0; i < 250; i++) {
      silent.add(client(Protocol.H2C).post(Context.OPEN.messages(), STREAMING));
    }
    for (Client client : silent) {
      client.patience(Duration.ofSeconds(30)).readUntil(endOfEvent(4));
    }
    noteAsync(Protocol.H2C, true);
    claude().resetConnections();
  }

  // ---- fidelity

  @ParameterizedTest
  @MethodSource("protocols")
  void everyTranscriptArrivesByteForByteHoweverItIsCut(Protocol protocol) throws Exception {
    Map<String, byte[]> transcripts = new LinkedHashMap<>(Transcripts.all());
    transcripts.keySet().removeIf(name -> name.contains("error-first")); // becomes no stream
    for (int size : new int[] {7, 1_000_000}) {
      claude().reset();
      Map<String, Client> all = new LinkedHashMap<>();
      for (Map.Entry<String, byte[]> transcript : transcripts.entrySet()) {
        claude().answers(Answer.transcript(transcript.getValue()).splitEvery(size));
        all.put(transcript.getKey(), client(protocol).post(Context.OPEN.messages(), STREAMING));
        awaitAnswer(claude().awaitRequest(all.size() - 1, SOON)); // so that each gets its own
      }
      for (Map.Entry<String, Client> client : all.entrySet()) {
        assertThat(client.getValue().readToEnd()).as(client.getKey()).isEqualTo(End.COMPLETE);
        assertThat(client.getValue().body())
            .as(client.getKey())
            .isEqualTo(transcripts.get(client.getKey()));
      }
    }
  }

  /** Waits until an answer has been chosen and begun. */
  private static void awaitAnswer(SeenRequest request) {
    Awaitility.await()
        .atMost(SOON)
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(2))
        .until(() -> request.bytesSent() > 0);
  }

  /** Jetty drops what is not yet written when a request is completed too early (facts I.5). */
  @ParameterizedTest
  @MethodSource("protocols")
  void aLargeEventAndALargeTailWithTheEndRightBehindArriveWhole(Protocol protocol)
      throws Exception {
    for (byte[] stream : List.of(withLargeEvents(1, 3 << 20), withLargeEvents(600, 8 << 10))) {
      claude().answersAlways(Answer.transcript(stream));
      Client slow = narrowClient(protocol).post(Context.OPEN.messages(), STREAMING);
      slow.readUntil(1);
      Standstill.await(claude().awaitRequest(0, SOON)::bytesSent);
      slow.takeAll();
      assertThat(slow.readToEnd()).isEqualTo(End.COMPLETE);
      assertThat(Arrays.equals(slow.body(), stream)).as("all bytes").isTrue();
      for (int i = 0; i < 5; i++) {
        Client fast = client(protocol).post(Context.OPEN.messages(), STREAMING);
        assertThat(fast.readToEnd()).isEqualTo(End.COMPLETE);
        assertThat(Arrays.equals(fast.body(), stream)).as("all bytes").isTrue();
      }
      claude().reset();
    }
  }

  /** {@link #TEXT} with more deltas in it. */
  private static byte[] withLargeEvents(int count, int bytes) {
    StringBuilder text = new StringBuilder(firstEvents(4));
    for (int i = 0; i < count; i++) {
      text.append(
          "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,");
      text.append("\"delta\":{\"type\":\"text_delta\",\"text\":\"").append(i).append(' ');
      text.append("x".repeat(bytes)).append("\"}}\n\n");
    }
    return text.append(TEXT.substring(firstEvents(4).length())).toString().getBytes(UTF_8);
  }

  @Test
  void anAnswerInOnePieceArrivesByteForByte() throws Exception {
    String json = "{\"type\":\"message\",  \"content\":[{\"type\":\"text\",\"text\":\"Grüße\"}]}";
    claude().answers(Answer.json(200, json));
    Reply reply = post(Context.OPEN, Requests.whole("Hello"));
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.body()).isEqualTo(json);
    assertThat(reply.header("content-type").orElse("")).startsWith("application/json");
  }

  @Test
  void nothingIsCompressedUnlessTheApiDidSo() throws Exception {
    claude().answers(Answer.transcript(TEXT));
    Reply plain = post(Context.OPEN, STREAMING, "Accept-Encoding: gzip");
    assertThat(plain.body()).isEqualTo(TEXT);
    assertThat(plain.header("content-encoding")).isEmpty();
    assertThat(claude().lastRequest().header("accept-encoding")).hasValue("identity");
    claude().answers(Answer.transcript(TEXT).forcedGzip());
    Reply compressed = post(Context.OPEN, STREAMING, "Accept-Encoding: gzip");
    assertThat(compressed.header("content-encoding")).hasValue("gzip");
    try (GZIPInputStream unzipped =
        new GZIPInputStream(new ByteArrayInputStream(compressed.bytes()))) {
      assertThat(unzipped.readAllBytes()).asString(UTF_8).isEqualTo(TEXT);
    }
  }

  @Test
  void aThousandShortStreamsAreAllComplete() throws Exception {
    claude().answersAlways(Answer.transcript(TEXT));
    LoadClient.Result result =
        new LoadClient(port(), Context.OPEN.messages(), STREAMING, TEXT, "")
            .run(1_000, 16, Duration.ofSeconds(60));
    assertThat(result).isEqualTo(new LoadClient.Result(1_000, Map.of()));
  }

  // ---- back-pressure

  /** Linux gives the two connections up to 20 MB, Payara 11 MB more. */
  @ParameterizedTest
  @MethodSource("protocols")
  void aClientThatDoesNotReadStopsTheUpstreamAndNobodyElse(Protocol protocol) throws Exception {
    byte[] stream = withLargeEvents(700, 64 << 10);
    claude().answers(Answer.transcript(stream));
    Client slow = narrowClient(protocol).post(Context.OPEN.messages(), STREAMING);
    slow.readUntil(1);
    SeenRequest request = claude().awaitRequest(0, SOON);
    Standstill.await(request::bytesSent);
    assertThat(request.bytesSent()).isLessThan(36L << 20);
    for (int i = 0; i < 4; i++) {
      claude().answers(Answer.transcript(TEXT));
      Client other = client(protocol).post(Context.OPEN.messages(), STREAMING).patience(SOON);
      assertThat(other.readToEnd()).isEqualTo(End.COMPLETE);
      assertThat(other.body()).asString(UTF_8).isEqualTo(TEXT);
    }
    slow.takeAll();
    assertThat(slow.readToEnd()).isEqualTo(End.COMPLETE);
    assertThat(Arrays.equals(slow.body(), stream)).as("all bytes").isTrue();
  }

  // ---- cancel

  enum Leaving {
    POLITELY,
    WITH_A_RESET
  }

  static List<Arguments> leavings() {
    List<Arguments> all = new ArrayList<>();
    for (Protocol protocol : protocols()) {
      for (Leaving how : Leaving.values()) {
        all.add(Arguments.of(protocol, how));
      }
    }
    return all;
  }

  @ParameterizedTest
  @MethodSource("leavings")
  void aClientThatLeavesWhileEventsFlowEndsTheUpstreamCall(Protocol protocol, Leaving how)
      throws Exception {
    long median = leave(protocol, how, Context.OPEN, endless());
    if (how == Leaving.POLITELY) {
      noteNoticed(protocol, median + " ms while events flow (20/s)");
    }
    assertThat(median).isLessThan(1_000 + unnoticedMillis(protocol, how));
  }

  /** After a FIN the kernel takes one more heartbeat; Payara notices one later than others. */
  @ParameterizedTest
  @MethodSource("leavings")
  void aClientThatLeavesInSilenceEndsTheUpstreamCall(Protocol protocol, Leaving how)
      throws Exception {
    long median = leave(protocol, how, Context.BEAT, Answer.transcript(TEXT).stallAfterEvents(4));
    if (how == Leaving.POLITELY) {
      noteNoticed(
          protocol, median + " ms in silence (heartbeat " + Context.HEARTBEAT_MILLIS + " ms)");
    }
    assertThat(median)
        .isLessThan(4 * Context.HEARTBEAT_MILLIS + 1_000 + unnoticedMillis(protocol, how));
  }

  /** How long the server itself does not notice a reset stream. */
  private long unnoticedMillis(Protocol protocol, Leaving how) {
    boolean late = how == Leaving.POLITELY && differs(Notes.IDLE_UNLESS_THE_CLIENT_SENDS, protocol);
    return late ? Bench.IDLE_LIMIT.multipliedBy(2).toMillis() : 0;
  }

  private boolean differs(Notes note) {
    return differs(note, Protocol.HTTP_1_1);
  }

  private boolean differs(Notes note, Protocol protocol) {
    return Notes.of(cell.kind(), protocol).contains(note);
  }

  private static Answer endless() {
    String[] deltas = new String[2_000];
    Arrays.fill(deltas, "Hel");
    return Answer.text("Hel", deltas).paced(20);
  }

  /** The median of three, in milliseconds from leaving until the upstream connection is closed. */
  private long leave(Protocol protocol, Leaving how, Context context, Answer answer)
      throws Exception {
    List<Long> millis = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      claude().reset();
      claude().answers(answer);
      Client client = client(protocol).post(context.messages(), STREAMING);
      client.readUntil(endOfEvent(3));
      SeenRequest request = claude().awaitRequest(0, SOON);
      request.awaitEvents(4, SOON);
      long left = System.nanoTime();
      if (how == Leaving.POLITELY) {
        client.leave();
      } else {
        client.reset();
      }
      request.awaitClientGone(SOON);
      millis.add((request.clientGoneAtNanos().orElseThrow() - left) / 1_000_000);
    }
    millis.sort(null);
    return millis.get(1);
  }

  /** As many streams as there are places, again and again, whoever left before. */
  @Test
  void everyPlaceIsFreeAgainAfterClientsHaveLeft() throws Exception {
    for (int round = 0; round < 3; round++) {
      claude().reset();
      claude().answersAlways(Answer.transcript(TEXT).stallAfterEvents(4));
      List<Client> all = new ArrayList<>();
      for (int i = 0; i < Context.CONNECTIONS; i++) {
        Protocol protocol = protocols().get(i % protocols().size());
        all.add(client(protocol).post(Context.BEAT.messages(), STREAMING));
        all.get(i).readUntil(endOfEvent(4));
      }
      Reply oneTooMany = post(Context.BEAT, STREAMING);
      assertThat(oneTooMany.status()).isEqualTo(503);
      assertThat(oneTooMany.header("retry-after")).isPresent();
      for (int i = 0; i < all.size(); i++) {
        if (i % 3 == 0) {
          all.get(i).reset();
        } else {
          all.get(i).leave();
        }
      }
      awaitIdle();
      // The connection is closed first, its place is given back right after.
      claude().answersAlways(Answer.transcript(TEXT));
      Awaitility.await().atMost(SOON).until(() -> post(Context.BEAT, STREAMING).status() == 200);
    }
    assertThat(isReady(port(), Context.BEAT)).isTrue();
  }

  // ---- heartbeat and silence

  @ParameterizedTest
  @MethodSource("protocols")
  void heartbeatsThatRaceWithDataStandBetweenEventsAndChangeNothing(Protocol protocol)
      throws Exception {
    int streams = Context.CONNECTIONS / 2; // of each kind, all at the same time
    Duration beat = Duration.ofMillis(Context.HEARTBEAT_MILLIS);
    for (int i = 0; i < streams; i++) {
      claude()
          // A write each time that a heartbeat is due, in mid-event mostly; and silence between
          // two.
          .answers(Answer.transcript(TEXT).trickle(170, beat.plusMillis(50)))
          .answers(Answer.transcript(TEXT).pauseAfterEvents(4, beat.multipliedBy(4)));
    }
    ExecutorService threads = Executors.newFixedThreadPool(2 * streams);
    int comments = 0;
    try {
      List<Future<String>> bodies = new ArrayList<>();
      for (int i = 0; i < 2 * streams; i++) {
        bodies.add(threads.submit(() -> streamOnBeat(protocol)));
      }
      for (Future<String> body : bodies) {
        String text = body.get(60, TimeUnit.SECONDS);
        assertThat(text.replace(COMMENT, "")).isEqualTo(TEXT);
        for (int at = text.indexOf(COMMENT); at >= 0; at = text.indexOf(COMMENT, at + 1)) {
          assertThat(text.substring(0, at)).endsWith("\n\n");
          comments++;
        }
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(comments).isPositive();
  }

  private static String streamOnBeat(Protocol protocol) throws IOException {
    try (Client client = protocol.connect(port())) {
      client.post(Context.BEAT.messages(), STREAMING);
      assertThat(client.readToEnd()).isEqualTo(End.COMPLETE);
      return new String(client.body(), UTF_8);
    }
  }

  /**
   * The server's limits for silence are {@link Bench#IDLE_LIMIT}. These streams began when the
   * server was up, and were silent beside the other cases.
   */
  @Test
  @Order(LAST - 2)
  void aStreamThatIsSilentForLongerThanTheServersOwnLimitsSurvives() throws Exception {
    for (Protocol protocol : protocols()) {
      Silence.Result result = bench().silence().await(protocol);
      if (differs(Notes.IDLE_UNLESS_THE_CLIENT_SENDS, protocol)) {
        assertThat(result.end()).as(protocol.title()).isIn(End.CUT, End.RESET);
        continue;
      }
      assertThat(result.end()).as(protocol.title()).isEqualTo(End.COMPLETE);
      assertThat(result.body()).as(protocol.title()).isEqualTo(TEXT);
    }
  }

  // ---- errors

  @Test
  void overloadIsRepeatedBeforeTheFirstByteAndThenPassedOn() throws Exception {
    claude().answers(Answer.status(529)).answers(Answer.transcript(TEXT));
    assertThat(post(Context.OPEN, STREAMING).body()).isEqualTo(TEXT);
    assertThat(claude().attempts()).isEqualTo(2);
    claude().reset();
    claude().answersAlways(Answer.status(529));
    Reply reply = post(Context.OPEN, STREAMING);
    assertError(reply, 529, "overloaded_error");
    assertThat(reply.header("x-should-retry")).hasValue("false");
    assertThat(claude().attempts()).isEqualTo(3);
  }

  @ParameterizedTest
  @MethodSource("protocols")
  void anUpstreamThatBreaksOffBetweenEventsGivesALastErrorEvent(Protocol protocol)
      throws Exception {
    claude().answers(Answer.transcript(TEXT).withoutGzip().cutAfterEvents(5));
    Client client = client(protocol).post(Context.OPEN.messages(), STREAMING);
    assertThat(client.readToEnd()).isEqualTo(End.COMPLETE);
    assertThat(client.body())
        .asString(UTF_8)
        .startsWith(firstEvents(5) + "event: error\ndata: ")
        .contains("\"type\":\"api_error\"")
        .endsWith("\n\n")
        .doesNotContain("message_stop");
  }

  /** No error event can stand there, so the connection must tell. */
  @ParameterizedTest
  @MethodSource("protocols")
  void anUpstreamThatBreaksOffInMidEventNeverLooksComplete(Protocol protocol) throws Exception {
    claude().answers(Answer.transcript(TEXT).trickle(10_000, Duration.ofMillis(20)).cutAtByte(700));
    Client client = client(protocol).post(Context.OPEN.messages(), STREAMING).patience(SOON);
    End end = client.readToEnd();
    String body = new String(client.body(), UTF_8);
    assertThat(body).startsWith(firstEvents(3)).doesNotContain("message_stop");
    if (differs(Notes.ERROR_BEHIND_A_BROKEN_EVENT)) {
      assertThat(end).isEqualTo(End.COMPLETE);
      int error = body.indexOf("\n\nevent: error\ndata: {");
      assertThat(TEXT).startsWith(body.substring(0, error));
      assertThat(body).endsWith("\n\n").contains("\"type\":\"api_error\"");
    } else {
      assertThat(end).isIn(End.CUT, End.RESET);
      assertThat(TEXT).startsWith(body);
      if (!differs(Notes.RESET_OVERTAKES, protocol)) {
        assertThat(body).doesNotEndWith("\n\n");
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "GET, /v1/messages, 405, invalid_request_error",
    "GET, /v1/nothing, 404, not_found_error",
    "GET, /v1/v1/messages, 404, not_found_error"
  })
  void whatIsNotHereIsAnsweredInTheApisWay(String method, String path, int status, String type)
      throws Exception {
    try (RawClient client = RawClient.connect(port())) {
      Reply reply = client.request(method, Context.OPEN.path(path)).reply();
      assertError(reply, status, type);
      if (status == 405) {
        assertThat(reply.header("allow")).hasValue("POST");
      }
    }
    assertThat(claude().attempts()).isZero();
  }

  @Test
  void brokenAndOversizedBodiesAreRefused() throws Exception {
    assertError(post(Context.BEAT, "{\"model\":"), 400, "invalid_request_error");
    assertError(
        post(Context.BEAT, Requests.streaming("x".repeat(Context.MAX_BODY))),
        413,
        "request_too_large");
    assertThat(claude().attempts()).isZero();
  }

  /** A body of some MB, as with a picture in it. */
  @Test
  void aLargeQuestionArrivesWhole() throws Exception {
    String body = Requests.streaming("x".repeat(5 << 20));
    claude().answers(Answer.transcript(TEXT));
    assertThat(post(Context.OPEN, body).body()).isEqualTo(TEXT);
    assertThat(claude().lastRequest().bodyText().equals(body)).as("the same body").isTrue();
  }

  @Test
  void roundaboutPathsAndAmbiguousFramingReachNothing() throws Exception {
    for (Map.Entry<String, String> row : HostileRequests.framings(STREAMING).entrySet()) {
      claude().reset();
      claude().answersAlways(Answer.transcript(TEXT));
      String answer = HostileRequests.send(port(), row.getValue());
      int attempts = claude().attempts();
      if (attempts == 0) {
        assertThat(answer).as(row.getKey()).doesNotContain(" 200 ");
      } else {
        assertThat(attempts).as(row.getKey()).isEqualTo(1);
        SeenRequest seen = claude().lastRequest();
        assertThat(seen.path()).as(row.getKey()).isEqualTo("/v1/messages");
        assertThat(seen.query()).as(row.getKey()).isEmpty();
        assertThat(seen.bodyText()).as(row.getKey()).isEqualTo(STREAMING);
        assertThat(seen.header("content-length"))
            .hasValue(Integer.toString(STREAMING.getBytes(UTF_8).length));
        assertThat(seen.header("transfer-encoding")).as(row.getKey()).isEmpty();
        assertThat(seen.header("host").orElse("")).as(row.getKey()).startsWith("127.0.0.1");
        assertThat(seen.header("x-api-key")).as(row.getKey()).hasValue(Bench.API_KEY);
      }
    }
    claude().reset();
    claude().answersAlways(Answer.transcript(TEXT));
    Map<String, String> paths = HostileRequests.paths(STREAMING);
    ExecutorService threads = Executors.newFixedThreadPool(paths.size());
    Map<String, Future<String>> answers = new LinkedHashMap<>();
    try {
      paths.forEach(
          (path, request) ->
              answers.put(path, threads.submit(() -> HostileRequests.send(port(), request))));
      for (Map.Entry<String, Future<String>> answer : answers.entrySet()) {
        assertThat(answer.getValue().get(60, TimeUnit.SECONDS))
            .as(answer.getKey())
            .doesNotContain(" 200 ");
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(claude().attempts()).isZero();
  }

  @Test
  void onlyHarmlessHeadersOfTheApiReachTheClient() throws Exception {
    claude()
        .answers(
            Answer.transcript(TEXT)
                .header("set-cookie", "a=b")
                .header("location", "http://elsewhere.example/")
                .header("strict-transport-security", "max-age=1")
                .header("access-control-allow-origin", "*")
                .header("trailer", "x-one")
                .header("x-one", "1"));
    Reply reply = post(Context.OPEN, STREAMING);
    assertThat(reply.body()).isEqualTo(TEXT);
    for (String name :
        List.of(
            "set-cookie",
            "location",
            "strict-transport-security",
            "access-control-allow-origin",
            "trailer",
            "x-one",
            "content-encoding")) {
      assertThat(reply.header(name)).as(name).isEmpty();
    }
    // A container that has the whole answer before it writes may say how long it is.
    assertThat(reply.header("content-length").orElse(reply.bytes().length + ""))
        .isEqualTo(reply.bytes().length + "");
    assertThat(reply.header("content-type").orElse("")).startsWith("text/event-stream");
    assertThat(reply.header("cache-control").orElse("")).contains("no-cache");
    assertThat(reply.header("x-content-type-options")).hasValue("nosniff");
    assertThat(reply.header("x-accel-buffering")).hasValue("no");
    assertThat(reply.header("request-id")).isPresent();
    assertThat(reply.header("headrace-exchange-id")).isPresent();
    assertThat(reply.fields().toString() + reply.body()).doesNotContain(Bench.API_KEY);
  }

  private static void assertError(Reply reply, int status, String type) {
    assertThat(reply.status()).isEqualTo(status);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.header("content-type").orElse("")).startsWith("application/json");
    assertThat(reply.body())
        .startsWith("{\"type\":\"error\",\"error\":{")
        .contains("\"type\":\"" + type + "\"");
  }

  // ---- limits

  @Test
  void whoHasNoKeyIsNotLetIn() throws Exception {
    assertError(post(Context.PLANS, STREAMING), 401, "authentication_error");
    assertError(
        post(Context.PLANS, STREAMING, "x-api-key: " + bench().key("two") + "x"),
        401,
        "authentication_error");
    assertThat(claude().attempts()).isZero();
  }

  @Test
  void streamsAtTheSameTimeAreLimited() throws Exception {
    String key = "Authorization: Bearer " + bench().key("two");
    claude().answersAlways(Answer.transcript(TEXT).stallAfterEvents(4));
    List<RawClient> running = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      running.add(RawClient.connect(port()).post(Context.PLANS.messages(), STREAMING, key));
      running.get(i).replyHead();
    }
    assertError(post(Context.PLANS, STREAMING, key), 429, "rate_limit_error");
    claude().closeConnections(); // ends both with an error event
    for (RawClient client : running) {
      client.readBodyUntil("event: error");
      client.close();
    }
    claude().answersAlways(Answer.transcript(TEXT));
    Awaitility.await()
        .atMost(SOON)
        .until(() -> post(Context.PLANS, STREAMING, key).status() == 200);
  }

  @Test
  void requestsInAPeriodAreLimited() throws Exception {
    String key = "x-api-key: " + bench().key("three");
    claude().answersAlways(Answer.transcript(TEXT));
    for (int i = 0; i < 3; i++) {
      assertThat(post(Context.PLANS, STREAMING, key).status()).isEqualTo(200);
    }
    Reply refused = post(Context.PLANS, STREAMING, key);
    assertError(refused, 429, "rate_limit_error");
    assertThat(refused.header("retry-after")).isPresent();
    assertThat(claude().attempts()).isEqualTo(3);
  }

  @Test
  void aStreamEndsAsAWholeMessageWhereItsBudgetIsUsedUp() throws Exception {
    String key = "x-api-key: " + bench().key("fifty");
    String[] words = new String[1_000];
    Arrays.fill(words, "abcdefgh"); // two tokens each, estimated
    claude().answersAlways(Answer.text("abcdefgh", words).tokenwise());
    Reply reply = post(Context.PLANS, STREAMING, key);
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.body())
        .contains("\"stop_reason\":\"max_tokens\"")
        .endsWith("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    assertThat(post(Context.PLANS, STREAMING, key).status()).isEqualTo(429);
  }

  // ---- a real client

  @Test
  void theOfficialJavaSdkReadsAStream() {
    claude().answers(Answer.text("Grüße ", "aus ", "Köln"));
    AnthropicClient sdk =
        AnthropicOkHttpClient.builder()
            .baseUrl("http://127.0.0.1:" + port() + Context.BEAT.path(""))
            .apiKey("sk-test-client")
            .maxRetries(0)
            .build();
    MessageCreateParams question =
        MessageCreateParams.builder()
            .model("claude-sonnet-5-5")
            .maxTokens(100)
            .addUserMessage("Hello?")
            .build();
    try (StreamResponse<RawMessageStreamEvent> stream = sdk.messages().createStreaming(question)) {
      MessageAccumulator accumulator = MessageAccumulator.create();
      stream.stream().forEach(accumulator::accumulate);
      assertThat(accumulator.message().content().get(0).asText().text())
          .isEqualTo("Grüße aus Köln");
    } finally {
      sdk.close();
    }
    assertThat(claude().lastRequest().header("authorization")).isEmpty();
  }

  // ---- drain

  @Test
  @Order(LAST - 1)
  void anApplicationThatIsUndeployedTearsNoStream() throws Exception {
    if (differs(Notes.NO_UNDEPLOY)) {
      bench().server().undeploy("drained");
      bench().claude(Context.DRAINED).answers(Answer.transcript(TEXT));
      assertThat(post(Context.DRAINED, STREAMING).body()).isEqualTo(TEXT);
      return;
    }
    Map<String, Integer> ends = drain(Context.DRAINED, () -> bench().server().undeploy("drained"));
    assertThat(ends).containsOnlyKeys("complete", "error event").containsEntry("complete", 3);
    // The others go on.
    claude().answers(Answer.transcript(TEXT));
    assertThat(post(Context.OPEN, STREAMING).body()).isEqualTo(TEXT);
  }

  @Test
  @Order(LAST)
  void aServerThatIsAskedToEndTearsNoStream() throws Exception {
    Map<String, Integer> ends = drain(Context.OPEN, () -> bench().server().terminate());
    if (differs(Notes.SHUTDOWN_CUTS)) {
      // A server that stops a moment later than usual lets the gateway end them properly.
      assertThat(ends).containsEntry("complete", 3);
      int cut = ends.getOrDefault("torn: CUT", 0);
      assertThat(cut + ends.getOrDefault("error event", 0)).as("%s", ends).isEqualTo(3);
    } else if (differs(Notes.SHUTDOWN_CUTS_AT_ONCE)) {
      assertThat(ends).isEqualTo(Map.of("torn: CUT", 6));
    } else {
      assertThat(ends).containsOnlyKeys("complete", "error event").containsEntry("complete", 3);
    }
    Awaitility.await("the server's end")
        .atMost(Duration.ofSeconds(60))
        .until(() -> !bench().server().isAlive());
  }

  private interface Action {
    void run() throws Exception;
  }

  /** Three streams that end by themselves within a second, and three that go on for long. */
  private Map<String, Integer> drain(Context context, Action stop) throws Exception {
    List<Client> running = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      String text = "word ".repeat(i < 3 ? 16 : 2_000);
      bench().claude(context).answers(Answer.text("first ").thenText(text).tokenwise().paced(20));
      Client client = client(Protocol.HTTP_1_1).post(context.messages(), STREAMING);
      client.patience(Duration.ofSeconds(30)).readUntil(10);
      running.add(client);
    }
    stop.run();
    Map<String, Integer> ends = new TreeMap<>();
    for (Client client : running) {
      End end = client.readToEnd();
      ends.merge(describe(end, new String(client.body(), UTF_8)), 1, Integer::sum);
    }
    return ends;
  }

  private static String describe(End end, String body) {
    if (end != End.COMPLETE) {
      return "torn: " + end;
    }
    if (!body.endsWith("\n\n")) {
      return "ends in mid-event";
    }
    String last = body.substring(body.lastIndexOf("event: "));
    if (last.startsWith("event: message_stop\n")) {
      return "complete";
    }
    return last.startsWith("event: error\n") && last.contains("shutting down")
        ? "error event"
        : "looks complete and is not: " + last;
  }
}
