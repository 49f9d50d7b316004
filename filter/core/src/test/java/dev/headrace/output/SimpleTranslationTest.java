package dev.headrace.output;

import static dev.headrace.output.Streams.START;
import static dev.headrace.output.Streams.STOP;
import static dev.headrace.output.Streams.error;
import static dev.headrace.output.Streams.event;
import static dev.headrace.output.Streams.input;
import static dev.headrace.output.Streams.reason;
import static dev.headrace.output.Streams.start;
import static dev.headrace.output.Streams.stop;
import static dev.headrace.output.Streams.text;
import static dev.headrace.output.Streams.textStart;
import static dev.headrace.output.Streams.thinking;
import static dev.headrace.output.Streams.toolStart;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.messages.ApiError;
import dev.headrace.output.SimpleTranslation.Figures;
import dev.headrace.output.SimpleTranslation.Thinking;
import java.math.BigDecimal;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

class SimpleTranslationTest {
  private static final String START_OUT =
      simple("start", "{'id':'msg_1','model':'claude-opus-5-5'}");
  private static final ApiError OURS =
      new ApiError(504, "timeout_error", "Nothing for \"120s\"\n", null);

  private final SimpleTranslation translation = translation(1000);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a-plain-text",
        "b-thinking",
        "c-tool-use",
        "d-web-search",
        "f-error-first",
        "g-refusal",
        "h-mcp",
        "i-compaction",
        "j-fallback"
      })
  void noSplitOfATranscriptChangesAnything(String name) {
    byte[] stream = Translated.transcript(name);
    byte[] whole = Translated.of(translation, stream).bytes();
    assertThat(translation.isEnded()).isTrue();
    for (int cut = 0; cut <= stream.length; cut++) {
      Translated cutInTwo = new Translated(translation(1000), 1 << 16);
      assertThat(cutInTwo.feed(stream, 0, cut).feed(stream, cut, stream.length).bytes())
          .isEqualTo(whole);
    }
    assertThat(Translated.inPieces(translation(1000), stream, 1).bytes()).isEqualTo(whole);
  }

  @Test
  void tellsTextToolsUsageAndTheEnd() {
    SimpleTranslation all =
        new SimpleTranslation(
            Thinking.HIDDEN,
            1000,
            () -> new Figures(61, 58, 8200, 1500, new BigDecimal("0.0148984000")));
    String stream =
        START
            + textStart(0)
            + text(0, "Let me ")
            + text(0, "look.")
            + stop(0)
            + toolStart(1)
            + input(1, "")
            + input(1, "{\\\"a\\\"")
            + input(1, ":1}")
            + stop(1)
            + reason("'tool_use'")
            + STOP;
    assertThat(Translated.of(all, stream).text())
        .isEqualTo(
            START_OUT
                + simple("text", "{'text':'Let me '}")
                + simple("text", "{'text':'look.'}")
                + simple("tool", "{'id':'toolu_1','name':'look_up','input':{'a':1}}")
                + simple(
                    "usage",
                    "{'input_tokens':61,'output_tokens':58,'cache_read_tokens':8200,"
                        + "'cache_write_tokens':1500,'cost_usd':0.0148984}")
                + simple("done", "{'stop_reason':'tool_use'}"));
    assertThat(all.isEnded()).isTrue();
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "0.000, 0", "1E+3, 1000", "1.50, 1.5", "1E-12, 0.000000000001", ", null"})
  void costIsAPlainNumberOrNull(@Nullable BigDecimal cost, String expected) {
    SimpleTranslation costly =
        new SimpleTranslation(Thinking.HIDDEN, 0, () -> new Figures(61, 58, 8200, 1500, cost));
    assertThat(Translated.of(costly, START + STOP).text())
        .contains(",\"cost_usd\":" + expected + "}\n\nevent: done\n");
  }

  @Test
  void figuresAreAskedForOnceAtTheEndAndMayBeUnknown() {
    AtomicInteger asked = new AtomicInteger();
    SimpleTranslation unknown =
        new SimpleTranslation(
            Thinking.HIDDEN,
            0,
            () -> {
              asked.incrementAndGet();
              return null;
            });
    Translated translated = Translated.of(unknown, START + reason("'end_turn'"));
    assertThat(asked).hasValue(0);
    translated.feed(STOP + STOP);
    assertThat(asked).hasValue(1);
    assertThat(translated.text())
        .isEqualTo(START_OUT + simple("done", "{'stop_reason':'end_turn'}"));
  }

  @Test
  void theLastStopReasonCountsAndMayBeMissing() {
    assertThat(
            Translated.of(translation, START + reason("'pause_turn'") + reason("'refusal'") + STOP)
                .text())
        .endsWith(simple("done", "{'stop_reason':'refusal'}"));
    assertThat(Translated.of(translation(0), START + STOP).text())
        .endsWith(simple("done", "{'stop_reason':null}"));
  }

  @Test
  void idAndModelMayBeMissing() {
    assertThat(Translated.of(translation, event("message_start", "")).text())
        .isEqualTo(simple("start", "{'id':null,'model':null}"));
  }

  @Test
  void thinkingIsShownOnlyIfAskedFor() {
    String stream =
        START
            + start(0, "{'type':'thinking','thinking':'','signature':''}")
            + thinking(0, "gcd\\ud83d")
            + thinking(0, "\\udc4b")
            + stop(0)
            + start(1, "{'type':'redacted_thinking','data':'Em'}")
            + stop(1);
    assertThat(Translated.of(translation, stream).text()).isEqualTo(START_OUT);
    SimpleTranslation shown = new SimpleTranslation(Thinking.SHOWN, 0, () -> null);
    assertThat(Translated.of(shown, stream).text())
        .isEqualTo(
            START_OUT + simple("thinking", "{'text':'gcd'}") + simple("thinking", "{'text':'👋'}"));
  }

  @Test
  void halvesOfASurrogatePairAreJoinedAndLoneOnesReplaced() {
    String stream =
        START
            + textStart(0)
            + text(0, "\\ud83d")
            + text(0, "\\udc4b\\ud83d")
            + text(0, "x\\udc4b")
            + stop(0);
    assertThat(Translated.of(translation, stream).text())
        .isEqualTo(
            START_OUT
                + simple("text", "{'text':'👋'}")
                + simple("text", "{'text':'\uFFFDx\uFFFD'}"));
  }

  @Test
  void awkwardTextIsEscapedAndReadsBackAlike() {
    StringBuilder all = new StringBuilder();
    for (int c = 0; c <= 0xFFFF; c++) {
      if (!Character.isSurrogate((char) c)) {
        all.append((char) c);
      }
    }
    all.append("👋</script>\r\n\r\n");
    String escaped = JsonMapper.shared().writeValueAsString(all.toString());
    String stream = START + textStart(0) + text(0, "T");
    Translated translated = Translated.of(translation, stream.replace("\"T\"", escaped));
    assertThat(translated.events().get(1).data().path("text").asString()).isEqualTo(all.toString());
    assertThat(translated.text().substring(START_OUT.length()).split("\n", -1)).hasSize(4);
  }

  // Tools

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          ``                            | "input":{}
          ` \n`                         | "input":{}
          {}                            | "input":{}
          {"a": 1.10,"b":[1E400, -0]}   | "input":{"a": 1.10,"b":[1E400, -0]}
          `{\r\n "a":\n\n[]}`           | `"input":{   "a":  []}`
          {"s":"\\u2028\\n\\ud83d👋"}   | "input":{"s":"\\u2028\\n\\ud83d👋"}
          {"a":                         | "input_text":"{\\"a\\":"
          `{"a":\n`                     | "input_text":"{\\"a\\":\\n"
          [1]                           | "input_text":"[1]"
          {} {}                         | "input_text":"{} {}"
          null                          | "input_text":"null"
          """)
  void aToolIsToldWholeAfterItsBlockEnded(@Nullable String input, String expected) {
    String raw = input == null ? "" : input;
    String json = JsonMapper.shared().writeValueAsString(raw);
    String delta = input(0, "T").replace("\"T\"", json);
    Translated translated = Translated.of(translation, START + toolStart(0) + input(0, "") + delta);
    assertThat(translated.text()).isEqualTo(START_OUT);
    assertThat(translated.feed(stop(0)).text())
        .isEqualTo(
            START_OUT
                + "event: tool\ndata: {\"id\":\"toolu_0\",\"name\":\"look_up\","
                + expected
                + "}\n\n");
    assertThat(translated.events()).hasSize(2);
  }

  @Test
  void lineSeparatorsOfUnicodeEndNoLineOfTheStream() {
    String stream = START + toolStart(0) + input(0, "{\\\"s\\\":\\\"\u2028\\\"}") + stop(0);
    assertThat(Translated.of(translation, stream).text())
        .endsWith("\"input\":{\"s\":\"\u2028\"}}\n\n");
  }

  @Test
  void anInputTooDeepForTheParserIsToldAsText() {
    String deep = "{\\\"a\\\":" + "[".repeat(300) + "]".repeat(300) + "}";
    String stream = START + toolStart(0) + input(0, deep) + stop(0);
    assertThat(Translated.of(translation, stream).text()).contains(",\"input_text\":\"{");
  }

  @Test
  void anInputThatIsThereFromTheStartStandsUnlessDeltasCome() {
    String begun = "{'type':'tool_use','id':'t','name':'n','input':{'a':{'b':[1.10]}}}";
    String stream = START + start(0, begun) + stop(0) + start(1, begun) + input(1, "") + stop(1);
    assertThat(Translated.of(translation, stream).text())
        .isEqualTo(
            START_OUT
                + simple("tool", "{'id':'t','name':'n','input':{'a':{'b':[1.10]}}}")
                + simple("tool", "{'id':'t','name':'n','input':{}}"));
  }

  @Test
  void interleavedToolsAreKeptApart() {
    String stream =
        START
            + toolStart(0)
            + toolStart(1)
            + input(0, "{\\\"a\\\"")
            + input(1, "{\\\"b\\\"")
            + textStart(2)
            + input(0, ":0}")
            + text(2, "x")
            + input(1, ":1}")
            + stop(1)
            + stop(0)
            + stop(2);
    assertThat(Translated.of(translation, stream).text())
        .isEqualTo(
            START_OUT
                + simple("text", "{'text':'x'}")
                + simple("tool", "{'id':'toolu_1','name':'look_up','input':{'b':1}}")
                + simple("tool", "{'id':'toolu_0','name':'look_up','input':{'a':0}}"));
  }

  @Test
  void toolsThatTheApiRunsAreNotTold() {
    String stream =
        START
            + start(0, "{'type':'server_tool_use','id':'s','name':'web_search','input':{}}")
            + input(0, "{}")
            + stop(0)
            + start(1, "{'type':'mcp_tool_use','id':'m','name':'echo','input':{}}")
            + input(1, "{}")
            + stop(1);
    assertThat(Translated.of(translation, stream).text()).isEqualTo(START_OUT);
  }

  @Test
  void theInputOfOpenToolsIsBoundedTogether() {
    String two = START + toolStart(0) + toolStart(1) + input(0, "éé") + input(1, "1234");
    SimpleTranslation enough = translation(12); // two times {} from the start as well
    Translated translated = Translated.of(enough, two);
    assertThat(enough.failure()).isNull();
    translated.feed(stop(0) + input(1, "123456"));
    assertThat(enough.failure()).isNull();
    int before = translated.bytes().length;
    translated.feed(input(1, "7") + stop(1) + STOP);
    assertThat(enough.failure())
        .isEqualTo("the input of tools is larger than the limit of 12 bytes");
    assertThat(enough.isEnded()).isFalse();
    assertThat(translated.bytes()).hasSize(before);
  }

  // Ends

  @ParameterizedTest
  @CsvSource({
    "overloaded_error, true",
    "api_error, true",
    "rate_limit_error, true",
    "timeout_error, true",
    "invalid_request_error, false",
    "new_error, false"
  })
  void anErrorOfTheUpstreamEndsTheStream(String type, boolean retryable) {
    String stream =
        START
            + textStart(0)
            + text(0, "Hel\\ud83d")
            + error(type)
            + text(0, "lo")
            + error(type)
            + STOP;
    assertThat(Translated.of(translation, stream).text())
        .isEqualTo(
            START_OUT
                + simple("text", "{'text':'Hel'}")
                + simple(
                    "error",
                    "{'type':'"
                        + type
                        + "','message':'Overloaded','request_id':'req_1','retryable':"
                        + retryable
                        + "}"));
    assertThat(translation.isEnded()).isTrue();
    assertThat(translation.lastEvent(OURS)).isEmpty();
  }

  @Test
  void nobodyShallTryAgainWhereMoneyIsTheLimit() {
    String event =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\","
            + "\"message\":\"You have reached your spend limit.\"}}\n\n";
    assertThat(Translated.of(translation, event).text()).contains("\"retryable\":false");
  }

  @Test
  void anErrorMayComeFirst() {
    assertThat(Translated.of(translation, Translated.transcript("f-error-first")).text())
        .isEqualTo(
            simple(
                "error",
                "{'type':'overloaded_error','message':'Overloaded',"
                    + "'request_id':'req_011CVMqXfA3bLr7sNwPkD9Tu','retryable':true}"));
    assertThat(translation.isEnded()).isTrue();
  }

  @Test
  void nothingFollowsDone() {
    Translated translated = Translated.of(translation, START + STOP);
    String whole = translated.text();
    translated.feed(error("api_error") + START + textStart(0) + text(0, "x") + STOP);
    assertThat(translated.text()).isEqualTo(whole);
    assertThat(translation.failure()).isNull();
    assertThat(translation.lastEvent(OURS)).isEmpty();
  }

  @Test
  void anErrorOfOursEndsACutStream() {
    Translated translated = Translated.of(translation, START + textStart(0) + text(0, "Hel"));
    assertThat(translation.isEnded()).isFalse();
    assertThat(new String(translation.lastEvent(OURS), UTF_8))
        .isEqualTo(
            "event: error\ndata: {\"type\":\"timeout_error\",\"message\":\"Nothing for"
                + " \\\"120s\\\"\\n\",\"request_id\":null,\"retryable\":true}\n\n");
    assertThat(translation.isEnded()).isTrue();
    assertThat(translation.lastEvent(OURS)).isEmpty();
    assertThat(translated.feed(text(0, "lo") + STOP).events()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "event: content_block_delta\ndata: {\"type\":\n\n",
        "event: content_block_delta\ndata: {\"index\":0,\"delta\":{\"type\":\"text_delta\"}}\n\n",
        "event: content_block_start\ndata: {\"index\":1,\"content_block\":{\"type\":\"tool_use\"\n\n",
        "event: content_block_start\ndata: {\"index\":1}\n\n",
        "event: content_block_stop\ndata: {\"index\":7}\n\n",
        "event: message_delta\ndata: []\n\n",
        "event: message_start\ndata: {}\n\n",
        "event: error\ndata: {}\n\n"
      })
  void afterAFailureOnlyAnErrorOfOursFollows(String broken) {
    String stream = START + textStart(0) + text(0, "Hel") + broken + text(0, "lo") + STOP;
    Translated translated = Translated.of(translation, stream);
    assertThat(translated.text()).isEqualTo(START_OUT + simple("text", "{'text':'Hel'}"));
    assertThat(translation.failure()).isNotNull().doesNotContain("Hel");
    assertThat(translation.isEnded()).isFalse();
    assertThat(Translated.events(translation.lastEvent(OURS)))
        .singleElement()
        .extracting(Translated.Event::name)
        .isEqualTo("error");
    assertThat(translation.isEnded()).isTrue();
  }

  @Test
  void anEventThatIsNeededAndWasCutIsAFailure() {
    for (String cut :
        List.of(
            event("message_start", ",'message':{'x':'" + "x".repeat(300) + "'}"),
            START + reason("'" + "x".repeat(300) + "'"),
            START + toolStart(0) + input(0, "x".repeat(300)),
            START + start(0, "{'type':'text','text':'" + "x".repeat(300) + "'}"))) {
      SimpleTranslation small = translation(1000);
      new Translated(small, 150).feed(cut + STOP);
      assertThat(small.failure()).endsWith("is larger than the limit for an event");
      assertThat(small.isEnded()).isFalse();
    }
  }

  /** What it is may stand behind its content. */
  @Test
  void aBlockThatIsNotShownMayBeCutBeforeItsType() {
    SimpleTranslation small = translation(1000);
    String page = "{'content':'" + "x".repeat(300) + "','type':'web_fetch_tool_result'}";
    String stream = START + start(0, page) + stop(0) + textStart(1) + text(1, "Hi") + stop(1);
    Translated translated = new Translated(small, 150).feed(stream + STOP);
    assertThat(small.failure()).isNull();
    assertThat(translated.text()).contains(simple("text", "{'text':'Hi'}"));
    assertThat(small.isEnded()).isTrue();
  }

  /** Nothing that a format shows is left out in silence. */
  @Test
  void aBlockThatWasCutBeforeItsTypeAndGoesOnWithTextIsAFailure() {
    SimpleTranslation small = translation(1000);
    String block = "{'x':'" + "x".repeat(300) + "','type':'text','text':''}";
    new Translated(small, 150).feed(START + start(0, block) + text(0, "Hi") + stop(0) + STOP);
    assertThat(small.failure())
        .isEqualTo("content_block_start is larger than the limit for an event");
    assertThat(small.isEnded()).isFalse();
  }

  @Test
  void theModelThatTookOverIsToldAtTheEnd() {
    String fallback = "{'type':'fallback','from':{'model':'a'},'to':{'model':'claude-new'}}";
    SimpleTranslation translation = translation(1000);
    assertThat(
            Translated.of(
                    translation, START + start(0, fallback) + stop(0) + reason("'end_turn'") + STOP)
                .text())
        .endsWith(simple("done", "{'stop_reason':'end_turn','model':'claude-new'}"));
  }

  @Test
  void aCutErrorStillTellsItsType() {
    SimpleTranslation small = translation(0);
    Translated translated =
        new Translated(small, 100)
            .feed(
                event(
                    "error", ",'error':{'type':'api_error','message':'" + "x".repeat(300) + "'}"));
    assertThat(translated.text())
        .isEqualTo(
            simple(
                "error", "{'type':'api_error','message':'','request_id':null,'retryable':true}"));
  }

  @Test
  void aNegativeLimitIsRefused() {
    assertThatThrownBy(() -> translation(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  private static SimpleTranslation translation(int maxToolInputBytes) {
    return new SimpleTranslation(Thinking.HIDDEN, maxToolInputBytes, () -> null);
  }

  private static String simple(String name, String json) {
    return "event: " + name + "\ndata: " + json.replace('\'', '"') + "\n\n";
  }
}
