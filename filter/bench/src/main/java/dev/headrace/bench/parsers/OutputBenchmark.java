package dev.headrace.bench.parsers;

import dev.headrace.messages.MessageEvent;
import dev.headrace.output.SimpleTranslation;
import dev.headrace.output.TextTranslation;
import dev.headrace.output.Translation;
import dev.headrace.sse.SseReader;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Turning events into another format, splitting included, per event. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class OutputBenchmark {

  private static final int MAX_EVENT = 1 << 20;

  private final byte[] answer = SampleAnswer.bytes();

  @Benchmark
  @OperationsPerInvocation(SampleAnswer.EVENTS)
  public long text() {
    return length(new TextTranslation());
  }

  @Benchmark
  @OperationsPerInvocation(SampleAnswer.EVENTS)
  public long simple() {
    return length(new SimpleTranslation(SimpleTranslation.Thinking.HIDDEN, MAX_EVENT, () -> null));
  }

  private long length(Translation translation) {
    long[] length = {0};
    new SseReader(
            MAX_EVENT,
            event -> {
              translation.onEvent(MessageEvent.of(event), event);
              length[0] += translation.length();
              translation.clear();
            })
        .feed(answer, 0, answer.length);
    return length[0];
  }
}
