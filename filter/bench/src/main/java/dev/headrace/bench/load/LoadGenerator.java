package dev.headrace.bench.load;

import dev.headrace.bench.upstream.Ask;
import dev.headrace.bench.upstream.StreamBytes;
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
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link LoadPlan} from one thread over plain HTTP/1.1 connections, and looks at every byte
 * that comes back: a stream counts as complete only with each of its events and bytes and the end
 * that its framing promises. To be used once.
 */
public final class LoadGenerator {

  /** Called on the generator's thread. */
  public interface Window {
    /** For a load that nobody looks at besides. */
    Window UNSEEN =
        new Window() {
          @Override
          public void opens() {}

          @Override
          public void closes() {}
        };

    /** Each stream has had its first event and the load has settled. */
    void opens() throws IOException;

    void closes() throws IOException;
  }

  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Ask MUCH = new Ask(200_000, 0, 0);
  private static final long HIGHEST = Duration.ofMinutes(5).toNanos();

  private final int port;
  private final LoadPlan plan;
  private final String path;
  private final String headers;
  private final Duration patience;
  private final ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024);

  private final Histogram firstEvent = new Histogram(HIGHEST, 3);
  private final Histogram delay = new Histogram(HIGHEST, 3);
  private final Map<String, Integer> lost = new TreeMap<>();
  private boolean measuring;
  private long openedAt; // when it began to measure; 0 before
  private boolean stopping;
  private long events;
  private long answers;
  private int begun; // streams with a first event
  private int open;
  private int complete;
  private int opened;

  /**
   * @param headers further ones, each ended by CR LF
   */
  public LoadGenerator(int port, String path, String headers, LoadPlan plan) {
    this(port, path, headers, plan, PATIENCE);
  }

  /**
   * @param patience with streams that should have ended, or begun
   */
  LoadGenerator(int port, String path, String headers, LoadPlan plan, Duration patience) {
    this.patience = patience;
    this.port = port;
    this.path = path;
    this.headers = headers;
    this.plan = plan;
  }

  /**
   * Runs the plan until every stream has ended, or a minute after it should have.
   *
   * @throws IOException if there can be no connections at all
   */
  public LoadResult run(Window window) throws IOException {
    long start = System.nanoTime();
    long opensAt = Long.MAX_VALUE;
    long measured = 0;
    long deadline = start + patience.toNanos() + seconds(plan.streams() / plan.openPerSecond() + 1);
    try (Selector selector = Selector.open()) {
      while (true) {
        long now = System.nanoTime();
        connectSome(selector, now - start);
        if (opensAt == Long.MAX_VALUE && begun >= plan.streams()) {
          opensAt = now + plan.settle().toNanos();
        }
        if (!measuring && openedAt == 0 && now >= opensAt) {
          window.opens();
          measuring = true;
          openedAt = System.nanoTime();
          deadline = openedAt + plan.measure().plus(patience).toNanos() + holdNanos();
        }
        if (measuring && now - openedAt >= plan.measure().toNanos()) {
          measuring = false;
          stopping = true;
          measured = System.nanoTime() - openedAt;
          window.closes();
        }
        boolean allOpened = opened >= plan.streams() + plan.neverReading();
        if ((stopping || (openedAt == 0 && allOpened && begun < plan.streams())) && open == 0) {
          break;
        }
        if (now - deadline > 0) {
          giveUp(selector);
          break;
        }
        selector.select(this::handle, 1);
      }
      for (SelectionKey key : selector.keys()) {
        key.channel().close();
      }
    }
    if (openedAt == 0) {
      throw new IOException("the load never began: " + lost);
    }
    return new LoadResult(firstEvent, delay, events, answers, measured, complete, lost);
  }

  private long holdNanos() {
    return plan.ask().holdMillis() * 1_000_000
        + plan.ask().deltas() * plan.ask().gapMicros() * 1_000;
  }

  private static long seconds(long count) {
    return Duration.ofSeconds(count).toNanos();
  }

  private void connectSome(Selector selector, long elapsed) throws IOException {
    int all = plan.streams() + plan.neverReading();
    long due = Math.min(all, elapsed * plan.openPerSecond() / 1_000_000_000L + 1);
    for (; opened < due; opened++) {
      boolean reads = opened < plan.streams();
      SocketChannel channel = SocketChannel.open();
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.configureBlocking(false);
      if (reads) {
        open++;
      }
      channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      channel.register(selector, SelectionKey.OP_CONNECT, new Connection(reads));
    }
  }

  private void giveUp(Selector selector) {
    for (SelectionKey key : selector.keys()) {
      if (key.attachment() instanceof Connection connection && connection.reads && key.isValid()) {
        lose("unfinished after " + connection.reader.events() + " events");
      }
    }
  }

  private void lose(String how) {
    lost.merge(how, 1, Integer::sum);
  }

  private void handle(SelectionKey key) {
    Connection connection = (Connection) key.attachment();
    SocketChannel channel = (SocketChannel) key.channel();
    try {
      if (key.isConnectable()) {
        channel.finishConnect();
        send(channel, key, connection);
      } else if (key.isWritable()) {
        send(channel, key, connection);
      } else if (key.isReadable()) {
        read(channel, key, connection);
      }
    } catch (IOException | IllegalStateException e) {
      close(channel, connection, e.toString());
    }
  }

  private void send(SocketChannel channel, SelectionKey key, Connection connection)
      throws IOException {
    if (connection.toSend == null) {
      connection.toSend = request(connection.reads ? plan.ask() : MUCH);
      connection.sentAt = System.nanoTime();
    }
    channel.write(connection.toSend);
    if (connection.toSend.hasRemaining()) {
      key.interestOps(SelectionKey.OP_WRITE);
    } else {
      connection.toSend = null;
      key.interestOps(connection.reads ? SelectionKey.OP_READ : 0);
    }
  }

  private ByteBuffer request(Ask ask) {
    byte[] body = ask.body();
    byte[] head =
        ("POST "
                + path
                + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                + "anthropic-version: 2026-10-21\r\n"
                + headers
                + "Content-Length: "
                + body.length
                + "\r\n\r\n")
            .getBytes(StandardCharsets.ISO_8859_1);
    return ByteBuffer.allocate(head.length + body.length).put(head).put(body).flip();
  }

  private void read(SocketChannel channel, SelectionKey key, Connection connection)
      throws IOException {
    buffer.clear();
    int count = channel.read(buffer);
    connection.readAt = System.nanoTime();
    if (count < 0) {
      boolean whole = connection.reader.endsWithConnection();
      close(channel, connection, whole ? ended(connection) : "connection ended early");
      return;
    }
    buffer.flip();
    if (!connection.reader.take(buffer, connection.readAt)) {
      return;
    }
    String wrong = buffer.hasRemaining() ? "bytes behind the end" : ended(connection);
    if (wrong == null && plan.repeats() && !stopping) {
      complete++;
      if (connection.reader.keepsAlive()) {
        connection.reader.reset();
        send(channel, key, connection);
      } else {
        reconnect(channel, key.selector());
      }
    } else {
      close(channel, connection, wrong);
    }
  }

  private void reconnect(SocketChannel old, Selector selector) throws IOException {
    old.close();
    SocketChannel channel = SocketChannel.open();
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.configureBlocking(false);
    channel.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    channel.register(selector, SelectionKey.OP_CONNECT, new Connection(true));
  }

  /** Null if every byte is there. */
  private @Nullable String ended(Connection connection) {
    StreamReader reader = connection.reader;
    if (reader.status() != 200) {
      return "status " + reader.status();
    }
    if (reader.fault() != null) {
      return reader.fault();
    }
    int expected = plan.ask().deltas() + StreamBytes.OTHER_EVENTS;
    if (reader.events() != expected || reader.bytes() != StreamBytes.length(plan.ask().deltas())) {
      return reader.events() + " of " + expected + " events";
    }
    if (measuring) {
      answers++;
    }
    return null;
  }

  private void close(SocketChannel channel, Connection connection, @Nullable String wrong) {
    try {
      channel.close();
    } catch (IOException e) {
      lose("close: " + e);
    }
    if (!connection.reads) {
      return;
    }
    open--;
    if (wrong == null) {
      complete++;
      return;
    }
    lose(wrong);
    if (!connection.hadEvent) {
      begun++; // nobody waits for it
    }
  }

  private final class Connection implements StreamReader.Listener {
    private final boolean reads;
    private final StreamReader reader = new StreamReader(this);
    private @Nullable ByteBuffer toSend;
    private long sentAt;
    private long readAt;
    private boolean hadEvent;

    Connection(boolean reads) {
      this.reads = reads;
    }

    @Override
    public void onEvent() {
      if (measuring) {
        events++;
      }
      if (reader.events() == 1) {
        if (!hadEvent) {
          hadEvent = true;
          begun++;
        }
        if (measuring || !plan.repeats()) {
          firstEvent.recordValue(Math.min(HIGHEST, readAt - sentAt));
        }
      }
    }

    @Override
    public void onDelay(long nanos) {
      // What was sent before has waited while the server's use was looked up.
      if (measuring && readAt - nanos - openedAt >= 0) {
        delay.recordValue(Math.max(0, Math.min(HIGHEST, nanos)));
      }
    }
  }
}
