package dev.headrace.war;

import dev.headrace.Gateway;
import dev.headrace.GatewayMetrics;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;

/**
 * The gateway's and the JVM's figures in the text format of Prometheus. Its registry is its own and
 * not Micrometer's global one, which may outlive the application. Thread-safe.
 */
final class PrometheusMetrics implements AutoCloseable {

  /** The text format that every version of Prometheus reads. */
  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final GatewayMetrics ofGateway;
  private final JvmGcMetrics ofGarbageCollection = new JvmGcMetrics(); // listens to the JVM's beans

  PrometheusMetrics(Gateway gateway) {
    ofGateway = new GatewayMetrics(gateway);
    ofGateway.bindTo(registry);
    ofGarbageCollection.bindTo(registry);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ClassLoaderMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
  }

  /** All figures of this moment, as {@link #CONTENT_TYPE}. */
  String text() {
    return registry.scrape(CONTENT_TYPE);
  }

  @Override
  public void close() {
    ofGarbageCollection.close();
    ofGateway.close();
    registry.close();
  }
}
