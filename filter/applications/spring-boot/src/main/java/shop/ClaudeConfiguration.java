package shop;

import dev.headrace.Gateway;
import dev.headrace.GatewayFilter;
import dev.headrace.GatewayMetrics;
import dev.headrace.GatewayServlet;
import dev.headrace.config.Environment;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.config.SettingsLocator;
import jakarta.servlet.DispatcherType;
import java.net.URI;
import java.util.EnumSet;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.ApplicationListener;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Profile;
import org.springframework.context.event.ContextClosedEvent;

/** The gateway: its settings, where it answers, and its figures. */
@Configuration
class ClaudeConfiguration {

  /** From {@code headrace.yaml} on the class path; the rest from Spring's own properties. */
  @Bean
  Gateway gateway(
      @Value("${claude.base-url}") URI baseUrl, @Value("${claude.api-key}") String key) {
    return Gateway.start(
        SettingsLocator.in(Environment.ofProcess())
            .classPath(getClass().getClassLoader())
            .code(GatewaySettings.builder().upstreamBaseUrl(baseUrl).upstreamApiKey(Secret.of(key)))
            .load());
  }

  /** Behind all filters, Spring Security's included. Async support is Spring Boot's default. */
  @Bean
  @Profile("!filter")
  ServletRegistrationBean<GatewayServlet> claude(Gateway gateway) {
    return new ServletRegistrationBean<>(new GatewayServlet(gateway), "/claude/*");
  }

  /** The other way: a filter, last in the chain and so behind Spring Security's. */
  @Bean
  @Profile("filter")
  FilterRegistrationBean<GatewayFilter> claudeFilter(Gateway gateway) {
    var filter = new FilterRegistrationBean<>(new GatewayFilter(gateway));
    filter.setDispatcherTypes(EnumSet.of(DispatcherType.REQUEST, DispatcherType.ASYNC));
    return filter;
  }

  /**
   * Before the web server stops: running streams get {@code shutdown.drain} to end, the rest a last
   * {@code error} event. Without it, streams that outlast Spring Boot's own wait are cut off.
   */
  @Bean
  ApplicationListener<ContextClosedEvent> endOfStreams(Gateway gateway) {
    return closed -> gateway.close();
  }

  /** Spring Boot binds it to its registry, as every MeterBinder. */
  @Bean
  GatewayMetrics gatewayMetrics(Gateway gateway) {
    return new GatewayMetrics(gateway);
  }
}
