package dev.headrace.bench.parsers;

import dev.headrace.messages.InvalidBodyException;
import dev.headrace.messages.MessageEvent;
import dev.headrace.messages.MessageUsage;
import dev.headrace.messages.RequestHead;
import dev.headrace.messages.UsageReader;
import dev.headrace.sse.SseReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
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

/** What is read from requests, per request, and from passing events, per event. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class MessagesBenchmark {

  private static final int MAX_EVENT = 1 << 20;

  private final byte[] answer = SampleAnswer.bytes();
  private final byte[] shortRequest = request(1);
  private final byte[] longRequest = request(200);

  /** A conversation: each turn about half a KiB. */
  private static byte[] request(int turns) {
    StringBuilder body =
        new StringBuilder("{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":4096,\"stream\":true");
    body.append(",\"system\":\"You answer in one sentence.\",\"messages\":[");
    for (int turn = 0; turn < turns; turn++) {
      body.append(turn == 0 ? "" : ",");
      body.append("{\"role\":\"").append(turn % 2 == 0 ? "user" : "assistant");
      body.append("\",\"content\":\"").append("The mill stands where the water falls. ".repeat(12));
      body.append("\"}");
    }
    return body.append("]}").toString().getBytes(StandardCharsets.UTF_8);
  }

  @Benchmark
  public RequestHead headOfAShortRequest() throws InvalidBodyException {
    return RequestHead.read(shortRequest, shortRequest.length);
  }

  /** About 100 KiB. */
  @Benchmark
  public RequestHead headOfALongRequest() throws InvalidBodyException {
    return RequestHead.read(longRequest, longRequest.length);
  }

  /** Splitting included. */
  @Benchmark
  @OperationsPerInvocation(SampleAnswer.EVENTS)
  public @Nullable MessageUsage usage() {
    UsageReader usage = new UsageReader();
    new SseReader(MAX_EVENT, event -> usage.onEvent(MessageEvent.of(event), event))
        .feed(answer, 0, answer.length);
    return usage.usage();
  }
}
