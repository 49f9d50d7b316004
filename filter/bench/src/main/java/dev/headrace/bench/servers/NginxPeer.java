package dev.headrace.bench.servers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * nginx with {@code proxy_buffering off}, a worker per core, and kept-alive upstream connections.
 */
record NginxPeer() implements Peer {

  private static final Path PROGRAM = Path.of("/usr/sbin/nginx");

  @Override
  public String name() {
    return "nginx";
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
    Path configuration = directory.resolve("nginx.conf");
    Files.writeString(
        configuration,
        """
        daemon off;
        worker_processes %4$d;
        worker_rlimit_nofile 20000;
        pid %1$s/nginx.pid;
        error_log %1$s/error.log error;
        events { worker_connections 19000; }
        http {
          access_log off;
          client_body_temp_path %1$s/body;
          proxy_temp_path %1$s/proxy;
          fastcgi_temp_path %1$s/fastcgi;
          uwsgi_temp_path %1$s/uwsgi;
          scgi_temp_path %1$s/scgi;
          keepalive_requests 1000000;
          upstream claude { server 127.0.0.1:%2$d; keepalive 10000; keepalive_requests 1000000; keepalive_timeout 3600s; }
          server {
            listen 127.0.0.1:%3$d backlog=4096;
            location / {
              proxy_pass http://claude;
              proxy_http_version 1.1;
              proxy_set_header Connection "";
              proxy_buffering off;
              proxy_request_buffering off;
              proxy_read_timeout 300s;
            }
          }
        }
        """
            .formatted(directory, upstreamPort, port, Runtime.getRuntime().availableProcessors()));
    return ServerProcess.start(
        List.of(PROGRAM.toString(), "-e", directory + "/early.log", "-c", configuration.toString()),
        port,
        directory.resolve("log"));
  }
}
