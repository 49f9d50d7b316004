package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;

/** A client on a plain socket, for what HTTP clients hide. */
final class RawClient implements AutoCloseable {
  private final Socket socket;
  private final InputStream in;

  RawClient(ClaudeSimulator claude) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), claude.port());
    socket.setSoTimeout(20_000);
    socket.setTcpNoDelay(true);
    in = socket.getInputStream();
  }

  RawClient post(String body) throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    String head =
        "POST /v1/messages HTTP/1.1\r\nHost: claude\r\nx-api-key: sk-test\r\n"
            + "anthropic-version: 2026-10-21\r\nContent-Type: application/json\r\nContent-Length: "
            + bytes.length
            + "\r\n\r\n";
    return send(head.getBytes(ISO_8859_1)).send(bytes);
  }

  RawClient stream() throws IOException {
    return post(HttpCaller.STREAMING_BODY);
  }

  RawClient send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    return this;
  }

  /** The next bytes up to and including this text. */
  String readUntil(String end) throws IOException {
    byte[] wanted = end.getBytes(UTF_8);
    ByteArrayOutputStream read = new ByteArrayOutputStream();
    int matched = 0;
    while (matched < wanted.length) {
      int b = in.read();
      if (b < 0) {
        throw new IOException("The connection ended after " + read.toString(UTF_8));
      }
      read.write(b);
      matched = b == wanted[matched] ? matched + 1 : b == wanted[0] ? 1 : 0;
    }
    return read.toString(UTF_8);
  }

  /** One read: what came in one segment, when the sender leaves gaps. */
  int readSome(byte[] into) throws IOException {
    return in.read(into);
  }

  /** Everything up to the end of the connection. */
  byte[] readAll() throws IOException {
    return in.readAllBytes();
  }

  /** Leaves with RST instead of FIN. */
  void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
