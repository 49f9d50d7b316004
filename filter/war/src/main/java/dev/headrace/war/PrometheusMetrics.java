package dev.headrace.war;

import dev.headrace.Gateway;
import dev.headrace.GatewayMetrics;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.concurrent.TimeUnit;

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
    loadWhatACollectionNeeds();
    ofGateway = new GatewayMetrics(gateway);
    ofGateway.bindTo(registry);
    ofGarbageCollection.bindTo(registry);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ClassLoaderMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
  }

  /**
   * The JVM may be about to tell of a garbage collection while the application is being stopped.
   * What it needs for that is loaded now: a class loaded after the stop is an "illegal access" in
   * Tomcat's log.
   */
  private static void loadWhatACollectionNeeds() {
    PrometheusMeterRegistry unread = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    Timer.builder("jvm.gc.pause")
        .tags("gc", "", "action", "", "cause", "")
        .description("")
        .register(unread)
        .record(1, TimeUnit.MILLISECONDS);
    unread.close();
    try {
      Class.forName(JvmGcMetrics.class.getName() + "$GcGenerationAge");
    } catch (ClassNotFoundException e) {
      // Another version of Micrometer, which does without it.
    }
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
