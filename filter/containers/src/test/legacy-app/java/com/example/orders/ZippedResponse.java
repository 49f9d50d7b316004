package com.example.orders;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.util.zip.GZIPOutputStream;

/** A response whose body is compressed. */
class ZippedResponse extends HttpServletResponseWrapper {

  private ZippedStream stream;
  private PrintWriter writer;

  ZippedResponse(HttpServletResponse response) {
    super(response);
  }

  @Override
  public ServletOutputStream getOutputStream() throws IOException {
    if (stream == null) {
      stream = new ZippedStream((HttpServletResponse) getResponse());
    }
    return stream;
  }

  @Override
  public PrintWriter getWriter() throws IOException {
    if (writer == null) {
      writer = new PrintWriter(new OutputStreamWriter(getOutputStream(), "UTF-8"));
    }
    return writer;
  }

  @Override
  public void setContentLength(int length) {}

  @Override
  public void setContentLengthLong(long length) {}

  @Override
  public void setHeader(String name, String value) {
    if (!name.equalsIgnoreCase("Content-Length")) {
      super.setHeader(name, value);
    }
  }

  @Override
  public void flushBuffer() throws IOException {
    if (writer != null) {
      writer.flush();
    }
  }

  void finish() throws IOException {
    if (writer != null) {
      writer.close();
    } else if (stream != null) {
      stream.close();
    }
  }

  private static class ZippedStream extends ServletOutputStream {

    private final GZIPOutputStream out;

    ZippedStream(HttpServletResponse response) throws IOException {
      response.setHeader("Content-Encoding", "gzip");
      out = new GZIPOutputStream(response.getOutputStream());
    }

    @Override
    public void write(int b) throws IOException {
      out.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
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
      return false; // TODO: the IDE made this
    }

    @Override
    public void setWriteListener(WriteListener listener) {
      // TODO: the IDE made this
    }
  }
}
