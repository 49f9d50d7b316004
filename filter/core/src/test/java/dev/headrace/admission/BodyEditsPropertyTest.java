package dev.headrace.admission;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.messages.RequestHead;
import dev.headrace.messages.RequestHead.TokenRange;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Random bodies and edits; the tree model of Jackson is the oracle. */
class BodyEditsPropertyTest {
  private static final JsonMapper MAPPER = new JsonMapper();

  @Property(tries = 3000)
  void onlyTheTwoTokensChange(
      @ForAll("bodies") String text, @ForAll("models") String model, @ForAll long maxTokens)
      throws Exception {
    byte[] body = text.getBytes(UTF_8);
    byte[] untouched = body.clone();
    RequestHead head = RequestHead.read(body, body.length);
    for (BodyEdits edits :
        List.of(
            BodyEdits.NONE,
            new BodyEdits(model, null),
            new BodyEdits(null, maxTokens),
            new BodyEdits(model, maxTokens))) {
      UpstreamBody edited = edits.apply(body, body.length, head);

      assertThat(edited.head()).isEqualTo(RequestHead.read(edited.bytes(), edited.length()));
      assertThat(outside(edited.bytes(), edited.length(), edited.head()))
          .isEqualTo(outside(body, body.length, head));
      assertThat(body).isEqualTo(untouched);
      ObjectNode expected = (ObjectNode) MAPPER.readTree(text);
      if (edits.model() != null && expected.has("model")) {
        expected.put("model", model);
      }
      if (edits.maxTokens() != null && expected.has("max_tokens")) {
        expected.put("max_tokens", maxTokens);
      }
      assertThat(plain(MAPPER.readTree(edited.bytes(), 0, edited.length())))
          .isEqualTo(plain(expected));
    }
  }

  /** As text, so that an int equals a long. */
  private static String plain(JsonNode tree) {
    return tree.toString();
  }

  /** The bytes of a body without the two tokens. */
  private static byte[] outside(byte[] body, int length, RequestHead head) {
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    for (int i = 0; i < length; i++) {
      if (!isIn(head.modelToken(), i) && !isIn(head.maxTokensToken(), i)) {
        rest.write(body[i]);
      }
    }
    return rest.toByteArray();
  }

  private static boolean isIn(@Nullable TokenRange range, int place) {
    return range != null && range.start() <= place && place < range.end();
  }

  @Property(tries = 200)
  void theArrayMayBeLongerThanTheBody(@ForAll("bodies") String text) throws Exception {
    byte[] body = text.getBytes(UTF_8);
    byte[] longer = Arrays.copyOf(body, body.length + 50);
    RequestHead head = RequestHead.read(longer, body.length);
    UpstreamBody edited = new BodyEdits("other", 1L).apply(longer, body.length, head);
    UpstreamBody same = new BodyEdits("other", 1L).apply(body, body.length, head);
    assertThat(Arrays.copyOf(edited.bytes(), edited.length()))
        .isEqualTo(Arrays.copyOf(same.bytes(), same.length()));
  }

  @Provide
  Arbitrary<String> models() {
    return Arbitraries.of("", "m", "claude-opus-5-5", "n\u00FC\uD83D\uDE00", "a\"b\\\n\u0000");
  }

  /** Both fields, one or none, in any order, between others. */
  @Provide
  Arbitrary<String> bodies() {
    Arbitrary<String> spaces = Arbitraries.of("", " ", "\n\t", "\r\n  ");
    Arbitrary<String> model =
        Arbitraries.of("\"model\":\"a\"", "\"mod\\u0065l\" : \"\\u20ac\u20AC\" ", "\"y\":null");
    Arbitrary<String> maxTokens =
        Arbitraries.of("\"max_tokens\":1", "\"max_tokens\" :\t-99999999999 ", "\"z\":[{}]");
    Arbitrary<String> other =
        Arbitraries.of(
            "\"messages\":[{\"role\":\"user\",\"content\":\"\u00FC \uD83D\uDE00 \\ud83d\"}]",
            "\"metadata\":{ \"model\" : \"a\" , \"max_tokens\":7}",
            "\"stream\":true,\"speed\":\"fast\",\"inference_geo\":\"us\"");
    return Combinators.combine(
            Combinators.combine(model, maxTokens, other).as(List::of),
            Arbitraries.of(
                List.of(0, 1, 2),
                List.of(0, 2, 1),
                List.of(1, 0, 2),
                List.of(1, 2, 0),
                List.of(2, 0, 1),
                List.of(2, 1, 0)),
            spaces)
        .as(
            (fields, order, space) ->
                space
                    + "{"
                    + String.join(space + "," + space, order.stream().map(fields::get).toList())
                    + space
                    + "}"
                    + space);
  }
}
