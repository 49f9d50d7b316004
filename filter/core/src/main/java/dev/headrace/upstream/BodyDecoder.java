package dev.headrace.upstream;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Locale;
import org.apache.hc.client5.http.async.methods.InflatingAsyncDataConsumer;
import org.apache.hc.client5.http.async.methods.InflatingGzipDataConsumer;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.nio.AsyncDataConsumer;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.jspecify.annotations.Nullable;

/**
 * Undoes the compression of a body as it passes, for those who look into it; the client gets the
 * bytes as they came. Knows {@code gzip} and {@code deflate}. Broken input only ends the looking.
 * Not thread-safe.
 */
public final class BodyDecoder implements AutoCloseable {

  /** Takes the plain bytes. */
  @FunctionalInterface
  public interface Sink {

    /** The next bytes, valid during this call. */
    void decoded(byte[] bytes, int offset, int length);
  }

  /**
   * Fed at a time while nothing has come out: what is left of a gzip header, whose file name and
   * comment have no end of their own, is copied for each byte of it.
   */
  private static final int SLICE = 1024;

  /** Compressed bytes behind which something must have come out: far more than any header has. */
  private static final int LONGEST_HEADER = 8 * 1024;

  private final AsyncDataConsumer inflater;
  private final Plain plain;
  private int fed; // while nothing has come out
  private boolean broken;
  private boolean closed;

  private BodyDecoder(AsyncDataConsumer inflater, Plain plain) {
    this.inflater = inflater;
    this.plain = plain;
  }

  /** A decoder for a body with this head; null for an encoding that it does not know. */
  public static @Nullable BodyDecoder of(UpstreamResponseHead head, Sink sink) {
    String encoding = head.header("content-encoding");
    if (encoding == null) {
      return null;
    }
    Plain plain = new Plain(sink);
    return switch (encoding.trim().toLowerCase(Locale.ROOT)) {
      case "gzip", "x-gzip" -> new BodyDecoder(new InflatingGzipDataConsumer(plain), plain);
      case "deflate" -> new BodyDecoder(new InflatingAsyncDataConsumer(plain, null), plain);
      default -> null;
    };
  }

  /** Decodes the next bytes. Whatever they are, this does not throw. */
  public void feed(byte[] bytes, int offset, int length) {
    try {
      int at = offset;
      int end = offset + length;
      while (at < end && !broken && !closed) {
        int piece = plain.seen ? end - at : Math.min(SLICE, end - at);
        inflater.consume(ByteBuffer.wrap(bytes, at, piece));
        at += piece;
        fed += plain.seen ? 0 : piece;
        if (fed > LONGEST_HEADER) {
          broken();
        }
      }
    } catch (IOException e) {
      broken();
    }
  }

  private void broken() {
    broken = true;
    close();
  }

  /** Whether the bytes were not what the encoding says; nothing is decoded any more. */
  public boolean isBroken() {
    return broken;
  }

  /** Frees what lies outside the heap. Idempotent. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      inflater.releaseResources();
    }
  }

  private static final class Plain implements AsyncDataConsumer {
    private final Sink sink;
    private boolean seen;

    Plain(Sink sink) {
      this.sink = sink;
    }

    @Override
    public void updateCapacity(CapacityChannel capacityChannel) {}

    @Override
    public void consume(ByteBuffer bytes) {
      seen = true;
      sink.decoded(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
    }

    @Override
    public void streamEnd(@Nullable List<? extends Header> trailers) {}

    @Override
    public void releaseResources() {}
  }
}
