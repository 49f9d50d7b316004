package dev.headrace.bench.parsers;

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

/** Splitting a stream into events, per event. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class SseBenchmark {

  private static final int MAX_EVENT = 1 << 20;

  private final byte[] answer = SampleAnswer.bytes();
  private final int[] ends = SampleAnswer.eventEnds(answer);
  private long seen;

  /** As at saturation: many events in one chunk. */
  @Benchmark
  @OperationsPerInvocation(SampleAnswer.EVENTS)
  public long manyEventsInOneChunk() {
    SseReader reader = newReader();
    reader.feed(answer, 0, answer.length);
    return seen;
  }

  /** As in a paced stream. */
  @Benchmark
  @OperationsPerInvocation(SampleAnswer.EVENTS)
  public long eachEventInAChunkOfItsOwn() {
    SseReader reader = newReader();
    int from = 0;
    for (int end : ends) {
      reader.feed(answer, from, end - from);
      from = end;
    }
    return seen;
  }

  /** Cut where the network cuts, so that some events are put together from two chunks. */
  @Benchmark
  @OperationsPerInvocation(SampleAnswer.EVENTS)
  public long chunksOf1460Bytes() {
    SseReader reader = newReader();
    for (int from = 0; from < answer.length; from += 1460) {
      reader.feed(answer, from, Math.min(1460, answer.length - from));
    }
    return seen;
  }

  private SseReader newReader() {
    return new SseReader(MAX_EVENT, event -> seen += event.dataLength());
  }
}
