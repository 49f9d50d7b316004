package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ManyStreamsTest {
  private static final int STREAMS = 2_000;
  private static final Duration SOON = Duration.ofSeconds(30);

  @Test
  void twoThousandPacedStreamsNeedNoThreadsOfTheirOwn() throws Exception {
    String[] words = new String[20];
    java.util.Arrays.fill(words, "word ");
    try (ClaudeSimulator claude = ClaudeSimulator.builder().threads(2).start()) {
      claude.answersAlways(Answer.text("first ", words).paced(20).connectionClose());
      long start = System.nanoTime();

      long bytes = readAllStreams(claude);

      long taken = System.nanoTime() - start;
      assertThat(simulatorThreads()).isEqualTo(2);
      assertThat(claude.attempts()).isEqualTo(STREAMS);
      for (SeenRequest seen : claude.requests()) {
        seen.awaitFinished(SOON);
        assertThat(seen.eventsSent()).isEqualTo(27);
      }
      assertThat(bytes).isGreaterThan(STREAMS * 3_000L);
      // Twenty gaps of 50 ms each, all streams at once.
      assertThat(taken).isBetween(1_000_000_000L, 20_000_000_000L);
      await().atMost(SOON).until(() -> claude.openConnections() == 0);
    }
  }

  @Test
  void aFloodIsOfferedOnlyAsFastAsItIsRead() throws Exception {
    try (ClaudeSimulator claude = ClaudeSimulator.start();
        RawClient client = new RawClient(claude)) {
      claude.answers(Answer.empty().flood(8L << 30));
      client.stream().readUntil("more and");
      SeenRequest seen = claude.lastRequest();

      await()
          .during(Duration.ofMillis(300))
          .atMost(SOON)
          .until(seen::bytesSent, new Unchanged()::test);
      // What the two socket buffers hold; the rest of the 8 GiB does not exist yet.
      assertThat(seen.bytesSent()).isBetween(1L, 32L << 20);
      long before = seen.bytesSent();
      byte[] buffer = new byte[1 << 20];
      long read = 0;
      while (read < 64 << 20) {
        read += client.readSome(buffer);
      }
      assertThat(seen.bytesSent()).isGreaterThan(before);
      assertThat(seen.finished()).isFalse();
      client.reset();
      seen.awaitClientGone(SOON);
    }
  }

  @Test
  void aFloodEndsAtItsTotal() throws Exception {
    try (ClaudeSimulator claude = ClaudeSimulator.start()) {
      claude.answers(Answer.text("Now: ").flood(50 << 20));

      assertThat(new HttpCaller(claude).stream().body()).endsWith("\n\n").contains("message_stop");
      claude.lastRequest().awaitFinished(SOON);
      assertThat(claude.lastRequest().bytesSent()).isBetween(50L << 20, 51L << 20);
    }
  }

  private static long simulatorThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("claude-simulator"))
        .count();
  }

  /** Reads every stream to its end with one thread and one selector. */
  private static long readAllStreams(ClaudeSimulator claude) throws IOException {
    byte[] body = HttpCaller.STREAMING_BODY.getBytes(UTF_8);
    byte[] request =
        ("POST /v1/messages HTTP/1.1\r\nHost: claude\r\nx-api-key: k\r\nContent-Type: application/json\r\n"
                + "anthropic-version: 2026-10-21\r\nContent-Length: "
                + body.length
                + "\r\n\r\n"
                + HttpCaller.STREAMING_BODY)
            .getBytes(UTF_8);
    List<SocketChannel> channels = new ArrayList<>();
    long bytes = 0;
    try (Selector selector = Selector.open()) {
      for (int i = 0; i < STREAMS; i++) {
        SocketChannel channel =
            SocketChannel.open(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), claude.port()));
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.write(ByteBuffer.wrap(request));
        channel.configureBlocking(false);
        channel.register(selector, SelectionKey.OP_READ);
        channels.add(channel);
      }
      ByteBuffer buffer = ByteBuffer.allocateDirect(64 << 10);
      int open = STREAMS;
      while (open > 0) {
        assertThat(selector.select(SOON.toMillis())).isPositive();
        for (SelectionKey key : selector.selectedKeys()) {
          buffer.clear();
          int read = ((SocketChannel) key.channel()).read(buffer);
          if (read < 0) {
            key.channel().close();
            open--;
          } else {
            bytes += read;
          }
        }
        selector.selectedKeys().clear();
      }
    } finally {
      for (SocketChannel channel : channels) {
        channel.close();
      }
    }
    return bytes;
  }

  /** True as long as the value is the one of the call before. */
  private static final class Unchanged {
    private long last = -1;

    boolean test(long value) {
      boolean same = value == last;
      last = value;
      return same;
    }
  }
}
