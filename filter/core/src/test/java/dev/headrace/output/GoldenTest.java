package dev.headrace.output;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.messages.MessageAssembler;
import dev.headrace.messages.RecordedEvent;
import dev.headrace.output.SimpleTranslation.Figures;
import dev.headrace.output.SimpleTranslation.Thinking;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import org.junit.jupiter.api.Test;

/**
 * One stream as the API would send it and what each format makes of it, byte by byte; the format
 * {@code events} is the stream itself.
 */
class GoldenTest {
  @Test
  void textIsTheGoldenFile() {
    Translation text = new TextTranslation();
    assertGolden(Translated.of(text, golden("answer.sse")).bytes(), "answer.txt");
    assertThat(text.isEnded()).isTrue();
  }

  @Test
  void simpleIsTheGoldenFile() {
    Translation simple =
        new SimpleTranslation(
            Thinking.HIDDEN,
            1 << 16,
            () -> new Figures(4875, 218, 0, 0, new BigDecimal("0.033860")));
    assertGolden(Translated.of(simple, golden("answer.sse")).bytes(), "answer.simple.sse");
    assertThat(simple.isEnded()).isTrue();
  }

  @Test
  void simpleWithThinkingIsTheGoldenFile() {
    Translation simple =
        new SimpleTranslation(Thinking.SHOWN, 1 << 16, () -> new Figures(4875, 218, 0, 0, null));
    assertGolden(Translated.of(simple, golden("answer.sse")).bytes(), "answer.simple-thinking.sse");
  }

  @Test
  void theMessageIsTheGoldenFile() {
    MessageAssembler message = RecordedEvent.assemble(RecordedEvent.of(golden("answer.sse")));
    assertThat(message.json()).isNotNull();
    assertGolden((message.json() + "\n").getBytes(UTF_8), "answer.json");
  }

  private static void assertGolden(byte[] actual, String name) {
    assertThat(Translated.utf8(actual)).isEqualTo(Translated.utf8(golden(name))); // readable
    assertThat(actual).isEqualTo(golden(name));
  }

  private static byte[] golden(String name) {
    try (InputStream in = GoldenTest.class.getResourceAsStream("/golden/" + name)) {
      assertThat(in).as(name).isNotNull();
      return in.readAllBytes();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
