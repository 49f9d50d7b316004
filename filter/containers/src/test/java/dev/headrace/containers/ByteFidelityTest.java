package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.Transcripts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Bytes in, bytes out, wherever the network cuts them. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class ByteFidelityTest extends GatewayContract {

  private static final String ERROR_FIRST = "f-error-first";

  ByteFidelityTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void everyTranscriptInOnePieceArrivesByteForByte() throws Exception {
    GatewayUnderTest headrace = startWithOneAttempt();
    for (Map.Entry<String, byte[]> transcript : Transcripts.all().entrySet()) {
      headrace.claude().answers(Answer.transcript(transcript.getValue()));
      assertReply(transcript.getKey(), transcript.getValue(), post(headrace, STREAMING));
    }
  }

  @Test
  void everyTranscriptByteByByteArrivesByteForByte() throws Exception {
    GatewayUnderTest headrace = startWithOneAttempt();
    Map<String, byte[]> transcripts = Transcripts.all();
    headrace
        .claude()
        .answersBy(
            request ->
                transcripts.entrySet().stream()
                    .filter(entry -> request.bodyText().contains("\"" + entry.getKey() + "\""))
                    .map(entry -> Answer.transcript(entry.getValue()).splitEvery(1))
                    .findFirst()
                    .orElseThrow());
    ExecutorService threads = Executors.newFixedThreadPool(transcripts.size());
    try {
      Map<String, Future<RawClient.Reply>> replies = new java.util.LinkedHashMap<>();
      for (String name : transcripts.keySet()) {
        replies.put(name, threads.submit(() -> post(headrace, Requests.streaming(name))));
      }
      for (Map.Entry<String, Future<RawClient.Reply>> reply : replies.entrySet()) {
        byte[] expected = java.util.Objects.requireNonNull(transcripts.get(reply.getKey()));
        assertReply(reply.getKey(), expected, reply.getValue().get(60, TimeUnit.SECONDS));
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Tag("long")
  @Test
  void everyTranscriptSplitAtEveryPositionArrivesByteForByte() throws Exception {
    GatewayUnderTest headrace = startWithOneAttempt();
    List<String> wrong = new ArrayList<>();
    for (Map.Entry<String, byte[]> entry : Transcripts.all().entrySet()) {
      byte[] bytes = entry.getValue();
      boolean error = entry.getKey().equals(ERROR_FIRST);
      int splits = bytes.length - 1;
      AtomicInteger position = new AtomicInteger();
      headrace
          .claude()
          .answersBy(r -> Answer.transcript(bytes).splitAt(position.incrementAndGet()));
      LoadClient client =
          new LoadClient(
                  headrace.port(),
                  "/claude/v1/messages",
                  STREAMING,
                  error ? 529 : 200,
                  error ? dataOf(bytes) : new String(bytes, UTF_8),
                  "")
              .circumstances(headrace::circumstances);

      LoadClient.Result result = client.run(splits, 16, Duration.ofMinutes(1));

      if (result.complete() != splits) {
        wrong.add(kind() + ", " + entry.getKey() + ": " + result);
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void anAnswerWithCrlfOrCommentsOfTheUpstreamArrivesByteForByte() throws Exception {
    GatewayUnderTest headrace = start();
    String lf = new String(Transcripts.text(), UTF_8);
    List<String> streams =
        List.of(lf.replace("\n", "\r\n"), lf.replace("event:", ": a comment\nevent:"));
    for (String stream : streams) {
      headrace.claude().answers(Answer.transcript(stream));
      RawClient.Reply reply = post(headrace, STREAMING);
      assertThat(reply.body()).isEqualTo(stream);
      assertThat(reply.end()).isEqualTo(RawClient.End.COMPLETE);
    }
  }

  /** Whatever the answer is, also an error: it is the one to pass on. */
  private GatewayUnderTest startWithOneAttempt() throws Exception {
    return start(settings -> settings.retryMaxAttempts(1).breakerEnabled(false));
  }

  private static void assertReply(String name, byte[] upstream, RawClient.Reply reply) {
    if (name.equals(ERROR_FIRST)) {
      assertThat(reply.status()).as(name).isEqualTo(529);
      assertThat(reply.header("content-type")).as(name).hasValue("application/json");
      assertThat(reply.body()).as(name).isEqualTo(dataOf(upstream));
    } else {
      assertThat(reply.status()).as(name).isEqualTo(200);
      assertThat(reply.body()).as(name).isEqualTo(new String(upstream, UTF_8));
      assertThat(reply.header("cache-control")).as(name).hasValue("no-cache");
      assertThat(reply.header("x-accel-buffering")).as(name).hasValue("no");
    }
    assertThat(reply.end()).as(name).isEqualTo(RawClient.End.COMPLETE);
  }

  private static String dataOf(byte[] onlyEvent) {
    String text = new String(onlyEvent, UTF_8);
    return text.substring(text.indexOf("data: ") + 6).strip();
  }
}
