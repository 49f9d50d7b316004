package dev.headrace.spi;

import java.util.List;

/**
 * Keeps usage records, such as in the application's own database. Called on a thread of the
 * gateway's that serves nothing else, one call at a time, so it may block; a slow sink never slows
 * a stream.
 */
@FunctionalInterface
public interface UsageSink {

  /**
   * Keeps the records. If this throws, they are offered again later, all of them: records whose id
   * is known are to be ignored.
   *
   * @param records at least one, oldest first
   * @throws Exception if they could not be kept; the message is logged
   */
  void keep(List<UsageRecord> records) throws Exception;
}
