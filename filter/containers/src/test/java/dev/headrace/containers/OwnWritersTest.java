package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewaySettings;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import dev.headrace.simulator.Transcripts;
import java.time.Duration;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code blocking.writers}: the same answers, written on a few threads of the gateway's own. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class OwnWritersTest extends GatewayContract {

  private static final String TEXT = new String(Transcripts.text(), UTF_8);

  OwnWritersTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void manyStreamsOnTwoThreadsAreAllComplete() throws Exception {
    GatewayUnderTest headrace =
        start(s -> s.blockingWriters(GatewaySettings.Writers.ALWAYS).blockingWriterThreads(2));
    headrace.claude().answersAlways(Answer.transcript(TEXT));
    LoadClient.Result result =
        new LoadClient(headrace.port(), "/claude/v1/messages", STREAMING, TEXT, "")
            .run(500, 32, Duration.ofSeconds(60));
    assertThat(result).isEqualTo(new LoadClient.Result(500, Map.of()));
  }

  @Test
  void aClientThatTakesNothingIsDroppedAfterTheSlowClientClock() throws Exception {
    GatewayUnderTest headrace =
        start(
            s ->
                s.blockingWriters(GatewaySettings.Writers.ALWAYS)
                    .blockingWriterThreads(1)
                    .timeoutsSlowClient(Duration.ofSeconds(1)));
    headrace.claude().answers(Answer.empty().flood(1L << 30));
    clientWithSmallBuffer(headrace).post(STREAMING);
    SeenRequest request = headrace.claude().awaitRequest(0, Duration.ofSeconds(5));
    request.awaitClientGone(Duration.ofSeconds(20));
    headrace.awaitIdle(Duration.ofSeconds(10));
    Awaitility.await()
        .untilAsserted(
            () ->
                assertThat(headrace.gateway().outcomes())
                    .containsOnlyKeys("TIMED_OUT(slow-client)"));
    headrace.claude().answers(Answer.transcript(TEXT));
    assertThat(post(headrace, STREAMING).body()).isEqualTo(TEXT); // the one thread is free
  }
}
