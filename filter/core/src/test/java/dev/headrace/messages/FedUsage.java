package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.headrace.sse.SseReader;
import dev.headrace.sse.SseWriter;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.Objects;

/** A {@link UsageReader} behind the reader of the stream, as in the gateway. */
final class FedUsage {
  final UsageReader reader = new UsageReader();
  private final SseReader sse;

  FedUsage() {
    this(1 << 20);
  }

  FedUsage(int maxEventBytes) {
    sse = new SseReader(maxEventBytes, event -> reader.onEvent(MessageEvent.of(event), event));
  }

  /** Feeds a part of the stream from an array that is spoiled afterwards. */
  FedUsage feed(byte[] stream, int from, int to) {
    byte[] piece = Arrays.copyOfRange(stream, from, to);
    sse.feed(piece, 0, piece.length);
    Arrays.fill(piece, (byte) '#');
    return this;
  }

  FedUsage event(String name, String data) {
    byte[] bytes = SseWriter.event(name, data);
    return feed(bytes, 0, bytes.length);
  }

  /** Feeds an event that is named as its type says. */
  FedUsage event(String data) {
    int from = data.indexOf("\"type\":\"") + 8;
    return event(data.substring(from, data.indexOf('"', from)), data);
  }

  FedUsage text(String text) {
    return event(
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\""
            + text
            + "\"}}");
  }

  FedUsage block(String json) {
    return event("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":" + json + "}");
  }

  FedUsage start(String usage) {
    return event(
        "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude-opus-5-5\","
            + "\"content\":[],\"stop_reason\":null,\"usage\":"
            + usage
            + "}}");
  }

  FedUsage delta(String stopReason, String usage) {
    return event(
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
            + stopReason
            + "},\"usage\":"
            + usage
            + "}");
  }

  static byte[] transcript(String name) throws IOException {
    try (InputStream in = FedUsage.class.getResourceAsStream("/transcripts/" + name + ".sse")) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }

  /** The events of a whole stream, told to the oracle. */
  static NaiveUsage oracle(byte[] stream) {
    NaiveUsage oracle = new NaiveUsage();
    SseReader sse = new SseReader(1 << 20, event -> oracle.event(event.name(), event.dataText()));
    sse.feed(stream, 0, stream.length);
    return oracle;
  }

  static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
