package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * One HTTP/1.1 connection that hides nothing: it shows how a body ended, and can leave politely or
 * with a bang. Blocking; for one thread.
 */
public final class RawClient implements AutoCloseable {

  /** How the body of an answer ended. */
  public enum End {
    /** As HTTP wants it: with the last chunk, or with the last byte of the announced length. */
    COMPLETE,
    /** The connection was closed (FIN) before that. */
    CUT,
    /** The connection was reset (RST) before that. */
    RESET,
    /** Nothing more came for a long time. */
    SILENCE
  }

  /** A header line as it came, but for blanks around the value. */
  public record Field(String name, String value) {}

  /**
   * A whole answer.
   *
   * @param latin1 the bytes of the body, one character for each
   */
  public record Reply(int status, List<Field> fields, String latin1, End end) {

    public byte[] bytes() {
      return latin1.getBytes(ISO_8859_1);
    }

    public String body() {
      return new String(bytes(), UTF_8);
    }

    public Optional<String> header(String name) {
      return fields.stream()
          .filter(field -> field.name().equalsIgnoreCase(name))
          .map(Field::value)
          .findFirst();
    }
  }

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Socket socket;
  private final InputStream in;
  private boolean chunked;
  private long length; // of what is left of the current chunk, or of the body; -1: until the end
  private boolean chunkEndIsDue; // Jetty sends it together with the next chunk
  private boolean ended;

  /** Connects with the system's usual buffers. */
  public static RawClient connect(int port) throws IOException {
    return new RawClient(port, 0);
  }

  /** Connects with a small receive buffer, so that soon nothing more can be sent to it. */
  public static RawClient connectWithSmallBuffer(int port) throws IOException {
    return new RawClient(port, 4096);
  }

  private RawClient(int port, int receiveBuffer) throws IOException {
    socket = new Socket();
    if (receiveBuffer > 0) {
      socket.setReceiveBufferSize(receiveBuffer); // before connecting, or the window is large
    }
    socket.setTcpNoDelay(true);
    socket.setSoTimeout((int) PATIENCE.toMillis());
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    in = new BufferedInputStream(socket.getInputStream(), 16 * 1024);
  }

  /** Changes how long silence may last before {@link End#SILENCE}. */
  public RawClient patience(Duration patience) throws IOException {
    socket.setSoTimeout((int) Math.max(1, patience.toMillis()));
    return this;
  }

  /** Posts to {@code /claude/v1/messages}. */
  public RawClient post(String body) throws IOException {
    return post("/claude/v1/messages", body);
  }

  /** Posts JSON with the usual headers and these. */
  public RawClient post(String path, String body, String... headerLines) throws IOException {
    byte[] bytes = body.getBytes(UTF_8);
    StringBuilder head = head("POST", path, headerLines);
    head.append("Content-Type: application/json\r\nanthropic-version: 2026-10-21\r\n");
    head.append("Content-Length: ").append(bytes.length).append("\r\n\r\n");
    return send(head.toString(), bytes);
  }

  /** Sends a request without a body. */
  public RawClient request(String method, String path, String... headerLines) throws IOException {
    return send(head(method, path, headerLines).append("\r\n").toString(), new byte[0]);
  }

  public static StringBuilder head(String method, String path, String... headerLines) {
    StringBuilder head = new StringBuilder();
    head.append(method).append(' ').append(path).append(" HTTP/1.1\r\nHost: 127.0.0.1\r\n");
    for (String line : headerLines) {
      head.append(line).append("\r\n");
    }
    return head;
  }

  /** Sends exactly these characters and bytes. */
  public RawClient send(String head, byte[] body) throws IOException {
    byte[] headBytes = head.getBytes(ISO_8859_1);
    byte[] all = new byte[headBytes.length + body.length];
    System.arraycopy(headBytes, 0, all, 0, headBytes.length);
    System.arraycopy(body, 0, all, headBytes.length, body.length);
    socket.getOutputStream().write(all);
    return this;
  }

