package dev.headrace.simulator;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.zip.GZIPOutputStream;

/**
 * Compresses a body so that the client can read each event as soon as it has its bytes (sync
 * flush). Not thread-safe. Holds native memory until {@link #finish} or {@link #discard}.
 */
final class GzipBody {
  private final ByteArrayOutputStream compressed = new ByteArrayOutputStream();
  private final GZIPOutputStream gzip;
  private boolean closed;

  GzipBody() {
    try {
      gzip = new GZIPOutputStream(compressed, 512, true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A whole body at once. */
  static byte[] whole(byte[] body) {
    GzipBody gzip = new GzipBody();
    byte[] first = gzip.add(body);
    byte[] rest = gzip.finish();
    byte[] all = java.util.Arrays.copyOf(first, first.length + rest.length);
    System.arraycopy(rest, 0, all, first.length, rest.length);
    return all;
  }

  byte[] add(byte[] bytes) {
    try {
      gzip.write(bytes);
      gzip.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return take();
  }

  byte[] finish() {
    discard();
    return take();
  }

  void discard() {
    if (!closed) {
      closed = true;
      try {
        gzip.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private byte[] take() {
    byte[] bytes = compressed.toByteArray();
    compressed.reset();
    return bytes;
  }
}
