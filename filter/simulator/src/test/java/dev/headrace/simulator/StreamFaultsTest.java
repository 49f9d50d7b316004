package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StreamFaultsTest {
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final String LAST_CHUNK = "\r\n0\r\n\r\n";

  private final ClaudeSimulator claude = ClaudeSimulator.builder().noPadding().start();
  private final HttpCaller http = new HttpCaller(claude);

  @AfterEach
  void nothingIsLeftOpen() {
    claude.close();
    assertThat(claude.openConnections()).isZero();
    assertThat(claude.openStreams()).isZero();
  }

  @Test
  void anErrorAsTheFirstEventComesWithStatus200AndNothingElse() throws Exception {
    claude.answers(Answer.errorFirst("overloaded_error"));

    HttpResponse<String> response = http.stream();

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.body())
        .isEqualTo(
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"details\":null,\"type\":\"overloaded_error\",\"message\":\"Overloaded\"},\"request_id\":\"%s\"}\n\n"
                .formatted(claude.lastRequest().requestId()));
  }

  @Test
  void anErrorInMidstreamEndsTheBodyCleanly() throws Exception {
    claude.answers(Answer.text("Hel", "lo").errorAfterEvents(4, "api_error"));

    assertThat(ScriptedStreamTest.names(http.stream().body()))
        .containsExactly(
            "message_start", "content_block_start", "ping", "content_block_delta", "error");
  }

  @Test
  void anErrorAsTheSecondEventFollowsTheStart() throws Exception {
    claude.answers(Answer.text("x").errorAsSecondEvent("overloaded_error"));

    assertThat(ScriptedStreamTest.names(http.stream().body()))
        .containsExactly("message_start", "error");
  }

  @Test
  void aCleanCutLacksMessageStopAndKeepsTheConnection() throws Exception {
    claude.answers(Answer.text("Hel", "lo").cutCleanAfterEvents(4));

    assertThat(http.stream().body()).endsWith("\"Hel\"}}\n\n");
    assertThat(http.stream().statusCode()).isEqualTo(200);
    assertThat(claude.lastRequest().connectionId())
        .isEqualTo(claude.requests().get(0).connectionId());
  }

  @Test
  void aCutAtAByteSendsExactlyThatManyAndNoLastChunk() throws Exception {
    claude.answers(Answer.text("Hello").cutAtByte(100));
    String whole;
    try (RawClient client = new RawClient(claude)) {
      whole = new String(client.stream().readAll(), UTF_8);
    }

    String body = whole.substring(whole.indexOf("\r\n\r\n") + 4);
    assertThat(body).startsWith("64\r\nevent: message_start\n").doesNotEndWith(LAST_CHUNK);
    assertThat(body).hasSize(4 + 100 + 2);
    SeenRequest seen = claude.lastRequest();
    seen.awaitFinished(SOON);
    assertThat(seen.bytesSent()).isEqualTo(100);
    assertThat(seen.eventsSent()).isZero();
    assertThat(seen.clientGone()).isFalse();
  }

  @Test
  void aJsonAnswerCanBeCutAtAByteToo() throws Exception {
    claude.answers(Answer.text("Hello").cutAtByte(10));

    assertThatThrownBy(http::message).isInstanceOf(IOException.class);
    assertThat(claude.lastRequest().bytesSent()).isEqualTo(10);
  }

  @Test
  void aResetIsSeenAsAResetAfterTheBytesBefore() throws Exception {
    claude.answers(Answer.text("Hello").resetAtByte(60));
    try (RawClient client = new RawClient(claude)) {
      client.stream().readUntil("event: message_start\ndata: {");

      assertThatThrownBy(client::readAll)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("reset");
    }
  }

  @Test
  void closingAndResettingWithoutAHeadGiveNoByte() throws Exception {
    claude.answers(Answer.empty().closeBeforeHead()).answers(Answer.empty().resetBeforeHead());
    try (RawClient client = new RawClient(claude)) {
      assertThat(client.stream().readAll()).isEmpty();
    }
    try (RawClient client = new RawClient(claude)) {
      client.stream();
      assertThatThrownBy(client::readAll)
          .isInstanceOf(IOException.class)
          .hasMessageContaining("reset");
    }
  }

  @Test
  void aClientThatGivesUpBeforeTheHeadIsReported() throws Exception {
    claude.answers(Answer.text("never").stallBeforeHead());
    try (RawClient client = new RawClient(claude)) {
      client.stream();
      SeenRequest seen = claude.awaitRequest(0, SOON);
      assertThat(seen.clientGone()).isFalse();
    }
    SeenRequest seen = claude.lastRequest();
    seen.awaitClientGone(SOON);
    assertThat(seen.status()).isZero();
    assertThat(seen.bytesSent()).isZero();
  }

  @Test
  void aClientThatResetsDuringSilenceIsReported() throws Exception {
    claude.answers(Answer.text("Hel").stallAfterEvents(4));
    try (RawClient client = new RawClient(claude)) {
      client.stream().readUntil("Hel");
      client.reset();
      claude.lastRequest().awaitClientGone(SOON);
    }
    assertThat(claude.lastRequest().eventsSentAfterClientGone()).isZero();
  }

  @Test
  void aStallWithPingsSendsNothingElse() throws Exception {
    claude.answers(Answer.text("Hel").stallAfterEvents(4).withPings(Duration.ofMillis(20)));
    try (RawClient client = new RawClient(claude)) {
      client.stream().readUntil("Hel");
      for (int i = 0; i < 3; i++) {
        assertThat(client.readUntil("data: {\"type\": \"ping\"}\n\n"))
            .contains("event: ping")
            .doesNotContain("message");
      }
      claude.lastRequest().awaitEvents(7, SOON);
    }
  }

  @Test
  void aLongPauseHasPingsInItAndThenGoesOn() throws Exception {
    try (ClaudeSimulator quick =
        ClaudeSimulator.builder().noPadding().pingInterval(Duration.ofMillis(50)).start()) {
      quick.answers(Answer.text("Hel").pause(Duration.ofSeconds(1)).thenText("lo"));

      assertThat(ScriptedStreamTest.names(new HttpCaller(quick).stream().body()))
          .startsWith(
              "message_start", "content_block_start", "ping", "content_block_delta", "ping", "ping")
          .endsWith("content_block_delta", "content_block_stop", "message_delta", "message_stop");
    }
  }

  @Test
  void pausesBeforeTheHeadAndBetweenEventsTakeTheirTime() throws Exception {
    claude.answers(
        Answer.text("Hel", "lo")
            .beforeHead(Duration.ofMillis(150))
            .pauseAfterEvents(4, Duration.ofMillis(150)));
    long start = System.nanoTime();

    assertThat(http.stream().body()).contains("message_stop");

    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(300_000_000L);
  }

  @Test
  void anErrorInTheMiddleOfAJsonAnswerComesAfterAsLong() throws Exception {
    claude.answers(
        Answer.text("Hel", "lo")
            .paced(10)
            .pauseAfterEvents(4, Duration.ofMillis(150))
            .errorAfterEvents(5, "overloaded_error"));
    long start = System.nanoTime();

    assertThat(http.message().statusCode()).isEqualTo(529);

    assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(350_000_000L);
  }

  @Test
  void anErrorBehindTheEndIsNone() throws Exception {
    claude.answers(Answer.text("Hello").errorAfterEvents(100, "overloaded_error"));

    assertThat(http.message().statusCode()).isEqualTo(200);
    assertThat(http.stream().body()).contains("message_stop").doesNotContain("event: error");
  }

  @Test
  void aTrickleWithoutAGapStillWritesEachPieceByItself() {
    assertThat(new ByteShaper(Answer.text("Hi").trickle(3, Duration.ZERO).spec()).gapNanos())
        .isPositive();
  }

  @Test
  void pingsNeedAnInterval() {
    assertThatThrownBy(() -> ClaudeSimulator.builder().pingInterval(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("above 0");
  }

  @Test
  void aTrickleComesByteByByteAndWhole() throws Exception {
    claude.answers(Answer.text("Grüße 👋").trickle(1, Duration.ofNanos(50_000)));

    HttpResponse<String> response = http.stream();

    assertThat(response.body()).contains("Grüße 👋").contains("message_stop");
    SeenRequest seen = claude.lastRequest();
    assertThat(seen.bytesSent()).isEqualTo(response.body().getBytes(UTF_8).length);
  }

  @Test
  void aSplitInsideACharacterEndsAWriteThere() throws Exception {
    // The ü is bytes 8 and 9.
    claude.answers(Answer.transcript("data: Grü").splitAt(9).connectionClose());
    try (RawClient client = new RawClient(claude)) {
      client.stream().readUntil("\r\n\r\n");

      assertThat(new String(client.readAll(), ISO_8859_1))
          .isEqualTo("9\r\ndata: GrÃ\r\n1\r\n¼\r\n0\r\n\r\n");
    }
  }

  @Test
  void splittingEveryThreeBytesChangesNothingForAReader() throws Exception {
    claude.answers(Answer.transcript(Transcripts.text()).splitEvery(3));

    assertThat(http.stream().body()).isEqualTo(new String(Transcripts.text(), UTF_8));
  }

  @Test
  void aLargeEventIsOneEvent() throws Exception {
    claude.answers(Answer.empty().largeEvent(3 << 20));

    HttpResponse<String> response = http.stream();

    assertThat(ScriptedStreamTest.names(response.body())).hasSize(7);
    assertThat(response.body().lines().mapToInt(String::length).max().orElse(0))
        .isGreaterThan(3 << 20);
  }

  @Test
  void unknownThingsComeBeforeTheKnownOnes() throws Exception {
    claude.answers(Answer.text("Hi").unknownThings());

    String body = http.stream().body();

    assertThat(body)
        .contains(
            "event: session_hint", "\"type\":\"hologram\"", "hologram_delta", "crystal_tokens");
    assertThat(body).contains("\"index\":1,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}");
  }

  @Test
  void linesEndInCrlfAndHaveCommentsWhenAsked() throws Exception {
    claude.answers(Answer.text("Hi").crlf().withComments());

    String body = http.stream().body();

    assertThat(body).startsWith(": keep-alive\r\nevent: message_start\r\ndata: {");
    assertThat(body.replace("\r\n", "")).doesNotContain("\n");
  }

  @Test
  void timeStampsAreThoseOfTheSending() throws Exception {
    claude.answers(Answer.text("Hel", "lo").timestamps());
    long before = System.nanoTime();

    String body = http.stream().body();

    List<Long> stamps =
        body.lines()
            .filter(line -> line.contains("text_delta"))
            .map(line -> line.substring(line.indexOf("t=") + 2, line.indexOf(';')))
            .map(Long::valueOf)
            .toList();
    assertThat(stamps).hasSize(2).isSorted();
    assertThat(stamps).allMatch(stamp -> stamp >= before && stamp <= System.nanoTime());
    assertThat(body).contains(";Hel\"", ";lo\"");
  }

  @Test
  void aRefusedConnectionIsRefusedUntilTheSimulatorListensAgain() throws Exception {
    claude.refuseConnections();
    assertThatThrownBy(() -> new RawClient(claude)).isInstanceOf(ConnectException.class);

    claude.acceptConnections();
    assertThat(http.stream().statusCode()).isEqualTo(200);
  }

  @Test
  void aConnectionClosedWithoutNoticeWasPromisedToStay() throws Exception {
    claude.answers(Answer.text("Hi").closeWithoutNotice());
    try (RawClient client = new RawClient(claude)) {
      String whole = new String(client.stream().readAll(), UTF_8);
      assertThat(whole).contains("Connection: keep-alive").endsWith(LAST_CHUNK);
    }
  }

  @Test
  void rawBytesTakeTheResponsesPlace() throws Exception {
    claude.answers(Answer.rawHttp("SSH-2.0-nonsense\r\n".getBytes(UTF_8)));
    try (RawClient client = new RawClient(claude)) {
      assertThat(client.stream().readAll()).asString(UTF_8).isEqualTo("SSH-2.0-nonsense\r\n");
    }
  }

  @Test
  void eventsAreCompressedWhenAcceptedAndReadableOneByOne() throws Exception {
    claude.answers(Answer.text("Hel", "lo").stallAfterEvents(4));
    try (RawClient client = new RawClient(claude)) {
      byte[] body = HttpCaller.STREAMING_BODY.getBytes(UTF_8);
      client.send(
          ("POST /v1/messages HTTP/1.1\r\nHost: claude\r\nAuthorization: Bearer sk-test\r\nContent-Type: application/json\r\n"
                  + "anthropic-version: 2023-06-01\r\nAccept-Encoding: deflate, gzip\r\n"
                  + "Content-Length: "
                  + body.length
                  + "\r\n\r\n")
              .getBytes(UTF_8));
      client.send(body);
      assertThat(client.readUntil("\r\n\r\n")).contains("Content-Encoding: gzip");
      claude.awaitRequest(0, SOON).awaitEvents(4, SOON);
    }
    claude.answers(Answer.text("Hello"));
    HttpRequest request =
        http.request("/v1/messages")
            .header("accept-encoding", "gzip")
            .POST(HttpRequest.BodyPublishers.ofString(HttpCaller.STREAMING_BODY))
            .build();
    HttpResponse<byte[]> response =
        java.net.http.HttpClient.newHttpClient()
            .send(request, HttpResponse.BodyHandlers.ofByteArray());

    byte[] plain = new GZIPInputStream(new ByteArrayInputStream(response.body())).readAllBytes();
    assertThat(new String(plain, UTF_8)).contains("\"Hello\"").contains("message_stop");
  }

  @Test
  void hiddenCompressionIsNotAnnounced() throws Exception {
    claude.answers(Answer.text("Hello").hiddenGzip());
    try (RawClient client = new RawClient(claude)) {
      assertThat(client.stream().readUntil("\r\n\r\n")).doesNotContain("Content-Encoding");
    }
  }

  @Test
  void paddingIsTheSameForTheSameSeed() throws Exception {
    String first;
    String second;
    try (ClaudeSimulator one = ClaudeSimulator.builder().paddingSeed(7).start()) {
      first = new HttpCaller(one).stream().body();
    }
    try (ClaudeSimulator two = ClaudeSimulator.builder().paddingSeed(7).start()) {
      second = new HttpCaller(two).stream().body();
    }
    assertThat(first).isEqualTo(second).containsPattern("  }\n\n");
  }
}
