package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ConnectionsTest {
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final String HEAD =
      String.join(
          "\r\n",
          "POST /v1/messages HTTP/1.1",
          "Host: claude",
          "x-api-key: k",
          "anthropic-version: 2026-10-21",
          "content-type: application/json",
          "");

  private final ClaudeSimulator claude = ClaudeSimulator.builder().noPadding().start();
  private final HttpCaller http = new HttpCaller(claude);

  @AfterEach
  void close() {
    claude.close();
  }

  @Test
  void pipelinedRequestsAreAnsweredOneAfterTheOther() throws IOException {
    claude.answers(Answer.text("one").paced(100)).answers(Answer.text("two"));
    try (RawClient client = new RawClient(claude)) {
      client.stream().stream();

      assertThat(client.readUntil("\r\n0\r\n\r\n")).contains("\"one\"").doesNotContain("\"two\"");
      assertThat(client.readUntil("\r\n0\r\n\r\n")).contains("\"two\"");
    }
  }

  @Test
  void aChunkedBodyIsReadWhole() throws IOException {
    try (RawClient client = new RawClient(claude)) {
      String body = HttpCaller.BODY;
      client.send((HEAD + "Transfer-Encoding: chunked\r\n\r\n").getBytes(UTF_8));
      for (String piece : TextPieces.ofLength(body, 40)) {
        client.send(
            (Integer.toHexString(piece.length()) + "\r\n" + piece + "\r\n").getBytes(UTF_8));
      }
      client.send("0\r\n\r\n".getBytes(UTF_8)).readUntil("Hello");

      assertThat(claude.lastRequest().bodyText()).isEqualTo(body);
    }
  }

  @Test
  void aMalformedChunkClosesTheConnectionAndIsNoRequest() throws IOException {
    try (RawClient client = new RawClient(claude)) {
      client.send(
          (HEAD + "Transfer-Encoding: chunked\r\n\r\n5\r\nHello\r\nzz\r\n").getBytes(UTF_8));

      assertThat(client.readAll()).isEmpty();
    }
    assertThat(claude.attempts()).isZero();
  }

  @Test
  void aClientThatExpectsIsToldToContinue() throws IOException {
    try (RawClient client = new RawClient(claude)) {
      client.send(
          (HEAD
                  + "Expect: 100-continue\r\nContent-Length: "
                  + HttpCaller.BODY.length()
                  + "\r\n\r\n")
              .getBytes(UTF_8));
      assertThat(client.readUntil("\r\n\r\n")).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");

      assertThat(client.send(HttpCaller.BODY.getBytes(UTF_8)).readUntil("\r\n")).contains("200");
    }
  }

  @Test
  void openConnectionsCanBeClosedAndReset() throws IOException {
    try (RawClient idle = new RawClient(claude)) {
      idle.stream().readUntil("\r\n0\r\n\r\n");
      claude.closeConnections();
      assertThat(idle.readAll()).isEmpty();
    }
    try (RawClient idle = new RawClient(claude)) {
      idle.stream().readUntil("\r\n0\r\n\r\n");
      claude.resetConnections();
      assertThatThrownBy(idle::readAll).hasMessageContaining("reset");
    }
    await().atMost(SOON).until(() -> claude.openConnections() == 0);
  }

  @Test
  void runningStreamsEndWithTheirConnectionAndNewOnesAreServed() throws IOException {
    for (Runnable end : List.<Runnable>of(claude::closeConnections, claude::resetConnections)) {
      claude.answers(Answer.text("Hel").stallAfterEvents(4)).answers(Answer.text("Hello"));
      try (RawClient stalled = new RawClient(claude)) {
        stalled.stream().readUntil("Hel");
        end.run();
        await().atMost(SOON).until(() -> claude.openStreams() == 0);
      }
      try (RawClient next = new RawClient(claude)) {
        assertThat(next.stream().readUntil("message_stop")).contains("Hello");
      }
    }
  }

  @Test
  void zeroMaxTokensWarmsTheCacheAndSaysNothing() throws Exception {
    JsonNode message =
        Json.parse(
            http.post(
                    "/v1/messages",
                    HttpCaller.BODY.replace("\"max_tokens\":1024", "\"max_tokens\":0"))
                .body());

    assertThat(message.path("content").size()).isZero();
    assertThat(message.path("stop_reason").asString()).isEqualTo("max_tokens");
    assertThat(message.path("usage").path("output_tokens").asInt(-1)).isZero();
    assertThat(message.path("usage").path("cache_creation_input_tokens").asInt()).isPositive();
  }

  @Test
  void aRequestIsWaitedForUntilItIsUnderstoodAndItsAnswerChosen() throws Exception {
    AtomicInteger counted = new AtomicInteger();
    AtomicReference<Throwable> refused = new AtomicReference<>();
    claude.answersBy(
        request -> {
          counted.set(claude.attempts());
          refused.set(catchThrowable(() -> claude.awaitRequest(0, Duration.ZERO)));
          return Answer.text("Hi");
        });

    assertThat(http.stream().body()).contains("Hi");

    assertThat(counted).hasValue(1);
    assertThat(refused.get()).hasMessageContaining("answer to request 0");
    assertThat(claude.awaitRequest(0, SOON).model()).isEqualTo("claude-opus-5-5");
  }

  @Test
  void aScriptThatThrowsIsAnsweredWith500AndNamed() throws Exception {
    claude.answersBy(
        request -> {
          throw new IllegalStateException("no idea");
        });

    assertThat(http.message().body()).contains("The script failed").contains("no idea");
    assertThat(claude.lastRequest().toString()).contains("no idea");
  }

  @Test
  void anAssertionThatFailsInAScriptIsAnsweredWith500AndNamed() throws Exception {
    claude.answersBy(
        request -> {
          throw new AssertionError("expected another model");
        });

    assertThat(http.message().body()).contains("The script failed", "expected another model");
    assertThat(claude.lastRequest().toString()).contains("expected another model");
  }

  @Test
  void closingDoesNotWaitForAScriptThatBlocks() throws Exception {
    CountDownLatch entered = new CountDownLatch(1);
    CountDownLatch released = new CountDownLatch(1);
    ClaudeSimulator blocked =
        ClaudeSimulator.builder()
            .threads(1)
            .answersBy(
                request -> {
                  entered.countDown();
                  await().forever().until(() -> released.getCount() == 0);
                  return Answer.text("late");
                })
            .start();
    CompletableFuture<?> answer = new HttpCaller(blocked).streamAsync();
    assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();

    assertThat(CompletableFuture.runAsync(() -> blocked.close(Duration.ofMillis(50))))
        .succeedsWithin(SOON);

    released.countDown();
    assertThat(answer.handle((reply, failure) -> "over")).succeedsWithin(SOON);
    await().atMost(SOON).until(() -> blocked.openConnections() == 0);
    blocked.close();
  }

  @Test
  void aPortThatIsTakenIsNamedAndNoThreadIsLeft() {
    Set<Thread> before = simulatorThreads();

    assertThatThrownBy(() -> ClaudeSimulator.builder().port(claude.port()).start())
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("Cannot listen on 127.0.0.1:" + claude.port() + ": ");

    await().atMost(SOON).until(() -> simulatorThreads().equals(before));
  }

  private static Set<Thread> simulatorThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("claude-simulator"))
        .collect(Collectors.toSet());
  }

  @Test
  void waitingInVainSaysForWhat() {
    assertThatThrownBy(() -> claude.awaitRequest(0, Duration.ofMillis(20)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("request 0");
    assertThatThrownBy(claude::lastRequest).isInstanceOf(AssertionError.class);
  }

  @Test
  void eventsAfterAnInstantAreCountedWhenTimesAreRecorded() throws Exception {
    try (ClaudeSimulator recording = ClaudeSimulator.builder().recordEventTimes().start()) {
      long before = System.nanoTime();
      assertThat(new HttpCaller(recording).stream().statusCode()).isEqualTo(200);

      assertThat(recording.lastRequest().eventsSentAfter(before)).isEqualTo(8);
      assertThat(recording.lastRequest().eventsSentAfter(System.nanoTime())).isZero();
    }
    assertThat(http.stream().statusCode()).isEqualTo(200);
    assertThatThrownBy(() -> claude.lastRequest().eventsSentAfter(0))
        .hasMessageContaining("recordEventTimes");
  }
}
