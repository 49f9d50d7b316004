package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.UnixOperatingSystemMXBean;
import dev.headrace.GatewayInside;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Streams that only wait, for their first event or for the next, with a heartbeat every now and
 * then: the one thread that looks at the clocks is enough for all of them.
 */
@Tag("long")
class ManySilentStreamsTest {

  /** The sweep and the housekeeping. */
  private static final int RECURRING_TASKS = 2;

  @ParameterizedTest
  @EnumSource(ContainerKind.class)
  void silentStreamsCostNoTimersAndNoThreads(ContainerKind kind) throws Exception {
    int streams = Math.min(Load.count(1_000, 10_000), mostStreams());
    try (GatewayUnderTest headrace =
        GatewayUnderTest.start(
            kind,
            ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).noPadding().start(),
            // All connect at once, which takes the simulator longer than 5 s on a small machine.
            s ->
                s.timeoutsHeartbeat(Duration.ofMillis(500))
                    .timeoutsConnect(Duration.ofSeconds(60))
                    .breakerEnabled(false))) {
      Duration silence = Duration.ofSeconds(Load.isFull() ? 30 : 3);
      headrace
          .claude()
          .answersBy(
              request ->
                  request.index() % 2 == 0
                      ? Answer.text("Hel", "lo").pauseAfterEvents(4, silence)
                      : Answer.text("Hel", "lo").beforeHead(silence));
      AtomicInteger mostTasks = new AtomicInteger();
      ThreadWatch watch =
          new ThreadWatch(
              () -> {
                mostTasks.accumulateAndGet(
                    GatewayInside.scheduledTasks(headrace.gateway()), Math::max);
                return headrace.gateway().runningExchanges();
              });

      LoadClient.Result result;
      try (watch) {
        result =
            new LoadClient(
                    headrace.port(),
                    "/claude/v1/messages",
                    Requests.streaming("Hello"),
                    null,
                    "\"message_stop\"}\n\n")
                .run(streams, streams, Duration.ofMinutes(2));
      }

      long heartbeats = GatewayInside.statistics(headrace.gateway()).heartbeats();
      Figures.note(kind, "silent streams at the same time", watch.mostStreams() + "");
      Figures.note(kind, "tasks in the gateway's scheduler then", mostTasks + "");
      Figures.note(kind, "heartbeats written", heartbeats + "");
      Figures.note(kind, "threads of container and gateway then", watch.mostThreads());
      assertThat(result.others()).isEqualTo(Map.of());
      assertThat(result.complete()).isEqualTo(streams);
      assertThat(watch.mostStreams()).isEqualTo(streams);
      assertThat(heartbeats).isGreaterThan(streams / 2);
      assertThat(mostTasks).hasValueLessThanOrEqualTo(RECURRING_TASKS);
      // Both containers have 40 threads at most; the rest is the gateway's and the JVM's.
      assertThat(watch.mostThreadCount()).isLessThan(100);
      headrace.awaitIdle(Duration.ofSeconds(10));
    }
  }

  /** Each stream has four sockets here, since client and upstream live in the same process. */
  private static int mostStreams() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        ? (int) Math.min(100_000, (unix.getMaxFileDescriptorCount() - 1_000) / 4)
        : 2_000;
  }
}
