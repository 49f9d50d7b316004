package dev.headrace.sse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Streams as the API sends them (recorded framing and padding), cut at every byte. */
class SseTranscriptTest {
  private static final int PLENTY = 1 << 20;

  static byte[] transcript(String name) throws IOException {
    try (InputStream in =
        SseTranscriptTest.class.getResourceAsStream("/transcripts/" + name + ".sse")) {
      assertThat(in).as(name).isNotNull();
      return in.readAllBytes();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a-plain-text",
        "b-thinking",
        "c-tool-use",
        "d-web-search",
        "f-error-first",
        "g-refusal"
      })
  void readsEachTranscriptAlikeHoweverItIsSplit(String name) throws IOException {
    byte[] stream = transcript(name);
    List<NaiveSse.Event> events = RecordingReader.assertLikeOracleHoweverSplit(stream, PLENTY);
    assertThat(events).isNotEmpty();
    for (NaiveSse.Event event : events) {
      assertThat(event.data().replace(" ", "")).contains("\"type\":\"" + event.name() + "\"");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\r\n", "\r"})
  void readsTheSameEventsWithOtherLineEnds(String lineEnd) throws IOException {
    byte[] stream = transcript("a-plain-text");
    byte[] other = new String(stream, UTF_8).replace("\n", lineEnd).getBytes(UTF_8);
    assertThat(RecordingReader.assertLikeOracleHoweverSplit(other, PLENTY))
        .isEqualTo(RecordingReader.assertLikeOracleHoweverSplit(stream, PLENTY));
  }

  @Test
  void readsAnErrorInsteadOfEachLaterEvent() throws IOException {
    byte[] error = transcript("f-error-first");
    String plain = new String(transcript("a-plain-text"), UTF_8);
    String[] blocks = plain.split("(?<=\n\n)");
    assertThat(blocks).hasSize(8);
    StringBuilder begun = new StringBuilder();
    for (int i = 0; i < blocks.length - 1; i++) {
      begun.append(blocks[i]);
      byte[] stream = (begun + new String(error, UTF_8)).getBytes(UTF_8);
      List<NaiveSse.Event> events = RecordingReader.assertLikeOracleHoweverSplit(stream, PLENTY);
      assertThat(events).hasSize(i + 2);
      assertThat(events.get(i + 1).name()).isEqualTo("error");
    }
  }

  @Test
  void aTranscriptIsAtABoundaryExactlyAfterEachOfItsEvents() throws IOException {
    byte[] stream = transcript("d-web-search");
    RecordingReader reader = new RecordingReader(PLENTY);
    int boundaries = 0;
    for (int i = 0; i < stream.length; i++) {
      reader.feed(stream, i, i + 1);
      assertThat(reader.atBoundary()).isEqualTo(reader.atBoundaryAtEnd());
      boundaries += reader.atBoundary() ? 1 : 0;
    }
    assertThat(boundaries).isEqualTo(14);
    assertThat(reader.events).hasSize(14);
  }
}
