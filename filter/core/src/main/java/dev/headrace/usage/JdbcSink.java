package dev.headrace.usage;

import dev.headrace.spi.Tokens;
import dev.headrace.spi.UsageRecord;
import dev.headrace.spi.UsageSink;
import dev.headrace.usage.Database.Session;
import java.math.RoundingMode;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps usage records in the table {@code headrace_usage}, one transaction for each batch; a record
 * whose id is there already is left as it is. The tables are made with the first connection, so
 * that the database need not be there when the gateway starts. {@link #keep} is called by one
 * thread, {@link #abort} by any.
 */
final class JdbcSink implements UsageSink {

  private static final Logger LOG = LoggerFactory.getLogger(JdbcSink.class);
  private static final Duration TRUSTED_WITHOUT_CHECK = Duration.ofSeconds(5);
  private static final int CHECK_SECONDS = 5;

  private final Database database;
  private final Duration silence;
  private volatile @Nullable Session session;
  private @Nullable Dialect dialect; // known once the schema is up to date
  private long usedAt;

  JdbcSink(Database database) {
    this(database, Database.SILENCE);
  }

  /**
   * @param silence how long a call waits for the server
   */
  JdbcSink(Database database, Duration silence) {
    this.database = database;
    this.silence = silence;
  }

  @Override
  public void keep(List<UsageRecord> records) throws SQLException {
    Session open = session();
    try {
      Connection connection = open.connection();
      Dialect known = dialect;
      if (known == null) {
        known = Dialect.of(connection);
        Schema.bringUpToDate(connection, known);
        dialect = known;
      }
      insertAll(connection, known, records);
    } catch (SQLException | RuntimeException e) {
      dialect = null; // perhaps the tables are gone
      giveUp(open);
      throw e;
    }
    usedAt = System.nanoTime();
    if (database.isPooled()) {
      try {
        open.close();
      } finally {
        session = null; // only now, so that a call of it that hangs can be ended
      }
    }
  }

  private Session session() throws SQLException {
    Session open = session;
    if (open != null && System.nanoTime() - usedAt > TRUSTED_WITHOUT_CHECK.toNanos()) {
      if (!open.connection().isValid(CHECK_SECONDS)) {
        giveUp(open);
        open = null;
      }
    }
    if (open == null) {
      open = database.open(silence);
      session = open;
    }
    return open;
  }

  private void giveUp(Session open) {
    try {
      open.connection().rollback();
    } catch (SQLException | RuntimeException e) {
      LOG.debug("Not rolled back", e);
    }
    try {
      open.close();
    } catch (SQLException | RuntimeException e) {
      LOG.debug("Not closed", e);
    }
    session = null; // only now, so that a call of it that hangs can be ended
  }

  private static void insertAll(Connection open, Dialect dialect, List<UsageRecord> records)
      throws SQLException {
    try {
      insert(open, dialect, records, false);
    } catch (SQLException e) {
      if (!isAboutData(e)) {
        throw e;
      }
      open.rollback();
      for (UsageRecord usage : records) {
        insertAlone(open, dialect, usage);
      }
    }
    open.commit();
  }

  /** So that a record which the database cannot store does not stop all behind it. */
  private static void insertAlone(Connection open, Dialect dialect, UsageRecord usage)
      throws SQLException {
    try {
      insert(open, dialect, List.of(usage), false);
    } catch (SQLException e) {
      if (!isAboutData(e)) {
        throw e;
      }
      open.rollback();
      insert(open, dialect, List.of(usage), true);
      LOG.warn(
          "Usage record {}: the database cannot store some of its characters, so they are question"
              + " marks there; with UTF-8 as its encoding it could",
          usage.id());
    }
    open.commit();
  }

  /** As when the encoding of the database has no such character (SQLSTATE, class 22). */
  private static boolean isAboutData(SQLException e) {
    for (Throwable each : e) {
      if (each instanceof SQLException one
          && one.getSQLState() != null
          && one.getSQLState().startsWith("22")) {
        return true;
      }
    }
    return false;
  }

  private static void insert(
      Connection open, Dialect dialect, List<UsageRecord> records, boolean ascii)
      throws SQLException {
    try (PreparedStatement insert = open.prepareStatement(dialect.insert())) {
      for (UsageRecord usage : records) {
        set(insert, dialect, usage, ascii);
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }

  private static void set(
      PreparedStatement insert, Dialect dialect, UsageRecord usage, boolean ascii)
      throws SQLException {
    Tokens tokens = usage.tokens();
    int i = 0;
    insert.setString(++i, fit(usage.id(), 128, ascii));
    insert.setString(++i, usage.kind().name());
    insert.setString(++i, fit(usage.exchangeId(), 128, ascii));
    dialect.setTime(insert, ++i, usage.startedAt());
    insert.setString(++i, fit(usage.user(), 255, ascii));
    insert.setString(++i, fit(usage.role(), 255, ascii));
    insert.setString(++i, fit(usage.preset(), 255, ascii));
    insert.setString(++i, fit(usage.modelAsked(), 255, ascii));
    insert.setString(++i, fit(usage.modelServed(), 255, ascii));
    insert.setLong(++i, tokens.input());
    insert.setLong(++i, tokens.output());
    insert.setLong(++i, tokens.cacheRead());
    insert.setLong(++i, tokens.cacheWrite5m());
    insert.setLong(++i, tokens.cacheWrite1h());
    insert.setLong(++i, tokens.thinking());
    insert.setLong(++i, tokens.webSearches());
    insert.setLong(++i, tokens.webFetches());
    insert.setBigDecimal(
        ++i, usage.costUsd() == null ? null : usage.costUsd().setScale(12, RoundingMode.HALF_UP));
    insert.setString(++i, fit(usage.prices(), 128, ascii));
    insert.setString(++i, usage.accuracy().name());
    insert.setString(++i, fit(usage.outcome(), 64, ascii));
    insert.setString(++i, fit(usage.outcomeDetail(), 255, ascii));
    insert.setString(++i, fit(usage.stopReason(), 64, ascii));
    insert.setInt(++i, usage.status());
    insert.setInt(++i, usage.attempts());
    insert.setLong(++i, usage.firstEventMillis());
    insert.setLong(++i, usage.durationMillis());
    insert.setString(++i, fit(usage.upstreamRequestId(), 128, ascii));
    insert.setString(++i, fit(usage.messageId(), 128, ascii));
    insert.setString(++i, fit(usage.serviceTier(), 64, ascii));
    insert.setString(++i, fit(usage.inferenceGeo(), 64, ascii));
    insert.setString(++i, fit(usage.speed(), 64, ascii));
  }

  /**
   * The text as the column takes it: cut to its length, and with U+FFFD for what no database
   * stores, NUL and half surrogate pairs. Else one odd user name would stop all records behind it.
   *
   * @param ascii whether there is to be a question mark for all that is not ASCII
   */
  static @Nullable String fit(@Nullable String text, int length, boolean ascii) {
    if (text == null) {
      return null;
    }
    StringBuilder fitting = new StringBuilder(text.length());
    int i = 0;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      boolean odd = c == 0 || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
      if (ascii && (odd || c > 127)) {
        c = '?';
        odd = false;
      }
      if (fitting.length() + (odd ? 1 : Character.charCount(c)) > length) {
        break;
      }
      fitting.appendCodePoint(odd ? 0xFFFD : c);
    }
    return fitting.toString();
  }

  /** Ends a call that hangs, and closes the connection. */
  void abort() {
    Session open = session;
    if (open != null) {
      abort(open.connection());
    }
  }

  static void abort(Connection open) {
    try {
      open.abort(Runnable::run);
    } catch (SQLException | RuntimeException | AbstractMethodError e) {
      LOG.debug("Not aborted", e);
    }
  }

  /** Closes the connection. Only when no call runs. */
  void close() {
    Session open = session;
    if (open != null) {
      giveUp(open);
    }
  }
}
