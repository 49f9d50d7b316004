package dev.headrace.usage;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/**
 * Brings the tables to the version that this gateway writes, by plain scripts with rising numbers.
 * A script never changes once it was released; each can be run twice. Two gateways may do this at
 * the same time.
 */
final class Schema {

  /** The version that this gateway writes, and the number of its last script. */
  static final int VERSION = 1;

  private static final String TABLE =
      "CREATE TABLE IF NOT EXISTS headrace_schema (version INTEGER NOT NULL PRIMARY KEY)";

  /** H2 has nothing to lock, and trips over a table that another thread makes. */
  private static final ReentrantLock H2_LOCK = new ReentrantLock();

  private Schema() {}

  /**
   * Checks the version, and runs the scripts that are missing.
   *
   * @param connection without auto-commit and without an open transaction
   * @throws SQLException if that fails, or if the tables are of a newer gateway
   */
  static void bringUpToDate(Connection connection, Dialect dialect) throws SQLException {
    if (isUpToDate(connection)) {
      return; // so that a user without the right to make tables can use them
    }
    if (dialect == Dialect.H2) {
      H2_LOCK.lock();
    }
    try {
      runMissingScripts(connection, dialect);
    } finally {
      if (dialect == Dialect.H2) {
        H2_LOCK.unlock();
      }
    }
  }

  private static void runMissingScripts(Connection connection, Dialect dialect)
      throws SQLException {
    dialect.lockSchema(connection);
    try {
      try (Statement statement = connection.createStatement()) {
        statement.execute(TABLE);
      }
      for (int version = version(connection) + 1; version <= VERSION; version++) {
        run(connection, dialect, version);
      }
      connection.commit();
    } finally {
      dialect.unlockSchema(connection);
    }
  }

  private static boolean isUpToDate(Connection connection) throws SQLException {
    int version;
    try {
      version = version(connection);
    } catch (SQLException e) {
      connection.rollback(); // as a rule because there is no such table
      return false;
    }
    connection.rollback();
    if (version > VERSION) {
      throw new SQLException(
          "the tables are of a newer Headrace: headrace_schema says "
              + version
              + " (expected: "
              + VERSION
              + ")");
    }
    return version == VERSION;
  }

  private static int version(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery("SELECT MAX(version) FROM headrace_schema")) {
      return rows.next() ? rows.getInt(1) : 0;
    }
  }

  private static void run(Connection connection, Dialect dialect, int version) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String sql : statements(dialect, version)) {
        statement.execute(sql);
      }
    }
    try (PreparedStatement insert =
        connection.prepareStatement("INSERT INTO headrace_schema (version) VALUES (?)")) {
      insert.setInt(1, version);
      insert.executeUpdate();
    }
  }

  /** Statements end with a semicolon at the end of a line; comments have lines of their own. */
  private static List<String> statements(Dialect dialect, int version) {
    String name = "schema/" + dialect.folder() + "/" + version + ".sql";
    String script;
    try (InputStream in = Schema.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("no " + name);
      }
      script = new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new IllegalStateException(name, e);
    }
    String code =
        script.lines().filter(line -> !line.startsWith("--")).collect(Collectors.joining("\n"));
    List<String> statements = new ArrayList<>();
    for (String statement : code.split(";\\s*(\n|$)", -1)) {
      if (!statement.isBlank()) {
        statements.add(statement.strip());
      }
    }
    return statements;
  }
}
