package dev.headrace.bench.load;

import static dev.headrace.bench.load.Answers.ascii;
import static dev.headrace.bench.load.Answers.chunk;
import static dev.headrace.bench.load.Answers.concat;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.bench.upstream.StreamBytes;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamReaderTest {

  private static final int DELTAS = 3;
  private static final int EVENTS = DELTAS + StreamBytes.OTHER_EVENTS;
  private static final byte[] HEAD = ascii("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");

  private final Heard heard = new Heard();
  private final StreamReader reader = new StreamReader(heard);

  private static final class Heard implements StreamReader.Listener {
    private int events;
    private final List<Long> delays = new ArrayList<>();

    @Override
    public void onEvent() {
      events++;
    }

    @Override
    public void onDelay(long nanos) {
      delays.add(nanos);
    }
  }

  private boolean take(byte[] bytes) {
    return reader.take(ByteBuffer.wrap(bytes), Answers.STAMP + 1000);
  }

  private void assertWhole() {
    assertThat(reader.status()).isEqualTo(200);
    assertThat(reader.fault()).isNull();
    assertThat(reader.events()).isEqualTo(EVENTS);
    assertThat(reader.bytes()).isEqualTo(StreamBytes.length(DELTAS));
    assertThat(reader.keepsAlive()).isTrue();
    assertThat(heard.events).isEqualTo(EVENTS);
    assertThat(heard.delays).containsExactly(1000L, 1000L, 1000L);
  }

  @Test
  void chunkedAnswerIsWholeWhereverItIsCut() {
    byte[] answer = Answers.chunked(Answers.events(DELTAS));
    for (int cut = 1; cut < answer.length; cut++) {
      heard.events = 0;
      heard.delays.clear();
      reader.reset();
      assertThat(take(Arrays.copyOf(answer, cut))).isFalse();
      assertThat(take(Arrays.copyOfRange(answer, cut, answer.length))).isTrue();
      assertWhole();
    }
  }

  @Test
  void chunkedAnswerIsWholeByteByByte() {
    byte[] answer = Answers.chunked(Answers.events(DELTAS));
    for (int i = 0; i < answer.length; i++) {
      assertThat(take(new byte[] {answer[i]})).isEqualTo(i == answer.length - 1);
    }
    assertWhole();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 100, 1000})
  void eventsMayStretchOverChunks(int size) {
    byte[] body = StreamBytes.answer(DELTAS, Answers.STAMP);
    byte[] answer = HEAD;
    for (int from = 0; from < body.length; from += size) {
      answer =
          concat(answer, chunk(Arrays.copyOfRange(body, from, Math.min(body.length, from + size))));
    }
    assertThat(take(concat(answer, ascii("0\r\n\r\n")))).isTrue();
    assertWhole();
  }

  @Test
  void bodyWithLengthEndsWithItsLastByte() {
    byte[] answer = Answers.withLength(StreamBytes.answer(DELTAS, Answers.STAMP));
    assertThat(take(Arrays.copyOf(answer, answer.length - 1))).isFalse();
    assertThat(take(Arrays.copyOfRange(answer, answer.length - 1, answer.length))).isTrue();
    assertWhole();
  }

  @Test
  void bodyWithoutLengthEndsWithTheConnection() {
    assertThat(take(concat(ascii("HTTP/1.1 200 OK\r\n\r\n"), StreamBytes.answer(DELTAS, 0))))
        .isFalse();
    assertThat(reader.endsWithConnection()).isTrue();
    assertThat(reader.keepsAlive()).isFalse();
    assertThat(reader.events()).isEqualTo(EVENTS);
  }

  @Test
  void chunkedBodyDoesNotEndWithTheConnection() {
    byte[] answer = Answers.chunked(Answers.events(DELTAS));
    assertThat(take(Arrays.copyOf(answer, answer.length - 5))).isFalse();
    assertThat(reader.endsWithConnection()).isFalse();
  }

  @Test
  void commentsAreNotCounted() {
    List<byte[]> events = new ArrayList<>(Answers.events(DELTAS));
    events.add(3, ascii(": keep-alive\n\n"));
    assertThat(take(Answers.chunked(events))).isTrue();
    assertWhole();
  }

  @Test
  void chunkExtensionsAndTrailersAreSkipped() {
    byte[] body = StreamBytes.answer(DELTAS, Answers.STAMP);
    String size = Integer.toHexString(body.length);
    assertThat(
            take(
                concat(
                    HEAD,
                    ascii(size + ";name=value\r\n"),
                    body,
                    ascii("\r\n0\r\nServer-Timing: x\r\n\r\n"))))
        .isTrue();
    assertWhole();
  }

  @Test
  void nextAnswerOfTheConnectionBeginsAnew() {
    byte[] answer = Answers.chunked(Answers.events(DELTAS));
    assertThat(take(answer)).isTrue();
    reader.reset();
    heard.events = 0;
    heard.delays.clear();
    assertThat(take(answer)).isTrue();
    assertWhole();
  }

  @Test
  void bytesBehindTheEndAreLeft() {
    ByteBuffer bytes =
        ByteBuffer.wrap(concat(Answers.chunked(Answers.events(DELTAS)), ascii("more")));
    assertThat(reader.take(bytes, Answers.STAMP)).isTrue();
    assertThat(bytes.remaining()).isEqualTo(4);
  }

  @Test
  void connectionThatWillBeClosedIsNotKeptAlive() {
    take(ascii("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"));
    assertThat(reader.keepsAlive()).isFalse();
  }

  @Test
  void lostEventIsAFault() {
    List<byte[]> events = new ArrayList<>(Answers.events(DELTAS));
    events.remove(3);
    assertThat(take(Answers.chunked(events))).isTrue();
    assertThat(reader.fault()).isEqualTo("an event was lost");
  }

  @Test
  void eventThatComesTwiceIsAFault() {
    List<byte[]> events = new ArrayList<>(Answers.events(DELTAS));
    events.add(3, events.get(3));
    assertThat(take(Answers.chunked(events))).isTrue();
    assertThat(reader.fault()).isEqualTo("an event came again or too late");
  }

  @Test
  void wrongOrderIsAFaultThoughEveryByteIsThere() {
    List<byte[]> events = new ArrayList<>(Answers.events(DELTAS));
    Collections.swap(events, 3, 4);
    assertThat(take(Answers.chunked(events))).isTrue();
    assertThat(reader.bytes()).isEqualTo(StreamBytes.length(DELTAS));
    assertThat(reader.fault()).isNotNull();
  }

  @Test
  void eventOfAnotherStreamInItsPlaceIsAFault() {
    List<byte[]> events = new ArrayList<>(Answers.events(DELTAS));
    events.set(3, StreamBytes.delta(Answers.STAMP, 6));
    assertThat(take(Answers.chunked(events))).isTrue();
    assertThat(reader.fault()).isEqualTo("an event was lost");
  }

  @Test
  void brokenTimeStampIsAFault() {
    List<byte[]> events = new ArrayList<>(Answers.events(DELTAS));
    byte[] broken = events.get(2).clone();
    broken[indexOf(broken, StreamBytes.STAMP) + 3] = 'x';
    events.set(2, broken);
    assertThat(take(Answers.chunked(events))).isTrue();
    assertThat(reader.fault()).isEqualTo("a broken time stamp");
  }

  private static int indexOf(byte[] bytes, byte wanted) {
    int at = 0;
    while (bytes[at] != wanted) {
      at++;
    }
    return at;
  }

  @Test
  void lastEventWithoutItsBlankLineDoesNotCount() {
    List<byte[]> events = new ArrayList<>(Answers.events(DELTAS));
    byte[] last = events.remove(events.size() - 1);
    events.add(Arrays.copyOf(last, last.length - 1));
    assertThat(take(Answers.chunked(events))).isTrue();
    assertThat(reader.events()).isEqualTo(EVENTS - 1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\r\n", // no size
        "xyz\r\n",
        "-3\r\nabc",
        "3\r\nabcd\r\n", // longer than its size
        "fffffffffffffff\r\n",
      })
  void brokenChunksAreErrors(String body) {
    assertThatThrownBy(() -> take(concat(HEAD, ascii(body))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("chunk");
  }

  @Test
  void whatIsNoHttpIsAnError() {
    assertThatThrownBy(() -> take(ascii("SSH-2.0-x\r\n\r\n")))
        .isInstanceOf(IllegalStateException.class);
  }
}
