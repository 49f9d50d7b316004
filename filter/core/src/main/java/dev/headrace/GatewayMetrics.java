package dev.headrace;

import static java.util.Objects.requireNonNull;

import dev.headrace.chain.Finding;
import dev.headrace.observe.Outcome;
import dev.headrace.observe.Statistics;
import dev.headrace.spi.Accuracy;
import dev.headrace.upstream.UpstreamPool;
import dev.headrace.usage.Ledger;
import dev.headrace.usage.SinkFigures;
import dev.headrace.usage.UsageTotals;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.binder.MeterBinder;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway's counters and gauges for Micrometer, which the application brings: {@code new
 * GatewayMetrics(gateway).bindTo(registry)}. All names begin with {@code headrace.}; no tag holds
 * anything that a client or the model wrote: {@code model} is the API's name of the one that has
 * answered, and {@code other} beyond 50 of them. Everything is counted anyway, so that a binding
 * costs nothing while streams run. {@link #close} takes the meters out of the registry again and
 * adds none from then on, which a registry that outlives the application needs.
 *
 * <p>A registry shows one gateway at a time, and the newest binding takes over: it removes every
 * meter of another one, which adds none from then on and at its close removes none but its own. So
 * a new version of an application is seen although the old one still drains. Thread-safe.
 */
public final class GatewayMetrics implements MeterBinder, AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(GatewayMetrics.class);
  private static final String PREFIX = "headrace.";

  private static final List<String> BREAKER_STATES =
      List.of("closed", "open", "half-open", "disabled");

  private final Gateway gateway;
  private final List<Registered> registered = new CopyOnWriteArrayList<>();
  private final List<Runnable> followed = new CopyOnWriteArrayList<>(); // each ends one
  private volatile boolean closed;
  private volatile boolean binding; // everything, and not a meter that came up

  private record Registered(MeterRegistry registry, Meter meter) {}

  /**
   * @param gateway whose figures are shown
   */
  public GatewayMetrics(Gateway gateway) {
    this.gateway = requireNonNull(gateway, "gateway");
  }

  /**
   * Registers every meter, in the place of those that another gateway has there, and more of them
   * as outcomes and models come up; not after a close.
   */
  @Override
  public void bindTo(MeterRegistry registry) {
    requireNonNull(registry, "registry");
    if (closed) {
      return;
    }
    synchronized (registry) {
      binding = true;
      try {
        takeOver(registry);
        bindAll(registry);
      } finally {
        binding = false;
      }
    }
  }

  private void bindAll(MeterRegistry registry) {
    Statistics statistics = gateway.statistics();
    UpstreamPool upstreams = gateway.upstreams();
    followed.add(
        statistics.onFirst(outcome -> guarded(() -> bindOutcome(registry, statistics, outcome))));
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
    for (Finding finding : Finding.values()) {
      keep(
          registry,
          FunctionCounter.builder(
                      "headrace.responses.held.back",
                      statistics,
                      each -> each.heldBackCount(finding.kind()))
                  .description(
                      "Answers that a filter's response wrapper did not let stream, by how")
                  .tags("kind", finding.kind())
              ::register);
    }
    counter(
        registry,
        "headrace.limits.would.refuse",
        "Exchanges that plans in shadow mode would have refused",
        statistics,
        Statistics::wouldRefuseCount);
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
    bindLedger(registry, gateway.ledger());
  }

  /**
   * Binds what came up while an exchange ends, which no filter or listener of a registry may stop.
   */
  private static void guarded(Runnable bind) {
    try {
      bind.run();
    } catch (RuntimeException | Error e) {
      try {
        LOG.warn("A meter could not be registered", e);
      } catch (RuntimeException | Error unlogged) {
        // The log may be what has failed.
      }
    }
  }

  private void bindLedger(MeterRegistry registry, Ledger ledger) {
    UsageTotals totals = ledger.totals();
    followed.add(totals.onFirst(model -> guarded(() -> bindModel(registry, totals, model))));
    totals.models().forEach(model -> bindModel(registry, totals, model));
    for (Accuracy accuracy : Accuracy.values()) {
      keep(
          registry,
          FunctionCounter.builder("headrace.usage.records", totals, each -> each.records(accuracy))
                  .description("Usage records, by how far their counts can be trusted")
                  .tags("accuracy", accuracy.name().toLowerCase(Locale.ROOT))
              ::register);
    }
    counter(
        registry,
        "headrace.usage.records.without.price",
        "Usage records whose cost is not known",
        totals,
        UsageTotals::recordsWithoutPrice);
    for (SinkFigures figures : ledger.sinks()) {
      bindSink(registry, ledger, figures.sink());
    }
  }

  private void bindModel(MeterRegistry registry, UsageTotals totals, String model) {
    for (UsageTotals.TokenClass tokenClass : UsageTotals.TokenClass.values()) {
      keep(
          registry,
          FunctionCounter.builder(
                      "headrace.usage.tokens", totals, each -> each.tokens(model, tokenClass))
                  .description("Tokens used, by the model that answered and by class")
                  .tags(
                      "model",
                      model,
                      "class",
                      tokenClass.name().toLowerCase(Locale.ROOT).replace('_', '-'))
              ::register);
    }
    keep(
        registry,
        FunctionCounter.builder(
                    "headrace.usage.cost", totals, each -> each.costUsd(model).doubleValue())
                .description("Cost, where the price is known")
                .baseUnit("usd")
                .tags("model", model)
            ::register);
  }

  private void bindSink(MeterRegistry registry, Ledger ledger, String sink) {
    sinkCounter(registry, ledger, sink, "kept", "Records that a sink took", SinkFigures::kept);
    sinkCounter(
        registry,
        ledger,
        sink,
        "dropped",
        "Records that a sink will never see, because there was no more room",
        SinkFigures::dropped);
    sinkGauge(
        registry,
        ledger,
        sink,
        "waiting",
        "Records that wait for a sink, in memory and in the spool",
        SinkFigures::waiting);
    sinkGauge(
        registry,
        ledger,
        sink,
        "spool.bytes",
        "Bytes that wait for a sink in the spool",
        SinkFigures::spooledBytes);
  }

  private void sinkCounter(
      MeterRegistry registry,
      Ledger ledger,
      String sink,
      String name,
      String description,
      ToLongFunction<SinkFigures> value) {
    keep(
        registry,
        FunctionCounter.builder(
                    "headrace.usage.sink." + name, ledger, each -> figure(each, sink, value))
                .description(description)
                .tags("sink", sink)
            ::register);
  }

  private void sinkGauge(
      MeterRegistry registry,
      Ledger ledger,
      String sink,
      String name,
      String description,
      ToLongFunction<SinkFigures> value) {
    keep(
        registry,
        Gauge.builder("headrace.usage.sink." + name, ledger, each -> figure(each, sink, value))
                .description(description)
                .tags("sink", sink)
            ::register);
  }

  private static double figure(Ledger ledger, String sink, ToLongFunction<SinkFigures> value) {
    return ledger.sinks().stream()
        .filter(figures -> figures.sink().equals(sink))
        .mapToLong(value)
        .sum();
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
            ::register);
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
              ::register);
    }
    keep(
        registry,
        Gauge.builder(
                    "headrace.upstream.rest",
                    upstreams,
                    pool -> pool.member(name).rests().toMillis() / 1000.0)
                .description(
                    "How long an upstream still rests, for the model whose limit lasts longest")
                .baseUnit("seconds")
                .tags(Tags.of("upstream", name))
            ::register);
  }

  private void gauge(
      MeterRegistry registry, String name, String description, Supplier<Number> value) {
    keep(registry, Gauge.builder(name, value).description(description)::register);
  }

  private <T> void counter(
      MeterRegistry registry,
      String name,
      String description,
      T source,
      ToDoubleFunction<T> value) {
    keep(registry, FunctionCounter.builder(name, source, value).description(description)::register);
  }

  /** Removes what another binding has there: Micrometer would keep that and ignore ours. */
  private void takeOver(MeterRegistry registry) {
    Set<Meter> there = metersIn(registry);
    registered.removeIf(each -> each.registry == registry && !there.contains(each.meter));
    Set<Meter> ours = oursFor(registry);
    there.stream()
        .filter(meter -> !ours.contains(meter) && meter.getId().getName().startsWith(PREFIX))
        .forEach(registry::remove);
  }

  /** Registers a meter, unless this binding is over or somebody else has one in its place. */
  private void keep(MeterRegistry registry, Function<MeterRegistry, ? extends Meter> register) {
    synchronized (registry) { // the one thing that gateways of two class loaders share
      Set<Meter> before = metersIn(registry);
      if (closed || isTakenOver(registry, before)) {
        return;
      }
      Meter meter = register.apply(registry);
      if (binding && before.contains(meter) && !oursFor(registry).contains(meter)) {
        registry.remove(meter); // of another name to us: a filter of the registry has renamed it
        meter = register.apply(registry);
      } else if (before.contains(meter) || !metersIn(registry).contains(meter)) {
        return; // there already, or refused by a filter of the registry
      }
      registered.add(new Registered(registry, meter));
      if (closed) {
        registry.remove(meter); // perhaps too late for close, which may have looked already
      }
    }
  }

  private boolean isTakenOver(MeterRegistry registry, Set<Meter> there) {
    Set<Meter> ours = oursFor(registry);
    return !ours.isEmpty() && Collections.disjoint(ours, there);
  }

  private Set<Meter> oursFor(MeterRegistry registry) {
    return identities(
        registered.stream().filter(each -> each.registry == registry).map(Registered::meter));
  }

  private static Set<Meter> metersIn(MeterRegistry registry) {
    return identities(registry.getMeters().stream());
  }

  /** Not by {@code equals}, for which meters of two gateways are the same. */
  private static Set<Meter> identities(Stream<Meter> meters) {
    Set<Meter> set = Collections.newSetFromMap(new IdentityHashMap<>());
    meters.forEach(set::add);
    return set;
  }

  /** Takes every meter of this binding out of its registry; none follows. Idempotent. */
  @Override
  public void close() {
    closed = true;
    followed.forEach(Runnable::run);
    followed.clear();
    registered.forEach(GatewayMetrics::remove);
    registered.clear();
  }

  private static void remove(Registered each) {
    synchronized (each.registry) {
      if (metersIn(each.registry).contains(each.meter)) { // else a newer binding's is in its place
        each.registry.remove(each.meter);
      }
    }
  }
}
