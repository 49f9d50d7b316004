package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class TranscriptsTest {
  @Test
  void splittingATranscriptLosesNoByte() {
    Transcripts.all()
        .forEach(
            (name, bytes) -> {
              ByteArrayOutputStream joined = new ByteArrayOutputStream();
              for (WireEvent event : TranscriptSplitter.split(bytes)) {
                assertThat(event.json()).as(name).isNotNull();
                joined.writeBytes(event.encode(null, EventStyle.PLAIN));
              }
              assertThat(joined.toByteArray()).as(name).isEqualTo(bytes);
            });
  }

  @Test
  void linesMayEndInCrOrCrlfAndTheLastEventMayBeIncomplete() {
    for (String line : List.of("\n", "\r\n", "\r")) {
      String sse =
          "event: a\ndata: 1\n\n: note\nevent: b\ndata: 2\n\ndata: rest".replace("\n", line);
      assertThat(TranscriptSplitter.split(sse.getBytes(UTF_8)))
          .extracting(WireEvent::name)
          .containsExactly("a", "b", "message");
    }
  }

  @Test
  void theUsageOfATranscriptIsThatOfItsLastTotals() {
    List<WireEvent> events = TranscriptSplitter.split(Transcripts.thinking());

    assertThat(events.get(events.size() - 2).usage())
        .isEqualTo(Usage.of(61, 58).withCache(8200, 500, 1000).withThinking(41));
  }

  @Test
  void aTranscriptCanBePutTogetherAsAMessage() {
    JsonNode message =
        java.util.Objects.requireNonNull(
            MessageAssembler.assemble(TranscriptSplitter.split(Transcripts.fallback())));

    assertThat(message.path("model").asString()).isEqualTo("claude-opus-5-5");
    assertThat(message.path("content").path(1).path("text").asString())
        .isEqualTo("Here is what I can say.");
  }

  @Test
  void anErrorTranscriptBecomesAnHttpErrorWithoutStreaming() throws Exception {
    try (ClaudeSimulator claude = ClaudeSimulator.start()) {
      claude.answers(Answer.transcript(Transcripts.errorInMidstream()));

      assertThat(new HttpCaller(claude).message().statusCode()).isEqualTo(529);
    }
  }
}
