package dev.headrace.servers;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A real server as a process of its own on 127.0.0.1, with a base directory of its own. Ends with
 * this JVM at the latest. Thread-safe once started.
 */
public final class ServerProcess implements AutoCloseable {

  private static final Duration START_LIMIT = Duration.ofMinutes(4);
  private static final Duration STOP_LIMIT = Duration.ofMinutes(1);

  /** Below the ports that the system gives to clients, so that none of them has it in use. */
  private static final int FIRST_PORT = 12_000;

  private static final int LAST_PORT = 32_000;

  private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();

  static {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(() -> RUNNING.forEach(Process::destroyForcibly), "end of servers"));
  }

  private final ServerKind kind;
  private final Path base;
  private final Path webapps;
  private final Path log;
  private final int port;
  private final Process process;

  private ServerProcess(
      ServerKind kind, Path base, Path webapps, Path log, int port, Process process) {
    this.kind = kind;
    this.base = base;
    this.webapps = webapps;
    this.log = log;
    this.port = port;
    this.process = process;
  }

  public static Builder of(ServerKind kind) {
    return new Builder(kind);
  }

  /** What can be set before the start. Not thread-safe. */
  public static final class Builder {
    private final ServerKind kind;
    private final Map<String, Path> applications = new LinkedHashMap<>();
    private final Map<String, String> systemProperties = new LinkedHashMap<>();
    private final Map<String, String> environment = new LinkedHashMap<>();
    private final List<String> jvmArguments = new ArrayList<>();
    private Path javaHome = Path.of(System.getProperty("java.home"));
    private final Map<String, IntFunction<String>> files = new LinkedHashMap<>();
    private @Nullable String jakartaEe;
    private @Nullable Duration idleLimit;

    private Builder(ServerKind kind) {
      this.kind = kind;
    }

    /**
     * An application to deploy.
     *
     * @param contextName {@code ROOT} for {@code /}, {@code name} for {@code /name}
     * @param war a file, or a folder with its content
     */
    public Builder war(String contextName, Path war) {
      applications.put(contextName, war.toAbsolutePath());
      return this;
    }

    /** A system property of the server's. */
    public Builder systemProperty(String name, String value) {
      systemProperties.put(name, value);
      return this;
    }

    /** An environment variable of the server's, besides those of this process. */
    public Builder environment(String name, String value) {
      environment.put(name, value);
      return this;
    }

    /** The Java to run with; that of this process by default. */
    public Builder javaHome(Path home) {
      javaHome = home;
      return this;
    }

    /** An argument such as {@code -Xmx256m}. */
    public Builder jvmArgument(String argument) {
      jvmArguments.add(argument);
      return this;
    }

    /** Which Jakarta EE environment, such as {@code ee9}, where the server has several. */
    public Builder jakartaEe(String environmentName) {
      jakartaEe = environmentName;
      return this;
    }

    /**
     * A file of the base directory, in place of the one that would be there.
     *
     * @param path such as {@code conf/server.xml}
     * @param content made from the port to listen on
     */
    public Builder file(String path, IntFunction<String> content) {
      files.put(path, content);
      return this;
    }

    /** Sets the server's own limits for silent connections and requests. */
    public Builder idleLimit(Duration limit) {
      idleLimit = limit;
      return this;
    }

    /**
     * Starts the server and waits until it answers and has dealt with its applications.
     *
     * @throws IllegalStateException if that takes longer than four minutes or the process ends; the
     *     message has the end of its log
     */
    public ServerProcess start() throws IOException, InterruptedException {
      Path target = Path.of("target").toAbsolutePath();
      Path runs = Files.createDirectories(target.resolve("server-runs"));
      Path base = Files.createTempDirectory(runs, kind.id() + "-");
      int port = freePort();
      Distribution.Start start =
          new Distribution.Start(
              kind,
              target.resolve("servers"),
              base,
              port,
              Map.copyOf(applications),
              jakartaEe,
              idleLimit);
      Distribution distribution = kind.distribution();
      Distribution.Launch launch = distribution.prepare(start);
      for (Map.Entry<String, IntFunction<String>> file : files.entrySet()) {
        Path path = base.resolve(file.getKey());
        Files.createDirectories(path.getParent());
        Files.writeString(path, file.getValue().apply(port));
      }
      List<String> command = new ArrayList<>();
      command.add(javaHome.resolve("bin/java").toString());
      command.addAll(jvmArguments);
      systemProperties.forEach((name, value) -> command.add("-D" + name + "=" + value));
      command.addAll(launch.jvmArguments());
      command.addAll(launch.arguments());
      Path log = base.resolve("server.log");
      ProcessBuilder builder =
          new ProcessBuilder(command)
              .directory(base.toFile())
              .redirectErrorStream(true)
              .redirectInput(new File("/dev/null"))
              .redirectOutput(log.toFile());
      builder.environment().putAll(launch.environment());
      builder.environment().putAll(environment);
      Process process = builder.start();
      RUNNING.add(process);
      ServerProcess server = new ServerProcess(kind, base, launch.webapps(), log, port, process);
      try {
        server.awaitReady(distribution, start, launch);
      } catch (RuntimeException | IOException | InterruptedException e) {
        server.kill();
        throw e;
      }
      return server;
    }
  }

  private static int freePort() throws IOException {
    for (int tries = 0; tries < 100; tries++) {
      int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, LAST_PORT);
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (IOException e) {
        // taken: try another
      }
    }
    throw new IOException("no free port from " + FIRST_PORT + " to " + LAST_PORT);
  }

  private void awaitReady(
      Distribution distribution, Distribution.Start start, Distribution.Launch launch)
      throws IOException, InterruptedException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (!answers() || !distribution.isReady(start, launch, logText())) {
      if (!process.isAlive()) {
        throw new IllegalStateException(
            kind + " ended with " + process.exitValue() + ":\n" + endOfLog());
      }
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException(kind + " did not start in time:\n" + endOfLog());
      }
      Thread.sleep(50);
    }
  }

  /** Whether a request for a page that nobody has gets any answer. */
  private boolean answers() {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
      socket.setSoTimeout(5_000);
      socket
          .getOutputStream()
          .write(
              "HEAD /is-anybody-there HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
                  .getBytes(UTF_8));
      InputStream in = socket.getInputStream();
      return in.read() == 'H';
    } catch (IOException e) {
      return false;
    }
  }

  private String logText() throws IOException {
    return new String(Files.readAllBytes(log), UTF_8);
  }

  /** The last lines that the server has written. */
  public String endOfLog() throws IOException {
    String text = logText();
    return text.substring(Math.max(0, text.length() - 6_000));
  }

  public ServerKind kind() {
    return kind;
  }

  /** Where it listens on 127.0.0.1. */
  public int port() {
    return port;
  }

  /** Whether it speaks HTTP/2 in clear text there, by prior knowledge. */
  public boolean offersH2c() {
    return kind.offersH2c();
  }

  /**
   * The folder with the deployed applications: one file {@code name.war}, or one folder, each.
   * Removing one undeploys it, after a second or two.
   */
  public Path webapps() {
    return webapps;
  }

  /** Undeploys an application by removing it; returns at once. */
  public void undeploy(String contextName) throws IOException {
    Path war = webapps.resolve(contextName + ".war");
    if (!Files.deleteIfExists(war)) {
      Applications.delete(webapps.resolve(contextName));
    }
  }

  /** All that the server has written to its output; more may be in files of its own. */
  public Path log() {
    return log;
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /** Asks it to end (SIGTERM); returns at once. */
  public void terminate() {
    process.destroy();
  }

  /** Asks it to end (SIGTERM) and waits; kills it if that takes more than a minute. */
  public void stop() throws InterruptedException {
    terminate();
    if (!process.waitFor(STOP_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
      kill();
    }
  }

  /** Ends it at once (SIGKILL). */
  public void kill() {
    process.destroyForcibly();
    try {
      process.waitFor(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    RUNNING.remove(process);
  }

  /** Kills it, and removes its base directory but for the log. */
  @Override
  public void close() {
    kill();
    try {
      Path kept = base.resolveSibling(base.getFileName() + ".log");
      Files.move(log, kept);
      Applications.delete(base);
    } catch (IOException e) {
      // The next clean build removes the rest.
    }
  }
}
