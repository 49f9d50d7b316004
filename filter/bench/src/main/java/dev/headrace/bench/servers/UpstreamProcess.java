package dev.headrace.bench.servers;

import dev.headrace.bench.upstream.UpstreamMain;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** The upstream as a process of its own. Ends with {@link #close} and with this JVM. */
public final class UpstreamProcess implements AutoCloseable {

  private final ServerProcess process;

  private UpstreamProcess(ServerProcess process) {
    this.process = process;
  }

  /**
   * Starts it and waits until it listens.
   *
   * @param directory for its log
   */
  public static UpstreamProcess start(Path directory) throws IOException {
    int port = ServerProcess.freePort();
    return new UpstreamProcess(
        ServerProcess.start(
            List.of(
                System.getProperty("java.home") + "/bin/java",
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                UpstreamMain.class.getName(),
                String.valueOf(port)),
            port,
            directory.resolve("upstream.log")));
  }

  public int port() {
    return process.port();
  }

  @Override
  public void close() {
    process.close();
  }
}
