package dev.headrace.containers;

import dev.headrace.spi.UsageRecord;
import dev.headrace.spi.UsageSink;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.awaitility.Awaitility;

/** Keeps every usage record for a test to look at. Thread-safe. */
public final class RecordingSink implements UsageSink {

  private final List<UsageRecord> records = new CopyOnWriteArrayList<>();

  @Override
  public void keep(List<UsageRecord> kept) {
    records.addAll(kept);
  }

  public List<UsageRecord> await(int count) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> records.size() >= count);
    return List.copyOf(records);
  }

  public UsageRecord awaitOne() {
    List<UsageRecord> seen = await(1);
    if (seen.size() != 1) {
      throw new AssertionError("more than one record: " + seen);
    }
    return seen.get(0);
  }
}
