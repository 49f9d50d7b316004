package dev.headrace.output;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.messages.MessageAssembler;
import dev.headrace.messages.RandomStream;
import dev.headrace.messages.RecordedEvent;
import dev.headrace.messages.SdkMessage;
import dev.headrace.output.SimpleTranslation.Thinking;
import dev.headrace.output.Translated.Event;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Made-up streams: the official SDK tells what each of them comes to. */
class RandomStreamPropertyTest {

  @Property(tries = 10_000, shrinking = ShrinkingMode.OFF)
  void assemblyAndFormatsHoldWhatTheSdkMakesOfTheSameBytes(@ForAll long seed) {
    RandomStream stream = new RandomStream(seed, 3);
    List<RecordedEvent> events = RecordedEvent.of(stream.bytes());
    JsonNode sdk = JsonMapper.shared().readTree(SdkMessage.beta(events));

    MessageAssembler assembler = RecordedEvent.assemble(events);
    assertThat(assembler.isComplete()).isTrue();
    assertThat(JsonMapper.shared().readTree(assembler.json())).isEqualTo(sdk);
    assertThat(assembler.text()).isEqualTo(textOf(sdk, "text", "text"));
    assertThat(assembler.model()).isEqualTo(sdk.path("model").asString());
    assertThat(assembler.stopReason()).isEqualTo(sdk.path("stop_reason").asString(null));
    assertThat(assembler.invalidToolInputs())
        .extracting(MessageAssembler.InvalidToolInput::index)
        .containsExactlyInAnyOrderElementsOf(stream.invalidInputs().keySet());
    for (MessageAssembler.InvalidToolInput invalid : assembler.invalidToolInputs()) {
      assertThat(invalid.raw()).isEqualTo(stream.invalidInputs().get(invalid.index()));
    }

    String text = Translated.of(new TextTranslation(), stream.bytes()).text();
    compare(stream, text, textOf(sdk, "text", "text"));
    checkSimple(stream, Translated.of(simple(), stream.bytes()).events(), sdk);
  }

  @Property(tries = 25, shrinking = ShrinkingMode.OFF)
  void noSplitOfTheBytesChangesAnything(@ForAll long seed) {
    byte[] stream = new RandomStream(seed, 2).bytes();
    String text = Translated.of(new TextTranslation(), stream).text();
    byte[] simple = Translated.of(simple(), stream).bytes();
    for (int cut = 0; cut <= stream.length; cut++) {
      assertThat(
              new Translated(new TextTranslation(), 1 << 24)
                  .feed(stream, 0, cut)
                  .feed(stream, cut, stream.length)
                  .text())
          .isEqualTo(text);
      assertThat(
              new Translated(simple(), 1 << 24)
                  .feed(stream, 0, cut)
                  .feed(stream, cut, stream.length)
                  .bytes())
          .isEqualTo(simple);
    }
    assertThat(Translated.inPieces(new TextTranslation(), stream, 1).text()).isEqualTo(text);
    assertThat(Translated.inPieces(simple(), stream, 1).bytes()).isEqualTo(simple);
  }

  @Property(tries = 2_000, shrinking = ShrinkingMode.OFF)
  void whateverComesTheOutputIsWellFormedAndHasOneEndAtMost(
      @ForAll long seed,
      @ForAll @IntRange(max = 3000) int at,
      @ForAll @Size(max = 8) byte[] damage,
      @ForAll @IntRange(min = 20, max = 400) int maxEventBytes) {
    byte[] stream = new RandomStream(seed, 3).bytes();
    for (int i = 0; i < damage.length; i++) {
      stream[(at + i * 37) % stream.length] = damage[i];
    }
    for (Translation translation : List.of(new TextTranslation(), simple())) {
      Translated translated =
          new Translated(translation, maxEventBytes).feed(stream, 0, stream.length);
      assertThat(translated.text()).isNotNull(); // well-formed, or it would have thrown
      if (translation instanceof SimpleTranslation) {
        List<Event> events = translated.events();
        long ends =
            events.stream()
                .filter(event -> event.name().equals("done") || event.name().equals("error"))
                .count();
        assertThat(ends).isEqualTo(translation.isEnded() ? 1 : 0);
      }
      assertThat(translation.isEnded() && translation.failure() != null).isFalse();
    }
    MessageAssembler assembler = new MessageAssembler(1 << 24);
    for (RecordedEvent event : RecordedEvent.of(stream)) {
      byte[] data = event.text().getBytes(java.nio.charset.StandardCharsets.UTF_8);
      assembler.event(data, 0, data.length);
    }
    if (assembler.json() != null) {
      assertThat(JsonMapper.shared().readTree(assembler.json()).isObject()).isTrue();
    }
  }

  private static SimpleTranslation simple() {
    return new SimpleTranslation(Thinking.SHOWN, 1 << 20, () -> null);
  }

  private static void checkSimple(RandomStream stream, List<Event> events, JsonNode sdk) {
    assertThat(events.get(0).name()).isEqualTo("start");
    assertThat(events.get(0).data().path("id")).isEqualTo(sdk.path("id"));
    Event last = events.get(events.size() - 1);
    assertThat(last.name()).isEqualTo("done");
    assertThat(last.data().path("stop_reason")).isEqualTo(sdk.path("stop_reason"));

    StringBuilder text = new StringBuilder();
    StringBuilder thinking = new StringBuilder();
    List<JsonNode> tools = new ArrayList<>();
    for (Event event : events.subList(1, events.size() - 1)) {
      switch (event.name()) {
        case "text" -> text.append(event.data().path("text").asString());
        case "thinking" -> thinking.append(event.data().path("text").asString());
        case "tool" -> tools.add(event.data());
        default -> throw new AssertionError(event.name());
      }
    }
    compare(stream, text.toString(), textOf(sdk, "text", "text"));
    compare(stream, thinking.toString(), textOf(sdk, "thinking", "thinking"));

    List<JsonNode> expected = new ArrayList<>();
    int index = 0;
    for (JsonNode block : sdk.path("content")) {
      if (block.path("type").asString().equals("tool_use")) {
        expected.add(tool(block, stream.invalidInputs().get(index)));
      }
      index++;
    }
    assertThat(tools).containsExactlyInAnyOrderElementsOf(expected);
  }

  private static JsonNode tool(JsonNode block, @Nullable String invalidInput) {
    var tool = JsonMapper.shared().createObjectNode();
    tool.set("id", block.path("id"));
    tool.set("name", block.path("name"));
    if (invalidInput == null) {
      tool.set("input", block.path("input"));
    } else {
      tool.put("input_text", invalidInput);
    }
    return tool;
  }

  /** What arrives mixed goes out mixed: then only the characters are the same, not their order. */
  private static void compare(RandomStream stream, String actual, String expected) {
    if (stream.interleaved()) {
      assertThat(actual.codePoints().sorted().toArray())
          .isEqualTo(expected.codePoints().sorted().toArray());
    } else {
      assertThat(actual).isEqualTo(expected);
    }
  }

  private static String textOf(JsonNode message, String type, String field) {
    StringBuilder text = new StringBuilder();
    for (JsonNode block : message.path("content")) {
      if (block.path("type").asString().equals(type)) {
        text.append(block.path(field).asString());
      }
    }
    return text.toString();
  }
}
