package dev.headrace.containers;

import java.io.IOException;

/** The ways in which a client can leave, each with a client that does. */
enum Departure {
  FIN("HTTP/1.1", "connection closed"),
  RST("HTTP/1.1", "connection reset"),
  HTTP2_STREAM_RESET("HTTP/2", "stream reset"),
  HTTP2_FIN("HTTP/2", "connection closed"),
  HTTP2_RST("HTTP/2", "connection reset");

  /** One client with one request. Blocking; for one thread. */
  interface Client extends AutoCloseable {

    /** Posts to {@code /claude/v1/messages}. */
    void post(String body) throws IOException;

    /** Reads until this text has come in the answer's body. */
    void readUntil(String text) throws IOException;

    /**
     * Leaves without waiting for the answer's end, once no thread of the container is in a request:
     * until then Jetty may lose the news.
     *
     * @return the moment, of {@link System#nanoTime}
     */
    default long leave() throws IOException {
      ContainerThreads.awaitNoneInARequest();
      long left = System.nanoTime();
      leaveAtOnce();
      return left;
    }

    /** Leaves without waiting for anything. */
    void leaveAtOnce() throws IOException;

    @Override
    void close() throws IOException;
  }

  private final String protocol;
  private final String words;

  Departure(String protocol, String words) {
    this.protocol = protocol;
    this.words = words;
  }

  /** Whether the container tells the gateway at once (HTTP/2); otherwise a write must fail. */
  boolean isTold() {
    return protocol.equals("HTTP/2");
  }

  /** For the figures. */
  String described() {
    return protocol + ", " + words;
  }

  Client connect(int port) throws IOException {
    return isTold() ? new Http2(RawHttp2Client.connect(port)) : new Http1(RawClient.connect(port));
  }

  private final class Http1 implements Client {

    private final RawClient client;
    private boolean headRead;

    Http1(RawClient client) {
      this.client = client;
    }

    @Override
    public void post(String body) throws IOException {
      client.post(body);
    }

    @Override
    public void readUntil(String text) throws IOException {
      if (!headRead) {
        client.replyHead();
        headRead = true;
      }
      client.readBodyUntil(text);
    }

    @Override
    public void leaveAtOnce() throws IOException {
      if (Departure.this == FIN) {
        client.leave();
      } else {
        client.reset();
      }
    }

    @Override
    public void close() throws IOException {
      client.close();
    }
  }

  private final class Http2 implements Client {

    private final RawHttp2Client client;

    Http2(RawHttp2Client client) {
      this.client = client;
    }

    @Override
    public void post(String body) throws IOException {
      client.post(body);
    }

    @Override
    public void readUntil(String text) throws IOException {
      client.readBodyUntil(text);
    }

    @Override
    public void leaveAtOnce() throws IOException {
      switch (Departure.this) {
        case HTTP2_STREAM_RESET -> client.resetStream();
        case HTTP2_FIN -> client.leave();
        default -> client.reset();
      }
    }

    @Override
    public void close() throws IOException {
      client.close();
    }
  }
}
