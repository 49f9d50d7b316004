package dev.headrace.logging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.helpers.MessageFormatter;

class LoggerFactoryTest {

  private static final String NAME = "dev.headrace.logging.test";

  @Test
  void linesGoToTheSlf4jOfTheApplication() {
    ch.qos.logback.classic.Logger logback =
        (ch.qos.logback.classic.Logger) org.slf4j.LoggerFactory.getLogger(NAME);
    ListAppender<ILoggingEvent> appender = new ListAppender<>();
    appender.start();
    logback.setAdditive(false);
    logback.setLevel(ch.qos.logback.classic.Level.DEBUG);
    logback.addAppender(appender);
    try {
      writeAll(LoggerFactory.getLogger(NAME));
    } finally {
      logback.detachAppender(appender);
    }

    assertThat(appender.list)
        .extracting(
            event -> event.getLevel().toString(),
            ILoggingEvent::getFormattedMessage,
            event ->
                event.getThrowableProxy() == null ? "" : event.getThrowableProxy().getMessage())
        .containsExactly(
            tuple("DEBUG", "one 1", ""),
            tuple("INFO", "{}", ""),
            tuple("WARN", "one 1 two 2", ""),
            tuple("ERROR", "three 1 2 3", "broken"));
  }

  @Test
  void linesGoToTheJdksLogWhereThereIsNoSlf4j() {
    assertThat(ApplicationLogging.find(ClassLoader.getPlatformClassLoader())).isNull();
    assertThat(ApplicationLogging.find(null)).isNull();
    java.util.logging.Logger jdk = java.util.logging.Logger.getLogger(NAME);
    List<LogRecord> records = new ArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord line) {
            records.add(line);
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    jdk.setUseParentHandlers(false);
    jdk.setLevel(java.util.logging.Level.FINE);
    jdk.addHandler(handler);
    try {
      writeAll(LoggerFactory.getLogger(NAME, null));
    } finally {
      jdk.removeHandler(handler);
    }

    assertThat(records)
        .extracting(
            line -> line.getLevel().getName(),
            LogRecord::getMessage,
            line -> line.getThrown() == null ? "" : line.getThrown().getMessage(),
            LogRecord::getSourceClassName,
            LogRecord::getSourceMethodName) // Tomcat writes both, and null as a word
        .containsExactly(
            tuple("FINE", "one 1", "", NAME, "log"),
            tuple("INFO", "{}", "", NAME, "log"),
            tuple("WARNING", "one 1 two 2", "", NAME, "log"),
            tuple("SEVERE", "three 1 2 3", "broken", NAME, "log"));
  }

  /** SLF4J's interface alone, which many libraries bring, throws all lines away. */
  @Test
  void linesGoToTheJdksLogWhereSlf4jHasNoProvider() throws IOException {
    URL slf4j = org.slf4j.LoggerFactory.class.getProtectionDomain().getCodeSource().getLocation();
    try (URLClassLoader alone =
        new URLClassLoader(new URL[] {slf4j}, ClassLoader.getPlatformClassLoader())) {
      assertThat(ApplicationLogging.find(alone)).isNull();
    }
  }

  private static void writeAll(Logger log) {
    assertThat(log.isTraceEnabled()).isFalse();
    assertThat(log.isDebugEnabled()).isTrue();
    assertThat(log.isErrorEnabled()).isTrue();
    log.trace("not seen {}", 1);
    log.debug("one {}", 1);
    log.info("{}");
    log.warn("one {} two {}", 1, 2);
    log.error("three {} {} {}", 1, 2, 3, new IllegalStateException("broken"));
  }

  /** SLF4J's own formatter is the judge. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "none",
        "{}",
        "{} {}",
        "{}{}{}{}",
        "a {} b {",
        "a \\{} b {} c {}",
        "} {} {",
        "{a} {}",
        "''"
      })
  void bracesAreFilledAsSlf4jFillsThem(String format) {
    for (@Nullable Object[] arguments :
        List.<@Nullable Object[]>of(
            new Object[] {},
            new @Nullable Object[] {null},
            new Object[] {"x", 2},
            new Object[] {"x", new IllegalStateException("broken")},
            new Object[] {"{}", "x", 3, 4, 5})) {
      var expected = MessageFormatter.arrayFormat(format, arguments);
      Line line = Line.of(format, arguments);
      assertThat(line.text()).isEqualTo(expected.getMessage());
      assertThat(line.failure()).isSameAs(expected.getThrowable());
    }
  }

  @Test
  void exceptionAsTheLastArgumentIsTheFailure() {
    Exception broken = new IllegalStateException("broken");

    assertThat(Line.of("a {}", 1, broken).failure()).isSameAs(broken);
    assertThat(Line.of("a {}", broken).failure()).isSameAs(broken);
    assertThat(Line.of("a {}", broken, 1).failure()).isNull();
    assertThat(Line.of("a").failure()).isNull();
  }

  @Test
  void argumentThatCannotDescribeItselfHarmsNobody() {
    Object unable =
        new Object() {
          @Override
          public String toString() {
            throw new IllegalStateException("never");
          }
        };

    assertThat(Line.of("a {}", unable).text())
        .isEqualTo("a [java.lang.IllegalStateException in toString()]");
  }

  @Test
  void levelThatSlf4jDoesNotHaveIsNeverEnabled() {
    Logger log = LoggerFactory.getLogger(NAME);

    assertThat(log.isEnabled(Level.OFF)).isFalse();
    log.write(Level.OFF, "not written", null);
  }
}
