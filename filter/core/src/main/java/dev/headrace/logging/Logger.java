package dev.headrace.logging;

import java.lang.System.Logger.Level;

/**
 * Writes to a log, with the methods of SLF4J's interface of this name. A {@code {}} of the message
 * stands for the next argument; an exception as the last argument is logged with its stack trace.
 * Thread-safe.
 */
public interface Logger {

  /** Whether lines of this level are written. */
  boolean isEnabled(Level level);

  /**
   * Writes a line, if its level is enabled.
   *
   * @param message as it is to be read: braces in it mean nothing any more
   */
  void write(Level level, String message, @Nullable Throwable failure);

  /** Writes a line, if its level is enabled, with arguments in place of its braces. */
  default void format(Level level, @Nullable String format, @Nullable Object... arguments) {
    if (isEnabled(level)) {
      Line line = Line.of(format, arguments);
      write(level, line.text(), line.failure());
    }
  }

  /** Whether lines of this level are written. */
  default boolean isTraceEnabled() {
    return isEnabled(Level.TRACE);
  }

  /** Writes a line of this level. */
  default void trace(@Nullable String message) {
    format(Level.TRACE, message);
  }

  /** Writes a line of this level. */
  default void trace(@Nullable String format, @Nullable Object argument) {
    format(Level.TRACE, format, argument);
  }

  /** Writes a line of this level. */
  default void trace(@Nullable String format, @Nullable Object first, @Nullable Object second) {
    format(Level.TRACE, format, first, second);
  }

  /** Writes a line of this level. */
  default void trace(@Nullable String format, @Nullable Object... arguments) {
    format(Level.TRACE, format, arguments);
  }

  /** Writes a line of this level. */
  default void trace(@Nullable String message, @Nullable Throwable failure) {
    format(Level.TRACE, message, failure);
  }

  /** Whether lines of this level are written. */
  default boolean isDebugEnabled() {
    return isEnabled(Level.DEBUG);
  }

  /** Writes a line of this level. */
  default void debug(@Nullable String message) {
    format(Level.DEBUG, message);
  }

  /** Writes a line of this level. */
  default void debug(@Nullable String format, @Nullable Object argument) {
    format(Level.DEBUG, format, argument);
  }

  /** Writes a line of this level. */
  default void debug(@Nullable String format, @Nullable Object first, @Nullable Object second) {
    format(Level.DEBUG, format, first, second);
  }

  /** Writes a line of this level. */
  default void debug(@Nullable String format, @Nullable Object... arguments) {
    format(Level.DEBUG, format, arguments);
  }

  /** Writes a line of this level. */
  default void debug(@Nullable String message, @Nullable Throwable failure) {
    format(Level.DEBUG, message, failure);
  }

  /** Whether lines of this level are written. */
  default boolean isInfoEnabled() {
    return isEnabled(Level.INFO);
  }

  /** Writes a line of this level. */
  default void info(@Nullable String message) {
    format(Level.INFO, message);
  }

  /** Writes a line of this level. */
  default void info(@Nullable String format, @Nullable Object argument) {
    format(Level.INFO, format, argument);
  }

  /** Writes a line of this level. */
  default void info(@Nullable String format, @Nullable Object first, @Nullable Object second) {
    format(Level.INFO, format, first, second);
  }

  /** Writes a line of this level. */
  default void info(@Nullable String format, @Nullable Object... arguments) {
    format(Level.INFO, format, arguments);
  }

  /** Writes a line of this level. */
  default void info(@Nullable String message, @Nullable Throwable failure) {
    format(Level.INFO, message, failure);
  }

  /** Whether lines of this level are written. */
  default boolean isWarnEnabled() {
    return isEnabled(Level.WARNING);
  }

  /** Writes a line of this level. */
  default void warn(@Nullable String message) {
    format(Level.WARNING, message);
  }

  /** Writes a line of this level. */
  default void warn(@Nullable String format, @Nullable Object argument) {
    format(Level.WARNING, format, argument);
  }

  /** Writes a line of this level. */
  default void warn(@Nullable String format, @Nullable Object first, @Nullable Object second) {
    format(Level.WARNING, format, first, second);
  }

  /** Writes a line of this level. */
  default void warn(@Nullable String format, @Nullable Object... arguments) {
    format(Level.WARNING, format, arguments);
  }

  /** Writes a line of this level. */
  default void warn(@Nullable String message, @Nullable Throwable failure) {
    format(Level.WARNING, message, failure);
  }

  /** Whether lines of this level are written. */
  default boolean isErrorEnabled() {
    return isEnabled(Level.ERROR);
  }

  /** Writes a line of this level. */
  default void error(@Nullable String message) {
    format(Level.ERROR, message);
  }

  /** Writes a line of this level. */
  default void error(@Nullable String format, @Nullable Object argument) {
    format(Level.ERROR, format, argument);
  }

  /** Writes a line of this level. */
  default void error(@Nullable String format, @Nullable Object first, @Nullable Object second) {
    format(Level.ERROR, format, first, second);
  }

  /** Writes a line of this level. */
  default void error(@Nullable String format, @Nullable Object... arguments) {
    format(Level.ERROR, format, arguments);
  }

  /** Writes a line of this level. */
  default void error(@Nullable String message, @Nullable Throwable failure) {
    format(Level.ERROR, message, failure);
  }
}
