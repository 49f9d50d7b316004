package dev.headrace.containers;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Many streams at the same time from one thread: opens connections, sends one request after another
 * on each, and looks at every byte that comes back. Its own small HTTP/1.1 reader, since a client
 * library would hide how a body ended.
 */
public final class LoadClient {

  /**
   * What came of a load.
   *
   * @param complete answers with the expected status, the proper end of the body and the expected
   *     bytes
   * @param others what came instead, counted by a short description
   */
  public record Result(int complete, Map<String, Integer> others) {}

  private final int port;
  private final byte[] request;
  private final @Nullable String expectedBody;
  private final String expectedEnd;
  private final int expectedStatus;
  private Supplier<String> circumstances = () -> "";

  private int toStart;
  private int open;
  private int complete;
  private final Map<String, Integer> others = new TreeMap<>();

  /**
   * @param path of the POST request
   * @param body of the POST request
   * @param expectedBody the answer's bytes, or null to look at its end only
   * @param expectedEnd what the answer's body must end with
   */
  public LoadClient(
      int port, String path, String body, @Nullable String expectedBody, String expectedEnd) {
    this(port, path, body, 200, expectedBody, expectedEnd);
  }

  /** As above, with another status than 200 expected. */
  public LoadClient(
      int port,
      String path,
      String body,
      int expectedStatus,
      @Nullable String expectedBody,
      String expectedEnd) {
    this.port = port;
    this.expectedStatus = expectedStatus;
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    String head =
        "POST "
            + path
            + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            + "anthropic-version: 2026-10-21\r\nContent-Length: "
            + bytes.length
            + "\r\n\r\n";
    byte[] headBytes = head.getBytes(StandardCharsets.ISO_8859_1);
    request = new byte[headBytes.length + bytes.length];
    System.arraycopy(headBytes, 0, request, 0, headBytes.length);
    System.arraycopy(bytes, 0, request, headBytes.length, bytes.length);
    this.expectedBody = expectedBody;
    this.expectedEnd = expectedEnd;
  }

  /** What to say beside each answer that has no end, such as what the server still does. */
  LoadClient circumstances(Supplier<String> told) {
    circumstances = told;
    return this;
  }

  /**
   * Runs requests until so many have ended one way or another, or the time is over.
   *
   * @param requests how many in all
   * @param connections how many at the same time
   */
  public Result run(int requests, int connections, Duration limit) throws IOException {
    toStart = requests;
    long deadline = System.nanoTime() + limit.toNanos();
    try (Selector selector = Selector.open()) {
      for (int i = 0; i < connections && toStart > 0; i++) {
        connect(selector);
      }
      while (open > 0) {
        if (System.nanoTime() - deadline > 0) {
          String meanwhile = circumstances.get(); // before a closed connection changes it
          for (SelectionKey key : selector.keys()) {
            if (key.attachment() instanceof Connection connection && key.isValid()) {
              note("unfinished: " + connection.describe() + meanwhile);
              key.channel().close();
            }
          }
          break;
        }
        selector.select(500);
        for (SelectionKey key : selector.selectedKeys()) {
          if (key.isValid() && key.attachment() instanceof Connection connection) {
            handle(selector, key, connection);
          }
        }
        selector.selectedKeys().clear();
      }
    }
    return new Result(complete, others);
  }

  private void connect(Selector selector) throws IOException {
    toStart--;
    open++;
    SocketChannel channel = SocketChannel.open();
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.configureBlocking(false);
    channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    channel.register(selector, SelectionKey.OP_CONNECT, new Connection());
  }

  private void handle(Selector selector, SelectionKey key, Connection connection)
      throws IOException {
    SocketChannel channel = (SocketChannel) key.channel();
    try {
      if (key.isConnectable()) {
        channel.finishConnect();
        key.interestOps(SelectionKey.OP_WRITE);
      }
      if (key.isWritable()) {
        channel.write(connection.toSend);
        if (!connection.toSend.hasRemaining()) {
          key.interestOps(SelectionKey.OP_READ);
        }
      }
      if (key.isReadable() && connection.read(channel)) {
        judge(connection);
        if (toStart > 0 && connection.keepAlive) {
          toStart--;
          connection.again();
          key.interestOps(SelectionKey.OP_WRITE);
        } else {
          channel.close();
          open--;
          if (toStart > 0) {
            connect(selector);
          }
        }
      }
    } catch (IOException e) {
      note(e.getMessage() + " in " + connection.describe());
      channel.close();
      open--;
      if (toStart > 0) {
        connect(selector);
      }
    }
  }

