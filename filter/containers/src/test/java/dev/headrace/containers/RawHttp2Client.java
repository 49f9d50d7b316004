package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;

/**
 * One HTTP/2 connection in clear text, by prior knowledge (RFC 9113, 3.3), with one request on
 * stream 1. It can reset that stream and go on, or end the connection under it. Does not understand
 * headers of answers (HPACK), only that they have come. Blocking; for one thread.
 */
public final class RawHttp2Client implements AutoCloseable {

  // RFC 9113, 6
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int GOAWAY = 7;
  private static final int WINDOW_UPDATE = 8;
  private static final int END_STREAM = 1;
  private static final int END_HEADERS = 4;
  private static final int PADDED = 8;
  private static final int ACK = 1;
  private static final int CANCEL = 8;

  private static final int STREAM = 1;
  private static final int LARGE_WINDOW = 1 << 30;

  private final Socket socket;
  private final DataInputStream in;
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private boolean settled;
  private boolean ended;
  private boolean answered; // a ping of ours

  private RawHttp2Client(int port, int receiveBuffer) throws IOException {
    socket = new Socket();
    if (receiveBuffer > 0) {
      socket.setReceiveBufferSize(receiveBuffer); // before connecting, or the window is large
    }
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(20_000);
    socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 16 * 1024));
  }

  /** Connects and waits until both sides have agreed on their settings. */
  public static RawHttp2Client connect(int port) throws IOException {
    // so that no answer of a test is ever held up
    return connect(port, LARGE_WINDOW);
  }

  /** Connects so that no stream may send more than the window before {@link #grant}. */
  public static RawHttp2Client connect(int port, int window) throws IOException {
    return connect(port, window, 0);
  }

  /** Connects so that the windows of HTTP/2 allow far more than the system takes unread. */
  public static RawHttp2Client connectWithSmallBuffer(int port) throws IOException {
    return connect(port, LARGE_WINDOW, 4096);
  }

  private static RawHttp2Client connect(int port, int window, int receiveBuffer)
      throws IOException {
    RawHttp2Client client = new RawHttp2Client(port, receiveBuffer);
    client.socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII));
    // SETTINGS_INITIAL_WINDOW_SIZE
    client.frame(SETTINGS, 0, 0, ByteBuffer.allocate(6).putShort((short) 4).putInt(window));
    client.frame(WINDOW_UPDATE, 0, 0, ByteBuffer.allocate(4).putInt(LARGE_WINDOW));
    while (!client.settled) {
      client.readFrame();
    }
    return client;
  }

  /** Posts to {@code /claude/v1/messages}. */
  public RawHttp2Client post(String json) throws IOException {
    return post("/claude/v1/messages", json);
  }

  /** Posts JSON with the usual headers. */
  public RawHttp2Client post(String path, String json) throws IOException {
    byte[] bytes = json.getBytes(UTF_8);
    postHead(path, bytes.length);
    frame(DATA, END_STREAM, STREAM, filled(bytes));
    return this;
  }

  /** Announces JSON of so many bytes with the usual headers, and sends none of it. */
  public void postHead(String path, int length) throws IOException {
    ByteArrayOutputStream headers = new ByteArrayOutputStream();
    headers.write(0x83); // :method POST, from the static table (RFC 7541, appendix A)
    headers.write(0x86); // :scheme http
    headers.write(0x01); // :authority
    text(headers, "127.0.0.1");
    headers.write(0x04); // :path
    text(headers, path);
    field(headers, "content-type", "application/json");
    field(headers, "anthropic-version", "2026-10-21");
    field(headers, "content-length", Integer.toString(length));
    frame(HEADERS, END_HEADERS, STREAM, filled(headers.toByteArray()));
  }

  /** A literal field without indexing, its name not from the table (RFC 7541, 6.2.2). */
  private static void field(ByteArrayOutputStream into, String name, String value) {
    into.write(0);
    text(into, name);
    text(into, value);
  }

  private static void text(ByteArrayOutputStream into, String text) {
    if (text.length() >= 127) {
      throw new IllegalArgumentException("too long for a length in one byte: " + text);
    }
    into.write(text.length());
    into.writeBytes(text.getBytes(US_ASCII));
  }

  private static ByteBuffer filled(byte[] bytes) {
    return ByteBuffer.wrap(bytes).position(bytes.length);
  }

  /** Reads until this text has come in the body. */
  public void readBodyUntil(String text) throws IOException {
    while (!body.toString(UTF_8).contains(text)) {
      if (ended) {
        throw new IOException("the stream ended without " + text + ": " + body);
      }
      readFrame();
    }
  }

  /** Reads until so many bytes of the body have come, and returns all that have. */
  public byte[] readBodyUntil(int bytes) throws IOException {
    while (body.size() < bytes) {
      if (ended) {
        throw new IOException("the stream ended after " + body);
      }
      readFrame();
    }
    return body.toByteArray();
  }

  /**
   * Reads until the stream has ended properly.
   *
   * @throws IOException if it was reset, or the connection ended, before that
   */
  public void readToEnd() throws IOException {
    while (!ended) {
      readFrame();
    }
  }

  /** Changes how long silence may last before an exception. */
  public void patience(Duration patience) throws IOException {
    socket.setSoTimeout((int) Math.max(1, patience.toMillis()));
  }

  /** What has come of the body. */
  public byte[] body() {
    return body.toByteArray();
  }

  /** Allows the server to send as much more on the stream. */
  public void grant(int bytes) throws IOException {
    frame(WINDOW_UPDATE, 0, STREAM, ByteBuffer.allocate(4).putInt(bytes));
  }

  private void readFrame() throws IOException {
    int length = (in.readUnsignedShort() << 8) | in.readUnsignedByte();
    int type = in.readUnsignedByte();
    int flags = in.readUnsignedByte();
    int stream = in.readInt();
    byte[] payload = in.readNBytes(length);
    switch (type) {
      case DATA -> {
        boolean padded = (flags & PADDED) != 0;
        int from = padded ? 1 : 0;
        body.write(payload, from, length - from - (padded ? payload[0] & 0xff : 0));
        ended |= (flags & END_STREAM) != 0;
      }
      case HEADERS -> ended |= (flags & END_STREAM) != 0;
      case SETTINGS -> {
        if ((flags & ACK) == 0) {
          frame(SETTINGS, ACK, 0, ByteBuffer.allocate(0));
        } else {
          settled = true;
        }
      }
      case PING -> {
        if ((flags & ACK) == 0) {
          frame(PING, ACK, 0, filled(payload));
        } else {
          answered = true;
        }
      }
      case RST_STREAM, GOAWAY ->
          throw new IOException(
              Map.of(RST_STREAM, "RST_STREAM", GOAWAY, "GOAWAY").get(type)
                  + " on stream "
                  + stream
                  + " after "
                  + body.size()
                  + " bytes");
      default -> {} // an answer's headers, a window that was enlarged
    }
  }

  private void frame(int type, int flags, int stream, ByteBuffer payload) throws IOException {
    payload.flip();
    ByteBuffer frame = ByteBuffer.allocate(9 + payload.remaining());
    frame.put((byte) 0).putShort((short) payload.remaining());
    frame.put((byte) type).put((byte) flags).putInt(stream).put(payload);
    socket.getOutputStream().write(frame.array());
  }

  /** Resets the stream, as a browser does whose user stops it; the connection lives on. */
  public void resetStream() throws IOException {
    frame(RST_STREAM, 0, STREAM, ByteBuffer.allocate(4).putInt(CANCEL));
  }

  /** Waits until the server has read all that was sent before (RFC 9113, 6.7). */
  public void ping() throws IOException {
    answered = false;
    frame(PING, 0, 0, ByteBuffer.allocate(8).putLong(0));
    while (!answered) {
      readFrame();
    }
  }

  /** Closes the connection without a word, with a FIN. */
  public void leave() throws IOException {
    socket.close();
  }

  /** Closes the connection with an RST. */
  public void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
