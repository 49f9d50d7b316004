package dev.headrace.output;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.messages.MessageEvent;
import dev.headrace.messages.RecordedEvent;
import dev.headrace.sse.SseReader;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Feeds a translation as the relay does, and collects what it puts out. */
final class Translated {
  private final Translation translation;
  private final SseReader reader;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  Translated(Translation translation, int maxEventBytes) {
    this.translation = translation;
    this.reader =
        new SseReader(maxEventBytes, event -> translation.onEvent(MessageEvent.of(event), event));
  }

  static Translated of(Translation translation, String stream) {
    return of(translation, stream.getBytes(UTF_8));
  }

  static Translated of(Translation translation, byte[] stream) {
    return new Translated(translation, 1 << 24).feed(stream, 0, stream.length);
  }

  /** Cut in pieces of this many bytes. */
  static Translated inPieces(Translation translation, byte[] stream, int size) {
    Translated translated = new Translated(translation, 1 << 24);
    for (int from = 0; from < stream.length; from += size) {
      translated.feed(stream, from, Math.min(stream.length, from + size));
    }
    return translated;
  }

  Translated feed(byte[] stream, int from, int to) {
    reader.feed(stream, from, to - from);
    out.write(translation.output(), 0, translation.length());
    translation.clear();
    assertThat(translation.length()).isZero();
    return this;
  }

  Translated feed(String stream) {
    byte[] bytes = stream.getBytes(UTF_8);
    return feed(bytes, 0, bytes.length);
  }

  byte[] bytes() {
    return out.toByteArray();
  }

  /** The output, which must be well-formed. */
  String text() {
    return utf8(bytes());
  }

  static String utf8(byte[] bytes) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new AssertionError(e);
    }
  }

  /** The output as events. */
  List<Event> events() {
    return events(bytes());
  }

  static List<Event> events(byte[] stream) {
    String text = utf8(stream);
    assertThat(text).matches("(?s)(event: [a-z]+\ndata: [^\r\n]+\n\n)*");
    return text.isEmpty()
        ? List.of()
        : List.of(text.split("\n\n", -1)).stream()
            .filter(event -> !event.isEmpty())
            .map(
                event ->
                    new Event(
                        event.substring("event: ".length(), event.indexOf('\n')),
                        JsonMapper.shared()
                            .readTree(event.substring(event.indexOf("\ndata: ") + 7))))
            .toList();
  }

  /** One event of the format {@code simple}. */
  record Event(String name, JsonNode data) {}

  static byte[] transcript(String name) {
    return RecordedEvent.transcript(name);
  }
}