  /** Reads a whole answer. */
  public Reply reply() throws IOException {
    return reply(false);
  }

  /** Reads the answer to a HEAD request, which has no body whatever its length says. */
  public Reply replyToHead() throws IOException {
    return reply(true);
  }

  private Reply reply(boolean toHead) throws IOException {
    Reply head = replyHead();
    if (toHead) {
      ended = true;
    }
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    End end = readBody(body, Long.MAX_VALUE);
    return new Reply(head.status(), head.fields(), body.toString(ISO_8859_1), end);
  }

  /** Reads status and headers; the body is still to come. */
  public Reply replyHead() throws IOException {
    String statusLine = line();
    int status = Integer.parseInt(statusLine.split(" ", -1)[1]);
    List<Field> fields = new java.util.ArrayList<>();
    chunked = false;
    chunkEndIsDue = false;
    ended = false;
    length = -1;
    for (String line = line(); !line.isEmpty(); line = line()) {
      int colon = line.indexOf(':');
      Field field = new Field(line.substring(0, colon), line.substring(colon + 1).strip());
      fields.add(field);
      if (field.name().equalsIgnoreCase("transfer-encoding")) {
        chunked = field.value().equalsIgnoreCase("chunked");
      } else if (field.name().equalsIgnoreCase("content-length")) {
        length = Long.parseLong(field.value());
      }
    }
    if (chunked) {
      length = 0;
    }
    return new Reply(status, List.copyOf(fields), "", End.COMPLETE);
  }

  /** Reads body bytes until this text has come. */
  public String readBodyUntil(String text) throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    while (!body.toString(UTF_8).contains(text)) {
      End end = readBody(body, 1);
      if (end != End.COMPLETE || ended) {
        throw new IOException("the body ended (" + end + ") without " + text + ": " + body);
      }
    }
    return body.toString(UTF_8);
  }

  /**
   * Reads on in the body.
   *
   * @param limit returns after about this many bytes; {@link End#COMPLETE} then means only that
   *     nothing was wrong so far
   */
  public End readBody(ByteArrayOutputStream into, long limit) throws IOException {
    byte[] buffer = new byte[(int) Math.min(limit, 16 * 1024)];
    long read = 0;
    try {
      while (!ended && read < limit) {
        if (chunked && length == 0) {
          if (chunkEndIsDue) {
            line();
            chunkEndIsDue = false;
          }
          length = Long.parseLong(line(), 16);
          if (length == 0) {
            line();
            ended = true;
            break;
          }
        }
        if (!chunked && length == 0) {
          ended = true;
          break;
        }
        long wanted = Math.min(buffer.length, limit - read);
        int count = in.read(buffer, 0, (int) (length < 0 ? wanted : Math.min(wanted, length)));
        if (count < 0) {
          return length < 0 && !chunked ? End.COMPLETE : End.CUT;
        }
        into.write(buffer, 0, count);
        read += count;
        if (length > 0) {
          length -= count;
          chunkEndIsDue = chunked && length == 0;
        }
      }
      return End.COMPLETE;
    } catch (EndOfConnection e) {
      return End.CUT;
    } catch (SocketTimeoutException e) {
      return End.SILENCE;
    } catch (SocketException e) {
      return End.RESET;
    }
  }

  private String line() throws IOException {
    StringBuilder line = new StringBuilder();
    int c;
    while ((c = in.read()) != '\n') {
      if (c < 0) {
        throw new EndOfConnection();
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  /** Leaves as a browser does whose user closes the page. */
  public void leave() throws IOException {
    socket.close();
  }

  /** Leaves with an RST, as a process does that is killed with data unread. */
  public void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private static final class EndOfConnection extends IOException {
    private static final long serialVersionUID = 1L;

    EndOfConnection() {
      super("end of connection");
    }
  }
}
