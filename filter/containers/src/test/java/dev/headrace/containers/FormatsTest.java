package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.ByteSize;
import dev.headrace.containers.RawClient.End;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The formats {@code text} and {@code simple} on the wire, with the clocks and errors of streams.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class FormatsTest extends GatewayContract {

  private static final String TEXT = "/claude/v1/messages?format=text";
  private static final String SIMPLE = "/claude/v1/messages?format=simple";
  private static final String COMMENT = ": keep-alive\n\n";

  FormatsTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void textIsTheWordsAndNothingElse() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answers(Answer.transcript(Transcripts.text()));

    RawClient.Reply reply = client(headrace).post(TEXT, STREAMING).reply();

    assertThat(reply.status()).isEqualTo(200);
    assertThat(contentType(reply)).isEqualTo("text/plain;charset=utf-8");
    assertThat(reply.header("request-id")).isPresent();
    assertThat(reply.body()).isEqualTo("Grüße aus Köln! 👋");
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
  }

  /** Containers write it with or without a blank. */
  private static String contentType(RawClient.Reply reply) {
    return reply.header("content-type").orElseThrow().toLowerCase(Locale.ROOT).replace(" ", "");
  }

  @Test
  void theAcceptHeaderAsksForTextToo() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answersAlways(Answer.transcript(Transcripts.text()));

    assertThat(
            client(headrace)
                .post("/claude/v1/messages", STREAMING, "Accept: text/plain")
                .reply()
                .body())
        .isEqualTo("Grüße aus Köln! 👋");
    // text/plain further back is what many clients send by default
    assertThat(
            client(headrace)
                .post("/claude/v1/messages", STREAMING, "Accept: application/json, text/plain, */*")
                .reply()
                .body())
        .isEqualTo(new String(Transcripts.text(), UTF_8));
    // the query has the last word
    assertThat(
            client(headrace)
                .post("/claude/v1/messages?format=events", STREAMING, "Accept: text/plain")
                .reply()
                .body())
        .isEqualTo(new String(Transcripts.text(), UTF_8));
  }

  @Test
  void simpleHasItsFewEventsAndTheCost() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answers(Answer.transcript(Transcripts.text()));

    RawClient.Reply reply = client(headrace).post(SIMPLE, STREAMING).reply();

    assertThat(contentType(reply)).isEqualTo("text/event-stream;charset=utf-8");
    assertThat(reply.body())
        .isEqualTo(
            """
            event: start
            data: {"id":"msg_01XBq3dKfWm8uRzY5cTnVhPa","model":"claude-sonnet-5-5"}

            event: text
            data: {"text":"Grüße"}

            event: text
            data: {"text":" aus Köln! 👋"}

            event: usage
            data: {"input_tokens":14,"output_tokens":12,"cache_read_tokens":0,"cache_write_tokens":0,"cost_usd":0.000148}

            event: done
            data: {"stop_reason":"end_turn"}

            """);
  }

  @Test
  void everyPieceComesAsSoonAsItsEvent() throws Exception {
    GatewayUnderTest headrace = start();
    headrace
        .claude()
        .answersAlways(
            Answer.transcript(Transcripts.text()).pauseAfterEvents(4, Duration.ofSeconds(2)));
    for (String path : List.of(TEXT, SIMPLE)) {
      RawClient client = client(headrace).post(path, STREAMING);
      assertThat(client.replyHead().status()).isEqualTo(200);
      long start = System.nanoTime();
      String soFar = client.readBodyUntil("Grüße");
      assertThat(System.nanoTime() - start).isLessThan(Duration.ofMillis(1500).toNanos());
      assertThat(soFar).doesNotContain("Köln");
      assertThat(client.readBodyUntil("Köln")).contains("aus Köln");
    }
  }

  @Test
  void aCutAnswerEndsSimpleWithAnErrorAndTextWithABrokenConnection() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answersAlways(Answer.transcript(Transcripts.text()).cutAfterEvents(4));

    RawClient.Reply simple = client(headrace).post(SIMPLE, STREAMING).reply();
    assertThat(simple.end()).isEqualTo(End.COMPLETE);
    assertThat(simple.body())
        .contains("event: text\ndata: {\"text\":\"Grüße\"}")
        .doesNotContain("event: done")
        .endsWith("\n\n");
    assertThat(simple.body().split("event: error\n", -1)).hasSize(2);
    assertThat(simple.body()).contains("\"type\":\"api_error\"").contains("\"retryable\":true");

    RawClient.Reply text = client(headrace).post(TEXT, STREAMING).reply();
    assertThat(text.body()).isEqualTo("Grüße");
    assertThat(text.end()).isNotEqualTo(End.COMPLETE);
  }

  @Test
  void aCutInTheMiddleOfAnEventIsNoBoundaryProblemForSimple() throws Exception {
    GatewayUnderTest headrace = start();
    byte[] bytes = Transcripts.text();
    headrace.claude().answers(Answer.transcript(bytes).resetAtByte(bytes.length - 250));
    RawClient.Reply simple = client(headrace).post(SIMPLE, STREAMING).reply();
    assertThat(simple.end()).isEqualTo(End.COMPLETE);
    assertThat(simple.body()).contains("event: error\n").doesNotContain("event: done");
  }

  @Test
  void anErrorEventOfTheApiIsTranslatedOnceOrCutsTheText() throws Exception {
    GatewayUnderTest headrace = start();
    headrace
        .claude()
        .answersAlways(
            Answer.transcript(Transcripts.text()).errorAfterEvents(4, "overloaded_error"));

    RawClient.Reply simple = client(headrace).post(SIMPLE, STREAMING).reply();
    assertThat(simple.end()).isEqualTo(End.COMPLETE);
    assertThat(simple.body().split("event: error\n", -1)).hasSize(2);
    assertThat(simple.body()).contains("\"type\":\"overloaded_error\"");

    RawClient.Reply text = client(headrace).post(TEXT, STREAMING).reply();
    assertThat(text.body()).isEqualTo("Grüße");
    assertThat(text.end()).isNotEqualTo(End.COMPLETE);
  }

  /** Nothing has been sent by then, and only a status can say what it was. */
  @Test
  void anErrorEventBeforeTheFirstWordHasItsOwnStatusInText() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    for (String type : List.of("overloaded_error", "invalid_request_error")) {
      headrace.claude().answers(Answer.transcript(Transcripts.text()).errorAfterEvents(2, type));
      RawClient.Reply text = client(headrace).post(TEXT, STREAMING).reply();
      assertThat(text.status()).isEqualTo(type.equals("overloaded_error") ? 529 : 400);
      String id = headrace.claude().lastRequest().requestId();
      assertThat(text.header("request-id")).hasValue(id);
      assertThat(text.body()).contains("\"type\":\"" + type + "\"").contains(id);
      assertThat(text.end()).isEqualTo(End.COMPLETE);
    }
  }

  @Test
  void errorsBeforeTheStreamKeepTheirStatusInEveryFormat() throws Exception {
    GatewayUnderTest headrace = start(s -> s.retryMaxAttempts(1));
    headrace.claude().answersAlways(Answer.error(429, "rate_limit_error", "slow down"));
    for (String path : List.of(TEXT, SIMPLE)) {
      RawClient.Reply reply = client(headrace).post(path, STREAMING).reply();
      assertThat(reply.status()).isEqualTo(429);
      assertThat(reply.header("content-type").orElseThrow()).startsWith("application/json");
      assertThat(reply.body()).contains("\"rate_limit_error\"");
    }
  }

  @Test
  void anUnknownFormatIsRefusedWithTheOnesThatExist() throws Exception {
    GatewayUnderTest headrace = start();
    RawClient.Reply reply =
        client(headrace).post("/claude/v1/messages?format=xml", STREAMING).reply();
    assertThat(reply.status()).isEqualTo(400);
    assertThat(reply.body()).contains("events, text or simple").doesNotContain("xml");

    RawClient.Reply thinking = client(headrace).post(SIMPLE + "&thinking=maybe", STREAMING).reply();
    assertThat(thinking.status()).isEqualTo(400);
    assertThat(thinking.body()).contains("true or false");
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void aFormatWithoutAStreamIsRefusedUnlessOnlyTheAcceptHeaderAsksForIt() throws Exception {
    GatewayUnderTest headrace = start();
    RawClient.Reply reply = client(headrace).post(TEXT, Requests.whole("Hello")).reply();
    assertThat(reply.status()).isEqualTo(400);
    assertThat(reply.body()).contains("format=text").contains("\\\"stream\\\": true");
    assertThat(headrace.claude().attempts()).isZero();

    RawClient.Reply json =
        client(headrace)
            .post("/claude/v1/messages", Requests.whole("Hello"), "Accept: text/plain")
            .reply();
    assertThat(json.status()).isEqualTo(200);
    assertThat(json.header("content-type").orElseThrow()).startsWith("application/json");
  }

  @Test
  void simpleIsKeptAliveByCommentsAndTextByNothing() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsHeartbeat(Duration.ofMillis(100)));
    headrace
        .claude()
        .answersAlways(
            Answer.transcript(Transcripts.text()).pauseAfterEvents(4, Duration.ofMillis(700)));
    String simple = client(headrace).post(SIMPLE, STREAMING).reply().body();
    assertThat(simple).contains("{\"text\":\"Grüße\"}\n\n" + COMMENT);
    assertThat(simple.replace(COMMENT, "")).doesNotContain(":  keep").endsWith("\n\n");
    assertThat(client(headrace).post(TEXT, STREAMING).reply().body())
        .isEqualTo("Grüße aus Köln! 👋");
  }

  @Test
  void silenceEndsEveryFormatByTheSameClocks() throws Exception {
    GatewayUnderTest headrace =
        start(
            s ->
                s.timeoutsIdle(Duration.ofSeconds(10))
                    .timeoutsIdleContent(Duration.ofMillis(600))
                    .timeoutsHeartbeat(Duration.ofMillis(100)));
    headrace
        .claude()
        .answersAlways(
            Answer.transcript(Transcripts.text())
                .stallAfterEvents(4)
                .withPings(Duration.ofMillis(100)));
    RawClient.Reply simple = client(headrace).post(SIMPLE, STREAMING).reply();
    assertThat(simple.body()).contains("\"type\":\"timeout_error\"").contains("idle-content");
    RawClient.Reply text = client(headrace).post(TEXT, STREAMING).reply();
    assertThat(text.body()).isEqualTo("Grüße");
    assertThat(text.end()).isNotEqualTo(End.COMPLETE);
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().outcomes()).containsEntry("TIMED_OUT(idle-content)", 2L);
  }

  @Test
  void aCompressedAnswerIsTranslatedAsWell() throws Exception {
    GatewayUnderTest headrace =
        start(ClaudeSimulator.builder().apiKey(KEY).gzip(true), settings -> settings);
    headrace.claude().answersAlways(Answer.transcript(Transcripts.text()).forcedGzip());
    RawClient.Reply text = client(headrace).post(TEXT, STREAMING).reply();
    assertThat(text.header("content-encoding")).isEmpty();
    assertThat(text.body()).isEqualTo("Grüße aus Köln! 👋");
    assertThat(text.end()).isEqualTo(End.COMPLETE);
    assertThat(client(headrace).post(SIMPLE, STREAMING).reply().body())
        .contains("event: usage\n")
        .contains("event: done\n");
  }

  @Test
  void aLongAnswerFlowsThoughFewOfItsBytesReachTheClient() throws Exception {
    GatewayUnderTest headrace =
        start(s -> s.buffersSoft(ByteSize.ofKibibytes(16)).buffersHard(ByteSize.ofKibibytes(64)));
    String[] words = new String[20_000];
    java.util.Arrays.fill(words, "ab");
    headrace.claude().answersAlways(Answer.text("first", words).tokenwise());

    String expected = "first" + "ab".repeat(words.length);
    assertThat(client(headrace).post(TEXT, STREAMING).reply().body()).isEqualTo(expected);
    RawClient slow = clientWithSmallBuffer(headrace).post(TEXT, STREAMING);
    assertThat(slow.reply().body()).isEqualTo(expected);
  }

  @Test
  void aStreamBegunEarlyEndsInTheFormatThatWasAskedFor() throws Exception {
    GatewayUnderTest headrace =
        start(s -> s.timeoutsEarlyCommit(Duration.ofMillis(100)).retryMaxAttempts(1));
    headrace
        .claude()
        .answersAlways(
            Answer.error(529, "overloaded_error", "Overloaded").beforeHead(Duration.ofMillis(600)));
    RawClient.Reply simple = client(headrace).post(SIMPLE, STREAMING).reply();
    assertThat(simple.status()).isEqualTo(200);
    assertThat(simple.body())
        .contains("event: error\n")
        .contains("\"type\":\"overloaded_error\"")
        .contains("\"retryable\":true");
    // text has no way to tell an error afterwards, so it waits for the answer
    RawClient.Reply text = client(headrace).post(TEXT, STREAMING).reply();
    assertThat(text.status()).isEqualTo(529);
  }

  @Test
  void aToolCallComesWholeAndThinkingOnlyWhenAskedFor() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answers(Answer.transcript(Transcripts.toolUse()));
    assertThat(client(headrace).post(SIMPLE, STREAMING).reply().body())
        .contains(
            "event: tool\ndata: {\"id\":\"toolu_01PkY6wUqZt3bCnA9RfLdVeX\",\"name\":\"get_weather\","
                + "\"input\":{\"location\": \"Lyon, FR\"}}\n\n");
    headrace.claude().answersAlways(Answer.transcript(Transcripts.thinking()));
    assertThat(client(headrace).post(SIMPLE, STREAMING).reply().body())
        .doesNotContain("event: thinking");
    assertThat(client(headrace).post(SIMPLE + "&thinking=true", STREAMING).reply().body())
        .contains("event: thinking\ndata: {\"text\":\"84 = 36·2 + 12, \"}\n\n");
  }
}
