package dev.headrace.containers;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Collects the lines of the exchange log while it is open. Thread-safe. */
final class ExchangeLines implements AutoCloseable {

  private final Logger logger = (Logger) LoggerFactory.getLogger("dev.headrace.exchange");
  private final @Nullable Level levelBefore = logger.getLevel();
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final AppenderBase<ILoggingEvent> appender =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          lines.add(event.getFormattedMessage());
        }
      };

  ExchangeLines() {
    appender.setContext(logger.getLoggerContext());
    appender.start();
    logger.addAppender(appender);
    logger.setAdditive(false);
    logger.setLevel(Level.INFO);
  }

  /** Waits until so many exchanges have ended; returns their lines in this order. */
  List<String> await(int count) {
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(10))
        .until(() -> lines.size() >= count);
    return List.copyOf(lines);
  }

  /** Waits for the first line. */
  String awaitOne() {
    return await(1).get(0);
  }

  @Override
  public void close() {
    logger.setLevel(levelBefore);
    logger.setAdditive(true);
    logger.detachAppender(appender);
    appender.stop();
  }
}
