package dev.headrace.sse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SseWriterTest {
  @Test
  void writesAnEventAsTheApiDoes() {
    assertThat(SseWriter.event("ping", "{\"type\": \"ping\"}"))
        .asString(UTF_8)
        .isEqualTo("event: ping\ndata: {\"type\": \"ping\"}\n\n");
    assertThat(SseWriter.event("delta", "\"Gr\u00FC\u00DFe \uD83D\uDC4B\"".getBytes(UTF_8)))
        .asString(UTF_8)
        .isEqualTo("event: delta\ndata: \"Gr\u00FC\u00DFe \uD83D\uDC4B\"\n\n");
  }

  @Test
  void writesEachLineOfTheDataAsALineOfItsOwn() {
    assertThat(SseWriter.event("a", "{\n\"x\":1,\r\n\"y\":2\r}\n"))
        .asString(UTF_8)
        .isEqualTo("event: a\ndata: {\ndata: \"x\":1,\ndata: \"y\":2\ndata: }\ndata: \n\n");
    assertThat(SseWriter.event("a", "")).asString(UTF_8).isEqualTo("event: a\ndata: \n\n");
  }

  @Test
  void writesACommentAsOneLineAndABlankOne() {
    assertThat(SseWriter.comment("keep-alive")).asString(UTF_8).isEqualTo(": keep-alive\n\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\nb", "a\rb", "\n", "a\r\n"})
  void refusesALineEndInANameOrAComment(String text) {
    assertThatThrownBy(() -> SseWriter.event(text, "{}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("event name: has a line end (expected: one line)");
    assertThatThrownBy(() -> SseWriter.comment(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("comment: has a line end (expected: one line)");
  }
}
