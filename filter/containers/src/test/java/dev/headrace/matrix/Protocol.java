package dev.headrace.matrix;

import dev.headrace.containers.RawClient;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawHttp2Client;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;

/** The protocols that a server is asked in. */
enum Protocol {
  HTTP_1_1("HTTP/1.1") {
    @Override
    Client connect(int port) throws IOException {
      return new Http1(RawClient.connect(port));
    }

    @Override
    Client connectNarrow(int port) throws IOException {
      return new Http1(RawClient.connectWithSmallBuffer(port));
    }
  },
  H2C("HTTP/2") {
    @Override
    Client connect(int port) throws IOException {
      return new Http2(RawHttp2Client.connect(port));
    }

    @Override
    Client connectNarrow(int port) throws IOException {
      return new Http2(RawHttp2Client.connect(port, 65_535));
    }
  };

  private final String title;

  Protocol(String title) {
    this.title = title;
  }

  String title() {
    return title;
  }

  @Override
  public String toString() {
    return title;
  }

  abstract Client connect(int port) throws IOException;

  /** A client that takes little before {@link Client#takeAll}. */
  abstract Client connectNarrow(int port) throws IOException;

  /** One connection with one request. Blocking; for one thread. */
  interface Client extends AutoCloseable {

    Client post(String path, String json) throws IOException;

    Client patience(Duration patience) throws IOException;

    /** Reads until this has come, and says what has. */
    byte[] readUntil(int bytes) throws IOException;

    /** Reads until this text has come. */
    void readUntil(String text) throws IOException;

    /** Reads the rest, and says how it ended. */
    End readToEnd() throws IOException;

    /** What has been read of the body. */
    byte[] body();

    /** Lets the server send as much as it likes. */
    void takeAll() throws IOException;

    /** Gives up the request politely: with a FIN, or by resetting the stream. */
    void leave() throws IOException;

    /** Drops the connection with an RST. */
    void reset() throws IOException;

    @Override
    void close() throws IOException;
  }

  private static final class Http1 implements Client {
    private final RawClient client;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private boolean headRead;

    Http1(RawClient client) {
      this.client = client;
    }

    @Override
    public Client post(String path, String json) throws IOException {
      client.post(path, json);
      return this;
    }

    @Override
    public Client patience(Duration patience) throws IOException {
      client.patience(patience);
      return this;
    }

    private void head() throws IOException {
      if (!headRead) {
        headRead = true;
        RawClient.Reply head = client.replyHead();
        if (head.status() != 200) {
          throw new IOException("status " + head.status() + " " + head.fields());
        }
      }
    }

    @Override
    public byte[] readUntil(int bytes) throws IOException {
      head();
      while (body.size() < bytes) {
        int before = body.size();
        End end = client.readBody(body, bytes - before);
        if (end != End.COMPLETE || body.size() == before) {
          throw new IOException("ended (" + end + ") after " + body);
        }
      }
      return body.toByteArray();
    }

    @Override
    public void readUntil(String text) throws IOException {
      head();
      body.writeBytes(client.readBodyUntil(text).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    @Override
    public End readToEnd() throws IOException {
      head();
      return client.readBody(body, Long.MAX_VALUE);
    }

    @Override
    public byte[] body() {
      return body.toByteArray();
    }

    @Override
    public void takeAll() {}

    @Override
    public void leave() throws IOException {
      client.leave();
    }

    @Override
    public void reset() throws IOException {
      client.reset();
    }

    @Override
    public void close() throws IOException {
      client.close();
    }
  }

  private static final class Http2 implements Client {
    private final RawHttp2Client client;

    Http2(RawHttp2Client client) {
      this.client = client;
    }

    @Override
    public Client post(String path, String json) throws IOException {
      client.post(path, json);
      return this;
    }

    @Override
    public Client patience(Duration patience) throws IOException {
      client.patience(patience);
      return this;
    }

    @Override
    public byte[] readUntil(int bytes) throws IOException {
      return client.readBodyUntil(bytes);
    }

    @Override
    public void readUntil(String text) throws IOException {
      client.readBodyUntil(text);
    }

    @Override
    public End readToEnd() throws IOException {
      try {
        client.readToEnd();
        return End.COMPLETE;
      } catch (SocketTimeoutException e) {
        return End.SILENCE;
      } catch (EOFException e) {
        return End.CUT;
      } catch (IOException e) {
        return End.RESET;
      }
    }

    @Override
    public byte[] body() {
      return client.body();
    }

    @Override
    public void takeAll() throws IOException {
      client.grant(1 << 30);
    }

    @Override
    public void leave() throws IOException {
      client.resetStream();
    }

    @Override
    public void reset() throws IOException {
      client.reset();
    }

    @Override
    public void close() throws IOException {
      client.close();
    }
  }
}
