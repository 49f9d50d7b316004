package dev.headrace.usage;

import dev.headrace.spi.UsageRecord;
import dev.headrace.spi.UsageSink;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes each usage record as one line of JSON to the logger {@code dev.headrace.usage}, at INFO.
 * The line names the user and holds no prompt, answer or key. Thread-safe.
 */
final class LogSink implements UsageSink {

  private static final Logger USAGE = LoggerFactory.getLogger("dev.headrace.usage");

  @Override
  public void keep(List<UsageRecord> records) {
    if (USAGE.isInfoEnabled()) {
      records.forEach(usage -> USAGE.info("{}", UsageRecordJson.write(usage)));
    }
  }
}
