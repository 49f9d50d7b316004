package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.Transcripts;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Races between the upstream's threads and the container's show themselves only in numbers. */
@Tag("alone")
class ManyStreamsTest {

  private static final String BODY =
      """
      {"model":"claude-sonnet-5-5","max_tokens":100,"stream":true,\
      "messages":[{"role":"user","content":"Hello"}]}""";

  @ParameterizedTest
  @EnumSource(ContainerKind.class)
  void twentyThousandShortStreamsInARowAreAllComplete(ContainerKind kind) throws Exception {
    try (GatewayUnderTest headrace = GatewayUnderTest.start(kind)) {
      String transcript = new String(Transcripts.text(), StandardCharsets.UTF_8);
      headrace.claude().answersAlways(Answer.transcript(transcript));
      LoadClient client =
          new LoadClient(headrace.port(), "/claude/v1/messages", BODY, transcript, "")
              .circumstances(headrace::circumstances);

      LoadClient.Result result = client.run(20_000, 64, Duration.ofMinutes(3));

      assertThat(result.others()).isEqualTo(Map.of());
      assertThat(result.complete()).isEqualTo(20_000);
    }
  }

  /** Nobody holds a thread per stream: neither the container nor the gateway. */
  @ParameterizedTest
  @EnumSource(ContainerKind.class)
  void twoThousandStreamsAtTheSameTimeNeedFewThreads(ContainerKind kind) throws Exception {
    int streams = Load.count(2_000, 10_000);
    try (GatewayUnderTest headrace =
        GatewayUnderTest.start(kind, settings -> settings.timeoutsHeartbeat(Duration.ZERO))) {
      StringBuilder stream = new StringBuilder();
      for (int i = 0; i < 50; i++) { // ten seconds, so that all are there before the first ends
        stream
            .append("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",")
            .append("\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"" + i + "\"}}\n\n");
      }
      stream.append("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
      String expected = stream.toString();
      headrace.claude().answersAlways(Answer.transcript(expected).paced(5));
      LoadClient client =
          new LoadClient(headrace.port(), "/claude/v1/messages", BODY, expected, "")
              .circumstances(headrace::circumstances);
      ThreadWatch watch = new ThreadWatch(headrace.gateway()::runningExchanges);

      LoadClient.Result result;
      try (watch) {
        result = client.run(streams, streams, Duration.ofMinutes(1));
      }

      Figures.note(kind, "streams at the same time", watch.mostStreams() + "");
      Figures.note(kind, "threads of container and gateway then", watch.mostThreads());
      assertThat(result.others()).isEqualTo(Map.of());
      assertThat(result.complete()).isEqualTo(streams);
      assertThat(watch.mostStreams()).isEqualTo(streams);
      assertThat(watch.mostThreadCount()).isLessThan(100);
      headrace.awaitIdle(Duration.ofSeconds(10));
    }
  }
}
