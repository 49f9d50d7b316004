package dev.headrace.upstream;

import dev.headrace.config.GatewaySettings;
import dev.headrace.messages.ApiError;
import io.github.resilience4j.core.IntervalFunction;
import io.github.resilience4j.core.functions.Either;
import io.github.resilience4j.retry.RetryConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What to repeat and how long to wait before, as a Resilience4j {@link RetryConfig}. Its decorators
 * are not used: a supplier that throws on the second attempt lets them hang for ever, and
 * cancelling their result does not stop the retries. Immutable and thread-safe.
 */
final class RetryPolicy {

  private static final Set<Integer> REPEATED_STATUSES = Set.of(408, 429, 500, 502, 503, 504, 529);

  /** Statuses by which an upstream says that it has not begun to work on the request. */
  private static final Set<Integer> NOT_BEGUN = Set.of(429, 529);

  private final RetryConfig config;
  private final IntervalFunction ceiling;
  private final long firstWaitMillis;
  private final RandomGenerator random;

  RetryPolicy(GatewaySettings.Retry retry, RandomGenerator random) {
    this.random = random;
    this.firstWaitMillis = retry.waitDuration().toMillis();
    this.ceiling =
        IntervalFunction.ofExponentialBackoff(
            firstWaitMillis, 2.0, retry.maxWaitDuration().toMillis());
    this.config =
        RetryConfig.<AttemptFailure>custom()
            .maxAttempts(retry.maxAttempts())
            .retryOnResult(RetryPolicy::isRetryable)
            .intervalBiFunction((attempt, outcome) -> ceiling.apply(attempt))
            .build();
  }

  int maxAttempts() {
    return config.getMaxAttempts();
  }

  /**
   * Whether a failure is one that another attempt may not meet.
   *
   * @param safe whether the request may be carried out twice; if not, only failures count after
   *     which it has surely not been carried out at all
   */
  boolean isRetryable(AttemptFailure failure, boolean safe) {
    return config.<AttemptFailure>getResultPredicate().test(failure)
        && (safe || isNotBegun(failure));
  }

  /**
   * How long to wait before the next attempt when nobody asks for longer: random, so that clients
   * that failed together do not come back together, and above the last wait, so that each attempt
   * is less of a burden than the one before.
   *
   * @param failed how many attempts have failed, from 1
   * @param last the wait before the attempt that has failed now
   */
  Duration backoff(int failed, AttemptFailure failure, Duration last) {
    long upTo = config.<AttemptFailure>getIntervalBiFunction().apply(failed, Either.right(failure));
    long from = failed <= 1 ? 1 : Math.min(last.toMillis() + firstWaitMillis / 4, upTo * 3 / 4);
    return Duration.ofMillis(random.nextLong(from, upTo + 1));
  }

  /** Whether the upstream fails until somebody pays or raises a limit. */
  static boolean isSpendLimit(AttemptFailure failure) {
    if (failure instanceof AttemptFailure.ErrorStatus answer) {
      return answer.head().status() == 429
          && ApiError.namesSpendLimit(
              answer.body(), 0, answer.body().length, answer.head().header("retry-after") != null);
    }
    return failure instanceof AttemptFailure.ErrorEvent event
        && event.error().type().equals("rate_limit_error")
        && ApiError.namesSpendLimit(event.json(), 0, event.json().length, false);
  }

  /** Whether it is the account that was refused, which will happen to the next request too. */
  static boolean refusesAccount(AttemptFailure failure) {
    if (isSpendLimit(failure)) {
      return true;
    }
    return failure instanceof AttemptFailure.ErrorStatus answer
        && switch (answer.head().status()) {
          case 401, 402 -> true;
          case 400 -> ApiError.namesLimitOfAccount(answer.body(), 0, answer.body().length);
          default -> false;
        };
  }

  /** How long the upstream asks to be left alone; null if it does not. */
  static @Nullable Duration retryAfter(AttemptFailure failure, Instant now) {
    return failure instanceof AttemptFailure.ErrorStatus answer
        ? RetryAfter.of(answer.head(), now)
        : null;
  }

  private static boolean isRetryable(AttemptFailure failure) {
    if (failure instanceof AttemptFailure.ErrorStatus answer) {
      String should = answer.head().header("x-should-retry");
      if ("false".equalsIgnoreCase(should) || isSpendLimit(failure)) {
        return false;
      }
      return "true".equalsIgnoreCase(should) || REPEATED_STATUSES.contains(answer.head().status());
    }
    if (failure instanceof AttemptFailure.ErrorEvent event) {
      return event.error().isRetryable() && !isSpendLimit(failure);
    }
    if (failure instanceof AttemptFailure.Broken broken) {
      return broken.failure().kind() != UpstreamFailure.Kind.CANCELLED;
    }
    return failure instanceof AttemptFailure.TimedOut;
  }

  private static boolean isNotBegun(AttemptFailure failure) {
    if (failure instanceof AttemptFailure.ErrorStatus answer) {
      return NOT_BEGUN.contains(answer.head().status());
    }
    return failure instanceof AttemptFailure.Broken broken
        && (broken.failure().kind() == UpstreamFailure.Kind.CONNECT
            || broken.failure().kind() == UpstreamFailure.Kind.CONNECT_TIMEOUT);
  }
}
