package dev.headrace.messages;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.json.JsonMapper;

/** Random answers; {@link NaiveUsage}, which reads each event as a tree, is the oracle. */
class UsageReaderPropertyTest {
  private static final JsonMapper PLAIN = new JsonMapper();
  private static final JsonMapper ESCAPING =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  @Property(tries = 3000)
  void tellsWhatTheOracleTellsAfterEveryEvent(@ForAll("answers") List<String> events) {
    FedUsage fed = new FedUsage();
    NaiveUsage oracle = new NaiveUsage();
    for (String event : events) {
      String name = nameOf(event);
      fed.event(name, event);
      oracle.event(name, event);
      assertThat(NaiveUsage.told(fed.reader)).as(event).isEqualTo(oracle.told());
    }
  }

  @Property(tries = 3000)
  void countsTheCharactersOfAnyTextAsAStringDoes(
      @ForAll("texts") String text,
      @ForAll boolean escaping,
      @ForAll @IntRange(max = 15) int padding) {
    String data =
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":"
            + (escaping ? ESCAPING : PLAIN).writeValueAsString(text)
            + "}"
            + " ".repeat(padding)
            + "}";
    byte[] bytes = FedUsage.bytes(data);
    assertThat(new DeltaText().count(bytes, 0, bytes.length)).isEqualTo(text.length());
  }

  @Property(tries = 5000)
  void noBytesMakeItThrowOrCountMoreThanThereIs(
      @ForAll("kinds") String name,
      @ForAll @Size(max = 60) byte[] noise,
      @ForAll("answers") List<String> events) {
    FedUsage fed = new FedUsage();
    String whole = events.get(events.size() - 1);
    byte[] data = FedUsage.bytes(whole);
    for (int i = 0; i < noise.length && data.length > 0; i++) {
      data[Math.floorMod(noise[i] * 31 + i * 17, data.length)] = noise[i];
    }
    int count = new DeltaText().count(data, 0, data.length);
    assertThat(count).isBetween(DeltaText.OTHER, data.length);
    byte[] stream = new byte[data.length + 40];
    byte[] head = FedUsage.bytes("event: " + name + "\ndata: ");
    System.arraycopy(head, 0, stream, 0, head.length);
    System.arraycopy(data, 0, stream, head.length, data.length);
    stream[head.length + data.length] = '\n';
    stream[head.length + data.length + 1] = '\n';
    fed.feed(stream, 0, head.length + data.length + 2);
    assertThat(fed.reader.estimatedOutputTokens()).isNotNegative();
  }

  private static String nameOf(String event) {
    return PLAIN.readTree(event).path("type").asString();
  }

  @Provide
  Arbitrary<String> kinds() {
    return Arbitraries.of(
        "message_start", "message_delta", "content_block_start", "content_block_delta");
  }

  @Provide
  Arbitrary<List<String>> answers() {
    return Arbitraries.frequencyOf(
            Tuple.of(2, starts()),
            Tuple.of(3, totals()),
            Tuple.of(3, blocks()),
            Tuple.of(5, deltas()),
            Tuple.of(
                2,
                Arbitraries.of(
                    "{\"type\":\"message_stop\"   }",
                    "{\"type\": \"ping\"}",
                    "{\"type\":\"content_block_stop\",\"index\":0}",
                    "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}",
                    "{\"type\":\"new_event\",\"usage\":{\"input_tokens\":1}}")))
        .list()
        .ofMinSize(1)
        .ofMaxSize(12);
  }

  private Arbitrary<String> starts() {
    return Combinators.combine(texts(), nullOr(models()), usages())
        .as(
            (id, model, usage) ->
                "{\"type\":\"message_start\",\"message\":{\"id\":"
                    + PLAIN.writeValueAsString(id)
                    + ",\"content\":[],\"model\":"
                    + model
                    + ",\"stop_reason\":null"
                    + usage
                    + "}  }");
  }

  private Arbitrary<String> totals() {
    return Combinators.combine(nullOr(Arbitraries.of("\"end_turn\"", "\"refusal\"")), usages())
        .as(
            (reason, usage) ->
                "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
                    + reason
                    + "}"
                    + usage
                    + "}");
  }

  private Arbitrary<String> blocks() {
    return Combinators.combine(
            Arbitraries.of("text", "thinking", "tool_use", "fallback", "compaction", "new_block"),
            Arbitraries.of(
                "",
                ",\"text\":\"\"",
                ",\"text\":\"a\"",
                ",\"content\":null",
                ",\"content\":[{\"text\":\"a\"}]",
                ",\"to\":{\"x\":[1],\"model\":\"claude-b\"},\"trigger\":{\"type\":\"text\"}"))
        .as(
            (type, rest) ->
                "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\""
                    + type
                    + "\""
                    + rest
                    + "} }");
  }

  private Arbitrary<String> deltas() {
    return Combinators.combine(
            Arbitraries.of("text", "thinking", "partial_json", "signature", "new_field"),
            texts(),
            Arbitraries.of(true, false))
        .as(
            (field, text, escaping) ->
                "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"x_delta\",\""
                    + field
                    + "\":"
                    + (escaping ? ESCAPING : PLAIN).writeValueAsString(text)
                    + "}    }");
  }

  private Arbitrary<String> usages() {
    Arbitrary<String> counts = nullOr(Arbitraries.longs().between(0, 100_000).map(String::valueOf));
    Arbitrary<String> fields =
        Combinators.combine(
                Arbitraries.of(
                    "\"input_tokens\":%s",
                    "\"output_tokens\":%s",
                    "\"cache_creation_input_tokens\":%s",
                    "\"cache_read_input_tokens\":%s",
                    "\"cache_creation\":{\"ephemeral_1h_input_tokens\":%s}",
                    "\"cache_creation\":{\"ephemeral_5m_input_tokens\":%s,\"ephemeral_1h_input_tokens\":3}",
                    "\"output_tokens_details\":{\"thinking_tokens\":%s,\"x\":1}",
                    "\"server_tool_use\":{\"web_search_requests\":%s,\"web_fetch_requests\":2}",
                    "\"iterations\":[{\"type\":\"message\",\"input_tokens\":%s,\"output_tokens\":4}]",
                    "\"new_count\":%s"),
                counts)
            .as((field, count) -> field.replace("%s", count));
    Arbitrary<String> words =
        Arbitraries.of("service_tier", "inference_geo", "speed")
            .flatMap(
                name ->
                    nullOr(Arbitraries.of("\"us\"", "\"fast\"")).map(v -> "\"" + name + "\":" + v));
    return Arbitraries.frequencyOf(Tuple.of(4, fields), Tuple.of(1, words))
        .list()
        .uniqueElements(field -> field.substring(0, field.indexOf(':')))
        .ofMaxSize(6)
        .map(list -> ",\"usage\":{" + String.join(",", list) + "}")
        .injectNull(0.1)
        .map(usage -> usage == null ? ",\"usage\":null" : usage);
  }

  private static Arbitrary<String> models() {
    return Arbitraries.of("\"claude-a\"", "\"claude-b\"");
  }

  private static Arbitrary<String> nullOr(Arbitrary<String> values) {
    return Arbitraries.oneOf(values, Arbitraries.of("null"));
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.strings()
        .withChars("ab \"\\/\n\t{}[],:ü€0")
        .withCharRange('\u0100', '\u0800')
        .ofMaxLength(12)
        .map(text -> text.length() % 3 == 0 ? text + "👋" : text);
  }
}
