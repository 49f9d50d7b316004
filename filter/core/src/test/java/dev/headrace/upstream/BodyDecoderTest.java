package dev.headrace.upstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BodyDecoderTest {

  private static final String TEXT = "event: ping\ndata: {\"type\":\"ping\"}\n\n".repeat(5_000);

  private final ByteArrayOutputStream plain = new ByteArrayOutputStream();

  private BodyDecoder decoder(String encoding) {
    return requireNonNull(
        BodyDecoder.of(
            new UpstreamResponseHead(200, List.of(new HeaderField("content-encoding", encoding))),
            plain::write));
  }

  private static byte[] compressed(String encoding) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (var out =
        encoding.equals("gzip") ? new GZIPOutputStream(bytes) : new DeflaterOutputStream(bytes)) {
      out.write(TEXT.getBytes(UTF_8));
    }
    return bytes.toByteArray();
  }

  @ParameterizedTest
  @CsvSource({"gzip, 1", "gzip, 1500", "gzip, 1000000", "deflate, 7", "deflate, 1000000"})
  void decodesPiecesOfAnySize(String encoding, int size) throws IOException {
    byte[] bytes = compressed(encoding);
    try (BodyDecoder decoder = decoder(encoding)) {
      for (int at = 0; at < bytes.length; at += size) {
        decoder.feed(bytes, at, Math.min(size, bytes.length - at));
      }
      assertThat(decoder.isBroken()).isFalse();
    }
    assertThat(plain.toString(UTF_8)).isEqualTo(TEXT);
  }

  /** Each byte of it costs a copy of all before it. */
  @Test
  void aHeaderWithoutAnEndIsBroken() {
    byte[] name = new byte[64 * 1024];
    Arrays.fill(name, (byte) 'A');
    System.arraycopy(new byte[] {0x1f, (byte) 0x8b, 8, 8, 0, 0, 0, 0, 0, 0}, 0, name, 0, 10);
    try (BodyDecoder decoder = decoder("gzip")) {
      decoder.feed(name, 0, name.length);
      assertThat(decoder.isBroken()).isTrue();
      decoder.feed(name, 0, name.length); // does nothing any more
    }
    assertThat(plain.size()).isZero();
  }
}
