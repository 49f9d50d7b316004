package dev.headrace.sse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A reader that keeps copies of its events. Each chunk is fed from the middle of an array that is
 * spoiled before and after the call, so that reading around the range or keeping a view of it
 * shows.
 */
final class RecordingReader {
  final List<NaiveSse.Event> events = new ArrayList<>();
  private final SseReader reader;
  private final int maxEventBytes;

  RecordingReader(int maxEventBytes) {
    this.maxEventBytes = maxEventBytes;
    this.reader =
        new SseReader(
            maxEventBytes,
            event ->
                events.add(
                    new NaiveSse.Event(
                        nameOf(event),
                        new String(
                            event.data(), event.dataOffset(), event.dataLength(), ISO_8859_1),
                        event.truncated())));
  }

  /** The name, after a check that both ways to ask for it agree. */
  private static String nameOf(SseEvent event) {
    String name = event.name();
    if (name.indexOf('\uFFFD') < 0) {
      assertThat(event.nameEquals(name.getBytes(UTF_8))).isTrue();
    }
    assertThat(event.nameEquals((name + "x").getBytes(UTF_8))).isFalse();
    return name;
  }

  void feed(byte[] stream, int from, int to) {
    byte[] array = new byte[to - from + 10];
    Arrays.fill(array, (byte) '\n');
    System.arraycopy(stream, from, array, 5, to - from);
    reader.feed(array, 5, to - from);
    Arrays.fill(array, (byte) '#');
    assertThat(reader.heldBytes()).isLessThanOrEqualTo(maxEventBytes + SseReader.MAX_NAME_BYTES);
  }

  boolean atBoundary() {
    return reader.atBoundary();
  }

  boolean atBoundaryAtEnd() {
    return reader.atBoundaryAtEnd();
  }

  /** Compares all that is known after {@code length} bytes of the stream with the oracle. */
  void assertLikeOracle(byte[] stream, int length) {
    NaiveSse expected = NaiveSse.read(stream, length, maxEventBytes);
    assertThat(events).isEqualTo(expected.events());
    assertThat(reader.events()).isEqualTo(expected.events().size());
    assertThat(reader.atBoundary()).isEqualTo(expected.boundary());
    assertThat(reader.atBoundaryAtEnd()).isEqualTo(expected.boundaryAtEnd());
  }

  /**
   * Feeds the stream whole, byte by byte and cut in two at every place, and compares at every cut.
   */
  static List<NaiveSse.Event> assertLikeOracleHoweverSplit(byte[] stream, int maxEventBytes) {
    RecordingReader whole = new RecordingReader(maxEventBytes);
    whole.feed(stream, 0, stream.length);
    whole.assertLikeOracle(stream, stream.length);

    RecordingReader byteByByte = new RecordingReader(maxEventBytes);
    byteByByte.assertLikeOracle(stream, 0);
    for (int i = 0; i < stream.length; i++) {
      byteByByte.feed(stream, i, i + 1);
      byteByByte.assertLikeOracle(stream, i + 1);
    }
    for (int cut = 0; cut <= stream.length; cut++) {
      RecordingReader inTwo = new RecordingReader(maxEventBytes);
      inTwo.feed(stream, 0, cut);
      inTwo.assertLikeOracle(stream, cut);
      inTwo.feed(stream, cut, stream.length);
      inTwo.assertLikeOracle(stream, stream.length);
    }
    return whole.events;
  }
}
