package dev.headrace.upstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettings.Hold;
import dev.headrace.config.Secret;
import dev.headrace.upstream.Answer.Decision;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerTest {

  private static final String START =
      "event: message_start\ndata: {\"type\":\"message_start\"}\n\n";
  private static final String OVERLOADED =
      "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
          + "\"message\":\"Overloaded\"}}\n\n";

  @Test
  void eventStreamIsHeldUntilItsFirstEventIsComplete() {
    for (int split = 1; split < START.length(); split++) {
      Answer answer = answer(200, "text/event-stream; charset=utf-8");
      assertThat(hold(answer, START.substring(0, split)))
          .as("at %d", split)
          .isEqualTo(Decision.HOLD);
      assertThat(hold(answer, START.substring(split)))
          .as("at %d", split)
          .isEqualTo(Decision.COMMIT);
      assertThat(answer.takeHeld()).asString(UTF_8).isEqualTo(START);
      assertThat(answer.atBoundary()).isTrue();
    }
  }

  @Test
  void errorInPlaceOfTheFirstEventIsFoundHoweverItArrives() {
    for (int split = 1; split < OVERLOADED.length(); split++) {
      Answer answer = answer(200, "text/event-stream");
      assertThat(hold(answer, OVERLOADED.substring(0, split))).isEqualTo(Decision.HOLD);
      assertThat(hold(answer, OVERLOADED.substring(split))).isEqualTo(Decision.ERROR_EVENT);
      assertThat(answer.firstError()).isNotNull();
      assertThat(answer.firstErrorJson())
          .asString(UTF_8)
          .startsWith("{\"type\":\"error\"")
          .endsWith("}}");
    }
  }

  @Test
  void errorAsSecondEventOfTheFirstChunkIsPassedOn() {
    Answer answer = answer(200, "text/event-stream");
    assertThat(hold(answer, START + OVERLOADED)).isEqualTo(Decision.COMMIT);
    assertThat(answer.hasErrorEvent()).isTrue();
    assertThat(answer.isStopped()).isFalse();
  }

  @Test
  void firstEventLargerThanTheLimitIsNotHeldForEver() {
    Answer answer = answer(200, "text/event-stream");
    assertThat(hold(answer, "event: message_start\ndata: " + "x".repeat(1024)))
        .isEqualTo(Decision.COMMIT);
    assertThat(answer.atBoundary()).isFalse();
  }

  @Test
  void jsonIsHeldWholeUpToTheLimit() {
    Answer answer = answer(200, "application/json");
    assertThat(hold(answer, "x".repeat(1000))).isEqualTo(Decision.HOLD);
    assertThat(hold(answer, "x".repeat(24))).isEqualTo(Decision.HOLD);
    assertThat(hold(answer, "x")).isEqualTo(Decision.COMMIT);
    assertThat(answer.atBoundary()).as("nothing may be inserted into JSON").isFalse();
  }

  @Test
  void errorThatIsLongerThanTheLimitIsKnownByItsStatus() {
    for (int status : new int[] {302, 429, 503}) {
      Answer answer = answer(status, "text/html");
      assertThat(hold(answer, "x".repeat(1024))).isEqualTo(Decision.HOLD);
      assertThat(hold(answer, "x")).isEqualTo(Decision.LONG_ERROR);
    }
  }

  @Test
  void compressedStreamIsPassedOnUnread() {
    Answer answer = answer(200, "text/event-stream", "content-encoding", "gzip");
    assertThat(answer.isEventStream()).isFalse();
    assertThat(hold(answer, "\u001f")).isEqualTo(Decision.COMMIT);
  }

  @Test
  void eventsOfAnErrorStatusAreABodyLikeAnyOther() {
    assertThat(answer(529, "text/event-stream").isEventStream()).isFalse();
  }

  private static Decision hold(Answer answer, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    return answer.hold(bytes, 0, bytes.length);
  }

  private static Answer answer(int status, String contentType, String... more) {
    List<HeaderField> fields = new ArrayList<>();
    fields.add(new HeaderField("content-type", contentType));
    for (int i = 0; i < more.length; i += 2) {
      fields.add(new HeaderField(more[i], more[i + 1]));
    }
    GatewaySettings settings =
        GatewaySettings.builder()
            .upstreamApiKey(Secret.of("sk-test"))
            .buffersHold(ByteSize.ofKibibytes(1))
            .build();
    return new Answer(
        new UpstreamResponseHead(status, fields), settings.buffers(), Hold.FIRST_EVENT, true);
  }
}
