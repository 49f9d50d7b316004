package dev.headrace.containers;

import jakarta.servlet.Servlet;
import jakarta.servlet.ServletConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Gives a servlet output streams that throw once some writes have gone well: a {@link
 * NoClassDefFoundError}, as in an application whose jars do not fit together, or what else is
 * wanted.
 */
final class ServletWithBrokenStreams implements Servlet {

  private final Servlet servlet;
  private final int soundWrites; // below 0: the stream can be asked for only once

  private final @Nullable RuntimeException failure; // null: an Error

  ServletWithBrokenStreams(Servlet servlet, int soundWrites, @Nullable RuntimeException failure) {
    this.servlet = servlet;
    this.soundWrites = soundWrites;
    this.failure = failure;
  }

  @Override
  public void service(ServletRequest request, ServletResponse response)
      throws ServletException, IOException {
    servlet.service(request, new BrokenResponse((HttpServletResponse) response));
  }

  @Override
  public void init(ServletConfig config) throws ServletException {
    servlet.init(config);
  }

  @Override
  public ServletConfig getServletConfig() {
    return servlet.getServletConfig();
  }

  @Override
  public String getServletInfo() {
    return servlet.getServletInfo();
  }

  @Override
  public void destroy() {
    servlet.destroy();
  }

  private final class BrokenResponse extends HttpServletResponseWrapper {

    private final ServletOutputStream out;
    private final AtomicInteger asked = new AtomicInteger();

    BrokenResponse(HttpServletResponse response) throws IOException {
      super(response);
      this.out = new BrokenStream(response.getOutputStream());
    }

    @Override
    public ServletOutputStream getOutputStream() {
      if (soundWrites < 0 && asked.getAndIncrement() > 0) {
        throw new NoClassDefFoundError("com/example/Missing");
      }
      return out;
    }
  }

  private final class BrokenStream extends ServletOutputStream {

    private final ServletOutputStream out;
    private final AtomicInteger writes = new AtomicInteger();

    BrokenStream(ServletOutputStream out) {
      this.out = out;
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (writes.getAndIncrement() >= soundWrites) {
        if (failure != null) {
          throw failure;
        }
        throw new NoClassDefFoundError("com/example/Missing");
      }
      out.write(bytes, offset, length);
    }

    @Override
    public void write(int value) throws IOException {
      out.write(value);
    }

    @Override
    public void flush() throws IOException {
      out.flush();
    }

    @Override
    public boolean isReady() {
      return out.isReady();
    }

    @Override
    public void setWriteListener(WriteListener listener) {
      out.setWriteListener(listener);
    }
  }
}
