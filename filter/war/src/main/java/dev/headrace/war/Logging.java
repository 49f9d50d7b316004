package dev.headrace.war;

import ch.qos.logback.classic.LoggerContext;
import jakarta.servlet.ServletContext;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;

/** The end of the application's own Logback. */
final class Logging {

  private Logging() {}

  /**
   * Stops Logback, if it is the application's own: one that the container shares with all of its
   * applications goes on.
   */
  static void stop(ServletContext application) {
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (factory instanceof LoggerContext logback
        && factory.getClass().getClassLoader() == application.getClassLoader()) {
      logback.stop();
    }
  }
}
