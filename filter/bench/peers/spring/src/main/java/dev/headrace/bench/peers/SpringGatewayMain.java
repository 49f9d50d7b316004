package dev.headrace.bench.peers;

import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.gateway.route.RouteLocator;
import org.springframework.cloud.gateway.route.builder.RouteLocatorBuilder;
import org.springframework.context.annotation.Bean;

/** Spring Cloud Gateway on WebFlux. */
@SpringBootApplication
public class SpringGatewayMain {

  /** Starts it; the server's threads keep the process alive. */
  public static void main(String... arguments) {
    SpringApplication application = new SpringApplication(SpringGatewayMain.class);
    application.setDefaultProperties(
        Map.of(
            "server.address", "127.0.0.1",
            "server.port", arguments[0],
            "upstream.port", arguments[1],
            "spring.cloud.gateway.server.webflux.httpclient.pool.type", "ELASTIC",
            "logging.level.root", "WARN"));
    application.run();
  }

  /** Everything goes to the upstream. */
  @Bean
  public RouteLocator routes(RouteLocatorBuilder builder, @Value("${upstream.port}") String port) {
    return builder
        .routes()
        .route("claude", route -> route.path("/**").uri("http://127.0.0.1:" + port))
        .build();
  }
}
