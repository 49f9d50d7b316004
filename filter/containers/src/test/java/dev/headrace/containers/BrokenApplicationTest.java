package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Where an application is broken under us, so that code throws an {@link Error}, the client gets an
 * error or a cut answer, never one that looks whole; the exchange ends as failed and not as one
 * whose client has left; and everybody else is served.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class BrokenApplicationTest extends GatewayContract {

  BrokenApplicationTest(ContainerKind kind) {
    super(kind);
  }

  /** An unknown wrapper gets a thread of the container first, if it may have one. */
  private GatewayUnderTest broken(boolean async, int soundWrites) throws Exception {
    return broken(async, soundWrites, null);
  }

  private GatewayUnderTest broken(
      boolean async, int soundWrites, @Nullable RuntimeException failure) throws Exception {
    return keep(
        GatewayUnderTest.startWithBrokenStreams(
            kind(),
            async,
            soundWrites,
            failure,
            settings -> settings.upstreamIoThreads(1).blockingMaxConcurrent(async ? 0 : 10)));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void beforeTheStartEverythingIsGivenBack(boolean async) throws Exception {
    GatewayUnderTest headrace = broken(async, -1);
    assertThat(client(headrace).post(STREAMING).reply().status()).isEqualTo(500);
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().outcomes())
        .containsOnlyKeys(async ? "FAILED(not started)" : "FAILED(blocking)");
    assertThat(headrace.claude().attempts()).isZero();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void beforeTheFirstByteTheClientGetsAnError(boolean async) throws Exception {
    GatewayUnderTest headrace = broken(async, 0);
    headrace.claude().answersAlways(Answer.text("one", "two"));
    for (int i = 0; i < 3; i++) { // with one I/O thread, which must outlive them
      assertThat(client(headrace).post(STREAMING).reply().status()).isEqualTo(500);
    }
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().outcomes()).containsOnlyKeys("FAILED(NoClassDefFoundError)");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void inTheMiddleTheAnswerIsCut(boolean async) throws Exception {
    GatewayUnderTest headrace = broken(async, 1);
    headrace
        .claude()
        .answersAlways(Answer.text("one", "two").pauseAfterEvents(4, Duration.ofMillis(300)));
    for (int i = 0; i < 3; i++) {
      Reply reply = client(headrace).post(STREAMING).reply();
      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.end()).isNotEqualTo(End.COMPLETE);
    }
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().outcomes()).containsOnlyKeys("FAILED(NoClassDefFoundError)");
  }

  /** In plain text a client has nothing but the end of the connection to tell it. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void anAnswerThatAnExceptionEndsInTheMiddleIsCut(boolean async) throws Exception {
    GatewayUnderTest headrace = broken(async, 1, new IllegalStateException("not this one"));
    headrace
        .claude()
        .answersAlways(Answer.text("one", "two").pauseAfterEvents(4, Duration.ofMillis(300)));
    Reply reply = client(headrace).post("/claude/v1/messages?format=text", STREAMING).reply();
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isNotEqualTo(End.COMPLETE);
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(client(headrace).request("GET", "/claude/ops/ready").reply().status())
        .isEqualTo(200);
  }
}
