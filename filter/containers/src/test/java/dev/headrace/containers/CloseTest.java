package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.GatewayBuilder;
import dev.headrace.GatewayInside;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.config.IdentitySource;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.spi.Identity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** After a gateway has closed, nothing of it is left, and no client waits for ever. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class CloseTest extends GatewayContract {

  CloseTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void runningStreamsEndWithinTheDrainAndNewRequestsAreRefused() throws Exception {
    GatewayUnderTest headrace = start(s -> s.shutdownDrain(Duration.ofSeconds(10)));
    headrace.claude().answers(Answer.text("Hel", "lo", "lo", "lo", "lo", "lo").paced(4));
    RawClient running = client(headrace).post(STREAMING);
    running.replyHead();
    RawClient balancer = client(headrace);
    assertThat(ready(balancer)).isEqualTo("200 {\"status\":\"ready\"}");
    headrace.gateway().drain(); // the first half of a close, as before a planned restart
    assertThat(ready(balancer)).isEqualTo("503 {\"status\":\"draining\"}");
    Thread closing = closeInBackground(headrace);

    Awaitility.await()
        .atMost(Duration.ofSeconds(1))
        .until(() -> post(headrace, STREAMING).status() == 503);
    Reply refused = post(headrace, STREAMING);
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.header("retry-after")).isPresent();
    assertThat(refused.header("connection").orElse("")).isEqualToIgnoringCase("close");

    running.readBodyUntil("event: message_stop");
    closing.join(5_000);
    assertThat(closing.isAlive()).isFalse();
    assertNoThreadIsLeft();
  }

  @Test
  void whoeverClosesItASecondTimeWaitsForTheFirst() throws Exception {
    GatewayUnderTest headrace = start(s -> s.shutdownDrain(Duration.ofSeconds(5)));
    headrace.claude().answers(Answer.text("Hel").stallAfterEvents(4));
    RawClient running = client(headrace).post(STREAMING);
    running.replyHead();
    Thread closing = closeInBackground(headrace);
    Awaitility.await().until(() -> closing.getState() == Thread.State.TIMED_WAITING);
    assertThat(GatewayInside.runningIds(headrace.gateway())).hasSize(1);
    headrace.gateway().close();
    assertThat(GatewayInside.runningIds(headrace.gateway())).isEmpty();
    running.readBodyUntil("event: error");
    closing.join(5_000);
    assertThat(closing.isAlive()).isFalse();
  }

  @Test
  void streamsThatOutliveTheDrainEndWithAnErrorEvent() throws Exception {
    GatewayUnderTest headrace = start(s -> s.shutdownDrain(Duration.ofMillis(300)));
    headrace.claude().answersAlways(Answer.text("Hel").stallAfterEvents(4));
    List<RawClient> running = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      RawClient client = client(headrace).post(STREAMING);
      client.replyHead();
      running.add(client);
    }
    headrace.claude().answersAlways(Answer.text("a").stallBeforeHead());
    RawClient waiting = client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(50, Duration.ofSeconds(5));

    Thread closing = closeInBackground(headrace);

    for (RawClient client : running) {
      java.io.ByteArrayOutputStream body = new java.io.ByteArrayOutputStream();
      End end = client.readBody(body, Long.MAX_VALUE);
      assertThat(end).isEqualTo(End.COMPLETE);
      assertThat(body.toString(java.nio.charset.StandardCharsets.UTF_8))
          .contains("event: error", "shutting down");
    }
    Reply reply = waiting.reply();
    assertThat(reply.status()).isEqualTo(503);
    closing.join(5_000);
    assertThat(closing.isAlive()).isFalse();
    assertNoThreadIsLeft();
    assertThat(headrace.claude().openStreams()).isZero();
    assertThat(headrace.claude().openConnections()).isZero();
  }

  @Test
  void aClientThatTakesNothingDoesNotHoldUpTheEnd() throws Exception {
    GatewayUnderTest headrace = start(s -> s.shutdownDrain(Duration.ZERO));
    headrace.claude().answers(Answer.empty().flood(1L << 30));
    RawClient client = clientWithSmallBuffer(headrace).post(STREAMING);
    client.replyHead();
    Standstill.await(headrace.claude().awaitRequest(0, Duration.ofSeconds(5))::bytesSent);
    long before = System.nanoTime();
    headrace.gateway().close();
    long millis = (System.nanoTime() - before) / 1_000_000;
    Figures.note(kind(), "close with a client that takes nothing", millis + " ms");
    assertThat(millis).isLessThan(5_000);
    assertNoThreadIsLeft();
    headrace.claude().lastRequest().awaitClientGone(Duration.ofSeconds(5));
    assertThat(headrace.gateway().runningExchanges()).isZero();
    assertThat(headrace.gateway().permitsInUse()).isZero();
    RawClient.End end = client.readBody(new java.io.ByteArrayOutputStream(), Long.MAX_VALUE);
    assertThat(end).isIn(End.CUT, End.RESET);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aRequestThatIsStillAtTheDoorWhenTheGatewayHasClosedIsRefused(boolean async)
      throws Exception {
    CountDownLatch atTheDoor = new CountDownLatch(1);
    CountDownLatch open = new CountDownLatch(1);
    UnaryOperator<GatewaySettingsBuilder> settings =
        s -> s.identitySources(List.of(IdentitySource.RESOLVER));
    UnaryOperator<GatewayBuilder> resolver =
        gateway ->
            gateway.resolver(
                request -> {
                  atTheDoor.countDown();
                  await(open);
                  return new Identity("slow");
                });
    GatewayUnderTest headrace =
        async
            ? startWith(ClaudeSimulator.builder().apiKey(KEY), settings, resolver)
            : keep(GatewayUnderTest.startBehindLegacyFilter(kind(), settings, resolver));
    RawClient client = client(headrace).post(STREAMING);
    await(atTheDoor);
    headrace.gateway().close();
    open.countDown();

    Reply refused = client.reply();
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.body()).contains("shutting down");
    assertThat(refused.header("retry-after")).hasValue("5");
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.claude().attempts()).isZero();
    assertThat(headrace.gateway().outcomes()).containsOnlyKeys("CANCELLED(shutdown)");
    assertNoThreadIsLeft();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String ready(RawClient client) throws java.io.IOException {
    Reply reply = client.request("GET", "/claude/ops/ready").reply();
    return reply.status() + " " + reply.body();
  }

  private static Thread closeInBackground(GatewayUnderTest headrace) {
    Thread closing = new Thread(headrace.gateway()::close, "closing");
    closing.start();
    return closing;
  }

  private static void assertNoThreadIsLeft() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(
                        name -> name.startsWith("headrace-") || name.startsWith("httpclient-")));
  }
}
