package dev.headrace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.observe.Outcome;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
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
