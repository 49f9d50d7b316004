package dev.headrace.proxies;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assertions;
import org.opentest4j.TestAbortedException;

/** The reverse proxies that there are snippets for, as Debian's packages install them. */
enum ProxyKind {
  NGINX("nginx", "nginx.conf", "/usr/sbin/nginx", "-v") {
    @Override
    void prepare(Path folder, boolean root) throws IOException {
      // Around the snippet stands what it must not depend on: compression, a cache, buffers.
      write(
          folder,
          "main.conf",
          root ? "user www-data;" : "",
          "worker_processes 2;",
          "pid nginx.pid;",
          "error_log error.log warn;",
          "events { worker_connections 4096; }",
          "http {",
          "  access_log access.log;",
          "  client_body_temp_path body;",
          "  proxy_temp_path proxy;",
          "  fastcgi_temp_path fastcgi;",
          "  uwsgi_temp_path uwsgi;",
          "  scgi_temp_path scgi;",
          "  gzip on;",
          "  gzip_types *;",
          "  gzip_min_length 1;",
          "  proxy_cache_path cache keys_zone=all:1m;",
          "  proxy_cache all;",
          "  proxy_cache_methods GET POST;",
          "  proxy_cache_valid any 1m;",
          "  include headrace.conf;",
          "}");
    }

    @Override
    List<String> command(Path folder) {
      return List.of(
          program(),
          "-p",
          folder.toString(),
          "-e",
          "error.log",
          "-c",
          "main.conf",
          "-g",
          "daemon off;");
    }
  },

  APACHE_HTTPD("Apache httpd", "apache-httpd.conf", "/usr/sbin/apache2", "-v") {
    @Override
    void prepare(Path folder, boolean root) throws IOException {
      List<String> lines = new ArrayList<>();
      lines.add("ServerRoot " + folder);
      lines.add("DefaultRuntimeDir " + folder);
      lines.add("PidFile httpd.pid");
      lines.add("ErrorLog error.log");
      lines.add("ServerName localhost");
      // Enough for the tests: a busy httpd closes unused connections of clients at any moment.
      lines.add("ThreadsPerChild 64");
      lines.add("MaxRequestWorkers 256");
      lines.add("MaxSpareThreads 256");
      for (String module :
          List.of(
              "mpm_event",
              "authz_core",
              "env",
              "headers",
              "deflate",
              "filter",
              "slotmem_shm",
              "proxy",
              "proxy_http",
              "proxy_balancer",
              "proxy_hcheck",
              "lbmethod_bybusyness",
              "ssl",
              "http2")) {
        lines.add(
            "LoadModule " + module + "_module /usr/lib/apache2/modules/mod_" + module + ".so");
      }
      if (root) {
        lines.add("User www-data");
        lines.add("Group www-data");
      }
      lines.add("AddOutputFilterByType DEFLATE text/event-stream text/plain application/json");
      lines.add("Include headrace.conf");
      write(folder, "main.conf", lines.toArray(String[]::new));
    }

    @Override
    List<String> command(Path folder) {
      return List.of(
          program(), "-d", folder.toString(), "-f", folder + "/main.conf", "-DFOREGROUND");
    }
  },

  HAPROXY("HAProxy", "haproxy.cfg", "/usr/sbin/haproxy", "-v") {
    @Override
    void prepare(Path folder, boolean root) throws IOException {
      write(folder, "main.conf", "global", "  maxconn 4096");
    }

    @Override
    List<String> command(Path folder) {
      return List.of(
          program(), "-db", "-f", folder + "/main.conf", "-f", folder + "/headrace.conf");
    }
  };

  private static final String REQUIRED = "headrace.proxies";
  private static final Path SNIPPETS = Path.of("..", "..", "config", "proxies");

  private final String words;
  private final String snippet;
  private final String program;
  private final String versionOption;

  ProxyKind(String words, String snippet, String program, String versionOption) {
    this.words = words;
    this.snippet = snippet;
    this.program = program;
    this.versionOption = versionOption;
  }

  /** Writes what stands around the snippet, which is {@code headrace.conf} beside it. */
  abstract void prepare(Path folder, boolean root) throws IOException;

  /** Runs the proxy in the foreground. */
  abstract List<String> command(Path folder);

  final String program() {
    return program;
  }

  /** The snippet as users find it. */
  final String snippet() throws IOException {
    return Files.readString(SNIPPETS.resolve(snippet));
  }

  /** Whether it asks the gateway by itself if it is ready. */
  final boolean asksForReadiness() {
    return this != NGINX;
  }

  /** Ends the test when the program is missing: as skipped, or as failed if it must run. */
  final void require() {
    if (Files.isExecutable(Path.of(program))) {
      return;
    }
    String message = words + " is not installed (" + program + ")";
    if ("required".equals(System.getProperty(REQUIRED))) {
      Assertions.fail(message + ", and -D" + REQUIRED + "=required says that it must be");
    }
    throw new TestAbortedException(message + ": this test is skipped");
  }

  /** The first line of what the program says of its version. */
  final String version() throws IOException, InterruptedException {
    Process process = new ProcessBuilder(program, versionOption).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    return said.lines().findFirst().orElse("?");
  }

  private static void write(Path folder, String name, String... lines) throws IOException {
    Files.writeString(folder.resolve(name), String.join("\n", lines) + "\n");
  }

  @Override
  public String toString() {
    return words;
  }
}
