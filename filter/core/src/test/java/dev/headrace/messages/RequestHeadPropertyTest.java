package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.messages.RequestHead.TokenRange;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Random bodies; the tree model of Jackson is the oracle. */
class RequestHeadPropertyTest {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** A valid body: the text with both values left out, and what stood there. */
  record Body(String text, String model, String maxTokens) {}

  @Property(tries = 5000)
  void randomBytesAreReadOrRefused(@ForAll @Size(max = 200) byte[] body) {
    readOrRefuse(body);
  }

  @Property(tries = 3000)
  void damagedBodiesAreReadOrRefused(
      @ForAll("bodies") Body body,
      @ForAll @IntRange(max = 20_000) int place,
      @ForAll @IntRange(max = 3) int removed,
      @ForAll @Size(max = 3) byte[] inserted) {
    readOrRefuse(damaged(body, place, removed, inserted));
  }

  private static byte[] damaged(Body body, int place, int removed, byte[] inserted) {
    byte[] whole = body.text().getBytes(UTF_8);
    int at = Math.min(place, whole.length);
    ByteArrayOutputStream damaged = new ByteArrayOutputStream();
    damaged.write(whole, 0, at);
    damaged.writeBytes(inserted);
    int rest = Math.min(whole.length, at + removed);
    damaged.write(whole, rest, whole.length - rest);
    return damaged.toByteArray();
  }

  @Property(tries = 3000)
  void mixturesOfTokensAreReadExactlyIfTheOracleReadsThem(@ForAll("mixtures") String text) {
    byte[] body = text.getBytes(UTF_8);
    RequestHead head = readOrRefuse(body);
    JsonNode tree = treeOf(text);
    boolean fits =
        tree instanceof ObjectNode object
            && fits(object.get("model"), JsonNode::isString)
            && fits(object.get("stream"), JsonNode::isBoolean)
            && fits(object.get("max_tokens"), JsonNode::isIntegralNumber);
    assertThat(head != null).as(text).isEqualTo(fits);
    if (head != null && tree != null) {
      assertThat(head.model())
          .isEqualTo(tree.has("model") ? tree.get("model").stringValue() : null);
      assertThat(head.stream()).isEqualTo(tree.has("stream") && tree.get("stream").booleanValue());
      assertThat(head.maxTokens())
          .isEqualTo(tree.has("max_tokens") ? tree.get("max_tokens").longValue() : null);
    }
  }

  @Property(tries = 2000)
  void replacingATokenRangeChangesOnlyThisValue(@ForAll("bodies") Body body) throws Exception {
    byte[] bytes = body.text().getBytes(UTF_8);
    RequestHead head = RequestHead.read(bytes, bytes.length);
    ObjectNode tree = (ObjectNode) MAPPER.readTree(body.text());
    assertThat(head.model()).isEqualTo(tree.get("model").stringValue());
    assertThat(head.maxTokens()).isEqualTo(tree.get("max_tokens").longValue());
    assertThat(textAt(bytes, head.modelToken())).isEqualTo(body.model());
    assertThat(textAt(bytes, head.maxTokensToken())).isEqualTo(body.maxTokens());

    String otherModel = replaced(bytes, head.modelToken(), "\"n\u00FC\"");
    assertThat(MAPPER.readTree(otherModel)).isEqualTo(tree.deepCopy().put("model", "n\u00FC"));
    String otherMaxTokens = replaced(bytes, head.maxTokensToken(), "5");
    assertThat(MAPPER.readTree(otherMaxTokens)).isEqualTo(tree.deepCopy().put("max_tokens", 5));
  }

  @Property(tries = 3000)
  void anOutlineHasTheSameHeadAndTheBytesOfEveryValue(@ForAll("bodies") Body body)
      throws Exception {
    byte[] bytes = body.text().getBytes(UTF_8);
    RequestOutline outline = RequestOutline.read(bytes, bytes.length);
    ObjectNode tree = (ObjectNode) MAPPER.readTree(body.text());
    assertThat(outline.head()).isEqualTo(RequestHead.read(bytes, bytes.length));
    assertThat(outline.fields())
        .extracting(RequestOutline.Field::name)
        .containsExactlyElementsOf(tree.propertyNames());
    for (RequestOutline.Field field : outline.fields()) {
      String text = textAt(bytes, field.value());
      assertThat(text).isEqualTo(text.strip());
      assertThat(MAPPER.readTree(text)).isEqualTo(tree.get(field.name()));
    }
  }

