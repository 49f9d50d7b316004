package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.messages.MessageAssembler.InvalidToolInput;
import dev.headrace.messages.MessageAssembler.State;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** Rules: API reference, "Reassembling the final message". */
class MessageAssemblerTest {
  private static final String START =
      "{'type':'message_start','message':{'id':'msg_1','type':'message','role':'assistant',"
          + "'model':'claude-opus-5-5','content':[],'stop_reason':null,'stop_sequence':null,"
          + "'stop_details':null,'usage':{'input_tokens':9,'output_tokens':1}}}";
  private static final String TEXT_START =
      "{'type':'content_block_start','index':0,'content_block':{'type':'text','text':''}}";
  private static final String TOOL_START =
      "{'type':'content_block_start','index':0,'content_block':{'type':'tool_use','id':'t','name':'n',"
          + "'input':{}}}";
  private static final String STOP_0 = "{'type':'content_block_stop','index':0}";
  private static final String END =
      "{'type':'message_delta','delta':{'stop_reason':'end_turn','stop_sequence':null,"
          + "'stop_details':null},'usage':{'output_tokens':6}}";
  private static final String MESSAGE_STOP = "{'type':'message_stop'}";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a-plain-text",
        "b-thinking",
        "c-tool-use",
        "d-web-search",
        "g-refusal",
        "h-mcp",
        "i-compaction",
        "j-fallback"
      })
  void makesOfATranscriptWhatTheSdkMakesOfIt(String name) {
    List<RecordedEvent> events = RecordedEvent.of(RecordedEvent.transcript(name));
    MessageAssembler assembler = RecordedEvent.assemble(events);

    assertThat(assembler.isComplete()).isTrue();
    assertThat(tree(assembler.json())).isEqualTo(tree(SdkMessage.beta(events)));
    assertThat(assembler.invalidToolInputs()).isEmpty();
    if (name.compareTo("h") < 0) { // the others are beta
      assertThat(tree(assembler.json())).isEqualTo(tree(SdkMessage.stable(events)));
    }
  }

  @Test
  void tellsTheMostWantedFieldsByThemselves() {
    MessageAssembler plain = transcript("a-plain-text");
    assertThat(plain.id()).isEqualTo("msg_01XBq3dKfWm8uRzY5cTnVhPa");
    assertThat(plain.model()).isEqualTo("claude-sonnet-5-5");
    assertThat(plain.text()).isEqualTo("Grüße aus Köln! 👋");
    assertThat(plain.stopReason()).isEqualTo("end_turn");
    assertThat(plain.errorType()).isNull();
    assertThat(transcript("j-fallback").model()).isEqualTo("claude-opus-5-5");
    assertThat(transcript("b-thinking").text()).isEqualTo("The gcd is **12**.");
  }

  @Test
  void keepsTheOrderOfTheFieldsAndIsCompact() {
    assertThat(assemble(START, TEXT_START, textDelta("Hi."), STOP_0, END, MESSAGE_STOP).json())
        .isEqualTo(
            json(
                "{'id':'msg_1','type':'message','role':'assistant','model':'claude-opus-5-5',"
                    + "'content':[{'type':'text','text':'Hi.'}],'stop_reason':'end_turn',"
                    + "'stop_sequence':null,'stop_details':null,"
                    + "'usage':{'input_tokens':9,'output_tokens':6}}"));
  }

  @Test
  void leavesOutDeltasOfOmittedThinkingAndKeepsRedactedThinking() {
    MessageAssembler assembler =
        assemble(
            START,
            "{'type':'content_block_start','index':0,'content_block':{'type':'thinking','thinking':'',"
                + "'signature':''}}",
            "{'type':'content_block_delta','index':0,'delta':{'type':'signature_delta','signature':'Ev'}}",
            STOP_0,
            "{'type':'content_block_start','index':1,'content_block':{'type':'redacted_thinking',"
                + "'data':'Em'}}",
            "{'type':'content_block_stop','index':1}",
            END,
            MESSAGE_STOP);
    assertThat(content(assembler))
        .isEqualTo(
            json(
                "[{'type':'thinking','thinking':'','signature':'Ev'},"
                    + "{'type':'redacted_thinking','data':'Em'}]"));
  }

  // Errors and cuts

  @ParameterizedTest
  @ValueSource(strings = {"a-plain-text", "c-tool-use", "d-web-search"})
  void anErrorOrTheEndAfterAnyEventLeavesTheMessageIncomplete(String name) {
    List<RecordedEvent> events = RecordedEvent.of(RecordedEvent.transcript(name));
    RecordedEvent error = RecordedEvent.of(RecordedEvent.transcript("f-error-first")).get(0);
    for (int count = 0; count < events.size(); count++) {
      MessageAssembler cut = RecordedEvent.assemble(events.subList(0, count));
      String whole = cut.json();
      assertThat(cut.state()).isEqualTo(count == 0 ? State.EMPTY : State.OPEN);
      assertThat(whole == null).isEqualTo(count == 0);
      assertThat(cut.isComplete()).isFalse();

      feed(cut, error.text());
      assertThat(cut.state()).isEqualTo(State.ERROR);
      assertThat(cut.errorType()).isEqualTo("overloaded_error");
      assertThat(cut.isComplete()).isFalse();
      assertThat(cut.json()).isEqualTo(whole);

      events.forEach(event -> feed(cut, event.text())); // as if nothing had been
      assertThat(cut.json()).isEqualTo(whole);
      assertThat(cut.isComplete()).isFalse();
    }
  }

  @Test
  void keepsTheContentBeforeAnErrorButNotThePlaceholderOfTheOutputTokens() {
    MessageAssembler assembler =
        assemble(
            START, TEXT_START, textDelta("Hel"), "{'type':'error','error':{'type':'api_error'}}");
    assertThat(assembler.text()).isEqualTo("Hel");
    assertThat(assembler.stopReason()).isNull();
    assertThat(tree(assembler.json()).at("/usage/output_tokens").isNull()).isTrue();
    assertThat(tree(assembler.json()).at("/usage/input_tokens").asInt()).isEqualTo(9);
  }

  @Test
  void anErrorAfterMessageStopChangesNothing() {
    MessageAssembler assembler =
        assemble(START, END, MESSAGE_STOP, "{'type':'error','error':{'type':'api_error'}}", "x");
    assertThat(assembler.isComplete()).isTrue();
    assertThat(assembler.errorType()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        START, // a second one
        "{'type':'content_block_start','index':0,'content_block':{'type':'text','text':''}}",
        "{'type':'content_block_start','index':2,'content_block':{'type':'text','text':''}}",
        "{'type':'content_block_start','index':-1,'content_block':{'type':'text','text':''}}",
        "{'type':'content_block_start','index':99999999999,'content_block':{'type':'text'}}",
        "{'type':'content_block_start','index':'1','content_block':{'type':'text','text':''}}",
        "{'type':'content_block_start','content_block':{'type':'text','text':''}}",
        "{'type':'content_block_start','index':1,'content_block':'text'}",
        "{'type':'content_block_delta','index':1,'delta':{'type':'text_delta','text':'x'}}",
        "{'type':'content_block_delta','index':-1,'delta':{'type':'text_delta','text':'x'}}",
        "{'type':'content_block_delta','index':0.5,'delta':{'type':'text_delta','text':'x'}}",
        "{'type':'content_block_delta','index':0}",
        "{'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':1}}",
        "{'type':'content_block_delta','index':0,'delta':{'type':'text_delta'}}",
        "{'type':'content_block_delta','index':0,'delta':{'type':'citations_delta'}}",
        "{'type':'content_block_delta','index':0,'delta':{'type':'input_json_delta'}}",
        "{'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'x'",
        "{'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'x'}} {}",
        "{'type':'content_block_stop','index':1}",
        "{'type':'message_delta'",
        "{'no':'type'}",
        "{'type':1}",
        "[]",
        "null",
        "",
        "\0",
        "<html>"
      })
  void whatContradictsTheProtocolEndsTheAssembly(String event) {
    MessageAssembler assembler =
        assemble(START, TEXT_START, textDelta("Hel"), event, textDelta("lo"), STOP_0, MESSAGE_STOP);
    assertThat(assembler.state()).isEqualTo(State.BROKEN);
    assertThat(assembler.isComplete()).isFalse();
    assertThat(assembler.text()).isEqualTo("Hel");
    assertThat(assembler.errorType()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'content_block_start','index':0,'content_block':{'type':'text','text':''}}",
        "{'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'x'}}",
        "{'type':'content_block_stop','index':0}",
        "{'type':'message_delta','delta':{},'usage':{}}",
        "{'type':'message_stop'}",
        "{'type':'message_start','message':[]}"
      })
  void nothingComesBeforeMessageStart(String event) {
    MessageAssembler assembler = assemble(event, START);
    assertThat(assembler.state()).isEqualTo(State.BROKEN);
    assertThat(assembler.json()).isNull();
  }

  @Test
  void aStoppedBlockTakesNoMore() {
    assertThat(assemble(START, TEXT_START, STOP_0, textDelta("x")).state()).isEqualTo(State.BROKEN);
    assertThat(assemble(START, TEXT_START, STOP_0, STOP_0).state()).isEqualTo(State.BROKEN);
  }

  @Test
  void aSecondMessageStartBreaksEvenACompleteMessage() {
    assertThat(assemble(START, END, MESSAGE_STOP, START).state()).isEqualTo(State.BROKEN);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type': 'ping'}",
        "{'type':'ping'",
        "{'type':'new_event','index':0,'delta':{'type':'text_delta','text':'x'}}",
        "{'type':'content_block_delta','index':0,'delta':{'type':'new_delta','text':'x'}}",
        "{'type':'content_block_delta','index':0,'delta':{}}"
      })
  void ignoresWhatItDoesNotKnow(String event) {
    MessageAssembler assembler =
        assemble(START, TEXT_START, textDelta("Hel"), event, textDelta("lo"), STOP_0, MESSAGE_STOP);
    assertThat(assembler.isComplete()).isTrue();
    assertThat(assembler.text()).isEqualTo("Hello");
  }

  @Test
  void anEventMayHaveItsTypeLast() {
    MessageAssembler assembler =
        assemble(
            START,
            "{'content_block':{'text':'','type':'text'},'index':0,'type':'content_block_start'}",
            "{'delta':{'text':'Hi','type':'text_delta'},'index':0,'type':'content_block_delta'}");
    assertThat(assembler.text()).isEqualTo("Hi");
  }

  // Blocks

  @Test
  void addressesInterleavedBlocksByIndex() {
    MessageAssembler assembler =
        assemble(
            START,
            TOOL_START,
            "{'type':'content_block_start','index':1,'content_block':{'type':'text','text':''}}",
            inputDelta("{\"a\""),
            "{'type':'content_block_delta','index':1,'delta':{'type':'text_delta','text':'Hi'}}",
            inputDelta(":1}"),
            "{'type':'content_block_stop','index':1}",
            STOP_0,
            MESSAGE_STOP);
    assertThat(content(assembler))
        .isEqualTo(
            json(
                "[{'type':'tool_use','id':'t','name':'n','input':{'a':1}},{'type':'text','text':'Hi'}]"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          ``                                   | {}
          ` \n `                               | {}
          {}                                   | {}
          {"a": 1.10, "b": [1E400, -0, -0.0]}  | {"a":1.10,"b":[1E400,-0,-0.0]}
          {"i":123456789012345678901234567890} | {"i":123456789012345678901234567890}
          {"s":"\\u00e9\\/\\u0000\\n"}         | {"s":"é/\\u0000\\n"}
          {"a":{"b":[{}, [], true, null]}}     | {"a":{"b":[{},[],true,null]}}
          """)
  void keepsTheInputOfAToolCompactAndItsNumbersLiterally(@Nullable String input, String expected) {
    MessageAssembler assembler = tool(input == null ? "" : input);
    assertThat(content(assembler))
        .isEqualTo(
            "[{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"n\",\"input\":" + expected + "}]");
    assertThat(assembler.invalidToolInputs()).isEmpty();
    assertThat(assembler.isComplete()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\":",
        "{nonsense}",
        "[1]",
        "1",
        "null",
        "{} {}",
        "{\"a\":1}x",
        "\0",
        "{'a':1}"
      })
  void keepsTheTextOfAnInvalidToolInputAside(String input) {
    MessageAssembler assembler = tool(input);
    assertThat(content(assembler))
        .isEqualTo(json("[{'type':'tool_use','id':'t','name':'n','input':{}}]"));
    assertThat(assembler.invalidToolInputs()).containsExactly(new InvalidToolInput(0, input));
    assertThat(assembler.isComplete()).isTrue();
  }

  @Test
  void anInputBeyondTheLimitsOfTheParserIsInvalid() {
    for (String input :
        List.of(
            "{\"a\":" + "[".repeat(200) + "]".repeat(200) + "}",
            "{\"a\":" + "1".repeat(101) + "}",
            "{\"" + "a".repeat(1001) + "\":1}")) {
      MessageAssembler assembler = tool(input);
      assertThat(assembler.invalidToolInputs()).containsExactly(new InvalidToolInput(0, input));
    }
    assertThat(tool("{\"a\":" + "[".repeat(199) + "]".repeat(199) + "}").invalidToolInputs())
        .isEmpty();
  }

  @Test
  void aToolWithoutDeltasKeepsTheInputOfItsStart() {
    MessageAssembler assembler = assemble(START, TOOL_START, STOP_0, MESSAGE_STOP);
    assertThat(content(assembler)).contains("\"input\":{}");
    assertThat(assembler.invalidToolInputs()).isEmpty();
  }

  @Test
  void aBlockThatWasNotStoppedIsWholeAtMessageStop() {
    MessageAssembler assembler = assemble(START, TOOL_START, inputDelta("{\"a\":1}"), MESSAGE_STOP);
    assertThat(content(assembler)).contains("\"input\":{\"a\":1}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "'citations':null,", "'citations':[],", "'citations':[{'n':0}],"})
  void citationsBeginAListOrGoOnWithIt(String before) {
    MessageAssembler assembler =
        assemble(
            START,
            "{'type':'content_block_start','index':0,'content_block':{"
                + before
                + "'type':'text'}}",
            "{'type':'content_block_delta','index':0,'delta':{'type':'citations_delta','citation':{'n':1}}}",
            "{'type':'content_block_delta','index':0,'delta':{'type':'citations_delta','citation':{'n':2}}}");
    assertThat(tree(content(assembler)).at("/0/citations").toString())
        .isEqualTo(json(before.contains("0") ? "[{'n':0},{'n':1},{'n':2}]" : "[{'n':1},{'n':2}]"));
  }

  @Test
  void keepsABlockOfAnUnknownTypeAsItCame() {
    String block = "{'type':'new','x':[1.10,{'y':null}],'z':{'a':{'b':{}}},'text':'not shown'}";
    MessageAssembler assembler =
        assemble(
            START,
            "{'type':'content_block_start','index':0,'content_block':" + block + "}",
            STOP_0,
            MESSAGE_STOP);
    assertThat(content(assembler)).isEqualTo(json("[" + block + "]"));
    assertThat(assembler.text()).isEmpty();
  }

  // message_delta

  @Test
  void theLastMessageDeltaWinsAndNullsKeepWhatWasKnown() {
    MessageAssembler assembler =
        assemble(
            START,
            "{'type':'message_delta','delta':{'stop_reason':'pause_turn','stop_sequence':'x',"
                + "'container':{'id':'c'},'new_field':1},'usage':{'input_tokens':20,'output_tokens':5,"
                + "'new_count':3},'context_management':{'applied_edits':[]},'input_transformations':[1]}",
            "{'type':'message_delta','delta':{'stop_reason':'end_turn','stop_sequence':null,"
                + "'container':null,'new_field':null},'usage':{'input_tokens':null,'output_tokens':7,"
                + "'new_count':null},'context_management':null,'input_transformations':null}",
            MESSAGE_STOP);
    ObjectNode message = (ObjectNode) tree(assembler.json());
    assertThat(message.at("/usage").toString())
        .isEqualTo(json("{'input_tokens':20,'output_tokens':7,'new_count':3}"));
    message.remove("usage");
    assertThat(message.toString())
        .isEqualTo(
            json(
                "{'id':'msg_1','type':'message','role':'assistant','model':'claude-opus-5-5',"
                    + "'content':[],'stop_reason':'end_turn','stop_sequence':null,"
                    + "'stop_details':null,'container':{'id':'c'},'new_field':1,"
                    + "'context_management':{'applied_edits':[]},'input_transformations':[1]}"));
  }

  @Test
  void usageMayBeMissingAtTheStart() {
    MessageAssembler assembler =
        assemble("{'type':'message_start','message':{'usage':null}}", END, MESSAGE_STOP);
    assertThat(assembler.json())
        .isEqualTo(
            json(
                "{'usage':{'output_tokens':6},'stop_reason':'end_turn','stop_sequence':null,"
                    + "'stop_details':null,'content':[]}"));
    assertThat(assembler.id()).isNull();
    assertThat(assembler.model()).isNull();
  }

  // Text that is hard to carry

  @Test
  void joinsHalvesOfASurrogatePairAndReplacesLoneOnes() {
    MessageAssembler assembler =
        assemble(
            START,
            TEXT_START,
            textDelta("a\\ud83d"),
            textDelta("\\udc4bb\\ud83d"),
            textDelta("c\\udc4b\\u0000\\u2028"),
            STOP_0,
            MESSAGE_STOP);
    assertThat(assembler.text()).isEqualTo("a👋b\uFFFDc\uFFFD\0\u2028");
    assertThat(tree(content(assembler)).at("/0/text").asString()).isEqualTo(assembler.text());
    assertThat(json(assembler).getBytes(UTF_8)).doesNotContain((byte) 0);
    assertThat(UTF_8.newEncoder().canEncode(json(assembler))).isTrue();
  }

  @Test
  void repairsLoneHalvesEverywhere() {
    String lone = "\\udc4b";
    MessageAssembler assembler =
        assemble(
            START.replace("msg_1", lone).replace("claude-opus-5-5", lone),
            "{'type':'content_block_start','index':0,'content_block':{'type':'L','x':[{'y':'L'}]}}"
                .replace("L", lone),
            "{'type':'error','error':{'type':'" + lone + "'}}");
    assertThat(UTF_8.newEncoder().canEncode(json(assembler))).isTrue();
    assertThat(assembler.id()).isEqualTo("\uFFFD");
    assertThat(assembler.model()).isEqualTo("\uFFFD");
    assertThat(assembler.errorType()).isEqualTo("\uFFFD");
  }

  @Test
  void aLoneHalfInANameIsNoJson() {
    String block = "{'type':'new','\\udc4b':1}";
    assertThat(
            assemble(START, "{'type':'content_block_start','index':0,'content_block':" + block)
                .state())
        .isEqualTo(State.BROKEN);
    String input = "{\"\\udc4b\":1}";
    assertThat(tool(input).invalidToolInputs()).containsExactly(new InvalidToolInput(0, input));
  }

  @Test
  void illFormedUtf8BecomesTheReplacementCharacter() {
    MessageAssembler assembler = assemble(START, TEXT_START);
    byte[] delta = json(textDelta("a?b")).getBytes(UTF_8);
    for (int i = 0; i < delta.length; i++) {
      delta[i] = delta[i] == '?' ? (byte) 0xFF : delta[i];
    }
    assembler.event(delta, 0, delta.length);
    assertThat(assembler.text()).isEqualTo("a\uFFFDb");
  }

  @Test
  void nestingBeyondTheLimitBreaksTheAssemblyWithoutAnException() {
    String deep = "[".repeat(100_000);
    assertThat(
            assemble(START, "{'type':'content_block_start','index':0,'content_block':{'x':" + deep)
                .state())
        .isEqualTo(State.BROKEN);
    assertThat(assemble(START, "{'type':'new_event','x':" + deep).state()).isEqualTo(State.OPEN);
  }

  // Limits

  @Test
  void givesUpBeyondTheLimitAndLetsGoOfEverything() {
    int bytes = json(START + TEXT_START + textDelta("Hello")).length();
    MessageAssembler assembler = new MessageAssembler(bytes);
    for (String event : List.of(START, TEXT_START, textDelta("Hello"))) {
      feed(assembler, event);
    }
    assertThat(assembler.state()).isEqualTo(State.OPEN);
    assertThat(assembler.text()).isEqualTo("Hello");

    feed(assembler, "{}");
    assertThat(assembler.state()).isEqualTo(State.TOO_LARGE);
    feed(assembler, START);
    assertThat(assembler.state()).isEqualTo(State.TOO_LARGE);
    assertThat(assembler.isComplete()).isFalse();
    assertThat(assembler.json()).isNull();
    assertThat(assembler.text()).isEmpty();
    assertThat(assembler.id()).isNull();
    assertThat(assembler.invalidToolInputs()).isEmpty();
  }

  @Test
  void readsItsRangeOfTheArrayOnly() {
    MessageAssembler assembler = new MessageAssembler(1000);
    byte[] array = ("}{" + json(START) + "}{").getBytes(UTF_8);
    assembler.event(array, 2, array.length - 4);
    assertThat(assembler.id()).isEqualTo("msg_1");
    assertThatThrownBy(() -> assembler.event(array, 1, array.length))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> new MessageAssembler(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aToolWithoutDeltasHasAnEmptyInputAsForTheSdk() {
    String[] events = {START, TOOL_START, STOP_0, END, MESSAGE_STOP};
    assertThat(assemble(events).json()).contains("\"input\":{}");
    assertThat(sdk(events)).contains("\"input\":{}");
  }

  // Where the SDK (Java 3.14.0) does something else with the same events

  @Test
  void theSdkTakesNumbersOfToolsForDoubles() {
    String sdk =
        sdk(
            START,
            TOOL_START,
            inputDelta("{\"a\": 1.10, \"b\": 12345678901234567890.5}"),
            STOP_0,
            END,
            MESSAGE_STOP);
    assertThat(sdk).contains("{\"a\":1.1,\"b\":1.2345678901234567E19}");
  }

  @Test
  void theSdkLeavesOutFieldsOfMessageDeltaThatItDoesNotKnow() {
    String delta =
        "{'type':'message_delta','delta':{'stop_reason':'end_turn','stop_sequence':null,'new_field':1},"
            + "'usage':{'output_tokens':6,'new_count':2}}";
    assertThat(sdk(START, delta, MESSAGE_STOP))
        .doesNotContain("new_field")
        .doesNotContain("new_count");
    assertThat(assemble(START, delta, MESSAGE_STOP).json())
        .contains("new_field")
        .contains("new_count");
  }

  @Test
  void theSdkTakesAnInputWithSomethingBehindItForValid() {
    String[] events = {START, TOOL_START, inputDelta("{\"a\":1}x"), STOP_0, END, MESSAGE_STOP};
    assertThat(sdk(events)).contains("\"input\":{\"a\":1}");
    assertThat(assemble(events).json()).contains("\"input\":{}");
  }

  @Test
  void theSdkTakesAMessageWithoutMessageDeltaForComplete() {
    // And its placeholder for the number of tokens.
    assertThat(sdk(START, MESSAGE_STOP)).contains("\"output_tokens\":1");
    assertThat(assemble(START, MESSAGE_STOP).json()).contains("\"output_tokens\":null");
  }

  private static String sdk(String... events) {
    return SdkMessage.beta(
        List.of(events).stream()
            .map(event -> new RecordedEvent(MessageEvent.MESSAGE_START, json(event)))
            .toList());
  }

  private static MessageAssembler transcript(String name) {
    return RecordedEvent.assemble(RecordedEvent.of(RecordedEvent.transcript(name)));
  }

  private static MessageAssembler tool(String input) {
    return assemble(
        START, TOOL_START, inputDelta(""), inputDelta(input), STOP_0, END, MESSAGE_STOP);
  }

  private static MessageAssembler assemble(String... events) {
    MessageAssembler assembler = new MessageAssembler(1 << 24);
    for (String event : events) {
      feed(assembler, event);
    }
    return assembler;
  }

  private static void feed(MessageAssembler assembler, String event) {
    byte[] data = json(event).getBytes(UTF_8);
    assembler.event(data, 0, data.length);
  }

  /** With {@code '} for {@code "}, unless there is a real one. */
  private static String json(String json) {
    return json.indexOf('"') >= 0 ? json : json.replace('\'', '"');
  }

  private static String textDelta(String escaped) {
    return "{'type':'content_block_delta','index':0,'delta':{'type':'text_delta','text':'"
        + escaped
        + "'}}";
  }

  private static String inputDelta(String input) {
    return json("{'type':'content_block_delta','index':0,'delta':{'type':'input_json_delta',")
        + "\"partial_json\":"
        + JsonMapper.shared().writeValueAsString(input)
        + "}}";
  }

  private static String content(MessageAssembler assembler) {
    String json = json(assembler);
    int from = json.indexOf("\"content\":") + "\"content\":".length();
    return json.substring(from, json.lastIndexOf(",\"stop_reason\""));
  }

  private static String json(MessageAssembler assembler) {
    return requireNonNull(assembler.json());
  }

  private static JsonNode tree(@Nullable String json) {
    assertThat(json).isNotNull();
    return JsonMapper.shared().readTree(json);
  }
}
