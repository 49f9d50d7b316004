package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.Transcripts;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Races between the upstream's threads and the container's show themselves only in numbers. */
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
          new LoadClient(headrace.port(), "/claude/v1/messages", BODY, transcript, "");

      LoadClient.Result result = client.run(20_000, 64, Duration.ofMinutes(3));

      assertThat(result.others()).isEqualTo(Map.of());
      assertThat(result.complete()).isEqualTo(20_000);
    }
  }
}
