package dev.headrace.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.resilience4j.bulkhead.Bulkhead;
import io.github.resilience4j.bulkhead.BulkheadConfig;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Why the limits of a user are not just the libraries' own calls. When one of these fails after an
 * update of a library, its reason is gone.
 */
class ResilienceLimitsTest {

  private static final BulkheadConfig TWO =
      BulkheadConfig.custom().maxConcurrentCalls(2).maxWaitDuration(Duration.ZERO).build();

  @Test
  void aBulkheadThatIsMadeSmallerBlocksUntilCallsHaveEnded() throws Exception {
    Bulkhead bulkhead = Bulkhead.of("test", TWO);
    bulkhead.acquirePermission();
    bulkhead.acquirePermission();
    CountDownLatch changed = new CountDownLatch(1);
    Thread changing =
        new Thread(
            () -> {
              bulkhead.changeConfig(BulkheadConfig.from(TWO).maxConcurrentCalls(1).build());
              changed.countDown();
            });
    changing.start();
    while (changing.getState() != Thread.State.WAITING) {
      assertThat(changing.isAlive()).isTrue();
      Thread.onSpinWait();
    }
    assertThat(changed.getCount()).isEqualTo(1);
    bulkhead.onComplete();
    assertThat(changed.await(5, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aBulkheadRefusesAnInterruptedThreadAlthoughThereIsRoom() {
    Bulkhead bulkhead = Bulkhead.of("test", TWO);
    Thread.currentThread().interrupt();
    assertThat(bulkhead.tryAcquirePermission()).isFalse();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(bulkhead.tryAcquirePermission()).isTrue();
  }

  @Test
  void aRateLimiterThatIsChangedActsOnlyFromTheNextPeriodOn() {
    AtomicLong now = new AtomicLong();
    RateLimiter limiter =
        RateLimiter.of(
            "test",
            RateLimiterConfig.custom()
                .limitForPeriod(1)
                .limitRefreshPeriod(Duration.ofSeconds(1))
                .timeoutDuration(Duration.ZERO)
                .build(),
            now::get);
    assertThat(limiter.acquirePermission()).isTrue();
    limiter.changeLimitForPeriod(5);
    assertThat(limiter.acquirePermission()).isFalse();
    now.set(1_000_000_000);
    assertThat(limiter.acquirePermission(5)).isTrue();
  }
}
