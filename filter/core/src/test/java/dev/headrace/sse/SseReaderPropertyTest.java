package dev.headrace.sse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/**
 * Random streams in random pieces against {@link NaiveSse}; no input may throw or hold more than
 * the limit.
 */
class SseReaderPropertyTest {
  @Property(tries = 2000)
  void readsRandomMixturesOfFieldsAndLineEndsLikeTheOracle(
      @ForAll("mixtures") byte[] stream,
      @ForAll @Size(max = 20) List<@IntRange(max = 12) Integer> pieces,
      @ForAll @IntRange(max = 12) int maxEventBytes) {
    feedAndCompare(stream, pieces, maxEventBytes);
  }

  @Property(tries = 2000)
  void readsRandomBytesLikeTheOracle(
      @ForAll @Size(max = 200) byte[] stream,
      @ForAll @Size(max = 20) List<@IntRange(max = 40) Integer> pieces,
      @ForAll @IntRange(max = 100) int maxEventBytes) {
    feedAndCompare(stream, pieces, maxEventBytes);
  }

  @Property(tries = 100)
  void readsRandomMixturesLikeTheOracleAtEverySplit(
      @ForAll("mixtures") byte[] stream, @ForAll @IntRange(max = 12) int maxEventBytes) {
    RecordingReader.assertLikeOracleHoweverSplit(stream, maxEventBytes);
  }

  @Property(tries = 2000)
  void readsEventsThatBeginAlikeLikeTheOracle(
      @ForAll("events") byte[] stream,
      @ForAll @Size(max = 20) List<@IntRange(max = 300) Integer> pieces,
      @ForAll @IntRange(max = 400) int maxEventBytes) {
    feedAndCompare(stream, pieces, maxEventBytes);
  }

  @Property(tries = 30)
  void readsEventsThatBeginAlikeLikeTheOracleAtEverySplit(@ForAll("events") byte[] stream) {
    RecordingReader.assertLikeOracleHoweverSplit(stream, 1000);
  }

  @Property(tries = 1000)
  void readsBackWhatTheWriterWrote(@ForAll("lines") String name, @ForAll("texts") String data) {
    byte[] stream = SseWriter.event(name, data);
    RecordingReader reader = new RecordingReader(1 << 20);
    reader.feed(stream, 0, stream.length);
    reader.assertLikeOracle(stream, stream.length);
    String joined = data.replace("\r\n", "\n").replace('\r', '\n');
    byte[] utf8 = joined.getBytes(UTF_8);
    assertThat(reader.events)
        .containsExactly(
            new NaiveSse.Event(
                name.isEmpty() ? "message" : name, new String(utf8, ISO_8859_1), false));
  }

  private static void feedAndCompare(byte[] stream, List<Integer> pieces, int maxEventBytes) {
    RecordingReader reader = new RecordingReader(maxEventBytes);
    int from = 0;
    for (int piece : pieces) {
      int to = Math.min(stream.length, from + piece);
      reader.feed(stream, from, to);
      reader.assertLikeOracle(stream, to);
      from = to;
    }
    reader.feed(stream, from, stream.length);
    reader.assertLikeOracle(stream, stream.length);
  }

  @Provide
  Arbitrary<byte[]> mixtures() {
    return Arbitraries.of(
            "data",
            "event",
            "data: ",
            "event: ",
            "data:x\n",
            "event:ab\n",
            "id",
            "retry: 1",
            ":",
            " ",
            "\n",
            "\r",
            "\r\n",
            "\n\n",
            "\r\r",
            "\r\n\r\n",
            "\u00EF\u00BB\u00BF",
            "\u00EF",
            "\u00EF\u00BB",
            "x",
            "\0",
            "\u00C3\u00BC",
            "0123456789")
        .list()
        .ofMaxSize(30)
        .map(parts -> String.join("", parts).getBytes(ISO_8859_1));
  }

  /** Mostly of the usual form, so that each looks like the one before for a while. */
  @Provide
  Arbitrary<byte[]> events() {
    String delta = "event: content_block_delta\ndata: {\"index\":0,\"text\":\"";
    String hundred = "0123456789".repeat(10);
    return Arbitraries.of(
            delta + "a\"}\n\n",
            delta + "abc\"}\n\n",
            delta + "abcdef\"}\n\n",
            delta + hundred + hundred + "\"}\n\n",
            delta + hundred + hundred + hundred + "\"}\n\n",
            delta + "a\"}\n\r\n",
            delta + "a\"}\r\n\n",
            delta + "a\"}\r\r",
            delta + "a\nb\"}\n\n",
            delta + "a\"}\ndata: more\n\n",
            delta + "a\"}\nevent: late\n\n",
            delta.replace("data: {", "data:{") + "a\"}\n\n",
            delta.replace("data: {", "data:  {") + "a\"}\n\n",
            delta.replace("event: ", "event:  ") + "a\"}\n\n",
            "event: content_block_delta\n\n",
            "event: content_block_deltas\ndata: {\"index\":0}\n\n",
            "event: content_block_delta\ndata: \n\n",
            "event: content_block_delta\ndata\n\n",
            "event: \ndata: x\n\n",
            "event: ping\ndata: {}\n\n",
            "event: " + hundred + hundred + "\ndata: x\n\n",
            "event: " + hundred + hundred + hundred + "\ndata: x\n\n",
            "data: x\n\n",
            ": comment\n\n",
            "id: 1\n",
            "\n",
            "\r")
        .list()
        .ofMaxSize(12)
        .map(parts -> String.join("", parts).getBytes(ISO_8859_1));
  }

  @Provide
  Arbitrary<String> lines() {
    return Arbitraries.strings().alpha().numeric().withChars("_ .:\u00FC").ofMaxLength(30);
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.strings().ascii().withChars("\u00FC\u20AC\r\n ").ofMaxLength(100);
  }
}
