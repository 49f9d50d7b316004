package dev.headrace.proxies;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;

/**
 * An upstream that sends each event only when it is told to, so that nobody can mistake a late one
 * for one that was held back. One connection at a time, on a thread of its own.
 */
final class GatedUpstream implements AutoCloseable {

  private final ServerSocket socket;
  private final List<byte[]> events;
  private final Semaphore gate = new Semaphore(0);
  private final Thread thread;

  GatedUpstream(List<byte[]> events) throws IOException {
    this.events = List.copyOf(events);
    socket = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
    thread = new Thread(this::run, "gated-upstream");
    thread.setDaemon(true);
    thread.start();
  }

  URI baseUrl() {
    return URI.create("http://127.0.0.1:" + socket.getLocalPort());
  }

  /** Lets one more event go, and behind the last one the end. */
  void release() {
    gate.release();
  }

  private void run() {
    while (!socket.isClosed()) {
      try (Socket client = socket.accept()) {
        client.setTcpNoDelay(true);
        answer(new BufferedInputStream(client.getInputStream()), client.getOutputStream());
      } catch (IOException e) {
        // the gateway has closed the connection, or the test is over
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void answer(InputStream in, OutputStream out) throws IOException, InterruptedException {
    long length = 0;
    for (String line = line(in); !line.isEmpty(); line = line(in)) {
      if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
        length = Long.parseLong(line.substring(15).strip());
      }
    }
    in.skipNBytes(length);
    String head =
        String.join(
            "\r\n",
            "HTTP/1.1 200 OK",
            "Content-Type: text/event-stream; charset=utf-8",
            "Transfer-Encoding: chunked",
            "Connection: close",
            "",
            "");
    out.write(head.getBytes(ISO_8859_1));
    for (byte[] event : events) {
      gate.acquire();
      out.write((Integer.toHexString(event.length) + "\r\n").getBytes(ISO_8859_1));
      out.write(event);
      out.write("\r\n".getBytes(ISO_8859_1));
    }
    out.write("0\r\n\r\n".getBytes(ISO_8859_1));
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException();
      }
      line.append((char) c);
    }
    return line.toString().strip();
  }

  @Override
  public void close() throws IOException {
    socket.close();
    thread.interrupt();
  }
}
