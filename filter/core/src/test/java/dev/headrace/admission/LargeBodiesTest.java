package dev.headrace.admission;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.admission.RequestPolicy.AboveCap;
import dev.headrace.admission.RequestPolicy.Rule;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a body of 30 MB costs on its way, by the JVM's own count for the thread. */
class LargeBodiesTest {
  private static final int SIZE = 30_000_000;
  private static final long MB = 1_000_000;

  private interface Work {
    UpstreamBody run() throws Exception;
  }

  private static byte[] body(String head) {
    byte[] body = new byte[SIZE];
    Arrays.fill(body, (byte) 'x');
    byte[] before = (head + "\"messages\":[{\"role\":\"user\",\"content\":\"").getBytes(US_ASCII);
    byte[] after = "\"}]}".getBytes(US_ASCII);
    System.arraycopy(before, 0, body, 0, before.length);
    System.arraycopy(after, 0, body, SIZE - after.length, after.length);
    return body;
  }

  private static void assertCosts(Work work, long maxBytes) throws Exception {
    work.run();
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    UpstreamBody body = work.run();
    Duration taken = Duration.ofNanos(System.nanoTime() - start);
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(maxBytes);
    assertThat(body.length()).isGreaterThan(SIZE - 1000);
    assertThat(taken).isLessThan(Duration.ofSeconds(5)); // some 0.1 s on a quiet machine
  }

  @Test
  void aPolicyThatChangesNothingCopiesNothing() throws Exception {
    byte[] body = body("{\"model\":\"m\",");
    RequestPolicy policy =
        RequestPolicy.of("p").models(List.of("m")).serverTools(Rule.REFUSED).build();
    assertCosts(() -> policy.admit(body, SIZE, List.of()), MB);
  }

  @Test
  void editsCopyTheBodyOnce() throws Exception {
    byte[] body = body("{\"model\":\"fast\",\"max_tokens\":99,");
    RequestPolicy policy =
        RequestPolicy.of("p")
            .aliases(Map.of("fast", "m"))
            .maxTokens(5, AboveCap.LOWER)
            .tools(Rule.REFUSED)
            .build();
    assertCosts(() -> policy.admit(body, SIZE, List.of()), SIZE + MB);
  }

  @Test
  void aPresetCopiesTheMessagesOnce() throws Exception {
    byte[] body = body("{\"stream\":true,");
    Preset preset =
        new Preset("p", "m", PresetSource.text("Help."), true, null, 9, null, Set.of(), Set.of());
    PresetBodies bodies = new PresetBodies(preset, Map.of(), System::nanoTime);
    assertCosts(() -> bodies.body(body, SIZE, RequestPolicy.of("plans.any").build()), SIZE + MB);
  }
}
