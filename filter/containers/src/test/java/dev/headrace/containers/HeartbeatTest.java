package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.RawClient.End;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.Transcripts;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Comments keep a silent connection alive; they stand between events and nowhere else. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
@Tag("slow")
final class HeartbeatTest extends GatewayContract {

  private static final String COMMENT = ": keep-alive\n\n";
  private static final String TEXT = new String(Transcripts.text(), UTF_8);

  HeartbeatTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void silenceBetweenEventsIsFilledWithCommentsAtTheInterval() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsHeartbeat(Duration.ofMillis(200)));
    headrace.claude().answers(Answer.transcript(TEXT).pauseAfterEvents(4, Duration.ofMillis(1500)));

    String body = post(headrace, STREAMING).body();

    int comments = count(body, COMMENT);
    Figures.note(kind(), "comments in 1.5 s of silence at 200 ms", comments + "");
    // The clock looks ten times a second, so that one comment takes 200 to 300 ms.
    assertThat(comments).isBetween(3, 8);
    assertThat(body.replace(COMMENT, "")).isEqualTo(TEXT);
    assertThat(body.indexOf(COMMENT)).isEqualTo(endOfEvent(4));
  }

  @Test
  void aHeartbeatOfZeroMeansNone() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsHeartbeat(Duration.ZERO));
    headrace.claude().answers(Answer.transcript(TEXT).pauseAfterEvents(4, Duration.ofMillis(800)));
    assertThat(post(headrace, STREAMING).body()).isEqualTo(TEXT);
  }

  @Test
  void thereIsNoCommentBeforeTheFirstEvent() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsHeartbeat(Duration.ofMillis(100)));
    headrace.claude().answers(Answer.transcript(TEXT).beforeHead(Duration.ofMillis(500)));
    assertThat(post(headrace, STREAMING).body()).isEqualTo(TEXT);
    headrace.claude().answers(Answer.transcript(TEXT).pauseAfterEvents(0, Duration.ofMillis(500)));
    assertThat(post(headrace, STREAMING).body()).isEqualTo(TEXT);
  }

  @Test
  void aStallWithinAnEventGetsNoComment() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsHeartbeat(Duration.ofMillis(100)));
    int within = endOfEvent(3) + 40;
    byte[] bytes = Transcripts.text();
    headrace
        .claude()
        .answers(Answer.transcript(TEXT).trickle(within, Duration.ofMillis(600)).splitAt(within));
    RawClient client = client(headrace).post(STREAMING);
    RawClient.Reply reply = client.reply();
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    String body = reply.body();
    assertThat(body.replace(COMMENT, "")).isEqualTo(TEXT);
    // There were silences of 600 ms after every write: comments stand at the ends of events only.
    assertThat(count(body, COMMENT)).isPositive();
    for (int at = body.indexOf(COMMENT); at >= 0; at = body.indexOf(COMMENT, at + 1)) {
      assertThat(body.substring(0, at)).endsWith("\n\n");
    }
    assertThat(bytes.length).isGreaterThan(within);
  }

  @Test
  void aJsonAnswerGetsNoComment() throws Exception {
    GatewayUnderTest headrace =
        start(
            s ->
                s.timeoutsHeartbeat(Duration.ofMillis(100))
                    .buffersHold(dev.headrace.config.ByteSize.ofKibibytes(1)));
    String json = "{\"text\":\"" + "\\n\\n".repeat(2_000) + "\"}";
    headrace.claude().answers(Answer.json(200, json).trickle(3_000, Duration.ofMillis(300)));
    assertThat(post(headrace, Requests.whole("Hello")).body()).isEqualTo(json);
  }

  /** Events come as often as the heartbeat falls due, so that both write at the same instants. */
  @Test
  void commentsAndEventsThatRaceNeverMix() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsHeartbeat(Duration.ofMillis(100)));
    StringBuilder stream = new StringBuilder();
    for (int i = 0; i < Load.count(40, 280); i++) {
      stream
          .append(
              "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,")
          .append("\"delta\":{\"type\":\"text_delta\",\"text\":\"" + i + "\"}}\n\n");
    }
    stream.append("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
    String expected = stream.toString();
    headrace.claude().answersAlways(Answer.transcript(expected).paced(9.3));
    ExecutorService threads = Executors.newFixedThreadPool(100);
    int comments = 0;
    try {
      List<Future<RawClient.Reply>> replies = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        replies.add(threads.submit(() -> post(headrace, STREAMING)));
      }
      for (Future<RawClient.Reply> future : replies) {
        RawClient.Reply reply = future.get(60, TimeUnit.SECONDS);
        assertThat(reply.end()).isEqualTo(End.COMPLETE);
        assertThat(reply.body().replace(COMMENT, "")).isEqualTo(expected);
        comments += count(reply.body(), COMMENT);
      }
    } finally {
      threads.shutdownNow();
    }
    Figures.note(kind(), "comments among the events of 100 racing streams", comments + "");
    assertThat(comments).isPositive();
  }

  @Test
  void theFirstEventArrivesAtOnce() throws Exception {
    GatewayUnderTest headrace = start(s -> s.timeoutsHeartbeat(Duration.ofSeconds(5)));
    headrace.claude().answers(Answer.transcript(TEXT).stallAfterEvents(1));
    RawClient client = client(headrace).post(STREAMING);
    client.patience(Duration.ofSeconds(2)).replyHead();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    assertThat(client.readBody(body, endOfEvent(1))).isEqualTo(End.COMPLETE);
    assertThat(body.toString(UTF_8)).isEqualTo(TEXT.substring(0, endOfEvent(1)));
    headrace.claude().closeConnections();
    client.readBodyUntil("event: error");
  }

  private static int endOfEvent(int number) {
    int end = 0;
    for (int i = 0; i < number; i++) {
      end = TEXT.indexOf("\n\n", end) + 2;
    }
    return end;
  }

  private static int count(String text, String part) {
    return (text.length() - text.replace(part, "").length()) / part.length();
  }
}
