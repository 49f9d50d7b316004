package dev.headrace.usage;

import dev.headrace.spi.UsageRecord;
import java.time.Duration;

/** What stands between the streams and one sink. Thread-safe. */
interface SinkQueue {

  /** Takes a record for the sink, or counts it as dropped. Never blocks, never throws. */
  void offer(UsageRecord usage);

  /** What the sink has done so far. */
  SinkFigures figures();

  /**
   * Takes no more, delivers what waits if that is possible within the time, and stops every thread.
   * Idempotent.
   */
  void close(Duration patience);
}
