package dev.headrace.bench.servers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.bench.upstream.Ask;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.LongSummaryStatistics;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class UpstreamProcessTest {

  private static final Pattern STAMP = Pattern.compile("@(\\d{19})");

  @TempDir private Path directory;

  @Test
  @Timeout(60)
  void streamsWithoutAPaceComeSideBySide() throws Exception {
    CyclicBarrier together = new CyclicBarrier(2);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (UpstreamProcess upstream = UpstreamProcess.start(directory)) {
      Future<LongSummaryStatistics> first = threads.submit(() -> stamps(upstream.port(), together));
      LongSummaryStatistics one = stamps(upstream.port(), together);
      LongSummaryStatistics other = first.get();
      assertThat(one.getCount()).isEqualTo(8_000);
      assertThat(other.getCount()).isEqualTo(8_000);
      assertThat(one.getMin()).isLessThan(other.getMax());
      assertThat(other.getMin()).isLessThan(one.getMax());
    } finally {
      threads.shutdownNow();
    }
  }

  /** When the events of an answer were written that is small enough for one turn. */
  private static LongSummaryStatistics stamps(int port, CyclicBarrier together) throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      for (int i = 0; i < 20; i++) {
        stamps(socket, new Ask(1_000, 0, 0)); // what runs for the first time takes its time
      }
      together.await();
      return stamps(socket, new Ask(8_000, 0, 100));
    }
  }

  private static LongSummaryStatistics stamps(Socket socket, Ask ask) throws IOException {
    byte[] body = ask.body();
    OutputStream out = socket.getOutputStream();
    out.write(
        ("POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length + "\r\n\r\n")
            .getBytes(US_ASCII));
    out.write(body);
    StringBuilder answer = new StringBuilder();
    byte[] bytes = new byte[64 * 1024];
    while (answer.indexOf("\r\n0\r\n\r\n", Math.max(0, answer.length() - 10)) < 0) {
      int count = socket.getInputStream().read(bytes);
      assertThat(count).isPositive();
      answer.append(new String(bytes, 0, count, US_ASCII));
    }
    return STAMP
        .matcher(answer)
        .results()
        .mapToLong(stamp -> Long.parseLong(stamp.group(1)))
        .summaryStatistics();
  }
}
