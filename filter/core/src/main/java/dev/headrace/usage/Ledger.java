package dev.headrace.usage;

import dev.headrace.config.GatewaySettings;
import dev.headrace.spi.UsageRecord;
import dev.headrace.spi.UsageSink;
import dev.headrace.usage.Database.Session;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The books: takes every usage record, sums them up for metrics and hands them to the sinks: the
 * log, the database and those of the application. Each sink has its own queue, so that none waits
 * for another. Thread-safe.
 *
 * <p>A sink with a folder below {@code usage.spool} gets every record that {@link #record} took
 * more than some milliseconds before the end of the process, at once or after the next start; see
 * {@link SpooledSink}. Without anything that keeps records there is no thread, and with the log
 * alone only while there is something to write.
 */
public final class Ledger implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final int REPORTS_AT_A_TIME = 3;
  private static final Duration REPORT_SILENCE =
      Duration.ofSeconds(UsageReport.QUERY_SECONDS).plusSeconds(5);

  /** Long enough for the name of any class, short enough for a folder. */
  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,199}");

  private static final Set<String> OWN_NAMES = Set.of("log", "jdbc");

  private final UsageTotals totals = new UsageTotals();
  private final List<SinkQueue> sinks = new ArrayList<>();
  private final @Nullable Database database;
  private final @Nullable JdbcSink jdbcSink;
  private final Semaphore reports = new Semaphore(REPORTS_AT_A_TIME);
  private final Set<Connection> reportConnections = ConcurrentHashMap.newKeySet();
  private final ThreadPoolExecutor reportThreads;
  private final AtomicBoolean closed = new AtomicBoolean();

  private Ledger(@Nullable Database database) {
    this.database = database;
    this.jdbcSink = database == null ? null : new JdbcSink(database);
    this.reportThreads =
        new ThreadPoolExecutor(
            0,
            REPORTS_AT_A_TIME,
            5,
            TimeUnit.SECONDS,
            new SynchronousQueue<>(),
            task -> SinkThreads.make("usage-report", task));
  }

  /**
   * Opens the sinks. A database that is down is no reason to fail.
   *
   * @param applicationSinks by name, which is the name of a folder too: lower-case letters, digits
   *     and dashes, and the same at every start
   * @throws IllegalArgumentException if a setting cannot be used: there is no such driver or data
   *     source, the spool folder cannot be made, or another gateway uses it
   */
  public static Ledger open(
      GatewaySettings.Usage settings, Map<String, ? extends UsageSink> applicationSinks) {
    applicationSinks.keySet().forEach(Ledger::checkName);
    Ledger ledger = new Ledger(settings.hasDatabase() ? Database.of(settings) : null);
    try {
      ledger.openSinks(settings, applicationSinks);
      return ledger;
    } catch (RuntimeException | Error e) {
      ledger.close();
      throw e;
    }
  }

  private static void checkName(String name) {
    if (!NAME.matcher(name).matches() || OWN_NAMES.contains(name)) {
      throw new IllegalArgumentException(
          "The name of a usage sink cannot be used: "
              + name
              + " (expected: at most 200 lower-case letters, digits and dashes, not log or jdbc)");
    }
  }

  private void openSinks(
      GatewaySettings.Usage settings, Map<String, ? extends UsageSink> applicationSinks) {
    if (settings.log()) {
      sinks.add(new MemorySink("log", new LogSink(), settings.queue()));
    }
    if (jdbcSink != null) {
      sinks.add(spooled(settings, "jdbc", jdbcSink, jdbcSink::abort));
    }
    applicationSinks.forEach((name, sink) -> sinks.add(spooled(settings, name, sink, () -> {})));
  }

  private static SinkQueue spooled(
      GatewaySettings.Usage settings, String name, UsageSink sink, Runnable abort) {
    Path spool = settings.spool();
    return spool == null
        ? new MemorySink(name, sink, settings.queue())
        : SpooledSink.open(
            name, sink, abort, spool.resolve(name), settings.spoolMax().bytes(), settings.queue());
  }

  /** Puts a record on the books. Never blocks and never throws. */
  public void record(UsageRecord usage) {
    for (SinkQueue sink : sinks) {
      sink.offer(usage);
    }
    totals.add(usage);
  }

  /** Sums of all records since the start. */
  public UsageTotals totals() {
    return totals;
  }

  /** What each sink has done since the start. */
  public List<SinkFigures> sinks() {
    return sinks.stream().map(SinkQueue::figures).toList();
  }

  // ---- reports ----

  /** Whether there is a database to report from. */
  public boolean hasDatabase() {
    return database != null;
  }

  /**
   * Runs a task that asks for a report on a thread of the ledger's.
   *
   * @return false if as many run as may; the task is not run then
   */
  public boolean executeReport(Runnable task) {
    try {
      reportThreads.execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  /**
   * Asks the database, on the calling thread.
   *
   * @throws ReportUnavailableException if the database does not answer, or too many ask it
   */
  public UsageReport report(ReportQuery query) throws ReportUnavailableException {
    Database from = database;
    if (from == null || closed.get()) {
      throw new ReportUnavailableException("There is no database.", null);
    }
    if (!reports.tryAcquire()) {
      throw new ReportUnavailableException(
          "As many usage reports as may run at a time are running.", null);
    }
    Session session = null;
    try {
      session = from.open(REPORT_SILENCE);
      Connection connection = session.connection();
      reportConnections.add(connection);
      if (closed.get()) { // close() may have looked before
        throw new ReportUnavailableException("The gateway closes.", null);
      }
      Dialect dialect = Dialect.of(connection);
      Schema.bringUpToDate(connection, dialect);
      UsageReport report = UsageReport.read(connection, dialect, query, UsageReport.MAX_ROWS);
      connection.rollback();
      return report;
    } catch (SQLException e) {
      throw new ReportUnavailableException("The database of the usage records does not answer.", e);
    } finally {
      reports.release();
      close(session);
    }
  }

  private void close(@Nullable Session session) {
    if (session != null) {
      reportConnections.remove(session.connection());
      try {
        session.close();
      } catch (SQLException e) {
        JdbcSink.abort(session.connection());
      }
    }
  }

  /**
   * Takes no more records, gives the sinks a few seconds for what waits, leaves the rest in the
   * spool, and stops every thread. Idempotent; waits on the calling thread.
   */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    long end = System.nanoTime() + PATIENCE.toNanos();
    reportThreads.shutdownNow();
    reportConnections.forEach(JdbcSink::abort);
    for (SinkQueue sink : sinks) {
      Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
      sink.close(left.compareTo(Duration.ofSeconds(1)) < 0 ? Duration.ofSeconds(1) : left);
    }
    if (jdbcSink != null) {
      jdbcSink.close();
    }
    try {
      if (!reportThreads.awaitTermination(1, TimeUnit.SECONDS)) {
        reportConnections.forEach(JdbcSink::abort);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (database != null) {
      database.close();
    }
  }
}
