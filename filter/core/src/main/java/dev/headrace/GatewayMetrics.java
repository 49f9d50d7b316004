package dev.headrace;

import static java.util.Objects.requireNonNull;

import dev.headrace.observe.Outcome;
import dev.headrace.observe.Statistics;
import dev.headrace.upstream.UpstreamPool;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/**
 * The gateway's counters and gauges for Micrometer, which the application brings: {@code new
 * GatewayMetrics(gateway).bindTo(registry)}. All names begin with {@code headrace.}; no tag holds
 * anything that a client or the model wrote. Everything is counted anyway, so that a binding costs
 * nothing while streams run. {@link #close} takes the meters out of the registry again, which a
 * registry that outlives the application needs. Thread-safe.
 */
public final class GatewayMetrics implements MeterBinder, AutoCloseable {

  private static final List<String> BREAKER_STATES =
      List.of("closed", "open", "half-open", "disabled");

  private final Gateway gateway;
  private final List<Registered> registered = new CopyOnWriteArrayList<>();

  private record Registered(MeterRegistry registry, Meter meter) {}

  /**
   * @param gateway whose figures are shown
   */
  public GatewayMetrics(Gateway gateway) {
    this.gateway = requireNonNull(gateway, "gateway");
  }

  @Override
  public void bindTo(MeterRegistry registry) {
    requireNonNull(registry, "registry");
    Statistics statistics = gateway.statistics();
    UpstreamPool upstreams = gateway.upstreams();
    statistics.onFirst(outcome -> bindOutcome(registry, statistics, outcome));
    statistics.seen().forEach(outcome -> bindOutcome(registry, statistics, outcome));

    gauge(registry, "headrace.exchanges.running", "Exchanges that run now", this::running);
    gauge(
        registry,
        "headrace.upstream.connections.used",
        "Upstream connections in use",
        () -> gateway.upstreamConnectionsInUse());
    gauge(
        registry,
        "headrace.ready",
        "1 while new exchanges are taken, 0 once the gateway closes",
        () -> gateway.isReady() ? 1 : 0);
    counter(
        registry,
        "headrace.heartbeats",
        "Comments written into silent streams",
        statistics,
        Statistics::heartbeats);
    counter(
        registry,
        "headrace.early.commits",
        "Streams begun before the API had answered",
        statistics,
        Statistics::earlyCommits);
    counter(
        registry,
        "headrace.blocking.exchanges",
        "Exchanges that held a container thread",
        statistics,
        Statistics::blockingExchanges);
    counter(
        registry,
        "headrace.attempts",
        "Calls to the API",
        upstreams,
        pool -> pool.counts().attempts());
    counter(
        registry,
        "headrace.retries",
        "Calls that were not the first of their exchange",
        upstreams,
        pool -> pool.counts().retries());
    counter(
        registry,
        "headrace.retries.over.budget",
        "Retries left out because the budget was used up",
        upstreams,
        pool -> pool.counts().retriesOverBudget());
    counter(
        registry,
        "headrace.fallbacks",
        "Calls with another model than the client's",
        upstreams,
        pool -> pool.counts().fallbacks());
    upstreams.members().forEach(member -> bindMember(registry, upstreams, member.name()));
  }

  private double running() {
    return gateway.runningExchanges();
  }

  private void bindOutcome(MeterRegistry registry, Statistics statistics, Outcome outcome) {
    keep(
        registry,
        FunctionCounter.builder("headrace.exchanges", statistics, each -> each.count(outcome))
            .description("Exchanges that have ended, by how")
            .tags(
                "outcome",
                outcome.kind().name().toLowerCase(Locale.ROOT),
                "detail",
                outcome.detail().isEmpty() ? "none" : outcome.detail())
            .register(registry));
  }

  private void bindMember(MeterRegistry registry, UpstreamPool upstreams, String name) {
    for (String state : BREAKER_STATES) {
      keep(
          registry,
          Gauge.builder(
                  "headrace.upstream.breaker",
                  upstreams,
                  pool -> pool.member(name).breaker().equals(state) ? 1 : 0)
              .description("1 for the state that the circuit breaker of an upstream is in")
              .tags("upstream", name, "state", state)
              .register(registry));
    }
    keep(
        registry,
        Gauge.builder(
                "headrace.upstream.rest",
                upstreams,
                pool -> pool.member(name).rests().toMillis() / 1000.0)
            .description("How long an upstream still rests because its limit was reached")
            .baseUnit("seconds")
            .tags(Tags.of("upstream", name))
            .register(registry));
  }

  private void gauge(
      MeterRegistry registry, String name, String description, Supplier<Number> value) {
    keep(registry, Gauge.builder(name, value).description(description).register(registry));
  }

  private <T> void counter(
      MeterRegistry registry,
      String name,
      String description,
      T source,
      ToDoubleFunction<T> value) {
    keep(
        registry,
        FunctionCounter.builder(name, source, value).description(description).register(registry));
  }

  private void keep(MeterRegistry registry, Meter meter) {
    registered.add(new Registered(registry, meter));
  }

  /** Takes every meter of this binding out of its registry. Idempotent. */
  @Override
  public void close() {
    registered.forEach(each -> each.registry.remove(each.meter));
    registered.clear();
  }
}
