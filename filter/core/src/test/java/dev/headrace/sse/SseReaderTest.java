package dev.headrace.sse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * In the tables {@code \n}, {@code \r}, {@code \0} and {@code BOM} are written out; events read
 * {@code name=data|...}.
 */
class SseReaderTest {
  private static final int PLENTY = 1 << 20;

  private static byte[] bytes(String written) {
    return written
        .replace("\\n", "\n")
        .replace("\\r", "\r")
        .replace("\\0", "\0")
        .replace("BOM", "\uFEFF")
        .getBytes(UTF_8);
  }

  private static String shown(List<NaiveSse.Event> events) {
    return events.stream()
        .map(event -> event.name() + "=" + event.data() + (event.truncated() ? "..." : ""))
        .collect(Collectors.joining("|"))
        .replace("\n", "\\n")
        .replace("\0", "\\0");
  }

  private static RecordingReader fed(String written) {
    byte[] stream = bytes(written);
    RecordingReader reader = new RecordingReader(PLENTY);
    reader.feed(stream, 0, stream.length);
    return reader;
  }

  @ParameterizedTest(name = "{0}: {1}")
  @CsvSource(
      delimiter = ';',
      ignoreLeadingAndTrailingWhitespace = false,
      quoteCharacter = '~',
      emptyValue = "",
      value = {
        "line ends LF;event: a\\ndata: 1\\n\\nevent: b\\ndata: 2\\n\\n;a=1|b=2",
        "line ends CR;event: a\\rdata: 1\\r\\revent: b\\rdata: 2\\r\\r;a=1|b=2",
        "line ends CRLF;event: a\\r\\ndata: 1\\r\\n\\r\\nevent: b\\r\\ndata: 2\\r\\n\\r\\n;a=1|b=2",
        "mixed line ends;event: a\\rdata: 1\\n\\r\\ndata: 2\\r\\n\\rdata: 3\\r\\n\\n;a=1|message=2|message=3",
        "LF then CR is two line ends;data: 1\\n\\rdata: 2\\n\\n;message=1|message=2",
        "blank lines only;\\n\\r\\r\\n\\n;~~",
        "byte order mark at the start;BOMevent: a\\ndata: 1\\n\\n;a=1",
        "byte order mark and a blank line;BOM\\ndata: 1\\n\\n;message=1",
        "only one byte order mark is skipped;BOMBOMdata: 1\\ndata: 2\\n\\n;message=2",
        "byte order mark later is content;data: 1\\n\\nBOMdata: 2\\n\\ndata: BOM\\n\\n;message=1|message=\uFEFF",
        "comment between events;data: 1\\n\\n: hello\\n\\ndata: 2\\n\\n;message=1|message=2",
        "comment inside an event;data: 1\\n: data: no\\nevent: a\\n:\\n\\n;a=1",
        "no space after the colon;event:a\\ndata:1\\n\\n;a=1",
        "only one space is removed;event:  a\\ndata:   1 \\n\\n; a=  1 ",
        "a tab is not removed;data:\t1\\n\\n;message=\t1",
        "a colon in the value;data: a:b: c\\n\\n;message=a:b: c",
        "several data lines;data: 1\\ndata:\\ndata: 3\\n\\n;message=1\\n\\n3",
        "data lines around the name;data: 1\\nevent: a\\ndata: 2\\n\\n;a=1\\n2",
        "data without colon is one empty line;data\\n\\n;message=",
        "two data without colon are one LF;data\\ndata\\n\\n;message=\\n",
        "event without colon clears the name;event: a\\nevent\\ndata: 1\\n\\n;message=1",
        "last event name wins;event: a\\nevent: bb\\ndata: 1\\n\\n;bb=1",
        "the name does not outlive its event;event: a\\n\\ndata: 1\\n\\n;message=1",
        "empty name;event:\\ndata: 1\\n\\n;message=1",
        "event without data is not dispatched;event: a\\n\\n;~~",
        "id and retry are ignored;id: 7\\nretry: 10\\ndata: 1\\nid\\n\\n;message=1",
        "id and retry alone are no event;id: 7\\nretry: 10\\n\\n;~~",
        "unknown fields;foo: 1\\ndatax: 1\\ndat: 1\\neventy: b\\neven: b\\n\\n;~~",
        "a space before the field makes it unknown; data: 1\\n\\n;~~",
        "a space before the colon makes it unknown;data : 1\\n\\n;~~",
        "field names are case-sensitive;Data: 1\\nDATA: 2\\n\\n;~~",
        "NUL in data and name;event: a\\0b\\ndata: \\0\\n\\n;a\\0b=\\0",
        "NUL before a field;\\0data: 1\\n\\n;~~",
        "end without blank line;data: 1\\n\\nevent: a\\ndata: 2\\n;message=1",
        "end in the middle of a line;data: 1\\n\\nevent: a\\ndata: 2;message=1",
        "end in the middle of a field name;data: 1\\n\\nda;message=1",
        "end right after the colon;data: 1\\n\\ndata:;message=1",
        "nothing at all;~~;~~",
        "four-byte characters;event: ping\\ndata: \uD83D\uDC4B\\n\\n;ping=\uD83D\uDC4B",
      })
  void readsTheFormatHoweverTheBytesAreSplit(String what, String stream, String expected) {
    List<NaiveSse.Event> events =
        RecordingReader.assertLikeOracleHoweverSplit(bytes(stream), PLENTY);
    List<NaiveSse.Event> decoded = new ArrayList<>();
    for (NaiveSse.Event event : events) {
      String data = new String(event.data().getBytes(ISO_8859_1), UTF_8);
      decoded.add(new NaiveSse.Event(event.name(), data, event.truncated()));
    }
    assertThat(shown(decoded)).as(what).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "data: 1\\n\\n",
        "data: 1\\r\\n\\r\\n",
        "event: a\\n\\n",
        ": keep-alive\\n\\n",
        "id: 1\\n\\n",
        "\\n",
        "\\r\\n",
        "BOM\\n",
        "data: 1\\n\\n\\n",
        "foo\\n\\n"
      })
  void isAtBoundaryAfterABlankLineAndBeforeAnything(String stream) {
    assertThat(fed(stream).atBoundary()).isTrue();
    assertThat(fed(stream).atBoundaryAtEnd()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "d",
        "BOM",
        "data: 1",
        "data: 1\\n",
        "data: 1\\r",
        "data: 1\\r\\n",
        ": keep-alive\\n",
        "event: a\\n",
        "data: 1\\n\\n:",
        "data: 1\\n\\n\\0",
        "data: 1\\n\\n "
      })
  void isNotAtBoundaryInsideAnEventOrALine(String stream) {
    assertThat(fed(stream).atBoundary()).isFalse();
    assertThat(fed(stream).atBoundaryAtEnd()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\r", "data: 1\\r\\r", "data: 1\\r\\n\\r", "data: 1\\n\\r", ": c\\r\\r"})
  void afterTheCrOfABlankLineItIsABoundaryOnlyIfTheStreamEnds(String stream) {
    assertThat(fed(stream).atBoundary()).isFalse();
    assertThat(fed(stream).atBoundaryAtEnd()).isTrue();
  }

  @Test
  void dispatchesAnEventAtTheCrOfItsBlankLineWithoutWaitingForAnLf() {
    assertThat(fed("data: 1\\r\\n\\r").events).hasSize(1);
  }

  @Test
  void anLfThatCompletesACrlfDoesNotEndALineOfItsOwn() {
    RecordingReader reader = new RecordingReader(PLENTY);
    for (String part : new String[] {"data: 1\r", "\n", "data: 2\r", "\n\r", "\n"}) {
      reader.feed(part.getBytes(UTF_8), 0, part.length());
    }
    assertThat(shown(reader.events)).isEqualTo("message=1\\n2");
    assertThat(reader.atBoundary()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      emptyValue = "",
      quoteCharacter = '~',
      value = {
        "data: 123456\\nevent: a\\n\\ndata: 1\\n\\n;6;a=123456|message=1",
        "data: 1234567\\nevent: a\\n\\ndata: 1\\n\\n;6;a=123456...|message=1",
        "event: a\\ndata: 12345\\ndata: 6\\n\\n;6;a=12345\\n...",
        "event: a\\ndata: 1234\\ndata: 6\\n\\n;6;a=1234\\n6",
        "event: a\\ndata: 123456\\ndata\\n\\ndata: 1\\n\\n;6;a=123456...|message=1",
        "event: a\\ndata: 1\\ndata: 2345\\ndata: 6\\ndata: 7\\n\\n;6;a=1\\n2345...",
        "event: a\\ndata: 1\\n\\ndata\\n\\n;0;a=...|message=",
        "event: a\\r\\ndata: 1234567\\r\\n\\r\\n;3;a=123...",
      })
  void cutsDataBeyondTheLimitButKeepsNameAndBoundary(String stream, int limit, String expected) {
    assertThat(shown(RecordingReader.assertLikeOracleHoweverSplit(bytes(stream), limit)))
        .isEqualTo(expected);
  }

  @Test
  void anEventOfManyMegabytesCostsNoMoreThanTheLimit() {
    RecordingReader reader = new RecordingReader(100_000);
    byte[] head = "data: ".getBytes(UTF_8);
    byte[] body = "0123456789".repeat(1_000).getBytes(UTF_8);
    byte[] tail = "\nevent: huge\n\nevent: next\ndata: 1\n\n".getBytes(UTF_8);
    reader.feed(head, 0, head.length);
    for (int i = 0; i < 1_000; i++) {
      reader.feed(body, 0, body.length); // checks the held bytes
      assertThat(reader.atBoundaryAtEnd()).isFalse();
    }
    reader.feed(tail, 0, tail.length);
    assertThat(reader.events).hasSize(2);
    assertThat(reader.events.get(0).name()).isEqualTo("huge");
    assertThat(reader.events.get(0).truncated()).isTrue();
    assertThat(reader.events.get(0).data()).hasSize(100_000).startsWith("0123456789");
    assertThat(reader.events.get(1)).isEqualTo(new NaiveSse.Event("next", "1", false));
    assertThat(reader.atBoundary()).isTrue();
  }

  @Test
  void givesTheMemoryOfALargeEventBackAndKeepsThatOfANormalOne() {
    SseReader reader = new SseReader(1 << 20, event -> {});
    byte[] large = ("data: " + "x".repeat(500_000)).getBytes(UTF_8);
    byte[] normal = ("data: " + "x".repeat(5_000)).getBytes(UTF_8);
    byte[] end = {'\n', '\n'};
    reader.feed(large, 0, large.length);
    assertThat(reader.heldBytes()).isGreaterThanOrEqualTo(500_000);
    reader.feed(end, 0, 2);
    assertThat(reader.heldBytes()).isZero();
    reader.feed(normal, 0, normal.length);
    reader.feed(end, 0, 2);
    assertThat(reader.heldBytes()).isBetween(5_000, 10_000);
  }

  @Test
  void dataOfOneLineInOneChunkIsAViewOfTheChunk() {
    byte[] chunk = "event: a\ndata: {\"x\":1}\n\n".getBytes(UTF_8);
    List<String> seen = new ArrayList<>();
    SseReader reader =
        new SseReader(
            PLENTY,
            event -> {
              assertThat(event.data()).isSameAs(chunk);
              assertThat(event.dataOffset()).isEqualTo(15);
              seen.add(event.dataText());
            });
    reader.feed(chunk, 0, chunk.length);
    assertThat(seen).containsExactly("{\"x\":1}");
    assertThat(reader.heldBytes()).isZero();
  }

  @Test
  void eventsWithinOneChunkAllocateNothing() {
    byte[] chunk = "event: ping\ndata: {\"type\": \"ping\"}\n\n".repeat(100).getBytes(UTF_8);
    SseReader reader = new SseReader(PLENTY, event -> {});
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    reader.feed(chunk, 0, chunk.length);
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < 1_000; i++) {
      reader.feed(chunk, 0, chunk.length);
    }
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(10_000);
    assertThat(reader.events()).isEqualTo(100_100);
  }

  @Test
  void invalidUtf8BecomesReplacementCharacters() {
    byte[] chunk = {'d', 'a', 't', 'a', ':', (byte) 0xC3, '\n', '\n'};
    List<String> seen = new ArrayList<>();
    new SseReader(PLENTY, event -> seen.add(event.dataText())).feed(chunk, 0, chunk.length);
    assertThat(seen).containsExactly("\uFFFD");
  }

  @Test
  void namesLongerThan256BytesAreCut() {
    byte[] stream = ("event: " + "n".repeat(300) + "\ndata: 1\n\n").getBytes(UTF_8);
    assertThat(RecordingReader.assertLikeOracleHoweverSplit(stream, PLENTY).get(0).name())
        .isEqualTo("n".repeat(256));
  }

  @Test
  void refusesANegativeLimitAndARangeOutsideTheArray() {
    assertThatThrownBy(() -> new SseReader(-1, event -> {}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("maxEventBytes: -1 (expected: 0 or more)");
    SseReader reader = new SseReader(1, event -> {});
    assertThatThrownBy(() -> reader.feed(new byte[4], 2, 3))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }
}
