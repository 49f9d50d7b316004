package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.sse.SseReader;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/**
 * A copy of one event.
 *
 * @param kind which event it is
 * @param text its data
 */
public record RecordedEvent(MessageEvent kind, String text) {

  /** All events of a stream. */
  public static List<RecordedEvent> of(byte[] stream) {
    List<RecordedEvent> events = new ArrayList<>();
    new SseReader(
            1 << 24,
            event -> events.add(new RecordedEvent(MessageEvent.of(event), event.dataText())))
        .feed(stream, 0, stream.length);
    return events;
  }

  /** A recorded stream of the API. */
  public static byte[] transcript(String name) {
    try (InputStream in =
        RecordedEvent.class.getResourceAsStream("/transcripts/" + name + ".sse")) {
      assertThat(in).as(name).isNotNull();
      return in.readAllBytes();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** The SDK's decoder drops pings. */
  boolean reachesSdkAccumulator() {
    return kind != MessageEvent.PING;
  }

  /** What the assembler makes of these events. */
  public static MessageAssembler assemble(List<RecordedEvent> events) {
    MessageAssembler assembler = new MessageAssembler(1 << 24);
    for (RecordedEvent event : events) {
      byte[] data = event.text().getBytes(UTF_8);
      assembler.event(data, 0, data.length);
    }
    return assembler;
  }
}
