package dev.headrace.usage;

import dev.headrace.spi.UsageRecord;
import dev.headrace.spi.UsageSink;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/** A sink that can fail, hang, and forget to say that it has taken records; ignores known ids. */
final class ScriptedSink implements UsageSink {

  /** What happens to the next calls. */
  enum Mode {
    TAKES,
    FAILS,
    HANGS,
    TAKES_AND_FAILS
  }

  final AtomicInteger calls = new AtomicInteger();
  final List<String> offered = Collections.synchronizedList(new ArrayList<>());
  private final Set<String> kept = Collections.synchronizedSet(new LinkedHashSet<>());
  private volatile Mode mode = Mode.TAKES;

  ScriptedSink now(Mode next) {
    mode = next;
    return this;
  }

  /** This sink behind a driver that leaves its thread interrupted, and fails the first time. */
  UsageSink interrupting() {
    AtomicInteger asked = new AtomicInteger();
    return records -> {
      Thread.currentThread().interrupt();
      if (asked.getAndIncrement() == 0) {
        throw new IllegalStateException("interrupted");
      }
      keep(records);
    };
  }

  List<String> kept() {
    synchronized (kept) {
      return List.copyOf(kept);
    }
  }

  @Override
  public void keep(List<UsageRecord> records) throws Exception {
    calls.incrementAndGet();
    Mode current = mode;
    if (current == Mode.HANGS) {
      new CountDownLatch(1).await();
    }
    if (current == Mode.FAILS) {
      throw new IllegalStateException("the books\nare closed");
    }
    offered.addAll(Records.ids(records));
    kept.addAll(Records.ids(records));
    if (current == Mode.TAKES_AND_FAILS) {
      throw new IllegalStateException("the answer was lost");
    }
  }
}
