package dev.headrace.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.headrace.usage.ScriptedSink.Mode;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

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
