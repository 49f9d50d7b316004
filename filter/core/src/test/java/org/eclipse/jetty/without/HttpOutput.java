package org.eclipse.jetty.without;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;

/** Looks like a stream of Jetty's that takes arrays only. */
public final class HttpOutput extends ServletOutputStream {

  @Override
  public void write(int b) {
    throw new AssertionError("not written to");
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
