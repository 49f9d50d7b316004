package dev.headrace.messages;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.sse.SseEvent;
import dev.headrace.sse.SseReader;
import dev.headrace.sse.SseWriter;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/**
 * What one delta costs on its way through; prints a figure, and asserts that nothing is allocated.
 */
class UsageReaderCostTest {
  private static final int ROUND = 1_000_000;
  private static final int ROUNDS = 5;

  private static final String DATA =
      "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\""
          + " aus Köln, 12 °C\"}}      ";

  /** Runs the rounds within the life of an event, which is a view. */
  private static final class Measurement {
    private final UsageReader reader = new UsageReader();
    private double nanos = Double.MAX_VALUE;
    private double bytes = Double.MAX_VALUE;

    void run(SseEvent event) {
      var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
      for (int round = 0; round < ROUNDS; round++) {
        long allocated = threads.getCurrentThreadAllocatedBytes();
        long start = System.nanoTime();
        for (int i = 0; i < ROUND; i++) {
          reader.onEvent(MessageEvent.CONTENT_BLOCK_DELTA, event);
        }
        nanos = Math.min(nanos, (System.nanoTime() - start) / (double) ROUND);
        bytes =
            Math.min(
                bytes, (threads.getCurrentThreadAllocatedBytes() - allocated) / (double) ROUND);
      }
    }
  }

  @Test
  void aDeltaAllocatesNothing() {
    Measurement measurement = new Measurement();
    byte[] stream = SseWriter.event("content_block_delta", DATA);
    new SseReader(1 << 20, measurement::run).feed(stream, 0, stream.length);
    System.out.printf(
        "UsageReader: %.1f ns and %.3f bytes allocated per delta of %d bytes%n",
        measurement.nanos, measurement.bytes, FedUsage.bytes(DATA).length);
    assertThat(measurement.bytes).isLessThan(0.1);
    assertThat(measurement.reader.estimatedOutputTokens()).isEqualTo(ROUNDS * ROUND * 16L / 4);
  }
}
