package dev.headrace.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScriptedStreamTest {
  private static final Duration SOON = Duration.ofSeconds(10);

  private final ClaudeSimulator claude = ClaudeSimulator.builder().noPadding().start();
  private final HttpCaller http = new HttpCaller(claude);

  @AfterEach
  void close() {
    claude.close();
  }

  @Test
  void textIsSentInTheOrderOfTheRealStream() throws Exception {
    claude.answers(Answer.text("Grüße", " aus Köln! 👋").usage(14, 12));

    HttpResponse<String> response = http.stream();

    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type"))
        .hasValue("text/event-stream; charset=utf-8");
    assertThat(names(response.body()))
        .containsExactly(
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop");
    assertThat(response.body())
        .contains("\"text\":\"Grüße\"", "\"output_tokens\":1,", "\"output_tokens\":12")
        .endsWith("data: {\"type\":\"message_stop\"}\n\n");
    SeenRequest seen = claude.lastRequest();
    seen.awaitFinished(SOON);
    assertThat(seen.eventsSent()).isEqualTo(8);
    assertThat(seen.usageSent()).isEqualTo(Usage.of(14, 12));
    assertThat(seen.clientGone()).isFalse();
    assertThat(response.headers().firstValue("request-id")).hasValue(seen.requestId());
  }

  @Test
  void queuedAnswersAreGivenInOrderAndThenTheStandingOne() throws Exception {
    claude.answers(Answer.text("one")).answers(Answer.status(529)).answersAlways(Answer.text("x"));

    assertThat(http.stream().body()).contains("\"text\":\"one\"");
    assertThat(http.stream().statusCode()).isEqualTo(529);
    assertThat(http.stream().body()).contains("\"text\":\"x\"");
    assertThat(claude.attempts()).isEqualTo(3);
  }

  @Test
  void aRequestWithoutStreamGetsTheSameMessageAsJson() throws Exception {
    claude.answers(
        Answer.thinking("Hm").thenText("Hel", "lo").thenTool("add", "{\"a\":1}").usage(7, 9));

    HttpResponse<String> response = http.message();

    assertThat(response.headers().firstValue("content-type")).hasValue("application/json");
    assertThat(Json.parse(response.body()).path("content").path(1).path("text").asString())
        .isEqualTo("Hello");
    assertThat(Json.parse(response.body()).path("content").path(2).path("input").toString())
        .isEqualTo("{\"a\":1}");
    assertThat(Json.parse(response.body()).path("usage").path("output_tokens").asInt())
        .isEqualTo(9);
    assertThat(Json.parse(response.body()).path("stop_reason").asString()).isEqualTo("tool_use");
  }

  @Test
  void aKeptAliveConnectionIsSeenAsOne() throws Exception {
    assertThat(http.stream().body()).contains("message_stop");
    assertThat(http.message().body()).contains("Hello");

    assertThat(claude.requests())
        .extracting(SeenRequest::connectionId)
        .containsExactly(
            claude.requests().get(0).connectionId(), claude.requests().get(0).connectionId());
    assertThat(claude.openConnections()).isEqualTo(1);
  }

  @Test
  void aClientThatLeavesDuringSilenceIsReportedWithTheTime() throws IOException {
    claude.answers(Answer.text("Hel", "lo").stallAfterEvents(4));
    try (RawClient client = new RawClient(claude)) {
      client.stream().readUntil("\"Hel\"}}\n\n");
      assertThat(claude.openStreams()).isEqualTo(1);
    }
    long left = System.nanoTime();

    SeenRequest seen = claude.awaitRequest(0, SOON);
    seen.awaitClientGone(SOON);

    assertThat(Math.abs(seen.clientGoneAtNanos().orElseThrow() - left))
        .isLessThan(Duration.ofSeconds(2).toNanos());
    assertThat(seen.eventsSent()).isEqualTo(4);
    assertThat(seen.finished()).isFalse();
    assertThat(claude.openStreams()).isZero();
  }

  static List<String> names(String body) {
    return body.lines()
        .filter(line -> line.startsWith("event: "))
        .map(line -> line.substring("event: ".length()))
        .toList();
  }

  @Test
  void idsAreNewInEachAnswerAlsoAfterAResetAndTheSameInEachRun() throws Exception {
    List<String> first = idsOfFourAnswers();

    assertThat(first).hasSize(4 * 4).doesNotHaveDuplicates();
    assertThat(idsOfFourAnswers()).isEqualTo(first);
  }

  private static List<String> idsOfFourAnswers() throws Exception {
    Answer searchAndTool = Answer.webSearch("weir").thenTool("measure", "{}");
    List<String> ids = new ArrayList<>();
    try (ClaudeSimulator seeded = ClaudeSimulator.builder().paddingSeed(7).start()) {
      HttpCaller caller = new HttpCaller(seeded);
      for (int i = 0; i < 4; i++) {
        seeded.answersAlways(searchAndTool);
        HttpResponse<String> response = i % 2 == 0 ? caller.message() : caller.stream();
        ids.add(response.headers().firstValue("request-id").orElseThrow());
        String body = response.body();
        String search = found("\"(srvtoolu_\\w+)\",\"name\"", body);
        assertThat(found("\"tool_use_id\":\"(\\w+)\"", body)).isEqualTo(search);
        ids.add(search);
        ids.add(found("\"(toolu_\\w+)\"", body));
        ids.add(found("\"(msg_\\w+)\"", body));
        if (i == 1) {
          seeded.reset();
        }
      }
    }
    return ids;
  }

  private static String found(String pattern, String text) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    assertThat(matcher.find()).as(pattern).isTrue();
    return matcher.group(1);
  }
}
