package dev.headrace.output;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.headrace.messages.EventConsumer;
import dev.headrace.messages.MessageAssembler;
import dev.headrace.messages.MessageEvent;
import dev.headrace.output.SimpleTranslation.Thinking;
import dev.headrace.sse.SseReader;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.io.JsonStringEncoder;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.util.JsonRecyclerPools;

/** Prints what an event of 100 characters of text costs; only the output is asserted. */
class TranslationCostTest {
  private static final int EVENTS = 5_000;
  private static final int ROUNDS = 4;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final String text = "Grüße aus Köln! \"Quoted\", a line end\n and 👋 more. ".repeat(2);

  @Test
  void printsWhatATextDeltaCosts() {
    String escaped = text.replace("\"", "\\\"").replace("\n", "\\n");
    byte[] begin = (Streams.START + Streams.textStart(0)).getBytes(UTF_8);
    byte[] delta = Streams.text(0, "T").replace("\"T\"", '"' + escaped + '"').getBytes(UTF_8);
    TextTranslation plain = new TextTranslation();
    SimpleTranslation simple = new SimpleTranslation(Thinking.HIDDEN, 0, () -> null);
    MessageAssembler assembler = new MessageAssembler(Long.MAX_VALUE);

    Map<String, Runnable> cases = new LinkedHashMap<>();
    cases.put("read as an event only", feeding(begin, delta, (kind, event) -> {}));
    cases.put(
        "text",
        feeding(
            begin,
            delta,
            (kind, event) -> {
              plain.clear();
              plain.onEvent(kind, event);
            }));
    cases.put(
        "simple",
        feeding(
            begin,
            delta,
            (kind, event) -> {
              simple.clear();
              simple.onEvent(kind, event);
            }));
    cases.put(
        "assembled",
        feeding(
            begin,
            delta,
            (kind, event) ->
                assembler.event(event.data(), event.dataOffset(), event.dataLength())));
    print(cases);

    assertThat(new String(plain.output(), 0, plain.length(), UTF_8)).isEqualTo(text);
    assertThat(new String(simple.output(), 0, simple.length(), UTF_8))
        .isEqualTo("event: text\ndata: {\"text\":\"" + escaped + "\"}\n\n");
    assertThat(assembler.text()).hasSize(text.length() * EVENTS * ROUNDS);
  }

  @Test
  void printsWhatWritingAJsonStringCosts() {
    Utf8Output own = new Utf8Output();
    Utf8Output encoded = new Utf8Output();
    ByteArrayOutputStream generated = new ByteArrayOutputStream();
    JsonFactory factory =
        JsonFactory.builder().recyclerPool(JsonRecyclerPools.newBoundedPool(4)).build();
    byte[] quote = {'"'};

    Map<String, Runnable> cases = new LinkedHashMap<>();
    cases.put(
        "JSON string, by hand",
        () -> {
          own.clear();
          own.jsonString(text);
        });
    cases.put(
        "JSON string, JsonStringEncoder",
        () -> {
          encoded.clear();
          encoded.ascii(quote);
          encoded.ascii(JsonStringEncoder.getInstance().quoteAsUTF8(text));
          encoded.ascii(quote);
        });
    cases.put(
        "JSON string, JsonGenerator",
        () -> {
          generated.reset();
          try (JsonGenerator json =
              factory.createGenerator(ObjectWriteContext.empty(), generated)) {
            json.writeString(text);
          }
        });
    print(cases);

    byte[] expected = generated.toByteArray();
    assertThat(Arrays.copyOf(own.bytes(), own.length())).isEqualTo(expected);
    assertThat(Arrays.copyOf(encoded.bytes(), encoded.length())).isEqualTo(expected);
  }

  private static Runnable feeding(byte[] begin, byte[] delta, EventConsumer consumer) {
    SseReader reader =
        new SseReader(1 << 20, event -> consumer.onEvent(MessageEvent.of(event), event));
    reader.feed(begin, 0, begin.length);
    return () -> reader.feed(delta, 0, delta.length);
  }

  /**
   * The fastest of some rounds, in turn: the others had to share the machine or were not compiled.
   */
  private static void print(Map<String, Runnable> cases) {
    Map<String, long[]> results = new LinkedHashMap<>();
    cases.keySet().forEach(name -> results.put(name, new long[] {Long.MAX_VALUE, Long.MAX_VALUE}));
    for (int round = 0; round < ROUNDS; round++) {
      cases.forEach(
          (name, once) -> {
            long bytesBefore = THREADS.getCurrentThreadAllocatedBytes();
            long before = System.nanoTime();
            for (int i = 0; i < EVENTS; i++) {
              once.run();
            }
            long nanos = System.nanoTime() - before;
            long bytes = THREADS.getCurrentThreadAllocatedBytes() - bytesBefore;
            long[] best = requireNonNull(results.get(name));
            best[0] = Math.min(best[0], nanos / EVENTS);
            best[1] = Math.min(best[1], bytes / EVENTS);
          });
    }
    results.forEach(
        (name, best) ->
            System.out.printf("%-32s %6d ns %6d bytes allocated%n", name, best[0], best[1]));
  }
}
