package dev.headrace.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Why {@link Attempts} is a loop of its own on the settings of Resilience4j and not its decorator.
 * When one of these fails after an update of the library, its reason is gone.
 */
class ResilienceDecoratorsTest {

  private final ScheduledThreadPoolExecutor scheduler = new ScheduledThreadPoolExecutor(1);
  private final Retry retry =
      Retry.of(
          "test", RetryConfig.custom().maxAttempts(3).waitDuration(Duration.ofMillis(1)).build());

  @AfterEach
  void stop() {
    scheduler.shutdownNow();
  }

  @Test
  void theDecoratorHangsWhenALaterAttemptCannotEvenBeStarted() throws Exception {
    AtomicInteger attempts = new AtomicInteger();
    CountDownLatch thrown = new CountDownLatch(1);
    CompletableFuture<String> result =
        retry
            .executeCompletionStage(
                scheduler,
                () -> {
                  if (attempts.incrementAndGet() == 1) {
                    return CompletableFuture.<String>failedFuture(new RuntimeException("first"));
                  }
                  thrown.countDown();
                  throw new IllegalStateException("the second could not be started");
                })
            .toCompletableFuture();

    assertThat(thrown.await(5, TimeUnit.SECONDS)).isTrue();
    // Whatever the scheduler still had to do is done once this has run behind it.
    scheduler.submit(() -> {}).get(5, TimeUnit.SECONDS);
    assertThat(result).isNotDone();
    assertThat(scheduler.getQueue()).isEmpty();
  }

  @Test
  void cancellingTheDecoratorsResultDoesNotStopTheAttempts() throws Exception {
    CountDownLatch three = new CountDownLatch(3);
    CompletionStage<String> result =
        retry.executeCompletionStage(
            scheduler,
            () -> {
              three.countDown();
              return CompletableFuture.failedFuture(new RuntimeException("again"));
            });
    result.toCompletableFuture().cancel(true);
    assertThat(three.await(5, TimeUnit.SECONDS)).isTrue();
  }
}