  @Property(tries = 3000)
  void damagedBodiesAreOutlinedExactlyIfTheirHeadIsRead(
      @ForAll("bodies") Body body,
      @ForAll @IntRange(max = 20_000) int place,
      @ForAll @IntRange(max = 3) int removed,
      @ForAll @Size(max = 3) byte[] inserted) {
    byte[] damaged = damaged(body, place, removed, inserted);
    RequestHead head = readOrRefuse(damaged);
    try {
      RequestOutline outline = RequestOutline.read(damaged, damaged.length);
      assertThat(outline.head()).isEqualTo(head);
    } catch (InvalidBodyException e) {
      assertThat(e.getMessage()).startsWith("body: ").matches("[ -~]{1,350}");
      assertThat(head).isNull();
    }
  }

  private static @Nullable RequestHead readOrRefuse(byte[] body) {
    try {
      return RequestHead.read(body, body.length);
    } catch (InvalidBodyException e) {
      assertThat(e.getMessage()).startsWith("body: ").matches("[ -~]{1,250}");
      return null;
    }
  }

  private static @Nullable JsonNode treeOf(String text) {
    try {
      return MAPPER.readTree(text);
    } catch (JacksonException e) {
      return null;
    }
  }

  private static boolean fits(@Nullable JsonNode value, Predicate<JsonNode> type) {
    return value == null || type.test(value);
  }

  private static String textAt(byte[] bytes, @Nullable TokenRange range) {
    requireNonNull(range);
    return new String(bytes, range.start(), range.end() - range.start(), UTF_8);
  }

  private static String replaced(byte[] bytes, @Nullable TokenRange range, String value) {
    requireNonNull(range);
    return new String(bytes, 0, range.start(), UTF_8)
        + value
        + new String(bytes, range.end(), bytes.length - range.end(), UTF_8);
  }

  @Provide
  Arbitrary<String> mixtures() {
    Arbitrary<String> fields =
        Arbitraries.of(
            "\"model\":\"m\"",
            "\"stream\":true",
            "\"stream\":false",
            "\"max_tokens\":7",
            "\"max_tokens\":1.5",
            "\"model\":1",
            "\"stream\":1",
            "\"a\":[1,{\"model\":2}]",
            "\"b\":{\"c\":null}",
            "\"d\":\"x\\u00e9\"");
    Arbitrary<String> tokens =
        Arbitraries.of("{", "}", "[", "]", ",", ":", "\"model\"", "1", "true", "null", " ", "x");
    Arbitrary<String> objects =
        fields.list().ofMaxSize(5).map(list -> "{" + String.join(",", list) + "}");
    Arbitrary<String> soups = tokens.list().ofMaxSize(12).map(list -> String.join("", list));
    return Arbitraries.oneOf(
        objects, soups, Combinators.combine(objects, soups).as((object, soup) -> object + soup));
  }

  /**
   * Bodies of up to some buffers' length with both fields at any place between others of any kind.
   */
  @Provide
  Arbitrary<Body> bodies() {
    Arbitrary<String> models =
        Arbitraries.of("\"\"", "\"claude\"", "\"a\\\"b\\\\\"", "\"\\u00fc\u20AC\uD83D\uDE00\"");
    Arbitrary<String> numbers = Arbitraries.of("0", "-1", "4096", "9223372036854775807");
    Arbitrary<String> spaces = Arbitraries.of("", " ", "\n", "\t \r\n");
    Arbitrary<String> texts =
        Combinators.combine(
                Arbitraries.of("x", "\u00FC", "\u20AC", "\uD83D\uDE00", "\\\"", "\\u20ac", "\\\\"),
                Arbitraries.integers().between(0, 900),
                Arbitraries.of("", "y", "\u00FC\uD83D\uDE00"))
            .as((unit, count, end) -> unit.repeat(count) + end);
    Arbitrary<List<String>> others =
        Combinators.combine(texts, spaces)
            .as(
                (text, space) ->
                    text.length() % 3 == 0
                        ? space + "[1," + space + "{\"model\":\"" + text + "\"}]" + space
                        : space + "\"" + text + "\"" + space)
            .list()
            .ofMaxSize(6);
    Arbitrary<Integer> places = Arbitraries.integers().between(0, 7);
    return Combinators.combine(models, numbers, spaces, others, places, places, texts)
        .as(
            (model, number, space, values, modelPlace, numberPlace, name) -> {
              List<String> fields = new ArrayList<>();
              String prefix = name.length() > 900 ? "n" : name;
              for (int i = 0; i < values.size(); i++) {
                fields.add("\"" + prefix + "_" + i + "\":" + values.get(i));
              }
              fields.add(
                  Math.min(modelPlace, fields.size()),
                  space + "\"model\"" + space + ":" + space + model + space);
              fields.add(
                  Math.min(numberPlace, fields.size()), "\"max_tokens\":" + space + number + space);
              return new Body("{" + String.join(",", fields) + "}" + space, model, number);
            });
  }
}
