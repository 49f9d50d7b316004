package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.headrace.messages.RequestHead.TokenRange;
import java.nio.charset.Charset;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestHeadTest {
  private static RequestHead read(String body) throws InvalidBodyException {
    byte[] bytes = body.getBytes(UTF_8);
    return RequestHead.read(bytes, bytes.length);
  }

  private static String errorOf(byte[] body) {
    InvalidBodyException e =
        catchThrowableOfType(InvalidBodyException.class, () -> RequestHead.read(body, body.length));
    assertThat(e).isNotNull().hasNoCause().hasNoSuppressedExceptions();
    assertThat(e.getStackTrace()).isEmpty();
    return String.valueOf(e.getMessage());
  }

  private static String errorOf(String body) {
    return errorOf(body.getBytes(UTF_8));
  }

  private static String at(String body, @Nullable TokenRange range) {
    requireNonNull(range);
    byte[] bytes = body.getBytes(UTF_8);
    return new String(Arrays.copyOfRange(bytes, range.start(), range.end()), UTF_8);
  }

  @Test
  void readsTheHeadFieldsWhereverTheyStand() throws InvalidBodyException {
    String body =
        """
        {"messages":[{"role":"user","content":"Gr\u00FC\u00DFe \uD83D\uDC4B"}],
         "model" : "claude-sonnet-5-5" , "stream":true, "max_tokens":  1024 }
        """;
    RequestHead head = read(body);
    assertThat(head.model()).isEqualTo("claude-sonnet-5-5");
    assertThat(head.stream()).isTrue();
    assertThat(head.maxTokens()).isEqualTo(1024L);
    assertThat(at(body, head.modelToken())).isEqualTo("\"claude-sonnet-5-5\"");
    assertThat(at(body, head.maxTokensToken())).isEqualTo("1024");
  }

  @Test
  void missingFieldsAreFineBecauseTheApiComplainsItself() throws InvalidBodyException {
    assertThat(read(" {} "))
        .isEqualTo(
            new RequestHead(null, false, null, null, null, null, null, Set.of(), Set.of(), 0));
    assertThat(read("{\"stream\":false}").stream()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void otherModelsThatMayBeAskedAreNamed(boolean outlined) throws InvalidBodyException {
    String body =
        "{\"model\":\"a\",\"fallbacks\":[{\"model\":\"b\",\"x\":{\"model\":\"no\"}},{\"model\":\"c\"},7,"
            + "{\"model\":\"b\"}],\"tools\":[{\"name\":\"own\",\"input_schema\":{\"model\":\"no\"}},"
            + "{\"type\":\"advisor\",\"model\":\"d\"},{\"model\":5}],\"messages\":[]}";
    byte[] bytes = body.getBytes(UTF_8);
    RequestHead head =
        outlined
            ? RequestOutline.read(bytes, bytes.length).head()
            : RequestHead.read(bytes, bytes.length);
    assertThat(head.fallbackModels()).containsExactlyInAnyOrder("b", "c");
    assertThat(head.toolModels()).containsExactly("d");
    assertThat(read("{\"fallbacks\":\"default\",\"tools\":null}").fallbackModels()).isEmpty();
  }

  @Test
  void soManyOtherModelsAreNoRequest() {
    String models =
        IntStream.rangeClosed(0, RequestHead.MAX_MODELS)
            .mapToObj(i -> "{\"model\":\"m" + i + "\"}")
            .collect(Collectors.joining(","));
    assertThatExceptionOfType(InvalidBodyException.class)
        .isThrownBy(() -> read("{\"fallbacks\":[" + models + "]}"))
        .withMessageContaining("fallbacks")
        .withMessageContaining("at most 20");
  }

  @Test
  void onlyTopLevelFieldsCount() throws InvalidBodyException {
    RequestHead head =
        read(
            "{\"metadata\":{\"model\":1,\"stream\":\"no\",\"max_tokens\":{}},\"tools\":[{\"model\":2}]}");
    assertThat(head)
        .isEqualTo(
            new RequestHead(null, false, null, null, null, null, null, Set.of(), Set.of(), 0));
  }

  @Test
  void readsWhatMakesTheSameTokensDearer() throws InvalidBodyException {
    RequestHead head =
        read("{\"sp\\u0065ed\":\"f\\u0061st\",\"tools\":[{\"speed\":1}],\"inference_geo\":\"us\"}");
    assertThat(head.speed()).isEqualTo("fast");
    assertThat(head.inferenceGeo()).isEqualTo("us");
    for (String other : List.of("null", "1", "{\"a\":\"fast\"}", "[\"fast\"]")) {
      RequestHead without =
          read("{\"speed\":" + other + ",\"inference_geo\":" + other + ",\"max_tokens\":7}");
      assertThat(without.speed()).as(other).isNull();
      assertThat(without.inferenceGeo()).as(other).isNull();
      assertThat(without.maxTokens()).as(other).isEqualTo(7);
    }
    assertThat(errorOf("{\"speed\":\"" + "x".repeat(257) + "\"}"))
        .contains("\"speed\"", "256 characters");
  }

  @Test
  void readsEscapedNamesAndValuesAndGivesTheRangeOfTheEscapedToken() throws InvalidBodyException {
    String body = "{\"mod\\u0065l\":\"cl\\\"au\\u00fc\\\\\",\"max\\u005ftokens\":7}";
    RequestHead head = read(body);
    assertThat(head.model()).isEqualTo("cl\"au\u00FC\\");
    assertThat(at(body, head.modelToken())).isEqualTo("\"cl\\\"au\\u00fc\\\\\"");
    assertThat(at(body, head.maxTokensToken())).isEqualTo("7");
  }

  @ParameterizedTest
  @CsvSource({
    "0,0",
    "-0,0",
    "-12,-12",
    "9223372036854775807,9223372036854775807",
    "-9223372036854775808,-9223372036854775808"
  })
  void takesAnyIntegerOf64Bits(String written, long value) throws InvalidBodyException {
    for (String after : List.of("}", " }", ",\"a\":1}", "\n,\"a\":1}")) {
      String body = "{\"max_tokens\":" + written + after;
      RequestHead head = read(body);
      assertThat(head.maxTokens()).isEqualTo(value);
      assertThat(at(body, head.maxTokensToken())).isEqualTo(written);
    }
  }

  @Test
  void readsOnlyTheGivenLengthOfTheArray() throws InvalidBodyException {
    byte[] bytes = "{\"max_tokens\":7}garbage".getBytes(UTF_8);
    assertThat(RequestHead.read(bytes, 16).maxTokens()).isEqualTo(7);
    assertThatThrownBy(() -> RequestHead.read(bytes, 15)).isInstanceOf(InvalidBodyException.class);
    assertThatThrownBy(() -> RequestHead.read(bytes, 24))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '~',
      value = {
        "~~;body: empty (expected: one JSON object)",
        "~ \n ~;body: empty (expected: one JSON object)",
        "[];body: an array at line 1, column 1 (expected: one JSON object)",
        "~\n  \"secret\"~;body: a string at line 2, column 3 (expected: one JSON object)",
        "12;body: an integer at line 1, column 1 (expected: one JSON object)",
        "null;body: null at line 1, column 1 (expected: one JSON object)",
        "secret;body: not valid JSON at line 1, column 7 (expected: one JSON object)",
        "{\"a\":secret};body: not valid JSON at line 1, column 12 (expected: one JSON object)",
        "{'a':1};body: not valid JSON at line 1, column 3 (expected: one JSON object)",
        "{\"a\":1,};body: not valid JSON at line 1, column 9 (expected: one JSON object)",
        "{\"a\":01};body: not valid JSON at line 1, column 7 (expected: one JSON object)",
        "{\"a\":NaN};body: not valid JSON at line 1, column 9 (expected: one JSON object)",
        "{\"a\":1]};body: not valid JSON at line 1, column 8 (expected: one JSON object)",
        "/**/{};body: not valid JSON at line 1, column 2 (expected: one JSON object)",
        "{\"a\":;body: ends too early at line 1, column 6 (expected: one complete JSON object)",
        "{\"a\":\"sec;body: ends too early at line 1, column 10 (expected: one complete JSON object)",
        "{;body: ends too early at line 1, column 2 (expected: one complete JSON object)",
        "{} x;body: something follows the JSON object at line 1, column 5 (expected: nothing)",
        "{}{};body: something follows the JSON object at line 1, column 3 (expected: nothing)",
        "{}1;body: something follows the JSON object at line 1, column 3 (expected: nothing)",
        "{}];body: something follows the JSON object at line 1, column 4 (expected: nothing)",
        "{\"model\":\"a\", \"model\":\"a\"};body: duplicate field \"model\" at line 1, column 22 (expected: each field once)",
        "{\"a\":[{\"b\":1, \"b\":2}]};body: duplicate field \"b\" at line 1, column 18 (expected: each field once)",
        "{\"model\":\"a\", \"m\\u006fdel\":\"b\"};body: duplicate field \"model\" at line 1, column 27 (expected: each field once)",
        "{\"model\":null};body: field \"model\" is null at line 1, column 10 (expected: a string)",
        "{\"model\":{}};body: field \"model\" is an object at line 1, column 10 (expected: a string)",
        "{\"model\":17};body: field \"model\" is an integer at line 1, column 10 (expected: a string)",
        "{\"stream\":\"true\"};body: field \"stream\" is a string at line 1, column 11 (expected: true or false)",
        "{\"stream\":null};body: field \"stream\" is null at line 1, column 11 (expected: true or false)",
        "{\"stream\":[true]};body: field \"stream\" is an array at line 1, column 11 (expected: true or false)",
        "{\"max_tokens\":\"9\"};body: field \"max_tokens\" is a string at line 1, column 15 (expected: an integer)",
        "{\"max_tokens\":true};body: field \"max_tokens\" is a boolean at line 1, column 15 (expected: an integer)",
        "{\"max_tokens\":1.0};body: field \"max_tokens\" is a number with a fraction or exponent at line 1, column 15 (expected: an integer)",
        "{\"max_tokens\":1e3};body: field \"max_tokens\" is a number with a fraction or exponent at line 1, column 15 (expected: an integer)",
        "{\"max_tokens\":9223372036854775808};body: field \"max_tokens\" is out of range at line 1, column 15 (expected: an integer of 64 bits)",
        "{\"model\":\"\\ud800\"};body: field \"model\" holds half a surrogate pair at line 1, column 10 (expected: Unicode text)",
        "{\"model\":\"\\udc00\\ud800\"};body: field \"model\" holds half a surrogate pair at line 1, column 10 (expected: Unicode text)",
      })
  void saysWhatIsWrongWhereAndWhatWasExpected(String body, String expected) {
    assertThat(errorOf(body)).isEqualTo(expected);
  }

  @Test
  void quotesOfADuplicateNameOnlyShortPrintableAscii() {
    String name = "a\\n\\\"\\\\\u00FC\\u0000\\ud83d\\ude00" + "z".repeat(100);
    assertThat(errorOf("{\"" + name + "\":1,\"" + name + "\":2}"))
        .startsWith("body: duplicate field \"a???????" + "z".repeat(56) + "...\" at line 1,");
  }

  @Test
  void takesNulAndHalfSurrogatesWhereOnlyTheApiReadsThem() throws InvalidBodyException {
    assertThat(read("{\"a\":\"\\u0000 \\ud800 \\udc00\"}").model()).isNull();
    assertThat(read("{\"model\":\"\\ud83d\\ude00\"}").model()).isEqualTo("\uD83D\uDE00");
  }

  @Test
  void refusesHalfSurrogatesInNames() { // Jackson does; the API would have no field of such a name
    assertThat(errorOf("{\"\\ud800\":1}")).startsWith("body: not valid JSON at line 1, column ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"a\":\"\0\"}", "{\"name\0\":1}", "{\"a\":1\0}", "{\"a\":\"\n\"}"})
  void refusesUnescapedControlCharacters(String body) {
    assertThat(errorOf(body)).startsWith("body: not valid JSON at line ");
  }

  @Test
  void refusesEverythingButUtf8WithoutByteOrderMark() {
    String body = "{\"model\":\"a\"}";
    for (Charset charset :
        List.of(UTF_16BE, UTF_16LE, Charset.forName("UTF-32BE"), Charset.forName("UTF-32LE"))) {
      for (String mark : List.of("", "\uFEFF")) {
        assertThat(errorOf((mark + body).getBytes(charset)))
            .isEqualTo("body: looks like UTF-16 or UTF-32 (expected: UTF-8)");
      }
    }
    assertThat(errorOf("\uFEFF" + body))
        .isEqualTo("body: begins with a byte order mark (expected: UTF-8 without one)");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "C3",
        "80",
        "C0AF",
        "E080AF",
        "EDA080",
        "EDB080",
        "F08080AF",
        "F4908080",
        "F5808080",
        "FF",
        "E282",
        "F09F91"
      })
  void refusesIllFormedUtf8AndSaysAtWhichByte(String hex) {
    byte[] bad = HexFormat.of().parseHex(hex);
    for (int before : new int[] {0, 1_000, 20_000}) {
      byte[] head = ("{\"a\":\"\u20AC" + "x".repeat(before)).getBytes(UTF_8);
      byte[] tail = "\"}".getBytes(UTF_8);
      byte[] body = Arrays.copyOf(head, head.length + bad.length + tail.length);
      System.arraycopy(bad, 0, body, head.length, bad.length);
      System.arraycopy(tail, 0, body, head.length + bad.length, tail.length);
      assertThat(errorOf(body))
          .isEqualTo("body: not well-formed UTF-8 at byte " + head.length + " (expected: UTF-8)");
      byte[] cut = Arrays.copyOf(body, head.length + bad.length);
      assertThat(errorOf(cut)).startsWith("body: ");
    }
  }

  @Test
  void refusesModelNamesBeyond256Characters() throws InvalidBodyException {
    assertThat(read("{\"model\":\"" + "x".repeat(256) + "\"}").model()).hasSize(256);
    for (int length : new int[] {257, 5_000, 1_000_000}) {
      assertThat(errorOf("{\"model\":\"" + "x".repeat(length) + "\"}"))
          .isEqualTo(
              "body: field \"model\" is too long at line 1, column 10 (expected: at most 256"
                  + " characters)");
    }
  }

  @Test
  void refusesNestingBeyond200AndTakesItUpTo200() throws InvalidBodyException {
    assertThat(read("{\"a\":" + "[".repeat(199) + "]".repeat(199) + "}").model()).isNull();
    assertThat(read("{\"a\":".repeat(200) + "1" + "}".repeat(200)).model()).isNull();
    for (String bomb :
        List.of(
            "{\"a\":" + "[".repeat(200) + "]".repeat(200) + "}",
            "{\"a\":".repeat(201) + "1" + "}".repeat(201),
            "{\"a\":" + "[".repeat(1_000_000),
            "{\"model\":\"a\",\"b\":" + "{\"a\":".repeat(1_000_000))) {
      assertThat(errorOf(bomb)).startsWith("body: too deep, too long or too many at line 1, ");
    }
  }

  @Test
  void refusesLongNumbersAndNamesWhereverTheyStand() throws InvalidBodyException {
    assertThat(read("{\"a\":[" + "9".repeat(100) + ",1e" + "9".repeat(90) + "]}").model()).isNull();
    assertThat(read("{\"" + "n".repeat(1_000) + "\":1}").model()).isNull();
    for (String bomb :
        List.of(
            "{\"a\":" + "9".repeat(101) + "}",
            "{\"a\":-" + "9".repeat(1_000_000) + "}",
            "{\"max_tokens\":" + "9".repeat(1_000_000) + "}",
            "{\"a\":0." + "9".repeat(1_000_000) + "}",
            "{\"a\":1e" + "9".repeat(1_000_000) + "}",
            "{\"" + "n".repeat(1_001) + "\":1}",
            "{\"a\":{\"" + "n".repeat(1_000_000) + "\":1}}",
            "{\"a\":{\"" + "\\u00fc".repeat(1_001) + "\":1}}")) {
      assertThat(errorOf(bomb))
          .startsWith("body: too deep, too long or too many at line 1, column ")
          .endsWith(
              " (expected: depth up to 200, field names up to 1000 characters, 10000 of them in"
                  + " objects within each other, numbers up to 100 characters, 2000000 JSON"
                  + " tokens)");
    }
  }

  @Test
  void readsAsManyMessagesAsTheApiTakes() throws InvalidBodyException {
    String message = "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"ok\"}]}";
    String body =
        "{\"model\":\"m\",\"messages\":[" + (message + ",").repeat(99_999) + message + "]}";
    assertThat(read(body).model()).isEqualTo("m");
  }

  @Test
  void refusesMoreThanTwoMillionTokens() throws InvalidBodyException {
    // The object, the name, the array and their ends are five.
    assertThat(read("{\"a\":[" + "1,".repeat(1_999_994) + "1]}").model()).isNull();
    assertThat(errorOf("{\"a\":[" + "1,".repeat(1_999_995) + "1]}"))
        .startsWith("body: too deep, too long or too many at ");
  }

  @Test
  void isThreadSafe() {
    String body = "{\"messages\":\"" + "x".repeat(10_000) + "\",\"model\":\"m\",\"max_tokens\":%d}";
    List<Boolean> same =
        IntStream.range(0, 200)
            .parallel()
            .mapToObj(
                i -> {
                  try {
                    Long read = read(String.format(Locale.ROOT, body, i)).maxTokens();
                    return read != null && read == i;
                  } catch (InvalidBodyException e) {
                    return false;
                  }
                })
            .toList();
    assertThat(same).containsOnly(true);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "[] | 0",
        "null | 0",
        "'the url of a source' | 0",
        "[{'role':'user','content':'source url file_id'}] | 0",
        "[{'content':[{'type':'image','source':{'type':'base64','data':'url'}}]}] | 0",
        "[{'content':[{'type':'tool_use','input':{'url':'https://a','source':'b'}}]}] | 0",
        "[{'content':[{'type':'document','source':{'type':'url','url':'https://a'}}]}] | 1",
        "[{'content':[{'source':{'url':'https://a','type':'url'},'type':'image'}]}] | 1",
        "[{'content':[{'type':'document','source':{'type':'file','file_id':'f'}}]}] | 1",
        "[{'content':[{'type':'container_upload','file_id':'f'}]}] | 1",
        "[{'content':[{'file_id':'f','cache_control':{'type':'x'},'type':'container_upload'}]}] | 1",
        "[{'content':[{'type':'tool_result','content':[{'source':{'file_id':'f'}}]}]}] | 1",
        "[{'content':[{'type':'tool_use','input':{'file_id':'f','source':{'url':'b'}}}]}] | 0",
        "[{'content':[{'type':'tool_use','input':[{'type':'container_upload','file_id':'f'}]}]}] | 0",
        "[{'content':[{'input':{'input':{}},'source':{'url':'a'}},{'source':{'url':'b'}}]}] | 2",
        "[{'content':[{'content':[{'type':'code_execution_output','file_id':'f'}]}]}] | 0",
        "[{'content':[{'source':{'type':'url','x':{'source':{}},'url':'a'}}]}] | 1",
        "[{'content':[{'source':{'type':'container_upload','url':'a'}}]}] | 1",
        "[{'content':[{'source':{'type':'base64','media_type':'application/pdf','data':'x'}}]}] | 1",
        "[{'content':[{'source':{'data':'x','media_type':'Application/PDF'},'type':'document'}]}] | 1",
        "[{'content':[{'source':{'type':'text','media_type':'text/plain','data':'x'}}]}] | 0",
        "[{'content':[{'type':'tool_use','input':{'source':{'media_type':'application/pdf'}}}]}] | 0",
        "[{'content':[{'type':'document','\\u0073ource':{'\\u0075rl':'https://a'}}]}] | 1",
        "[{'content':[{'source':{'url':'a'}},{'source':{'x':{}}, 'url':'b'},{'source':{'url':'c'}}]}] | 2"
      })
  void referencesOfTheMessagesAreCounted(String messages, int references) throws Exception {
    String body = ("{'model':'m','messages':" + messages + ",'url':'u'}").replace('\'', '"');
    assertThat(read(body).references()).isEqualTo(references);
    byte[] bytes = body.getBytes(UTF_8);
    assertThat(RequestOutline.read(bytes, bytes.length).head().references()).isEqualTo(references);
  }
}
