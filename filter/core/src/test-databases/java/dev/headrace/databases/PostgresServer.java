package dev.headrace.databases;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A PostgreSQL of its own for a test: new data folder, free port, gone at the end. Made from
 * Debian's package {@code postgresql}; without it the test is skipped, or fails with {@code
 * -Dheadrace.postgres=required}.
 */
public final class PostgresServer implements AutoCloseable {

  private static final String USER = "headrace";
  private static final String PASSWORD = "test-password";

  private final Path bin;
  private final ServerProcess server;
  private final int port;

  private PostgresServer(Path bin, ServerProcess server, int port) {
    this.bin = bin;
    this.server = server;
    this.port = port;
  }

  /** Makes the data folder and starts the server. */
  public static PostgresServer start() throws IOException, InterruptedException {
    Path bin =
        newestBin()
            .orElseThrow(() -> ServerProcess.missing("PostgreSQL", "headrace.postgres"));
    ServerProcess server = new ServerProcess("postgres", "headrace-postgres");
    PostgresServer postgres = new PostgresServer(bin, server, ServerProcess.freePort());
    try {
      Path password = Files.writeString(server.folder().resolve("password"), PASSWORD);
      server.giveAway(password);
      server.run(
          List.of(
              bin.resolve("initdb").toString(),
              "--pgdata=" + server.folder().resolve("data"),
              "--username=" + USER,
              "--pwfile=" + password,
              "--auth=scram-sha-256",
              "--encoding=UTF8",
              "--locale=C"));
      postgres.resume();
      return postgres;
    } catch (IOException | InterruptedException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private static Optional<Path> newestBin() throws IOException {
    Path installed = Path.of("/usr/lib/postgresql");
    if (!Files.isDirectory(installed)) {
      return Optional.empty();
    }
    try (Stream<Path> versions = Files.list(installed)) {
      return versions
          .map(version -> version.resolve("bin"))
          .filter(bin -> Files.isExecutable(bin.resolve("initdb")))
          .max(Comparator.comparing(bin -> Integer.parseInt(bin.getParent().getFileName() + "")));
    }
  }

  /** Starts the server again after {@link #stop} or {@link #kill}, on the same port. */
  public void resume() throws IOException, InterruptedException {
    for (int i = 0; i < 50; i++) {
      server.start(
          List.of(
              bin.resolve("postgres").toString(),
              "-D",
              server.folder().resolve("data").toString(),
              "-p",
              Integer.toString(port),
              "-k",
              server.folder().toString(),
              "-c",
              "listen_addresses=127.0.0.1"));
      if (server.awaitLogin(url(), USER, PASSWORD)) {
        return;
      }
      Thread.sleep(100); // processes of the killed one still hold its shared memory
    }
    throw new IllegalStateException(
        "PostgreSQL does not start:\n" + Files.readString(server.folder().resolve("server.log")));
  }

  /** Stops it as a service manager does: connections are closed. */
  public void stop() throws IOException, InterruptedException {
    server.end("INT");
  }

  /** Kills it with signal 9. */
  public void kill() throws InterruptedException {
    server.kill();
  }

  /** Makes it hang: connections stay open, and nothing answers. */
  public void freeze() throws IOException, InterruptedException {
    server.signal("STOP");
  }

  /** The end of {@link #freeze}. */
  public void thaw() throws IOException, InterruptedException {
    server.signal("CONT");
  }

  public String url() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
  }

  public String user() {
    return USER;
  }

  public String password() {
    return PASSWORD;
  }

  @Override
  public void close() {
    server.close();
  }
}
