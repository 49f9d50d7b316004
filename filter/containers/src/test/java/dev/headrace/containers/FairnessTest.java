package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.IdentitySource;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.spi.Identity;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What one user does over their limit is no other user's trouble. */
@Tag("long")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class FairnessTest extends GatewayContract {

  private static final int QUESTIONS = 100;
  private static final int CONNECTIONS = 20;
  private static final int CONCURRENT = 4;

  /**
   * Generous: the flood takes its share of a small machine. Many times is what waiting for it is.
   */
  private static final int TIMES_SLOWER = 20;

  private static final Duration NOISE = Duration.ofMillis(250);

  private final AtomicBoolean flooding = new AtomicBoolean(true);
  private final AtomicInteger passed = new AtomicInteger();
  private final AtomicInteger refused = new AtomicInteger();

  FairnessTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void whoFloodsTheGatewayTakesNothingFromTheOthers() throws Exception {
    GatewayUnderTest headrace =
        startWith(
            ClaudeSimulator.builder().apiKey(KEY),
            s ->
                s.identitySources(List.of(IdentitySource.RESOLVER))
                    .plans(Map.of("all", Plan.builder("all").concurrent(CONCURRENT).build()))
                    .upstreamMaxConnections(2 * CONCURRENT) // refused requests take none of them
                    .retryMaxAttempts(1),
            gateway -> gateway.resolver(request -> new Identity(request.getHeader("x-user"))));
    headrace.claude().answersAlways(Answer.text("Hello", " ", "there").paced(200));
    ask(headrace, 30); // warm
    List<Long> quiet = ask(headrace, QUESTIONS);

    ExecutorService threads = Executors.newFixedThreadPool(CONNECTIONS);
    List<Long> flooded;
    try {
      List<Future<?>> floods = new ArrayList<>();
      for (int i = 0; i < CONNECTIONS; i++) {
        floods.add(
            threads.submit(
                () -> {
                  flood(headrace);
                  return null;
                }));
      }
      try {
        await().atMost(Duration.ofSeconds(30)).until(() -> refused.get() >= 100);
        flooded = ask(headrace, QUESTIONS);
      } finally {
        flooding.set(false);
      }
      for (Future<?> flood : floods) {
        flood.get(); // only 200 and 429
      }
    } finally {
      threads.shutdownNow();
    }

    assertThat(refused.get()).isGreaterThan(passed.get());
    assertThat(median(flooded)).isLessThan(TIMES_SLOWER * median(quiet) + NOISE.toNanos());
    Figures.note(
        kind(),
        "time to first event of a quiet user, median (95th percentile) of " + QUESTIONS,
        text(quiet)
            + " without, "
            + text(flooded)
            + " with a flood of another ("
            + passed
            + " passed, "
            + refused
            + " refused)");
  }

  /** One request after the other; the nanoseconds to the first event of each, sorted. */
  private static List<Long> ask(GatewayUnderTest headrace, int count) throws IOException {
    List<Long> times = new ArrayList<>();
    try (RawClient client = RawClient.connect(headrace.port())) {
      for (int i = 0; i < count; i++) {
        long start = System.nanoTime();
        client.post("/claude/v1/messages", STREAMING, "x-user: quiet");
        assertThat(client.replyHead().status()).isEqualTo(200);
        client.readBodyUntil("event: message_start");
        times.add(System.nanoTime() - start);
        ByteArrayOutputStream rest = new ByteArrayOutputStream();
        assertThat(client.readBody(rest, Long.MAX_VALUE)).isEqualTo(RawClient.End.COMPLETE);
        assertThat(rest.toString(UTF_8)).contains("event: message_stop");
      }
    }
    times.sort(null);
    return times;
  }

  private void flood(GatewayUnderTest headrace) throws IOException {
    try (RawClient client = RawClient.connect(headrace.port())) {
      long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
      while (flooding.get() && System.nanoTime() - deadline < 0) {
        RawClient.Reply reply =
            client.post("/claude/v1/messages", STREAMING, "x-user: flood").reply();
        assertThat(reply.status()).isIn(200, 429);
        (reply.status() == 200 ? passed : refused).incrementAndGet();
      }
    }
  }

  private static long median(List<Long> sorted) {
    return sorted.get(sorted.size() / 2);
  }

  private static String text(List<Long> sorted) {
    return micros(median(sorted))
        + " ("
        + micros(sorted.get(sorted.size() * 95 / 100))
        + ") \u00b5s";
  }

  private static long micros(long nanos) {
    return nanos / 1000;
  }
}
