package org.eclipse.jetty.other;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Looks like a stream of Jetty's, in any of its environments. */
public final class HttpOutput extends ServletOutputStream {

  public final List<String> written = new ArrayList<>();
  public @Nullable Throwable failure;

  public void write(ByteBuffer buffer) throws IOException {
    if (failure instanceof IOException e) {
      throw e;
    } else if (failure instanceof RuntimeException e) {
      throw e;
    } else if (failure instanceof Error e) {
      throw e;
    }
    written.add(StandardCharsets.US_ASCII.decode(buffer).toString());
  }

  @Override
  public void write(int b) {
    throw new AssertionError("gathered");
  }

  @Override
  public boolean isReady() {
    return true;
  }

  @Override
  public void setWriteListener(WriteListener listener) {
    // nobody is told anything
  }
}
