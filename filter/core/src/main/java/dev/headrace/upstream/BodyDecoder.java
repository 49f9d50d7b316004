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

  private final AsyncDataConsumer inflater;
  private boolean broken;
  private boolean closed;

  private BodyDecoder(AsyncDataConsumer inflater) {
    this.inflater = inflater;
  }

  /** A decoder for a body with this head; null for an encoding that it does not know. */
  public static @Nullable BodyDecoder of(UpstreamResponseHead head, Sink sink) {
    String encoding = head.header("content-encoding");
    if (encoding == null) {
      return null;
    }
    AsyncDataConsumer plain = new Plain(sink);
    return switch (encoding.trim().toLowerCase(Locale.ROOT)) {
      case "gzip", "x-gzip" -> new BodyDecoder(new InflatingGzipDataConsumer(plain));
      case "deflate" -> new BodyDecoder(new InflatingAsyncDataConsumer(plain, null));
      default -> null;
    };
  }

  /** Decodes the next bytes. Whatever they are, this does not throw. */
  public void feed(byte[] bytes, int offset, int length) {
    if (broken || closed) {
      return;
    }
    try {
      inflater.consume(ByteBuffer.wrap(bytes, offset, length));
    } catch (IOException e) {
      broken = true;
      close();
    }
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

  private record Plain(Sink sink) implements AsyncDataConsumer {

    @Override
    public void updateCapacity(CapacityChannel capacityChannel) {}

    @Override
    public void consume(ByteBuffer bytes) {
      sink.decoded(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
    }

    @Override
    public void streamEnd(@Nullable List<? extends Header> trailers) {}

    @Override
    public void releaseResources() {}
  }
}
