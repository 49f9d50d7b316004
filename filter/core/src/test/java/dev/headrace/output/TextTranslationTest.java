package dev.headrace.output;

import static dev.headrace.output.Streams.START;
import static dev.headrace.output.Streams.STOP;
import static dev.headrace.output.Streams.delta;
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

import dev.headrace.messages.ApiError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextTranslationTest {
  private final TextTranslation translation = new TextTranslation();

  @ParameterizedTest
  @CsvSource({
    "a-plain-text, Grüße aus Köln! 👋",
    "b-thinking, The gcd is **12**.",
    "c-tool-use, ''",
    "d-web-search, The gauge stands at 2.41 m",
    "g-refusal, ''",
    "h-mcp, The server said hi.",
    "i-compaction, Shall we go on?",
    "j-fallback, Here is what I can say."
  })
  void isTheTextOfTheTranscriptHoweverItIsSplit(String name, String expected) {
    byte[] stream = Translated.transcript(name);
    assertThat(Translated.of(translation, stream).text()).isEqualTo(expected);
    assertThat(translation.isEnded()).isTrue();
    assertThat(translation.failure()).isNull();
    for (int cut = 0; cut <= stream.length; cut++) {
      Translated cutInTwo = new Translated(new TextTranslation(), 1 << 16);
      assertThat(cutInTwo.feed(stream, 0, cut).feed(stream, cut, stream.length).text())
          .isEqualTo(expected);
    }
    assertThat(Translated.inPieces(new TextTranslation(), stream, 1).text()).isEqualTo(expected);
  }

  @Test
  void eachDeltaIsOutAtOnce() {
    Translated translated = Translated.of(translation, START + textStart(0) + text(0, "Hel"));
    assertThat(translated.text()).isEqualTo("Hel");
    assertThat(translated.feed(text(0, "lo")).text()).isEqualTo("Hello");
    assertThat(translation.isEnded()).isFalse();
    assertThat(translated.feed(stop(0) + reason("'end_turn'") + STOP).text()).isEqualTo("Hello");
    assertThat(translation.isEnded()).isTrue();
  }

  @Test
  void whatWaitsIsKeptUntilItIsCleared() {
    byte[] stream = (START + textStart(0) + text(0, "Hel") + text(0, "lo")).getBytes(UTF_8);
    new dev.headrace.sse.SseReader(
            1000, event -> translation.onEvent(dev.headrace.messages.MessageEvent.of(event), event))
        .feed(stream, 0, stream.length);
    assertThat(new String(translation.output(), 0, translation.length(), UTF_8)).isEqualTo("Hello");
    translation.clear();
    assertThat(translation.length()).isZero();
  }

  @Test
  void halvesOfASurrogatePairAreJoinedAcrossDeltasOfTheirBlockOnly() {
    String stream =
        START
            + textStart(0)
            + textStart(1)
            + text(0, "a\\ud83d")
            + text(1, "\\ud83c")
            + event("ping", "")
            + text(0, "")
            + text(0, "\\udc4bb")
            + text(1, "\\udde9c");
    assertThat(Translated.of(translation, stream).text()).isEqualTo("a👋b🇩c");
  }

  @ParameterizedTest
  @CsvSource({
    "a\\ud83d, b, a\uFFFDb",
    "a\\udc4b, b, a\uFFFDb",
    "a\\ud83d, \\ud83d\\udc4b, a\uFFFD👋",
    "a\\ud83d, \\u0041, a\uFFFDA",
    "\\ud83d, '', \uFFFD",
    "\\ud83dx, \\udc4b, \uFFFDx\uFFFD"
  })
  void aLoneHalfBecomesTheReplacementCharacter(String first, String second, String expected) {
    String stream = START + textStart(0) + text(0, first) + text(0, second) + stop(0);
    assertThat(Translated.of(translation, stream).text()).isEqualTo(expected);
  }

  @Test
  void aHalfThatWaitsComesOutAtMessageStopToo() {
    assertThat(Translated.of(translation, START + textStart(0) + text(0, "\\ud83d") + STOP).text())
        .isEqualTo("\uFFFD");
  }

  @Test
  void escapedCharactersComeOutAsTheyAre() {
    String stream = START + textStart(0) + text(0, "\\\"\\\\\\/\\u0000\\r\\n\\t\\u2028é€");
    assertThat(Translated.of(translation, stream).text()).isEqualTo("\"\\/\0\r\n\t\u2028é€");
  }

  @Test
  void nothingButTextIsShown() {
    String stream =
        START
            + start(0, "{'type':'thinking','thinking':''}")
            + thinking(0, "secret")
            + text(0, "secret")
            + stop(0)
            + toolStart(1)
            + input(1, "{}")
            + stop(1)
            + start(2, "{'type':'new_block','text':'secret'}")
            + text(2, "secret")
            + stop(2)
            + start(3, "{'type':'text','text':'begun '}")
            + delta(3, "new_delta", "text", "secret")
            + event("new_event", ",'index':3,'delta':{'type':'text_delta','text':'secret'}")
            + text(3, "shown")
            + stop(3)
            + STOP;
    assertThat(Translated.of(translation, stream).text()).isEqualTo("begun shown");
  }

  @Test
  void anErrorOfTheUpstreamIsNotShownAndNothingFollows() {
    String stream =
        START
            + textStart(0)
            + text(0, "Hel\\ud83d")
            + error("overloaded_error")
            + text(0, "lo")
            + STOP;
    assertThat(Translated.of(translation, stream).text()).isEqualTo("Hel");
    assertThat(translation.isEnded()).isFalse();
    assertThat(translation.failure()).isNull();
  }

  @Test
  void hasNoWayToTellOfAnErrorOfOurs() {
    assertThat(translation.lastEvent(new ApiError(500, "api_error", "x", null))).isNull();
  }

  @Test
  void withoutMessageStopItIsNotEnded() {
    Translated.of(
        translation, START + textStart(0) + text(0, "x") + stop(0) + reason("'end_turn'"));
    assertThat(translation.isEnded()).isFalse();
  }

  @Test
  void nothingFollowsMessageStop() {
    String stream = START + STOP + error("api_error") + START + textStart(0) + text(0, "x");
    assertThat(Translated.of(translation, stream).text()).isEmpty();
    assertThat(translation.isEnded()).isTrue();
    assertThat(translation.failure()).isNull();
  }

  @Test
  void anEventThatIsNeededAndWasCutEndsItsWork() {
    Translated translated =
        new Translated(translation, 120)
            .feed(
                START
                    + textStart(0)
                    + text(0, "short")
                    + text(0, "x".repeat(200))
                    + text(0, "y")
                    + STOP);
    assertThat(translated.text()).isEqualTo("short");
    assertThat(translation.isEnded()).isFalse();
    assertThat(translation.failure())
        .isEqualTo("content_block_delta is larger than the limit for an event");
  }

  @Test
  void eventsThatAreNotNeededMayBeCut() {
    String large = "x".repeat(500);
    Translated translated =
        new Translated(translation, 120)
            .feed(
                event("message_start", ",'message':{'x':'" + large + "'}")
                    + start(0, "{'type':'web_search_tool_result','x':'" + large + "'}")
                    + stop(0)
                    + start(1, "{'type':'tool_use','id':'t','name':'n','input':{}}")
                    + input(1, large)
                    + stop(1)
                    + textStart(2)
                    + text(2, "shown")
                    + delta(2, "citations_delta", "citation", large)
                    + event("new_event", ",'x':'" + large + "'")
                    + stop(2)
                    + event("message_delta", ",'x':'" + large + "'")
                    + STOP);
    assertThat(translation.failure()).isNull();
    assertThat(translated.text()).isEqualTo("shown");
    assertThat(translation.isEnded()).isTrue();
  }

  @Test
  void eventsOutOfPlaceEndItsWork() {
    for (String out :
        new String[] {
          text(1, "x"),
          stop(1),
          textStart(0),
          textStart(2),
          START,
          text(-1, "x"),
          "event: content_block_delta\ndata: {\"type\":\n\n",
          "event: content_block_stop\ndata: x\n\n",
          "event: content_block_start\ndata: x\n\n",
          "event: error\ndata: x\n\n"
        }) {
      TextTranslation broken = new TextTranslation();
      Translated translated =
          Translated.of(broken, START + textStart(0) + text(0, "a") + out + text(0, "b") + STOP);
      assertThat(translated.text()).as(out).isEqualTo("a");
      assertThat(broken.failure()).as(out).isNotNull();
      assertThat(broken.isEnded()).isFalse();
    }
    for (String early : new String[] {textStart(0), text(0, "x"), stop(0), reason("null"), STOP}) {
      TextTranslation broken = new TextTranslation();
      Translated.of(broken, early + START + STOP);
      assertThat(broken.failure()).as(early).isNotNull();
      assertThat(broken.isEnded()).isFalse();
    }
  }

  @Test
  void blocksThatNeverEndAreBounded() {
    StringBuilder stream = new StringBuilder(START);
    for (int i = 0; i < 1000; i++) {
      stream.append(textStart(i));
    }
    Translated translated = Translated.of(translation, stream.toString());
    assertThat(translation.failure()).isNull();
    translated.feed(textStart(1000));
    assertThat(translation.failure()).isEqualTo("content_block_start is out of place");
  }

  @Test
  void aLargeOutputIsNotKeptAfterIt() {
    Translated translated = Translated.of(translation, START + textStart(0));
    translated.feed(text(0, "é".repeat(100_000)));
    assertThat(translation.output().length).isLessThan(1000);
    assertThat(translated.text()).hasSize(100_000);
  }
}
