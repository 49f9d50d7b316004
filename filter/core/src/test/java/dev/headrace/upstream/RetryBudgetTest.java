package dev.headrace.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class RetryBudgetTest {

  private final Virtual.Time time = new Virtual.Time();
  private final RetryBudget budget = new RetryBudget(20, 3, time.source().nanoTime());

  @Test
  void aQuietGatewayMayRetryAFewTimesEachSecond() {
    assertThat(allowed(10)).isEqualTo(3);
    time.advance(Duration.ofSeconds(1));
    assertThat(allowed(10)).isEqualTo(3);
  }

  @Test
  void aBusyGatewayMayRetryAShareOfItsRequests() {
    for (int i = 0; i < 100; i++) {
      budget.request();
    }
    assertThat(allowed(100)).isEqualTo(20);
  }

  @Test
  void requestsAndRetriesOfTheLastTenSecondsCount() {
    for (int second = 0; second < 10; second++) {
      for (int i = 0; i < 50; i++) {
        budget.request();
      }
      time.advance(Duration.ofSeconds(1));
    }
    // The first second is no longer among the last ten: 450 requests are.
    assertThat(allowed(1_000)).isEqualTo(90);
    time.advance(Duration.ofSeconds(1));
    assertThat(allowed(1_000)).isEqualTo(3); // 400 requests, 90 retries so far: only the few
    time.advance(Duration.ofSeconds(20));
    assertThat(allowed(1_000)).isEqualTo(3); // long quiet: nothing was saved up
  }

  @Test
  void overALongOutageRetriesStayWithinShareAndMinimum() {
    int retries = 0;
    int requests = 0;
    for (int second = 0; second < 30; second++) {
      for (int i = 0; i < 200; i++) {
        budget.request();
        requests++;
        retries += allowed(2);
        time.advance(Duration.ofMillis(5));
      }
    }
    assertThat(retries).isLessThanOrEqualTo(requests * 20 / 100 + 3 * 30);
    assertThat(retries).isGreaterThan(requests * 15 / 100);
  }

  @Test
  void withoutShareAndMinimumThereAreNoRetries() {
    RetryBudget none = new RetryBudget(0, 0, time.source().nanoTime());
    none.request();
    assertThat(none.tryRetry()).isFalse();
  }

  private int allowed(int tries) {
    int count = 0;
    for (int i = 0; i < tries; i++) {
      count += budget.tryRetry() ? 1 : 0;
    }
    return count;
  }
}
