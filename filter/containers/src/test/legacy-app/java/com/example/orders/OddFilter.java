package com.example.orders;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;

/**
 * Puts a stream of its own around answers. The init-parameter {@code way} says how far it goes:
 * {@code counts} passes everything on, {@code deaf} forgets the listener, {@code refuses} throws at
 * it, {@code closes} passes everything on and closes the stream when the chain returns.
 */
public class OddFilter implements Filter {

  private String way = "counts";

  @Override
  public void init(FilterConfig config) {
    way = config.getInitParameter("way");
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    OddResponse odd = new OddResponse((HttpServletResponse) response, way);
    chain.doFilter(request, odd);
    if (way.equals("closes") && odd.stream != null) {
      odd.stream.close();
    }
  }

  private static class OddResponse extends HttpServletResponseWrapper {

    private final String way;
    private OddStream stream;

    OddResponse(HttpServletResponse response, String way) {
      super(response);
      this.way = way;
    }

    @Override
    public ServletOutputStream getOutputStream() throws IOException {
      if (stream == null) {
        stream = new OddStream(super.getOutputStream(), way);
      }
      return stream;
    }
  }

  private static class OddStream extends ServletOutputStream {

    private final ServletOutputStream out;
    private final String way;
    private long count;

    OddStream(ServletOutputStream out, String way) {
      this.out = out;
      this.way = way;
    }

    @Override
    public void write(int b) throws IOException {
      count++;
      out.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      count += length;
      out.write(bytes, offset, length);
    }

    @Override
    public void flush() throws IOException {
      out.flush();
    }

    @Override
    public void close() throws IOException {
      out.close();
    }

    @Override
    public boolean isReady() {
      return out.isReady();
    }

    @Override
    public void setWriteListener(WriteListener listener) {
      if (way.equals("refuses")) {
        throw new UnsupportedOperationException("no listeners here");
      } else if (!way.equals("deaf")) {
        out.setWriteListener(listener);
      }
    }
  }
}
