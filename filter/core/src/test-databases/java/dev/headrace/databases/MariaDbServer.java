package dev.headrace.databases;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * A MariaDB of its own for a test: new data folder, free port, gone at the end. Made from Debian's
 * package {@code mariadb-server}; without it the test is skipped, or fails with {@code
 * -Dheadrace.mariadb=required}.
 */
public final class MariaDbServer implements AutoCloseable {

  private static final Path INSTALL = Path.of("/usr/bin/mariadb-install-db");
  private static final Path SERVER = Path.of("/usr/sbin/mariadbd");

  private final ServerProcess server;
  private final int port;

  private MariaDbServer(ServerProcess server, int port) {
    this.server = server;
    this.port = port;
  }

  /** Makes the data folder, starts the server and creates an empty database. */
  public static MariaDbServer start() throws IOException, InterruptedException, SQLException {
    if (!Files.isExecutable(INSTALL) || !Files.isExecutable(SERVER)) {
      throw ServerProcess.missing("MariaDB", "headrace.mariadb");
    }
    ServerProcess server = new ServerProcess("mysql", "headrace-mariadb");
    MariaDbServer mariaDb = new MariaDbServer(server, ServerProcess.freePort());
    try {
      mariaDb.startNew();
      return mariaDb;
    } catch (IOException | InterruptedException | SQLException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private void startNew() throws IOException, InterruptedException, SQLException {
    String data = "--datadir=" + server.folder().resolve("data");
    server.run(
        List.of(
            INSTALL.toString(),
            "--no-defaults",
            data,
            "--skip-test-db",
            "--auth-root-authentication-method=normal"));
    server.start(
        List.of(
            SERVER.toString(),
            "--no-defaults",
            data,
            "--port=" + port,
            "--bind-address=127.0.0.1",
            "--socket=" + server.folder().resolve("socket"),
            "--pid-file=" + server.folder().resolve("pid")));
    String anyDatabase = "jdbc:mariadb://127.0.0.1:" + port + "/?sslMode=disable"; // a driver of 4.0 wants TLS
    if (!server.awaitLogin(anyDatabase, user(), password())) {
      throw new IllegalStateException(
          "MariaDB does not start:\n" + Files.readString(server.folder().resolve("server.log")));
    }
    try (Connection connection = DriverManager.getConnection(anyDatabase, user(), password());
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE books");
    }
  }

  public String url() {
    return "jdbc:mariadb://127.0.0.1:" + port + "/books?sslMode=disable";
  }

  public String user() {
    return "root";
  }

  public String password() {
    return "";
  }

  @Override
  public void close() {
    server.close();
  }
}
