package dev.headrace.upstream;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One upstream, or one key of it: where it is, who we are there, whether its circuit breaker lets
 * calls through and until when it rests for which models. Thread-safe.
 *
 * <p>The breaker is asked for a permission before each attempt and told exactly one thing after it:
 * success or failure when the first event has come, or that the attempt says nothing about the
 * upstream. The automatic transition of Resilience4j stays off: its thread is never stopped.
 */
final class PoolMember {

  private static final Logger LOG = LoggerFactory.getLogger(PoolMember.class);

  /** When trial calls are all taken, the next one may be free soon. */
  private static final Duration HALF_OPEN_RETRY = Duration.ofSeconds(1);

  /** More than there are models; a further one is asked again and says its limit again. */
  private static final int MAX_RESTING_MODELS = 100;

  private final String name;
  private final URI baseUrl;
  private final String basePath;
  private final Supplier<Secret> apiKey;
  private final int weight;
  private final TimeSource time;
  private final @Nullable CircuitBreaker breaker;
  private final Duration openFor;
  private volatile Instant openUntil = Instant.MIN;
  private final Map<String, Long> restUntilNanos = new ConcurrentHashMap<>(); // by model

  /**
   * @param settings with everything filled in
   * @param apiKey asked for every attempt
   */
  PoolMember(
      GatewaySettings.Member settings,
      URI baseUrl,
      Supplier<Secret> apiKey,
      GatewaySettings.Breaker breakerSettings,
      TimeSource time) {
    this.name = settings.name();
    this.baseUrl = baseUrl;
    String path = baseUrl.getRawPath();
    this.basePath = path == null || path.equals("/") ? "" : path;
    this.apiKey = apiKey;
    this.weight = settings.weight();
    this.time = time;
    this.openFor = breakerSettings.waitDurationInOpenState();
    this.breaker = breakerSettings.enabled() ? breaker(breakerSettings) : null;
  }

  private CircuitBreaker breaker(GatewaySettings.Breaker settings) {
    CircuitBreaker made =
        CircuitBreaker.of(
            name,
            CircuitBreakerConfig.custom()
                .failureRateThreshold(settings.failureRateThreshold())
                .slidingWindow(
                    settings.slidingWindowSize(),
                    settings.minimumNumberOfCalls(),
                    SlidingWindowType.COUNT_BASED)
                .waitDurationInOpenState(settings.waitDurationInOpenState())
                .permittedNumberOfCallsInHalfOpenState(
                    settings.permittedNumberOfCallsInHalfOpenState())
                .slowCallDurationThreshold(Duration.ofDays(365)) // thinking is no failure
                .clock(time.wall().withZone(ZoneOffset.UTC))
                .build());
    made.getEventPublisher()
        .onStateTransition(
            event -> {
              State to = event.getStateTransition().getToState();
              if (to == State.OPEN) {
                openUntil = time.wall().instant().plus(openFor);
                LOG.warn(
                    "Upstream {} keeps failing: its circuit breaker is open for {} (breaker.*)",
                    name,
                    openFor);
              } else {
                LOG.info("Upstream {}: circuit breaker {}", name, to);
              }
            });
    return made;
  }

  String name() {
    return name;
  }

  int weight() {
    return weight;
  }

  /** Scheme, host and port are where the calls go. */
  URI origin() {
    return baseUrl;
  }

  /** What stands before every path. */
  String basePath() {
    return basePath;
  }

  /** The header that authenticates the gateway. */
  HeaderField credentials() {
    return new HeaderField("x-api-key", apiKey.get().reveal());
  }

  // ---- resting

  /**
   * Leaves this member alone for so long as far as one model goes, or longer if that was asked for
   * before: the API's limits are those of an organisation and a class of models (API reference,
   * "Rate limits", as of 2026-11-22). Names of models come from clients, so only some rest at a
   * time.
   */
  void rest(String model, Duration howLong) {
    long now = time.nanos();
    restUntilNanos.values().removeIf(until -> until - now <= 0);
    if (restUntilNanos.size() < MAX_RESTING_MODELS || restUntilNanos.containsKey(model)) {
      restUntilNanos.merge(
          model, now + howLong.toNanos(), (old, wanted) -> wanted - old > 0 ? wanted : old);
    }
  }

  /** How many nanoseconds it still rests for a model; zero or less when it does not. */
  long restNanos(String model) {
    Long until = restUntilNanos.get(model);
    return until == null ? 0 : until - time.nanos();
  }

  /** How long it still rests for the model that it does so longest for; zero when for none. */
  Duration longestRest() {
    long now = time.nanos();
    return Duration.ofNanos(
        restUntilNanos.values().stream().mapToLong(until -> until - now).reduce(0, Math::max));
  }

  // ---- the circuit breaker

  /** Whether there is a chance of a permission, without taking one. */
  boolean mayPermit() {
    return breaker == null
        || breaker.getState() != State.OPEN
        || !time.wall().instant().isBefore(openUntil);
  }

  /** Takes a permission for one attempt; each is to be reported back. */
  boolean tryPermit() {
    return breaker == null || breaker.tryAcquirePermission();
  }

  /** When it makes sense to ask for one again; zero if one is to be had now. */
  Duration permitsAfter() {
    State state = breaker == null ? State.CLOSED : breaker.getState();
    if (state == State.CLOSED) {
      return Duration.ZERO;
    }
    Duration left = Duration.between(time.wall().instant(), openUntil);
    return state == State.OPEN && left.compareTo(HALF_OPEN_RETRY) > 0 ? left : HALF_OPEN_RETRY;
  }

  /** When it makes sense to ask it for a model: it has rested and its breaker may permit that. */
  long readyInNanos(String model) {
    return Math.max(restNanos(model), permitsAfter().toNanos());
  }

  /** The attempt has brought a first event, or an answer that is not the upstream's fault. */
  void succeeded(long nanos) {
    if (breaker != null) {
      breaker.onSuccess(nanos, TimeUnit.NANOSECONDS);
    }
  }

  /** The attempt has failed, and the upstream is to blame. */
  void failed(long nanos, AttemptFailure why) {
    if (breaker != null) {
      breaker.onError(nanos, TimeUnit.NANOSECONDS, new UpstreamFailedException(why));
    }
  }

  /** The attempt says nothing about the upstream. */
  void neither() {
    if (breaker != null) {
      breaker.releasePermission();
    }
  }

  /** The state of the breaker in lower case, for operators; {@code disabled} without one. */
  String breakerState() {
    return breaker == null
        ? "disabled"
        : breaker.getState().name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
  }

  /** What Resilience4j wants to be told; never thrown. */
  private static final class UpstreamFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    UpstreamFailedException(AttemptFailure why) {
      super(why.getClass().getSimpleName(), null, false, false);
    }
  }
}
