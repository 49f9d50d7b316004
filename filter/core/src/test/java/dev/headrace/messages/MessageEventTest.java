package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.sse.SseReader;
import dev.headrace.sse.SseWriter;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

class MessageEventTest {
  private static List<MessageEvent> read(byte[] stream) {
    List<MessageEvent> events = new ArrayList<>();
    new SseReader(1 << 20, event -> events.add(MessageEvent.of(event)))
        .feed(stream, 0, stream.length);
    return events;
  }

  private static byte[] transcript(String name) throws IOException {
    try (InputStream in =
        MessageEventTest.class.getResourceAsStream("/transcripts/" + name + ".sse")) {
      assertThat(in).as(name).isNotNull();
      return in.readAllBytes();
    }
  }

  @ParameterizedTest
  @EnumSource(mode = Mode.EXCLUDE, names = "OTHER")
  void knowsEachEventByItsName(MessageEvent event) {
    String name = event.name().toLowerCase(Locale.ROOT);
    assertThat(read(SseWriter.event(name, "{}"))).containsExactly(event);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "message", "PING", "ping ", "pin", "pings", "content_block", "other"})
  void callsEveryOtherNameOther(String name) {
    assertThat(read(SseWriter.event(name, "{}"))).containsExactly(MessageEvent.OTHER);
  }

  @Test
  void knowsTheEventsOfARecordedStream() throws IOException {
    assertThat(read(transcript("a-plain-text")))
        .containsExactly(
            MessageEvent.MESSAGE_START,
            MessageEvent.CONTENT_BLOCK_START,
            MessageEvent.PING,
            MessageEvent.CONTENT_BLOCK_DELTA,
            MessageEvent.CONTENT_BLOCK_DELTA,
            MessageEvent.CONTENT_BLOCK_STOP,
            MessageEvent.MESSAGE_DELTA,
            MessageEvent.MESSAGE_STOP);
    assertThat(read(transcript("f-error-first"))).containsExactly(MessageEvent.ERROR);
  }

  @Test
  void asksForTheNameWithoutAllocating() {
    byte[] stream = "event: message_stop\ndata: {}\n\ndata: {}\n\n".repeat(50).getBytes(UTF_8);
    int[] others = new int[1];
    SseReader reader =
        new SseReader(
            1 << 20, event -> others[0] += MessageEvent.of(event) == MessageEvent.OTHER ? 1 : 0);
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    reader.feed(stream, 0, stream.length);
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < 1_000; i++) {
      reader.feed(stream, 0, stream.length);
    }
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(10_000);
    assertThat(others[0]).isEqualTo(50_050);
  }
}
