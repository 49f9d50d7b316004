package dev.headrace.logging;

/** Makes loggers: the application's where it has SLF4J, else those of the JDK. Thread-safe. */
public final class LoggerFactory {

  private static final @Nullable ApplicationLogging APPLICATION =
      ApplicationLogging.find(LoggerFactory.class.getClassLoader());

  private LoggerFactory() {}

  /** A logger that is called like a class. */
  public static Logger getLogger(Class<?> type) {
    return getLogger(type.getName());
  }

  /** A logger of this name. */
  public static Logger getLogger(String name) {
    return getLogger(name, APPLICATION);
  }

  static Logger getLogger(String name, @Nullable ApplicationLogging application) {
    return application == null ? new JdkLogger(name) : application.logger(name);
  }
}
