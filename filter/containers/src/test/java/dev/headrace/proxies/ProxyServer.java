package dev.headrace.proxies;

import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A reverse proxy as a process on 127.0.0.1, with a snippet of {@code config/proxies} in a folder
 * of its own. In the snippet only addresses are changed, and what a test wants to be different.
 * Ends with the test, at the latest with the JVM.
 */
final class ProxyServer implements AutoCloseable {

  /** A line that is switched on by removing the {@code #}. */
  private static final Pattern SWITCHED_OFF = Pattern.compile("(?m)^( *)#(?=[A-Za-z])");

  private static final boolean ROOT = System.getProperty("user.name").equals("root");

  private final Path folder;
  private final Process process;
  private final Thread atExit;
  private final int port;

  private ProxyServer(Path folder, Process process, int port) {
    this.folder = folder;
    this.process = process;
    this.port = port;
    atExit = new Thread(this::end, "proxy-at-exit");
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  /** A proxy in front of the gateways on these ports. */
  static Builder of(ProxyKind kind, int... gatewayPorts) {
    return new Builder(kind, gatewayPorts);
  }

  /** Where clients connect; with TLS the port for that. */
  int port() {
    return port;
  }

  /** What it wrote into its logs. */
  String logs() throws IOException {
    StringBuilder all = new StringBuilder();
    for (String name : List.of("output.log", "error.log")) {
      Path log = folder.resolve(name);
      if (Files.exists(log)) {
        all.append(Files.readString(log));
      }
    }
    return all.toString();
  }

  private void end() {
    List<ProcessHandle> workers;
    try (Stream<ProcessHandle> descendants = process.descendants()) {
      workers = descendants.collect(Collectors.toCollection(ArrayList::new));
    }
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        process.waitFor(5, TimeUnit.SECONDS);
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    workers.forEach(ProcessHandle::destroyForcibly);
  }

  @Override
  public void close() {
    end();
    Runtime.getRuntime().removeShutdownHook(atExit);
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What can be different from the snippet. */
  static final class Builder {

    private final ProxyKind kind;
    private final int[] gatewayPorts;
    private final Map<String, String> replacements = new LinkedHashMap<>();
    private @Nullable X509Bundle certificate;

    private Builder(ProxyKind kind, int[] gatewayPorts) {
      this.kind = kind;
      this.gatewayPorts = gatewayPorts.clone();
    }

    /** Puts another text in the place of one that the snippet must have exactly once. */
    Builder replacing(String text, String other) {
      replacements.put(text, other);
      return this;
    }

    /** Switches TLS and HTTP/2 on, as the snippet's comments say. */
    Builder tls(X509Bundle with) {
      certificate = with;
      return this;
    }

    /** Starts it and waits until it takes connections. */
    ProxyServer start() throws IOException, InterruptedException {
      kind.require();
      for (int attempt = 1; ; attempt++) { // somebody else may take a free port first
        Path folder =
            Files.createTempDirectory(
                "headrace-proxy",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        // Workers that are not root must come in.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        int port = freePort();
        Files.writeString(folder.resolve("headrace.conf"), configured(folder, port));
        kind.prepare(folder, ROOT);
        Process process =
            new ProcessBuilder(kind.command(folder))
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("output.log").toFile())
                .start();
        ProxyServer server = new ProxyServer(folder, process, port);
        if (answers(process, port)) {
          return server;
        }
        String logs = server.logs();
        server.close();
        if (attempt == 3) {
          throw new IllegalStateException(kind + " does not start:\n" + logs);
        }
      }
    }

    private String configured(Path folder, int port) throws IOException {
      String text = kind.snippet();
      String listens =
          switch (kind) {
            case NGINX -> "listen %s;";
            case APACHE_HTTPD -> "<VirtualHost %s>";
            case HAPROXY -> "bind %s\n";
          };
      String plain =
          switch (kind) {
            case NGINX -> "80";
            case APACHE_HTTPD -> "*:80";
            case HAPROXY -> ":80";
          };
      int plainPort = port;
      if (certificate != null) {
        text = SWITCHED_OFF.matcher(text).replaceAll("$1");
        text = withCertificate(text, certificate, folder);
        switch (kind) {
          case NGINX -> {
            text =
                replaced(text, "listen 443 ssl http2;", "listen 127.0.0.1:" + port + " ssl http2;");
            plainPort = freePort();
          }
          case HAPROXY -> {
            text = replaced(text, "bind :443", "bind 127.0.0.1:" + port);
            plainPort = freePort();
          }
          case APACHE_HTTPD -> {} // one port for one virtual host
        }
      }
      String address = "127.0.0.1:" + plainPort;
      text = replaced(text, listens.formatted(plain), listens.formatted(address));
      if (kind == ProxyKind.APACHE_HTTPD) {
        text = "Listen " + address + "\n" + text;
      }
      for (Map.Entry<String, String> each : replacements.entrySet()) {
        text = replaced(text, each.getKey(), each.getValue());
      }
      return text.lines().map(this::withGateways).collect(Collectors.joining("\n", "", "\n"));
    }

    /** The line that names the gateway, once for each. */
    private String withGateways(String line) {
      if (!line.contains("127.0.0.1:8080")) {
        return line;
      }
      return IntStream.range(0, gatewayPorts.length)
          .mapToObj(
              i ->
                  line.replace("127.0.0.1:8080", "127.0.0.1:" + gatewayPorts[i])
                      .replace("gateway1", "gateway" + (i + 1)))
          .collect(Collectors.joining("\n"));
    }

    private static String withCertificate(String text, X509Bundle certificate, Path folder)
        throws IOException {
      String key = certificate.getPrivateKeyPEM();
      Path keyFile = Files.writeString(folder.resolve("site.key"), key);
      Path pem = Files.writeString(folder.resolve("site.pem"), certificate.getCertificatePEM());
      Path both = Files.writeString(folder.resolve("both.pem"), Files.readString(pem) + "\n" + key);
      return text.replaceAll("/etc/(nginx|apache2)/tls/site\\.pem", pem.toString())
          .replaceAll("/etc/(nginx|apache2)/tls/site\\.key", keyFile.toString())
          .replace("/etc/haproxy/tls/site.pem", both.toString());
    }

    private static String replaced(String text, String what, String by) {
      int at = text.indexOf(what);
      if (at < 0 || text.indexOf(what, at + 1) >= 0) {
        throw new IllegalStateException("the snippet has not exactly one \"" + what + '"');
      }
      return text.replace(what, by);
    }

    private static boolean answers(Process process, int port)
        throws IOException, InterruptedException {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (process.isAlive() && System.nanoTime() < end) {
        try (Socket socket = new Socket()) {
          socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
          return true;
        } catch (IOException e) {
          Thread.sleep(10); // it is not there yet
        }
      }
      return false;
    }

    private static int freePort() throws IOException {
      try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      }
    }
  }
}