  private void judge(Connection connection) {
    String body = connection.body.toString(StandardCharsets.UTF_8);
    if (connection.status == expectedStatus
        && withoutComments(body).endsWith(expectedEnd)
        && (expectedBody == null || expectedBody.equals(body))) {
      complete++;
    } else {
      note(
          "wrong answer: "
              + connection.describe()
              + ", ending in "
              + body.substring(Math.max(0, body.length() - 40)));
    }
  }

  /** A heartbeat may stand behind any event, the last one included. */
  private static String withoutComments(String body) {
    return body.replace(": keep-alive\n\n", "");
  }

  private void note(String what) {
    others.merge(what, 1, Integer::sum);
  }

  private final class Connection {

    private static final int HEAD = 0;
    private static final int CHUNK_SIZE = 1;
    private static final int CHUNK = 2;
    private static final int CHUNK_END = 3;
    private static final int TRAILER = 4;
    private static final int LENGTH = 5;

    private final ByteBuffer buffer = ByteBuffer.allocate(16 * 1024);
    private ByteBuffer toSend = ByteBuffer.wrap(request);
    private final StringBuilder line = new StringBuilder();
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private int at = HEAD;
    private int status;
    private boolean chunked;
    private boolean keepAlive = true;
    private long remaining;

    void again() {
      toSend = ByteBuffer.wrap(request);
      body.reset();
      line.setLength(0);
      at = HEAD;
      status = 0;
      chunked = false;
      remaining = 0;
    }

    String describe() {
      return "status " + status + ", " + body.size() + " body bytes, state " + at;
    }

    /** Returns true when an answer is complete. */
    boolean read(SocketChannel channel) throws IOException {
      buffer.clear();
      int count = channel.read(buffer);
      if (count < 0) {
        throw new IOException("end of connection");
      }
      buffer.flip();
      while (buffer.hasRemaining()) {
        if (at == CHUNK || at == LENGTH) {
          int take = (int) Math.min(remaining, buffer.remaining());
          body.write(buffer.array(), buffer.position(), take);
          buffer.position(buffer.position() + take);
          remaining -= take;
          if (remaining == 0) {
            if (at == LENGTH) {
              return true;
            }
            at = CHUNK_END;
          }
          continue;
        }
        char c = (char) buffer.get();
        if (c != '\n') {
          line.append(c);
          continue;
        }
        String text = line.toString().strip();
        line.setLength(0);
        if (line(text)) {
          return true;
        }
      }
      return false;
    }

    private boolean line(String text) throws IOException {
      switch (at) {
        case HEAD -> {
          if (status == 0) {
            status = Integer.parseInt(text.split(" ", -1)[1]);
          } else if (text.equalsIgnoreCase("transfer-encoding: chunked")) {
            chunked = true;
          } else if (text.regionMatches(true, 0, "content-length:", 0, 15)) {
            remaining = Long.parseLong(text.substring(15).strip());
          } else if (text.equalsIgnoreCase("connection: close")) {
            keepAlive = false;
          } else if (text.isEmpty()) {
            at = chunked ? CHUNK_SIZE : LENGTH;
            return at == LENGTH && remaining == 0;
          }
        }
        case CHUNK_SIZE -> {
          remaining = Long.parseLong(text, 16);
          at = remaining == 0 ? TRAILER : CHUNK;
        }
        case CHUNK_END -> {
          if (!text.isEmpty()) {
            throw new IOException("no line end after a chunk");
          }
          at = CHUNK_SIZE;
        }
        default -> {
          return text.isEmpty();
        }
      }
      return false;
    }
  }
}
