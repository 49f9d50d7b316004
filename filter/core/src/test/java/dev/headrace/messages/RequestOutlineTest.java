package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.headrace.messages.RequestHead.TokenRange;
import dev.headrace.messages.RequestOutline.Field;
import dev.headrace.messages.RequestOutline.Kind;
import dev.headrace.messages.RequestOutline.ServerTool;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestOutlineTest {

  private static RequestOutline read(String body) throws InvalidBodyException {
    byte[] bytes = body.getBytes(UTF_8);
    return RequestOutline.read(bytes, bytes.length);
  }

  private static RequestOutline conversation(String body) throws InvalidBodyException {
    byte[] bytes = body.getBytes(UTF_8);
    return RequestOutline.readConversation(bytes, bytes.length);
  }

  private static String at(String body, @Nullable TokenRange range) {
    requireNonNull(range);
    return new String(body.getBytes(UTF_8), range.start(), range.end() - range.start(), UTF_8);
  }

  private static String errorOf(String body, boolean conversation) {
    InvalidBodyException e =
        catchThrowableOfType(
            InvalidBodyException.class,
            () -> {
              if (conversation) {
                conversation(body);
              } else {
                read(body);
              }
            });
    assertThat(e).as(body).isNotNull();
    return String.valueOf(e.getMessage());
  }

  @Test
  void givesEveryTopLevelFieldWithTheBytesOfItsValue() throws InvalidBodyException {
    String body =
        """
        {"messages" : [ {"role":"user","content":"Gr\u00FC\u00DFe \\" \\\\"} ] ,"model":"m","stream":true,
         "temperature":  0.5 , "top_k":-7,"system":"\uD83D\uDE00 \\"x\\\\" ,"metadata":{"user_id" : "u\u00FC" },
         "thinking":null,"none":{},"spee\\u0064":"f\\u0061st","max_tokens":12
        }
        """;
    RequestOutline outline = read(body);
    assertThat(outline.fields())
        .extracting(Field::name)
        .containsExactly(
            "messages",
            "model",
            "stream",
            "temperature",
            "top_k",
            "system",
            "metadata",
            "thinking",
            "none",
            "speed",
            "max_tokens");
    assertThat(outline.fields())
        .extracting(field -> at(body, field.value()))
        .containsExactly(
            "[ {\"role\":\"user\",\"content\":\"Gr\u00FC\u00DFe \\\" \\\\\"} ]",
            "\"m\"",
            "true",
            "0.5",
            "-7",
            "\"\uD83D\uDE00 \\\"x\\\\\"",
            "{\"user_id\" : \"u\u00FC\" }",
            "null",
            "{}",
            "\"f\\u0061st\"",
            "12");
    assertThat(outline.fields())
        .extracting(Field::kind)
        .containsExactly(
            Kind.ARRAY,
            Kind.STRING,
            Kind.BOOLEAN,
            Kind.NUMBER,
            Kind.NUMBER,
            Kind.STRING,
            Kind.OBJECT,
            Kind.NULL,
            Kind.OBJECT,
            Kind.STRING,
            Kind.NUMBER);
    assertThat(outline.head())
        .isEqualTo(RequestHead.read(body.getBytes(UTF_8), body.getBytes(UTF_8).length));
    assertThat(at(body, outline.userId())).isEqualTo("\"u\u00FC\"");
    assertThat(requireNonNull(outline.field("speed")).word()).isEqualTo("fast");
    assertThat(outline.has("thinking")).isFalse();
    assertThat(outline.has("none")).isTrue();
    assertThat(outline.has("tools")).isFalse();
  }

  @Test
  void knowsHowManyToolsThereAreAndTheFirstThatTheApiRuns() throws InvalidBodyException {
    assertThat(read("{\"tools\":null}").tools()).isZero();
    assertThat(read("{\"tools\":[]}").tools()).isZero();
    RequestOutline own =
        read(
            "{\"tools\":[{\"name\":\"a\",\"input_schema\":{\"type\":\"object\"}},"
                + "{\"type\":\"custom\",\"name\":\"b\"},{\"type\":null}]}");
    assertThat(own.tools()).isEqualTo(3);
    assertThat(own.serverTool()).isNull();
    RequestOutline search =
        read(
            "{\"tools\":[{\"name\":\"a\"},{\"name\":\"s\",\"ty\\u0070e\":\"web_search_20250305\"},"
                + "{\"type\":\"other\"}]}");
    assertThat(search.tools()).isEqualTo(3);
    assertThat(search.serverTool()).isEqualTo(new ServerTool(1, "web_search_20250305"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "[\"web_search\"];a string",
        "[[{}]];an array",
        "[{\"type\":{\"custom\":1}}];an object",
        "[{\"type\":[\"custom\"]}];an array",
        "[{\"type\":\"Custom\"}];Custom",
        "[{\"type\":\"custom \"}];custom ",
        "[{\"type\":\"\\u0000custom\"}];?custom",
      })
  void takesWhatIsNotPlainlyAnOwnToolForOneThatTheApiRuns(String tools, String shown)
      throws InvalidBodyException {
    ServerTool tool = requireNonNull(read("{\"tools\":" + tools + "}").serverTool());
    assertThat(tool.type().strip()).isEqualTo(shown.strip());
  }

  @Test
  void refusesWhatAPolicyCouldNotJudge() {
    assertThat(errorOf("{\"tools\":{\"type\":\"web_search\"}}", false))
        .isEqualTo("body: field \"tools\" is an object at line 1, column 10 (expected: an array)");
    assertThat(errorOf("{\"tools\":[{\"type\":\"" + "x".repeat(300) + "\"}]}", false))
        .startsWith("body: field \"tools[0].type\" is too long at line 1,");
    assertThat(errorOf("{\"speed\":\"" + "x".repeat(300) + "\"}", false))
        .startsWith("body: field \"speed\" is too long at line 1,");
    assertThat(errorOf("{\"mod\\u0065l\":\"a\",\"model\":\"b\"}", false))
        .startsWith("body: duplicate field \"model\" at line 1,");
    assertThat(errorOf("{\"tools\":[{\"type\":\"custom\",\"t\\u0079pe\":\"web_search\"}]}", false))
        .startsWith("body: duplicate field \"tools[0].type\" at line 1,");
  }

  @Test
  void refusesMoreThanAHundredFields() throws InvalidBodyException {
    String hundred =
        IntStream.range(0, 100).mapToObj(i -> "\"f" + i + "\":" + i).collect(joining(","));
    assertThat(read("{" + hundred + "}").fields()).hasSize(100);
    assertThat(errorOf("{" + hundred + ",\"more\":1}", false))
        .startsWith("body: field \"more\" is one too many at line 1,")
        .endsWith(" (expected: at most 100 fields)");
    assertThatThrownBy(() -> read("{" + hundred + "}").fields().clear())
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  void namesTheFieldInWhichTheJsonIsBroken() {
    assertThat(errorOf("{\"a\":1,\"system\":{\"b\":" + "[".repeat(300), false))
        .startsWith("body: too deep, too long or too many in field \"system\" at line 1,");
    assertThat(errorOf("{\"a\":1,\"system\":[1", false))
        .startsWith("body: ends too early in field \"system\" at line 1,");
    assertThat(errorOf("{\"a\":1,\"system\":\"x", false)).startsWith("body: ends too early");
    assertThat(errorOf("{\"a\":1,\"system\":[1}", false))
        .startsWith("body: not valid JSON in field \"system\" at line 1,");
    assertThat(errorOf("{\"a\":1} x", false))
        .startsWith("body: something follows the JSON object at line 1,");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}",
        "{\"messages\":[{\"content\":[],\"role\":\"assistant\"}]}",
        "{\"messages\":[{\"ro\\u006ce\":\"us\\u0065r\",\"content\":[{\"type\":\"text\",\"text\":\"\\ud83d\\ude00 \\\\u0000 \\\\\\\\ud800\"}]}]}",
        "{\"x\":[[],{\"\":{}}],\"messages\":[{\"role\":\"user\",\"content\":\"\"},{\"role\":\"assistant\",\"content\":\"\"}]}",
      })
  void readsConversations(String body) throws InvalidBodyException {
    assertThat(conversation(body).fields())
        .hasSameSizeAs(read(body).fields())
        .extracting(field -> at(body, field.value()))
        .containsExactlyElementsOf(
            read(body).fields().stream().map(field -> at(body, field.value())).toList());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{}|body: field \"messages\" is missing",
        "{\"messages\":null}|body: field \"messages\" is null at",
        "{\"messages\":{}}|body: field \"messages\" is an object at",
        "{\"messages\":\"[]\"}|body: field \"messages\" is a string at",
        "{\"messages\":[]}|body: field \"messages\" is empty at",
        "{\"messages\":[1]}|body: field \"messages[0]\" is an integer at",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},[]]}|body: field \"messages[1]\" is an array at",
        "{\"messages\":[{}]}|body: field \"messages[0].role\" is missing at",
        "{\"messages\":[{\"role\":\"user\"}]}|body: field \"messages[0].content\" is missing at",
        "{\"messages\":[{\"content\":\"a\"}]}|body: field \"messages[0].role\" is missing at",
        "{\"messages\":[{\"role\":\"system\",\"content\":\"a\"}]}|body: field \"messages[0].role\" is \"system\" at",
        "{\"messages\":[{\"role\":\"User\",\"content\":\"a\"}]}|body: field \"messages[0].role\" is \"User\" at",
        "{\"messages\":[{\"role\":[\"user\"],\"content\":\"a\"}]}|body: field \"messages[0].role\" is an array at",
        "{\"messages\":[{\"role\":\"user\",\"content\":7}]}|body: field \"messages[0].content\" is an integer at",
        "{\"messages\":[{\"role\":\"user\",\"content\":{\"text\":\"a\"}}]}|body: field \"messages[0].content\" is an object at",
        "{\"messages\":[{\"role\":\"user\",\"content\":[\"a\"]}]}|body: field \"messages[0].content[0]\" is a string at",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\",\"model\":{}}]}|body: field \"messages[0].model\" is not allowed at",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"a\\u0000\"}]}|body: field \"messages[0].content\" holds the character NUL at",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{},{\"text\":\"\\ud800x\"}]}]}|body: field \"messages[0].content[1].text\" holds half a surrogate pair at",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"a\":[1,[\"\\udc00\"]]}]}]}|body: field \"messages[0].content[0].a[1][0]\" holds half a surrogate pair at",
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"a\\u0000\":1}]}]}|body: field name \"messages[0].content[0].a?\" holds the character NUL at",
        "{\"a\\u0000\":1}|body: field name \"a?\" holds the character NUL at",
        "{\"a\":\"\\ud83d\\ud83d\\ude00\"}|body: field \"a\" holds half a surrogate pair at",
      })
  void namesWhatIsNoConversation(String body, String message) {
    assertThat(errorOf(body, true)).startsWith(message);
  }

  @Test
  void shortensThePathOfAFault() {
    String deep = "{\"abcdefghij\":".repeat(150);
    String message = errorOf("{\"x\":" + deep + "\"\\u0000\"" + "}".repeat(150) + "}", true);
    assertThat(message).matches("[ -~]{1,250}").contains("x.abcdefghij.abc").contains("...");
  }

  @Test
  void findsTheEndOfAStringInPlace() {
    for (String text :
        List.of("\"\"", "\"a\"", "\"\\\"\"", "\"\\\\\"", "\"\\\\\\\"x\"", "\"\u00FC\"")) {
      byte[] bytes = ("x" + text + "\",\"").getBytes(UTF_8);
      assertThat(StringToken.end(bytes, 1, bytes.length))
          .isEqualTo(1 + text.getBytes(UTF_8).length);
    }
    byte[] open = "\"abc\\".getBytes(UTF_8);
    assertThat(StringToken.end(open, 0, open.length)).isEqualTo(open.length);
    assertThat(StringToken.fault("\"\\u00".getBytes(UTF_8), 0, 5)).isNull();
    assertThat(StringToken.fault("\"\\ud800".getBytes(UTF_8), 0, 7)).contains("half");
  }
}
