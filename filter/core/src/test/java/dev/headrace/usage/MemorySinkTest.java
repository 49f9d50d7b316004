package dev.headrace.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import dev.headrace.usage.ScriptedSink.Mode;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class MemorySinkTest {

  private final ScriptedSink sink = new ScriptedSink();

  @Test
  void threadComesWithARecordAndLeavesWhenThereIsNoneForAWhile() {
    MemorySink memory = new MemorySink("log", sink, 100, Duration.ofMillis(50), SinkThreads::make);
    assertThat(SinkThreadNames.alive()).isEmpty();
    for (int i = 0; i < 3; i++) {
      Records.numbered(10 * i, 10 * i + 10).forEach(memory::offer);
      int count = 10 * i + 10;
      await().until(() -> memory.figures().kept() == count);
      await().until(() -> SinkThreadNames.alive().isEmpty());
    }
    assertThat(sink.offered).isEqualTo(Records.ids(Records.numbered(0, 30)));
    memory.close(Duration.ofSeconds(5));
  }

  @Test
  void noRecordIsForgottenWhenTheThreadIsJustLeaving() {
    MemorySink memory = new MemorySink("log", sink, 100_000, Duration.ZERO, SinkThreads::make);
    for (int i = 0; i < 5_000; i++) {
      Records.numbered(i, i + 1).forEach(memory::offer);
    }
    await().until(() -> memory.figures().kept() == 5_000);
    memory.close(Duration.ofSeconds(5));
    assertThat(SinkThreadNames.alive()).isEmpty();
  }

  @Test
  void whileNoThreadCanBeMadeRecordsWaitAndNobodyIsDisturbed() {
    AtomicInteger asked = new AtomicInteger();
    MemorySink memory =
        new MemorySink(
            "log",
            sink,
            100,
            Duration.ofSeconds(5),
            (name, task) ->
                asked.incrementAndGet() > 2
                    ? SinkThreads.make(name, task)
                    : new Thread(task) {
                      @Override
                      public synchronized void start() {
                        throw new OutOfMemoryError("unable to create native thread");
                      }
                    });
    Records.numbered(0, 2).forEach(memory::offer);
    assertThat(memory.figures()).isEqualTo(new SinkFigures("log", 0, 2, 0, 0));
    Records.numbered(2, 3).forEach(memory::offer);
    await().until(() -> memory.figures().kept() == 3);
    assertThat(sink.offered).isEqualTo(Records.ids(Records.numbered(0, 3)));
    memory.close(Duration.ofSeconds(5));
  }

  /** A record may come while the gateway closes, on a thread that has just found no other. */
  @Test
  void noThreadIsStartedOnceItIsClosed() {
    MemorySink memory = new MemorySink("log", sink, 100);
    memory.close(Duration.ofSeconds(5));
    Records.numbered(0, 3).forEach(memory::offer);
    assertThat(SinkThreadNames.alive()).isEmpty();
    assertThat(memory.figures()).isEqualTo(new SinkFigures("log", 0, 0, 0, 3));
  }

  @Test
  void sinkThatLeavesItsThreadInterruptedIsAskedAgain() {
    MemorySink memory = new MemorySink("database", sink.interrupting(), 100);
    Records.numbered(0, 3).forEach(memory::offer);
    await().until(() -> memory.figures().kept() == 3);
    Records.numbered(3, 6).forEach(memory::offer);
    await().until(() -> memory.figures().kept() == 6);
    assertThat(memory.figures().dropped()).isZero();
    memory.close(Duration.ofSeconds(5));
  }

  /** The sink "log" fails where the log does, and so does the line that is to say so. */
  @Test
  void aLogThatFailsEndsNoThreadAndLosesNoRecord() {
    Logger log = (Logger) LoggerFactory.getLogger("dev.headrace.usage");
    AppenderBase<ILoggingEvent> broken =
        new AppenderBase<>() {
          @Override
          public synchronized void doAppend(ILoggingEvent line) {
            throw new IllegalStateException("no room for a line");
          }

          @Override
          protected void append(ILoggingEvent line) {
            throw new AssertionError("not called");
          }
        };
    broken.start();
    log.addAppender(broken);
    try {
      sink.now(Mode.FAILS);
      MemorySink memory = new MemorySink("log", sink, 100);
      Records.numbered(0, 3).forEach(memory::offer);
      await().until(() -> sink.calls.get() > 1);
      sink.now(Mode.TAKES);
      await().until(() -> memory.figures().kept() == 3);
      Records.numbered(3, 6).forEach(memory::offer);
      await().until(() -> memory.figures().kept() == 6);
      memory.close(Duration.ofSeconds(5));
    } finally {
      log.detachAppender(broken);
    }
    assertThat(SinkThreadNames.alive()).isEmpty();
  }

  @Test
  void recordsThatComeCloselyAreTakenTogether() {
    MemorySink memory = new MemorySink("log", sink, 100_000);
    for (int i = 0; i < 5_000; i++) {
      Records.numbered(i, i + 1).forEach(memory::offer);
    }
    await().until(() -> memory.figures().kept() == 5_000);
    assertThat(sink.calls.get()).isLessThan(1_000);
    assertThat(sink.offered).isEqualTo(Records.ids(Records.numbered(0, 5_000)));
    memory.close(Duration.ofSeconds(5));
  }

  @Test
  void whatHasNoRoomIsCounted() {
    sink.now(Mode.HANGS);
    MemorySink memory = new MemorySink("log", sink, 100);
    memory.offer(Records.empty("first"));
    await().until(() -> sink.calls.get() == 1);
    Records.numbered(0, 150).forEach(memory::offer);
    assertThat(memory.figures()).isEqualTo(new SinkFigures("log", 0, 101, 0, 50));
    memory.close(Duration.ofMillis(100));
    assertThat(SinkThreadNames.alive()).isEmpty();
    assertThat(memory.figures().dropped()).isEqualTo(151);
  }

  @Test
  void sinkThatFailsIsAskedAgain() {
    sink.now(Mode.FAILS);
    MemorySink memory = new MemorySink("app", sink, 100);
    Records.numbered(0, 5).forEach(memory::offer);
    await().until(() -> sink.calls.get() >= 2);
    sink.now(Mode.TAKES);
    await().until(() -> memory.figures().kept() == 5);
    memory.close(Duration.ofSeconds(5));
  }
}
