package dev.headrace.usage;

import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import java.lang.reflect.InvocationTargetException;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.time.Duration;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import javax.naming.InitialContext;
import javax.naming.NamingException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The database that the settings name: a data source of the container, or a URL with a driver that
 * the application has. Made on the thread that starts the application, because both are found
 * through its class loader. Thread-safe.
 */
abstract class Database implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Database.class);

  /** Longest silence of the server within a call, after which it counts as hanging. */
  static final Duration SILENCE = Duration.ofSeconds(10);

  private static final Duration CONNECT = Duration.ofSeconds(5);

  /**
   * Finds the data source or the driver; connects to nothing.
   *
   * @throws IllegalArgumentException if there is no such data source or driver; the message names
   *     the setting
   */
  static Database of(GatewaySettings.Usage usage) {
    if (usage.dataSource() != null) {
      return new OfDataSource(usage.dataSource(), lookUp(usage.dataSource()));
    }
    if (usage.jdbcUrl() == null) {
      throw new IllegalArgumentException("neither usage.jdbc-url nor usage.data-source is set");
    }
    return OfDriver.of(usage, usage.jdbcUrl());
  }

  /**
   * A connection while it is used here. Of one thread, but for {@link Connection#abort}.
   *
   * @param connection without auto-commit
   * @param autoCommit as it was found
   * @param networkTimeout as it was found, in milliseconds; {@value #NONE} where there is none
   */
  record Session(Connection connection, boolean autoCommit, int networkTimeout) {
    private static final int NONE = -1;

    /** Gives it back as it was found: not every pool sees to that, and others use it next. */
    void close() throws SQLException {
      try (Connection back = connection) {
        if (!back.isClosed()) {
          back.setAutoCommit(autoCommit); // may ask the server, so this comes first
          if (networkTimeout != NONE) {
            back.setNetworkTimeout(Runnable::run, networkTimeout);
          }
        }
      }
    }
  }

  /**
   * Opens a connection without auto-commit, on which no call waits longer than {@code silence} for
   * the server where the driver can do that.
   */
  final Session open(Duration silence) throws SQLException {
    Connection connection = connect();
    try {
      boolean autoCommit = connection.getAutoCommit();
      int networkTimeout = Session.NONE;
      try {
        int found = connection.getNetworkTimeout();
        connection.setNetworkTimeout(Runnable::run, Math.toIntExact(silence.toMillis()));
        networkTimeout = found;
      } catch (SQLFeatureNotSupportedException | AbstractMethodError e) {
        LOG.debug("No network timeouts with this driver", e);
      }
      connection.setAutoCommit(false);
      return new Session(connection, autoCommit, networkTimeout);
    } catch (SQLException e) {
      connection.close();
      throw e;
    }
  }

  abstract Connection connect() throws SQLException;

  /** Whether connections come out of somebody's pool, and are to go back soon. */
  abstract boolean isPooled();

  /** Undoes what was done to the JVM. Idempotent. */
  @Override
  public void close() {}

  // ---- data source ----

  /** Only names of the container itself: JNDI also takes URLs, and would fetch what is there. */
  @SuppressWarnings("BanJNDI") // the name is the operator's, and no URL
  private static DataSource lookUp(String name) {
    if (!name.startsWith("java:") && name.contains(":")) {
      throw new IllegalArgumentException(
          "usage.data-source: is a URL (expected: the JNDI name of a data source, such as"
              + " jdbc/headrace)");
    }
    Object found = null;
    NamingException failure = null;
    for (String each :
        name.startsWith("java:") ? List.of(name) : List.of("java:comp/env/" + name, name)) {
      try {
        found = new InitialContext().lookup(each);
        break;
      } catch (NamingException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (found instanceof DataSource dataSource) {
      return dataSource;
    }
    throw new IllegalArgumentException(
        "usage.data-source: "
            + name
            + (found == null ? " is not in the container's JNDI" : " is " + found.getClass())
            + " (expected: the name of a data source, such as jdbc/headrace for"
            + " java:comp/env/jdbc/headrace)",
        failure);
  }

  private static final class OfDataSource extends Database {
    private final String name;
    private final DataSource dataSource;

    private OfDataSource(String name, DataSource dataSource) {
      this.name = name;
      this.dataSource = dataSource;
    }

    @Override
    Connection connect() throws SQLException {
      Connection connection = dataSource.getConnection();
      if (connection == null) {
        throw new SQLException("the data source " + name + " gives no connection");
      }
      return connection;
    }

    @Override
    boolean isPooled() {
      return true;
    }
  }

  // ---- URL and driver ----

  private static final class OfDriver extends Database {
    private final String url;
    private final Properties properties;
    private final Driver driver;

    /** Drivers that our loading of the class has registered. */
    private final Set<Driver> registered;

    private OfDriver(String url, Properties properties, Driver driver, Set<Driver> registered) {
      this.url = url;
      this.properties = properties;
      this.driver = driver;
      this.registered = registered;
    }

    static OfDriver of(GatewaySettings.Usage usage, String url) {
      Set<Driver> before = registeredDrivers();
      String className = usage.jdbcDriver();
      Driver driver = className == null ? find(url) : load(className, url);
      Set<Driver> registered = registeredDrivers();
      registered.removeAll(before);
      return new OfDriver(
          url, properties(url, usage.jdbcUser(), usage.jdbcPassword()), driver, registered);
    }

    private static Set<Driver> registeredDrivers() {
      Set<Driver> drivers = Collections.newSetFromMap(new IdentityHashMap<>());
      DriverManager.drivers().forEach(drivers::add);
      return drivers;
    }

    private static Driver load(String className, String url) {
      Driver driver = null;
      Throwable failure = null;
      for (ClassLoader loader : loaders()) {
        try {
          Class<?> type = Class.forName(className, true, loader);
          driver = (Driver) type.getDeclaredConstructor().newInstance();
          break;
        } catch (InvocationTargetException e) {
          failure = e.getCause();
        } catch (ReflectiveOperationException | ClassCastException | LinkageError e) {
          failure = e;
        }
      }
      if (driver == null) {
        throw new IllegalArgumentException(
            "usage.jdbc-driver: "
                + className
                + " cannot be loaded (expected: the class name of a JDBC driver that the"
                + " application has, such as org.postgresql.Driver)",
            failure);
      }
      if (!accepts(driver, url)) {
        throw new IllegalArgumentException(
            "usage.jdbc-driver: "
                + className
                + " does not take usage.jdbc-url (expected: the driver for it)");
      }
      return driver;
    }

    private static Driver find(String url) {
      try {
        return DriverManager.getDriver(url);
      } catch (SQLException e) {
        LOG.debug("The driver manager knows no driver", e);
      }
      // In a web application Java has often looked for drivers before it was there.
      for (ClassLoader loader : loaders()) {
        try {
          for (Driver driver : ServiceLoader.load(Driver.class, loader)) {
            if (accepts(driver, url)) {
              return driver;
            }
          }
        } catch (ServiceConfigurationError e) {
          LOG.debug("A driver that cannot be loaded", e);
        }
      }
      throw new IllegalArgumentException(
          "usage.jdbc-url: there is no JDBC driver for it (expected: the driver's jar in the"
              + " application, and its class name in usage.jdbc-driver if need be)");
    }

    private static boolean accepts(Driver driver, String url) {
      try {
        return driver.acceptsURL(url);
      } catch (SQLException e) {
        return false;
      }
    }

    private static List<ClassLoader> loaders() {
      ClassLoader own = Database.class.getClassLoader();
      ClassLoader context = Thread.currentThread().getContextClassLoader();
      return context == null || context == own ? List.of(own) : List.of(context, own);
    }

    /** With timeouts in the drivers' own units, unless the URL has some. */
    private static Properties properties(
        String url, @Nullable String user, @Nullable Secret password) {
      Properties properties = new Properties();
      if (user != null) {
        properties.setProperty("user", user);
      }
      if (password != null) {
        properties.setProperty("password", password.reveal());
      }
      String lower = url.toLowerCase(Locale.ROOT);
      if (lower.startsWith("jdbc:postgresql:")) {
        setUnlessIn(lower, properties, "connectTimeout", CONNECT.toSeconds());
        setUnlessIn(lower, properties, "socketTimeout", SILENCE.toSeconds());
      } else if (lower.startsWith("jdbc:mariadb:") || lower.startsWith("jdbc:mysql:")) {
        setUnlessIn(lower, properties, "connectTimeout", CONNECT.toMillis());
        setUnlessIn(lower, properties, "socketTimeout", SILENCE.toMillis());
      }
      return properties;
    }

    private static void setUnlessIn(
        String lowerUrl, Properties properties, String name, long value) {
      if (!lowerUrl.contains(name.toLowerCase(Locale.ROOT) + "=")) {
        properties.setProperty(name, Long.toString(value));
      }
    }

    @Override
    Connection connect() throws SQLException {
      Connection connection = driver.connect(url, properties);
      if (connection == null) {
        throw new SQLException("the driver does not take usage.jdbc-url");
      }
      return connection;
    }

    @Override
    boolean isPooled() {
      return false;
    }

    @Override
    public void close() {
      for (Driver each : List.copyOf(registered)) {
        try {
          DriverManager.deregisterDriver(each);
        } catch (SQLException | SecurityException e) {
          LOG.debug("A driver stays registered", e);
        }
      }
      registered.clear();
    }
  }
}
