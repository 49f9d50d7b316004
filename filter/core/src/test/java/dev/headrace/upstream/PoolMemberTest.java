package dev.headrace.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings.Breaker;
import dev.headrace.config.GatewaySettings.Member;
import dev.headrace.config.Secret;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class PoolMemberTest {

  private static final int TRIALS = 4;
  private static final Duration OPEN_FOR = Duration.ofSeconds(10);
  private static final URI UPSTREAM = URI.create("https://one.example");

  private final Virtual.Time time = new Virtual.Time();
  private final PoolMember member =
      new PoolMember(
          new Member("one", UPSTREAM, Secret.of("sk-test"), null, 1),
          UPSTREAM,
          () -> Secret.of("sk-test"),
          new Breaker(true, 50, TRIALS, TRIALS, OPEN_FOR, TRIALS),
          time.source());
  private final ExecutorService threads = Executors.newFixedThreadPool(TRIALS);

  @AfterEach
  void stop() {
    threads.shutdownNow();
  }

  /**
   * The first attempt after the wait opens the breaker half, and others come at that moment: their
   * reports must count, or nobody is let in any more.
   */
  @Test
  @Timeout(60)
  void everyTrialCountsThoughManyBeginAtOnce() throws Exception {
    for (int round = 0; round < 5_000; round++) {
      for (int i = 0; i < TRIALS; i++) {
        assertThat(member.tryPermit()).isTrue();
        member.permission().failed(new AttemptFailure.TimedOut("first-event"));
      }
      assertThat(member.breakerState()).isEqualTo("open");
      time.advance(OPEN_FOR.plusMillis(1));

      CyclicBarrier start = new CyclicBarrier(TRIALS);
      List<Future<Boolean>> trials = new ArrayList<>();
      for (int i = 0; i < TRIALS; i++) {
        trials.add(threads.submit(() -> tryIt(start)));
      }
      for (Future<Boolean> trial : trials) {
        assertThat(trial.get(20, TimeUnit.SECONDS)).isTrue();
      }
      assertThat(member.breakerState()).as("after round %s", round).isEqualTo("closed");
    }
  }

  private boolean tryIt(CyclicBarrier start) throws Exception {
    start.await(20, TimeUnit.SECONDS);
    if (!member.tryPermit()) {
      return false;
    }
    member.permission().succeeded();
    return true;
  }
}
