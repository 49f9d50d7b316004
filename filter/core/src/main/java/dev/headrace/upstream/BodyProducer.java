package dev.headrace.upstream;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Set;
import org.apache.hc.core5.http.nio.AsyncEntityProducer;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.jspecify.annotations.Nullable;

/**
 * Hands a request body to the client without copying it, and lets go of it once it is sent: the
 * client keeps its request for as long as the answer streams, and a body may have tens of MiB. Used
 * by one I/O thread.
 */
final class BodyProducer implements AsyncEntityProducer {

  private final int length;
  private final Runnable onSending;
  private @Nullable ByteBuffer rest;

  /**
   * @param onSending called before any byte is handed over, and perhaps again; must not block
   */
  BodyProducer(byte[] bytes, int length, Runnable onSending) {
    this.length = length;
    this.onSending = onSending;
    this.rest = ByteBuffer.wrap(bytes, 0, length);
  }

  @Override
  public long getContentLength() {
    return length;
  }

  @Override
  public int available() {
    return Integer.MAX_VALUE;
  }

  @Override
  public void produce(DataStreamChannel channel) throws IOException {
    onSending.run();
    ByteBuffer bytes = rest;
    if (bytes != null && bytes.hasRemaining()) {
      channel.write(bytes);
    }
    if (bytes == null || !bytes.hasRemaining()) {
      rest = null;
      channel.endStream();
    }
  }

  @Override
  public void releaseResources() {
    rest = null;
  }

  @Override
  public void failed(Exception cause) {
    releaseResources(); // the response consumer reports the failure
  }

  /** An attempt sends its body once; another attempt brings its own producer. */
  @Override
  public boolean isRepeatable() {
    return false;
  }

  /** Null, since the content type stands among the request's headers already. */
  @Override
  public @Nullable String getContentType() {
    return null;
  }

  @Override
  public @Nullable String getContentEncoding() {
    return null;
  }

  @Override
  public boolean isChunked() {
    return false;
  }

  @Override
  public Set<String> getTrailerNames() {
    return Set.of();
  }
}
