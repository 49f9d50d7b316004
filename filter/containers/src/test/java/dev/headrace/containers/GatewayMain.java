package dev.headrace.containers;

import dev.headrace.Gateway;
import dev.headrace.GatewayServlet;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import dev.headrace.containers.ContainerKind.Deployment;
import java.net.URI;
import java.nio.file.Path;

/** A process with a gateway in a container and a database for its books, to be killed by a test. */
final class GatewayMain {

  private GatewayMain() {}

  /**
   * Runs until its input ends, or it is killed.
   *
   * @param args container, base URL of the upstream, URL, user and password of the database, spool
   *     folder
   */
  public static void main(String[] args) throws Exception {
    GatewaySettings settings =
        GatewaySettings.builder()
            .upstreamBaseUrl(URI.create(args[1]))
            .upstreamApiKey(Secret.of(GatewayUnderTest.API_KEY))
            .retryMaxAttempts(1)
            .usageLog(false)
            .usageJdbcUrl(args[2])
            .usageJdbcUser(args[3])
            .usageJdbcPassword(Secret.of(args[4]))
            .usageSpool(Path.of(args[5]))
            .build();
    try (Gateway gateway = Gateway.start(settings);
        ContainerKind.RunningContainer container =
            ContainerKind.valueOf(args[0])
                .start(new Deployment("", new GatewayServlet(gateway), null))) {
      System.out.println("port " + container.port());
      while (System.in.read() >= 0) {
        // until the test closes it
      }
    }
    System.out.println("closed");
  }
}
