package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What an answer that has begun and now is silent holds outside of the heap: there is little of it,
 * and a container that runs out of it accepts no connection any more.
 */
class OpenAnswersTest {

  private static final int STREAMS = 300;

  /** Jetty keeps the buffer of a request, 8 KiB, and what was needed while all answers began. */
  private static final int MOST_KIB = 16;

  @ParameterizedTest
  @EnumSource(ContainerKind.class)
  void openAnswersHoldNoBufferForWhatIsStillToCome(ContainerKind kind) throws Exception {
    try (GatewayUnderTest headrace =
        GatewayUnderTest.start(
            kind,
            ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).noPadding().start(),
            s -> s.breakerEnabled(false))) {
      headrace
          .claude()
          .answersBy(
              request ->
                  Answer.text("Hel", "lo")
                      .pauseAfterEvents(4, Duration.ofSeconds(request.index() < 20 ? 0 : 3)));
      run(headrace, 20); // what is made once
      AtomicLong most = new AtomicLong();
      long before = directBytes();
      ThreadWatch watch =
          new ThreadWatch(
              () -> {
                most.accumulateAndGet(directBytes(), Math::max);
                return headrace.gateway().runningExchanges();
              });

      LoadClient.Result result;
      try (watch) {
        result = run(headrace, STREAMS);
      }

      long kibPerStream = (most.get() - before) / STREAMS / 1024;
      Figures.note(kind, "KiB outside of the heap for an open answer", kibPerStream + "");
      assertThat(result.others()).isEqualTo(Map.of());
      assertThat(result.complete()).isEqualTo(STREAMS);
      assertThat(watch.mostStreams()).isEqualTo(STREAMS);
      assertThat(kibPerStream).isLessThanOrEqualTo(MOST_KIB);
    }
  }

  private static LoadClient.Result run(GatewayUnderTest headrace, int streams) throws Exception {
    return new LoadClient(
            headrace.port(),
            "/claude/v1/messages",
            Requests.streaming("Hello"),
            null,
            "\"message_stop\"}\n\n")
        .run(streams, streams, Duration.ofMinutes(1));
  }

  private static long directBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }
}
