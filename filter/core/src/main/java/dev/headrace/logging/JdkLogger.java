package dev.headrace.logging;

import java.util.logging.Level;
import java.util.logging.Logger;

/** Writes to {@code java.util.logging}, whose handlers the container has set up. Thread-safe. */
final class JdkLogger implements dev.headrace.logging.Logger {

  private static final String METHOD = "log";

  private final Logger target;

  JdkLogger(String name) {
    target = Logger.getLogger(name);
  }

  @Override
  public boolean isEnabled(System.Logger.Level level) {
    return target.isLoggable(level(level));
  }

  @Override
  public void write(System.Logger.Level level, String message, @Nullable Throwable failure) {
    // With the name in place of the caller, which the JDK would look for among these classes, and
    // with a method, because Tomcat would write the word null for none.
    target.logp(level(level), target.getName(), METHOD, message, failure);
  }

  private static Level level(System.Logger.Level level) {
    return switch (level) {
      case ALL, TRACE -> Level.FINEST;
      case DEBUG -> Level.FINE;
      case INFO -> Level.INFO;
      case WARNING -> Level.WARNING;
      case ERROR, OFF -> Level.SEVERE;
    };
  }
}
