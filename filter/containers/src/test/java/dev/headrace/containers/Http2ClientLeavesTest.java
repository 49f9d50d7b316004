package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import dev.headrace.simulator.Transcripts;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * HTTP/2 in clear text, by upgrade, since the JDK's client knows no other way: its first request is
 * a GET that upgrades the connection, and the stream goes over that.
 */
@Tag("alone")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class Http2ClientLeavesTest extends GatewayContract {

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build();

  Http2ClientLeavesTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void aStreamPassesByteForByte() throws Exception {
    GatewayUnderTest headrace = startUpgraded(Duration.ofSeconds(10));
    headrace.claude().answers(Answer.transcript(Transcripts.text()));
    HttpResponse<byte[]> response = http.send(request(headrace), BodyHandlers.ofByteArray());
    assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
    assertThat(response.body()).isEqualTo(Transcripts.text());
  }

  /** RST_STREAM is told to the gateway at once; no heartbeat and no event is needed. */
  @Test
  void aResetStreamClosesTheUpstreamInSilence() throws Exception {
    GatewayUnderTest headrace = startUpgraded(Duration.ofSeconds(30));
    headrace.claude().answers(Answer.text("Hel").stallAfterEvents(4));
    leave(headrace, "HTTP/2 RST_STREAM in silence");
  }

  @Test
  void aResetStreamClosesTheUpstreamWhileEventsFlow() throws Exception {
    GatewayUnderTest headrace = startUpgraded(Duration.ofSeconds(30));
    String[] deltas = new String[1_000];
    Arrays.fill(deltas, "Hel");
    headrace.claude().answers(Answer.text("Hel", deltas).paced(20));
    leave(headrace, "HTTP/2 RST_STREAM while events flow");
  }

  @Test
  void anAnswerThatIsCutIsResetAndNotEnded() throws Exception {
    GatewayUnderTest headrace = startUpgraded(Duration.ofSeconds(30));
    headrace
        .claude()
        .answers(
            Answer.transcript(Transcripts.text())
                .trickle(10_000, Duration.ofMillis(20))
                .cutAtByte(700));
    HttpResponse<InputStream> response = http.send(request(headrace), BodyHandlers.ofInputStream());
    assertThat(response.statusCode()).isEqualTo(200);
    try (InputStream body = response.body()) {
      org.assertj.core.api.Assertions.assertThatThrownBy(body::readAllBytes)
          .isInstanceOf(java.io.IOException.class);
    }
  }

  @Test
  void aStreamThatIsResetBeforeItsBodyCallsNobodyAndCountsAsLeft() throws Exception {
    CountDownLatch arrived = new CountDownLatch(1);
    CountDownLatch left = new CountDownLatch(1);
    GatewayUnderTest headrace =
        keep(
            GatewayUnderTest.startWithRequests(
                kind(),
                request -> {
                  arrived.countDown();
                  await(left);
                  return request;
                },
                settings -> settings));
    try (RawHttp2Client client = RawHttp2Client.connect(headrace.port())) {
      client.postHead("/claude/v1/messages", STREAMING.length());
      assertThat(arrived.await(5, TimeUnit.SECONDS)).isTrue();
      client.resetStream();
      client.ping();
      left.countDown();
      Awaitility.await().until(() -> !headrace.gateway().outcomes().isEmpty());
    }
    assertThat(headrace.gateway().outcomes()).isEqualTo(Map.of("CLIENT_GONE", 1L));
    assertThat(headrace.claude().attempts()).isZero();
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(5, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private void leave(GatewayUnderTest headrace, String what) throws Exception {
    HttpResponse<InputStream> response = http.send(request(headrace), BodyHandlers.ofInputStream());
    assertThat(response.version()).isEqualTo(HttpClient.Version.HTTP_2);
    InputStream body = response.body();
    StringBuilder seen = new StringBuilder();
    byte[] buffer = new byte[1024];
    while (seen.indexOf("Hel") < 0) {
      int count = body.read(buffer);
      assertThat(count).isPositive();
      seen.append(new String(buffer, 0, count, UTF_8));
    }

    ContainerThreads.awaitNoneInARequest();
    long left = System.nanoTime();
    body.close(); // cancels the subscription, which resets the stream

    SeenRequest request = headrace.claude().lastRequest();
    request.awaitClientGone(Duration.ofSeconds(5));
    long millis = (request.clientGoneAtNanos().orElseThrow() - left) / 1_000_000;
    Figures.note(
        kind(),
        "upstream closed after " + what,
        millis + " ms, " + request.eventsSentAfter(left) + " events after");
    assertThat(millis).isLessThan(1000);
  }

  private GatewayUnderTest startUpgraded(Duration heartbeat) throws Exception {
    GatewayUnderTest headrace =
        start(
            ClaudeSimulator.builder().apiKey(KEY).recordEventTimes(),
            s -> s.timeoutsHeartbeat(heartbeat));
    HttpResponse<Void> hello =
        http.send(
            HttpRequest.newBuilder(URI.create(headrace.baseUrl() + "/api/hello")).build(),
            BodyHandlers.discarding());
    assertThat(hello.version()).isEqualTo(HttpClient.Version.HTTP_2);
    return headrace;
  }

  private static HttpRequest request(GatewayUnderTest headrace) {
    return HttpRequest.newBuilder(URI.create(headrace.baseUrl() + "/v1/messages"))
        .header("content-type", "application/json")
        .header("anthropic-version", "2026-10-21")
        .POST(BodyPublishers.ofString(STREAMING))
        .build();
  }
}
