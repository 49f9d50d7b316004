package dev.headrace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.observe.Outcome;
import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Tokens;
import dev.headrace.spi.UsageRecord;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.math.BigDecimal;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class GatewayMetricsTest {

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  @Test
  void outcomesAreCountedEachWithItsClockAlsoThoseFromBeforeTheBinding() {
    try (Gateway gateway = start();
        GatewayMetrics metrics = new GatewayMetrics(gateway)) {
      gateway.statistics().ended(new Outcome(Outcome.Kind.TIMED_OUT, "idle"));
      metrics.bindTo(registry);
      gateway.statistics().ended(new Outcome(Outcome.Kind.TIMED_OUT, "idle"));
      gateway.statistics().ended(new Outcome(Outcome.Kind.TIMED_OUT, "idle-content"));
      gateway.statistics().ended(Outcome.of(Outcome.Kind.COMPLETED));

      assertThat(count("timed_out", "idle")).isEqualTo(2);
      assertThat(count("timed_out", "idle-content")).isEqualTo(1);
      assertThat(count("completed", "none")).isEqualTo(1);
      assertThat(registry.find("headrace.exchanges").functionCounters()).hasSize(3);
    }
  }

  @Test
  void gaugesShowTheGatewayAndItsUpstreams() {
    try (Gateway gateway = start();
        GatewayMetrics metrics = new GatewayMetrics(gateway)) {
      metrics.bindTo(registry);
      assertThat(registry.get("headrace.ready").gauge().value()).isEqualTo(1);
      assertThat(registry.get("headrace.exchanges.running").gauge().value()).isZero();
      assertThat(breaker("closed")).isEqualTo(1);
      assertThat(breaker("open")).isZero();
      assertThat(registry.get("headrace.attempts").functionCounter().count()).isZero();

      gateway.drain();
      assertThat(registry.get("headrace.ready").gauge().value()).isZero();
    }
  }

  @Test
  void booksAreCountedByModelAndClassAlsoThoseFromBeforeTheBinding() {
    try (Gateway gateway = start();
        GatewayMetrics metrics = new GatewayMetrics(gateway)) {
      gateway.ledger().record(usage("claude-a", "0.25"));
      metrics.bindTo(registry);
      gateway.ledger().record(usage("claude-a", "0.5"));
      gateway.ledger().record(usage("claude-b", null));

      assertThat(tokens("claude-a", "output")).isEqualTo(40);
      assertThat(tokens("claude-b", "cache-write-5m")).isEqualTo(4);
      assertThat(
              registry
                  .get("headrace.usage.cost")
                  .tags("model", "claude-a")
                  .functionCounter()
                  .count())
          .isEqualTo(0.75);
      assertThat(
              registry
                  .get("headrace.usage.records")
                  .tags("accuracy", "exact")
                  .functionCounter()
                  .count())
          .isEqualTo(3);
      assertThat(registry.get("headrace.usage.records.without.price").functionCounter().count())
          .isEqualTo(1);
      assertThat(
              registry
                  .get("headrace.usage.sink.dropped")
                  .tags("sink", "log")
                  .functionCounter()
                  .count())
          .isZero();
      assertThat(registry.get("headrace.usage.sink.waiting").tags("sink", "log").gauge())
          .isNotNull();
    }
  }

  private double tokens(String model, String tokenClass) {
    return registry
        .get("headrace.usage.tokens")
        .tags("model", model, "class", tokenClass)
        .functionCounter()
        .count();
  }

  private static UsageRecord usage(String model, @Nullable String cost) {
    return new UsageRecord(
        "id",
        UsageRecord.Kind.EXCHANGE,
        "id",
        Instant.EPOCH,
        "ann",
        null,
        null,
        "asked",
        model,
        new Tokens(10, 20, 3, 4, 5, 0, 0, 0),
        cost == null ? null : new BigDecimal(cost),
        "v",
        Accuracy.EXACT,
        "COMPLETED",
        "",
        null,
        200,
        1,
        1,
        2,
        null,
        null,
        null,
        null,
        null);
  }

  @Test
  void closingTakesEveryMeterOutOfTheRegistry() {
    try (Gateway gateway = start()) {
      GatewayMetrics metrics = new GatewayMetrics(gateway);
      metrics.bindTo(registry);
      gateway.statistics().heartbeat();
      assertThat(registry.getMeters()).isNotEmpty();
      metrics.close();
      assertThat(registry.getMeters()).isEmpty();
    }
  }

  @Test
  void whatIsNewAfterClosingIsNotRegistered() {
    try (Gateway gateway = start()) {
      GatewayMetrics metrics = new GatewayMetrics(gateway);
      metrics.bindTo(registry);
      metrics.close();

      gateway.statistics().ended(new Outcome(Outcome.Kind.TIMED_OUT, "idle"));
      gateway.ledger().record(usage("claude-a", null));
      metrics.bindTo(registry);
      assertThat(registry.getMeters()).isEmpty();
    }
  }

  @Test
  void whatIsRegisteredDuringTheClosingIsTakenOutToo() {
    try (Gateway gateway = start()) {
      GatewayMetrics metrics = new GatewayMetrics(gateway);
      metrics.bindTo(registry);
      registry.config().onMeterAdded(added -> metrics.close());

      gateway.statistics().ended(new Outcome(Outcome.Kind.TIMED_OUT, "idle"));
      assertThat(registry.getMeters()).isEmpty();
    }
  }

  /** What an exchange ends with is not to be stopped by what the application has registered. */
  @Test
  void aRegistryThatFailsDisturbsNothingElse() {
    try (Gateway gateway = start();
        GatewayMetrics metrics = new GatewayMetrics(gateway)) {
      metrics.bindTo(registry);
      registry
          .config()
          .onMeterAdded(
              added -> {
                throw new IllegalStateException("not this one");
              });

      Outcome idle = new Outcome(Outcome.Kind.TIMED_OUT, "idle");
      gateway.statistics().ended(idle);
      gateway.ledger().record(usage("claude-a", null));
      assertThat(gateway.statistics().count(idle)).isEqualTo(1);
      assertThat(gateway.ledger().totals().models()).containsExactly("claude-a");
    }
  }

  @Test
  void newVersionOfAnApplicationTakesTheRegistryOverFromTheOldOneThatStillRuns() {
    try (Gateway old = start();
        Gateway current = start()) {
      GatewayMetrics ofOld = new GatewayMetrics(old);
      ofOld.bindTo(registry);
      old.statistics().ended(Outcome.of(Outcome.Kind.COMPLETED));
      old.statistics().heartbeat();
      try (GatewayMetrics ofCurrent = new GatewayMetrics(current)) {
        ofCurrent.bindTo(registry);
        assertThat(registry.get("headrace.heartbeats").functionCounter().count()).isZero();
        assertThat(registry.find("headrace.exchanges").meters()).isEmpty();

        current.statistics().ended(Outcome.of(Outcome.Kind.COMPLETED));
        current.statistics().heartbeat();
        current.statistics().heartbeat();
        ofOld.close();
        assertThat(registry.get("headrace.heartbeats").functionCounter().count()).isEqualTo(2);
        assertThat(registry.get("headrace.ready").gauge().value()).isEqualTo(1);
        assertThat(count("completed", "none")).isEqualTo(1);
      }
      assertThat(registry.getMeters()).isEmpty();
    }
  }

  @Test
  void newVersionTakesOverAlsoWhereTheRegistryRenamesMeters() {
    registry
        .config()
        .meterFilter(
            new MeterFilter() {
              @Override
              public Meter.Id map(Meter.Id id) {
                return id.withName("myapp." + id.getName());
              }
            });
    try (Gateway old = start();
        Gateway current = start()) {
      GatewayMetrics ofOld = new GatewayMetrics(old);
      ofOld.bindTo(registry);
      old.statistics().heartbeat();
      GatewayMetrics ofCurrent = new GatewayMetrics(current);
      ofCurrent.bindTo(registry);
      ofOld.close();
      assertThat(registry.get("myapp.headrace.heartbeats").functionCounter().count()).isZero();
      ofCurrent.close();
      assertThat(registry.getMeters()).isEmpty();
    }
  }

  @Test
  void whatIsNewInTheOldVersionNeitherStandsInTheWayOfTheNewOneNorTakesItsMetersAway() {
    Outcome idle = new Outcome(Outcome.Kind.TIMED_OUT, "idle");
    Outcome total = new Outcome(Outcome.Kind.TIMED_OUT, "total");
    try (Gateway old = start();
        Gateway current = start();
        GatewayMetrics ofCurrent = new GatewayMetrics(current)) {
      GatewayMetrics ofOld = new GatewayMetrics(old);
      ofOld.bindTo(registry);
      ofCurrent.bindTo(registry);

      old.statistics().ended(idle); // the old one first
      current.statistics().ended(idle);
      current.statistics().ended(idle);
      current.statistics().ended(total); // the new one first
      old.statistics().ended(total);
      old.statistics().ended(total);
      ofOld.close();
      assertThat(count("timed_out", "idle")).isEqualTo(2);
      assertThat(count("timed_out", "total")).isEqualTo(1);
    }
  }

  @Test
  void metersOfTheApplicationAndThoseInOtherRegistriesStay() {
    SimpleMeterRegistry other = new SimpleMeterRegistry();
    registry.counter("shop.orders");
    try (Gateway old = start();
        Gateway current = start();
        GatewayMetrics ofOld = new GatewayMetrics(old);
        GatewayMetrics ofCurrent = new GatewayMetrics(current)) {
      ofOld.bindTo(registry);
      ofOld.bindTo(other);
      ofCurrent.bindTo(registry);
      old.statistics().ended(Outcome.of(Outcome.Kind.COMPLETED));
      assertThat(other.get("headrace.exchanges").functionCounter().count()).isEqualTo(1);
      assertThat(registry.find("headrace.exchanges").meters()).isEmpty();
      assertThat(registry.find("shop.orders").meters()).hasSize(1);
    }
  }

  @Test
  void oneThatWasTakenOverCanBeBoundAgain() {
    try (Gateway old = start();
        Gateway current = start();
        GatewayMetrics ofOld = new GatewayMetrics(old);
        GatewayMetrics ofCurrent = new GatewayMetrics(current)) {
      old.statistics().heartbeat();
      ofOld.bindTo(registry);
      ofCurrent.bindTo(registry);
      ofOld.bindTo(registry);
      assertThat(registry.get("headrace.heartbeats").functionCounter().count()).isEqualTo(1);
    }
  }

  private static Gateway start() {
    return Gateway.start(GatewaySettings.builder().upstreamApiKey(Secret.of("sk-test")).build());
  }

  private double count(String outcome, String detail) {
    return registry
        .get("headrace.exchanges")
        .tags("outcome", outcome, "detail", detail)
        .functionCounter()
        .count();
  }

  private double breaker(String state) {
    return registry
        .get("headrace.upstream.breaker")
        .tags("upstream", "main", "state", state)
        .gauge()
        .value();
  }
}
