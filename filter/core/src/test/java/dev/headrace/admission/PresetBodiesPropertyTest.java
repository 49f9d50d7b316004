package dev.headrace.admission;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.messages.InvalidBodyException;
import dev.headrace.messages.RequestHead;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class PresetBodiesPropertyTest {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private static final String PREFIX =
      "{\"model\":\"m\",\"max_tokens\":9,\"system\":[{\"type\":\"text\",\"text\":\"Help.\","
          + "\"cache_control\":{\"type\":\"ephemeral\"}}],\"stream\":true,\"messages\":";

  private static PresetBodies bodies() {
    try {
      return new PresetBodies(
          new Preset("p", "m", PresetSource.text("Help."), true, null, 9, null, Set.of(), Set.of()),
          Map.of(),
          System::nanoTime);
    } catch (PresetFileException e) {
      throw new AssertionError(e);
    }
  }

  @Property(tries = 3000)
  void messagesArriveByteForByteBehindTheSamePrefix(
      @ForAll("messages") String messages, @ForAll("blanks") String blank, @ForAll boolean before)
      throws Exception {
    String stream = blank + "\"stream\"" + blank + ":true" + blank;
    String value = blank + "\"messages\":" + blank + messages + blank;
    byte[] body =
        ("{" + (before ? stream + "," + value : value + "," + stream) + "}").getBytes(UTF_8);
    UpstreamBody upstream = bodies().body(body, body.length, RequestPolicy.of("plans.any").build());
    assertThat(new String(upstream.bytes(), 0, upstream.length(), UTF_8))
        .isEqualTo(PREFIX + messages + "}");
    assertThat(upstream.head()).isEqualTo(RequestHead.read(upstream.bytes(), upstream.length()));
  }

  /** Whatever is done to a body, only the client's messages may differ in what goes upstream. */
  @Property(tries = 5000)
  void damagedBodiesAreRefusedOrChangeNothingButMessages(
      @ForAll("messages") String messages,
      @ForAll @IntRange(max = 400) int place,
      @ForAll @IntRange(max = 3) int removed,
      @ForAll("inserts") String inserted)
      throws Exception {
    String whole = "{\"messages\":" + messages + "}";
    int at = Math.min(place, whole.length());
    int rest = Math.min(whole.length(), at + removed);
    byte[] body = (whole.substring(0, at) + inserted + whole.substring(rest)).getBytes(UTF_8);
    checkRefusedOrHarmless(body);
  }

  @Property(tries = 3000)
  void randomBytesAreRefusedOrHarmless(@ForAll @Size(max = 100) byte[] body) throws Exception {
    checkRefusedOrHarmless(body);
  }

  private static void checkRefusedOrHarmless(byte[] body) throws Exception {
    UpstreamBody upstream;
    try {
      upstream = bodies().body(body, body.length, RequestPolicy.of("plans.any").build());
    } catch (InvalidBodyException | RefusedException e) {
      assertThat(e.getMessage()).startsWith("body: ").matches("[ -~]{1,350}");
      return;
    }
    byte[] built = Arrays.copyOf(upstream.bytes(), upstream.length());
    ObjectNode tree = (ObjectNode) MAPPER.readTree(built);
    assertThat(tree.propertyNames())
        .containsExactly("model", "max_tokens", "system", "stream", "messages");
    assertThat(tree.get("messages").isArray()).isTrue();
    tree.get("messages")
        .forEach(
            message -> {
              assertThat(message.propertyNames()).containsExactlyInAnyOrder("role", "content");
              assertThat(message.get("role").stringValue()).isIn("user", "assistant");
            });
    assertThat(new String(built, UTF_8).replace("\"stream\":false", "\"stream\":true"))
        .startsWith(PREFIX);
  }

  @Provide
  Arbitrary<String> blanks() {
    return Arbitraries.of("", " ", "\n", "\t\r\n ");
  }

  @Provide
  Arbitrary<String> inserts() {
    return Arbitraries.of(
        "",
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\u0000",
        "\\u0000",
        "\\ud800",
        "\u00FC",
        ",\"model\":\"x\"",
        ",\"system\":\"x\"",
        "\"system\":[],",
        "system",
        "\"role\":\"system\",",
        ",\"stream\":false",
        "\"tools\":null,",
        "\"messages\":[],",
        "}{",
        "\uD83D\uDE00");
  }

  @Provide
  Arbitrary<String> messages() {
    Arbitrary<String> texts =
        Arbitraries.of(
                "x",
                "\u00FC",
                "\u20AC",
                "\uD83D\uDE00",
                "\\\"",
                "\\u20ac",
                "\\\\",
                "\\ud83d\\ude00",
                "\\\\u0000",
                "\\\\ud800",
                "{",
                "]",
                "\",\"".replace("\"", "\\\""),
                "\\n",
                " ")
            .list()
            .ofMaxSize(40)
            .map(parts -> "\"" + String.join("", parts) + "\"");
    Arbitrary<String> values =
        Arbitraries.oneOf(
            texts,
            Arbitraries.of("1", "-0.50", "1e400", "null", "true", "[]", "{}", "[ {\"model\":1} ]"));
    Arbitrary<String> blocks =
        Combinators.combine(texts, values, blanks())
            .as(
                (text, value, blank) ->
                    "{"
                        + blank
                        + "\"type\":\"text\",\"text\":"
                        + text
                        + ",\"x\":"
                        + value
                        + blank
                        + "}");
    Arbitrary<String> contents =
        Arbitraries.oneOf(
            texts, blocks.list().ofMaxSize(3).map(list -> "[" + String.join(" ,", list) + "]"));
    Arbitrary<String> roles = Arbitraries.of("\"user\"", "\"assistant\"", "\"us\\u0065r\"");
    Arbitrary<String> message =
        Combinators.combine(roles, contents, blanks(), Arbitraries.of(true, false))
            .as(
                (role, content, blank, roleFirst) -> {
                  List<String> fields =
                      List.of("\"role\":" + blank + role, blank + "\"content\":" + content);
                  return "{"
                      + (roleFirst
                          ? fields.get(0) + "," + fields.get(1)
                          : fields.get(1) + "," + fields.get(0))
                      + blank
                      + "}";
                });
    return Combinators.combine(message.list().ofMinSize(1).ofMaxSize(4), blanks())
        .as((list, blank) -> "[" + blank + String.join(blank + ",", list) + "]");
  }
}
