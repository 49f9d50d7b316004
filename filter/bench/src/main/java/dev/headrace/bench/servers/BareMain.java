package dev.headrace.bench.servers;

import java.nio.file.Path;

/**
 * {@link BareServlet} in a container: port, upstream port, directory, {@code --container jetty} or
 * {@code tomcat}.
 */
public final class BareMain {

  private BareMain() {}

  /** Starts and returns; the container's threads keep the process alive. */
  public static void main(String... arguments) throws Exception {
    ServletContainer.named(arguments[4])
        .start(
            Integer.parseInt(arguments[0]),
            new BareServlet(Integer.parseInt(arguments[1])),
            "/v1/*",
            Path.of(arguments[2]));
  }
}
