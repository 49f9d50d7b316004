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
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One upstream, or one key of it: where it is, who we are there, whether its circuit breaker lets
 * calls through and until when it rests for which limits. Thread-safe.
 *
 * <p>The breaker is asked for a permission before each attempt and told exactly one thing after it:
 * success or failure when the first event has come, or that the attempt says nothing about the
 * upstream ({@link Permission}). The automatic transition of Resilience4j stays off: its thread is
 * never stopped.
 */
final class PoolMember {

  private static final Logger LOG = LoggerFactory.getLogger(PoolMember.class);

  /** When trial calls are all taken, the next one may be free soon. */
  private static final Duration HALF_OPEN_RETRY = Duration.ofSeconds(1);

  /** More than there are models; a further one is asked again and says its limit again. */
  private static final int MAX_RESTS = 100;

  /** For how long others are asked first once the account was refused; then it is tried again. */
  private static final Duration REFUSED = Duration.ofMinutes(1);

  private final String name;
  private final URI baseUrl;
  private final String basePath;
  private final Supplier<Secret> apiKey;
  private final int weight;
  private final TimeSource time;
  private final InstantSource steady; // no jump of the wall clock keeps the breaker open
  private final @Nullable CircuitBreaker breaker;
  private final Duration openFor;
  private volatile Instant openUntil = Instant.MIN;
  private final Map<String, Long> restUntilNanos = new ConcurrentHashMap<>(); // by limits
  private volatile long refusedUntilNanos;

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
    long startNanos = time.nanos();
    Instant start = time.wall().instant();
    this.steady = () -> start.plusNanos(time.nanos() - startNanos);
    this.refusedUntilNanos = startNanos;
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
                .clock(steady.withZone(ZoneOffset.UTC))
                .build());
    made.getEventPublisher()
        .onStateTransition(
            event -> {
              State to = event.getStateTransition().getToState();
              if (to == State.OPEN) {
                openUntil = steady.instant().plus(openFor);
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
   * Leaves this member alone for so long as far as some limits go, or longer if that was asked for
   * before: the API's are those of an organisation or workspace and a class of models, with others
   * for fast mode (API reference, "Rate limits", as of 2026-11-22). The names come from clients, so
   * only some rest at a time.
   *
   * @param limits the model, and what else has limits of its own
   */
  void rest(String limits, Duration howLong) {
    long now = time.nanos();
    restUntilNanos.values().removeIf(until -> until - now <= 0);
    if (restUntilNanos.size() < MAX_RESTS || restUntilNanos.containsKey(limits)) {
      restUntilNanos.merge(
          limits, now + howLong.toNanos(), (old, wanted) -> wanted - old > 0 ? wanted : old);
    }
  }

  /** How many nanoseconds it still rests for some limits; zero or less when it does not. */
  long restNanos(String limits) {
    Long until = restUntilNanos.get(limits);
    return until == null ? 0 : until - time.nanos();
  }

  /** How long it still rests for the limits that it does so longest for; zero when for none. */
  Duration longestRest() {
    long now = time.nanos();
    return Duration.ofNanos(
        restUntilNanos.values().stream().mapToLong(until -> until - now).reduce(0, Math::max));
  }

  /**
   * The account gets no answers until somebody acts: its key is no longer good, or it has reached a
   * spend limit.
   */
  void refused() {
    refusedUntilNanos = time.nanos() + REFUSED.toNanos();
  }

  /** Whether others are to be asked first because its account was refused lately. */
  boolean isRefused() {
    return refusedUntilNanos - time.nanos() > 0;
  }

  // ---- the circuit breaker

  /** Whether there is a chance of a permission, without taking one. */
  boolean mayPermit() {
    return breaker == null
        || breaker.getState() != State.OPEN
        || !steady.instant().isBefore(openUntil);
  }

  /** Takes a permission for one attempt; each is to be reported back, by {@link #permission}. */
  boolean tryPermit() {
    return breaker == null || breaker.tryAcquirePermission();
  }

  /** When it makes sense to ask for one again; zero if one is to be had now. */
  Duration permitsAfter() {
    State state = breaker == null ? State.CLOSED : breaker.getState();
    if (state == State.CLOSED) {
      return Duration.ZERO;
    }
    Duration left = Duration.between(steady.instant(), openUntil);
    return state == State.OPEN && left.compareTo(HALF_OPEN_RETRY) > 0 ? left : HALF_OPEN_RETRY;
  }

  /** When it makes sense to ask it: it has rested and its breaker may permit that. */
  long readyInNanos(String limits) {
    return Math.max(restNanos(limits), permitsAfter().toNanos());
  }

  /** To report by, for an attempt that was permitted just now. */
  Permission permission() {
    return new Permission();
  }

  /**
   * What an attempt reports by. Once the breaker counts anew, attempts of before say nothing any
   * more: Resilience4j would count those that began in an outage as trials of whether it is over.
   * It counts in an object that changes together with its state, and tells of the change only
   * later: a trial may have begun by then, and nobody else is let in until it has reported.
   * Thread-safe.
   */
  final class Permission {
    private final CircuitBreaker.@Nullable Metrics counts =
        breaker == null ? null : breaker.getMetrics();
    private final boolean trial = breaker != null && breaker.getState() == State.HALF_OPEN;
    private final long startNanos = time.nanos();
    private final AtomicBoolean returned = new AtomicBoolean();

    private Permission() {}

    /** The attempt has brought a first event, or an answer that is not the upstream's fault. */
    void succeeded() {
      CircuitBreaker told = listening();
      if (told != null) {
        told.onSuccess(time.nanos() - startNanos, TimeUnit.NANOSECONDS);
      }
    }

    /** The attempt has failed, and the upstream is to blame. */
    void failed(AttemptFailure why) {
      CircuitBreaker told = listening();
      if (told != null) {
        told.onError(
            time.nanos() - startNanos, TimeUnit.NANOSECONDS, new UpstreamFailedException(why));
      }
    }

    /** The attempt says nothing about the upstream. */
    void neither() {
      CircuitBreaker told = listening();
      if (told != null && returned.compareAndSet(false, true)) {
        told.releasePermission();
      }
    }

    /**
     * Lets another attempt be a trial, too, when this one has said nothing for as long as the
     * breaker was open: an answer in one piece may take minutes, in which all others would be
     * turned away.
     */
    void passOnIfSilent(long nowNanos) {
      if (trial && nowNanos - startNanos > openFor.toNanos()) {
        neither();
      }
    }

    private @Nullable CircuitBreaker listening() {
      return breaker != null && breaker.getMetrics() == counts ? breaker : null;
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
