package dev.headrace.usage;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** What the databases say differently. */
enum Dialect {
  POSTGRESQL("postgresql") {
    @Override
    String insert() {
      return plainInsert() + " ON CONFLICT (id) DO NOTHING";
    }

    @Override
    String day() {
      return "CAST(started_at AT TIME ZONE 'UTC' AS DATE)";
    }

    @Override
    void lockSchema(Connection connection) throws SQLException {
      try (Statement statement = connection.createStatement()) {
        statement.execute("SELECT pg_advisory_xact_lock(7310868735422653)"); // until the commit
      }
    }
  },

  /** Also MariaDB. */
  MYSQL("mysql") {
    @Override
    String insert() {
      // Not INSERT IGNORE, which would also cut and change what does not fit.
      return plainInsert() + " ON DUPLICATE KEY UPDATE id = headrace_usage.id";
    }

    @Override
    String day() {
      return "CAST(started_at AS DATE)";
    }

    @Override
    void setTime(PreparedStatement statement, int index, Instant time) throws SQLException {
      statement.setObject(index, LocalDateTime.ofInstant(micros(time), ZoneOffset.UTC));
    }

    @Override
    void lockSchema(Connection connection) throws SQLException {
      try (Statement statement = connection.createStatement();
          ResultSet locked = statement.executeQuery("SELECT GET_LOCK('headrace_schema', 5)")) {
        if (!locked.next() || locked.getInt(1) != 1) {
          throw new SQLException("another gateway is making the tables");
        }
      }
    }

    @Override
    void unlockSchema(Connection connection) throws SQLException {
      try (Statement statement = connection.createStatement()) {
        statement.execute("SELECT RELEASE_LOCK('headrace_schema')");
      }
    }
  },

  /** It takes PostgreSQL's script as it is. */
  H2("postgresql") {
    @Override
    String insert() {
      return "MERGE INTO headrace_usage AS kept USING (VALUES ("
          + marks()
          + ")) AS given("
          + String.join(", ", COLUMNS)
          + ") ON kept.id = given.id WHEN NOT MATCHED THEN INSERT ("
          + String.join(", ", COLUMNS)
          + ") VALUES ("
          + String.join(", ", COLUMNS.stream().map(column -> "given." + column).toList())
          + ")";
    }

    @Override
    String day() {
      // Not a CAST to DATE, which takes the day in the zone of the session, and so of the JVM.
      return "FORMATDATETIME(started_at, 'yyyy-MM-dd', 'en', 'UTC')";
    }
  };

  /** In the order of the parameters of {@link #insert}. */
  static final List<String> COLUMNS =
      List.of(
          "id",
          "kind",
          "exchange_id",
          "started_at",
          "user_name",
          "user_role",
          "preset",
          "model_asked",
          "model_served",
          "input_tokens",
          "output_tokens",
          "cache_read_tokens",
          "cache_write_5m_tokens",
          "cache_write_1h_tokens",
          "thinking_tokens",
          "web_searches",
          "web_fetches",
          "cost_usd",
          "prices",
          "accuracy",
          "outcome",
          "outcome_detail",
          "stop_reason",
          "status",
          "attempts",
          "first_event_millis",
          "duration_millis",
          "upstream_request_id",
          "message_id",
          "service_tier",
          "inference_geo",
          "speed");

  private final String folder;

  Dialect(String folder) {
    this.folder = folder;
  }

  /**
   * The dialect of a connection.
   *
   * @throws SQLException if the database is none of those that are supported
   */
  static Dialect of(Connection connection) throws SQLException {
    String product = connection.getMetaData().getDatabaseProductName();
    return switch (product.toLowerCase(Locale.ROOT)) {
      case "postgresql" -> POSTGRESQL;
      case "mariadb", "mysql" -> MYSQL;
      case "h2" -> H2;
      default ->
          throw new SQLException(
              product + " is not supported (expected: PostgreSQL, MariaDB, MySQL or H2)");
    };
  }

  /** Where the scripts of the schema are. */
  String folder() {
    return folder;
  }

  /** Adds a row unless there is one with this id. */
  abstract String insert();

  /** The day of a record in UTC. */
  abstract String day();

  void setTime(PreparedStatement statement, int index, Instant time) throws SQLException {
    statement.setObject(
        index, micros(time).atOffset(ZoneOffset.UTC), Types.TIMESTAMP_WITH_TIMEZONE);
  }

  /** Databases keep microseconds; cut here, so that none rounds up into the next day. */
  private static Instant micros(Instant time) {
    return time.truncatedTo(ChronoUnit.MICROS);
  }

  /** Keeps other gateways from changing the schema at the same time. */
  void lockSchema(Connection connection) throws SQLException {}

  /** The end of {@link #lockSchema}, where the end of the transaction is not. */
  void unlockSchema(Connection connection) throws SQLException {}

  private static String plainInsert() {
    return "INSERT INTO headrace_usage ("
        + String.join(", ", COLUMNS)
        + ") VALUES ("
        + marks()
        + ")";
  }

  private static String marks() {
    return String.join(", ", Collections.nCopies(COLUMNS.size(), "?"));
  }
}
