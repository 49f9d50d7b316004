package dev.headrace.containers;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;

/** A filter's response with a stream of its own that holds nothing back. */
class PassedOn extends HttpServletResponseWrapper {

  PassedOn(HttpServletResponse response) {
    super(response);
  }

  /** Called on the thread that flushes. */
  void beforeFlush() {}

  @Override
  public ServletOutputStream getOutputStream() throws IOException {
    ServletOutputStream to = super.getOutputStream();
    return new ServletOutputStream() {
      @Override
      public boolean isReady() {
        return to.isReady();
      }

      @Override
      public void setWriteListener(WriteListener listener) {
        to.setWriteListener(listener);
      }

      @Override
      public void write(int b) throws IOException {
        to.write(b);
      }

      @Override
      public void write(byte[] bytes, int offset, int length) throws IOException {
        to.write(bytes, offset, length);
      }

      @Override
      public void flush() throws IOException {
        beforeFlush();
        to.flush();
      }
    };
  }
}
