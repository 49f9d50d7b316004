package dev.headrace.bench.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** HAProxy with a thread per core and kept-alive upstream connections. */
record HaproxyPeer() implements Peer {

  private static final Path PROGRAM = Path.of("/usr/sbin/haproxy");

  @Override
  public String name() {
    return "haproxy";
  }

  @Override
  public @Nullable String missing() {
    return Files.isExecutable(PROGRAM) ? null : PROGRAM + " is not installed";
  }

  @Override
  public String version() {
    return ServerProcess.firstLineOf(PROGRAM.toString(), "-v");
  }

  @Override
  public ServerProcess start(int upstreamPort, Path directory) throws IOException {
    int port = ServerProcess.freePort();
    Path configuration = directory.resolve("haproxy.cfg");
    Files.writeString(
        configuration,
        """
        global
          maxconn 9000
          nbthread %d
        defaults
          mode http
          timeout connect 5s
          timeout client 300s
          timeout server 3600s
          option http-no-delay
          http-reuse always
        frontend in
          bind 127.0.0.1:%d backlog 4096
          default_backend claude
        backend claude
          server claude 127.0.0.1:%d pool-max-conn 9000 pool-purge-delay 3600s
        """
            .formatted(Runtime.getRuntime().availableProcessors(), port, upstreamPort));
    return ServerProcess.start(
        List.of(PROGRAM.toString(), "-db", "-f", configuration.toString()),
        port,
        directory.resolve("log"));
  }
}
