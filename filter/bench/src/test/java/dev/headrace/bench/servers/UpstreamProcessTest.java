package dev.headrace.bench.servers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.bench.upstream.Ask;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class UpstreamProcessTest {

  private static final Pattern STAMP = Pattern.compile("@(\\d{19})");

  private static final int PAIRS = 50;

  @TempDir private Path directory;

  /** Of many pairs some at least begin at the same time, also on a busy machine. */
  @Test
  @Timeout(60)
  void streamsWithoutAPaceComeSideBySide() throws Exception {
    CyclicBarrier together = new CyclicBarrier(2);
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try (UpstreamProcess upstream = UpstreamProcess.start(directory)) {
      Future<List<LongSummaryStatistics>> first =
          threads.submit(() -> answers(upstream.port(), together));
      List<LongSummaryStatistics> some = answers(upstream.port(), together);
      List<LongSummaryStatistics> others = first.get();
      long sideBySide =
          IntStream.range(0, PAIRS).filter(i -> overlap(some.get(i), others.get(i))).count();
      assertThat(sideBySide).isPositive();
    } finally {
      threads.shutdownNow();
    }
  }

  private static boolean overlap(LongSummaryStatistics one, LongSummaryStatistics other) {
    return one.getMin() < other.getMax() && other.getMin() < one.getMax();
  }

  /** When the events of answers were written that are small enough for one turn. */
  private static List<LongSummaryStatistics> answers(int port, CyclicBarrier together)
      throws Exception {
    List<LongSummaryStatistics> answers = new ArrayList<>();
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      for (int i = 0; i < PAIRS; i++) {
        together.await();
        LongSummaryStatistics stamps = stamps(socket, new Ask(2_000, 0, 20));
        assertThat(stamps.getCount()).isEqualTo(2_000);
        answers.add(stamps);
      }
    }
    return answers;
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
