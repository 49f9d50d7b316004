package dev.headrace.proxies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.models.messages.Message;
import dev.headrace.config.AddressBlock;
import dev.headrace.config.IdentitySource;
import dev.headrace.containers.ContainerKind;
import dev.headrace.containers.Figures;
import dev.headrace.containers.GatewayUnderTest;
import dev.headrace.containers.JavaSdk;
import dev.headrace.containers.LoadClient;
import dev.headrace.containers.RawClient;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.containers.RecordingSink;
import dev.headrace.containers.Requests;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import dev.headrace.simulator.Transcripts;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What a client of the gateway sees through a reverse proxy is what it sees without one. */
@ParameterizedClass
@MethodSource("pairs")
@Tag("slow")
final class BehindProxyTest extends ProxyContract {

  private static final String TRANSCRIPT = new String(Transcripts.text(), UTF_8);

  BehindProxyTest(ProxyKind kind, ContainerKind container) {
    super(kind, container);
  }

  // ---- Events and bytes

  /** Also when the client would take a compressed answer, and for sizes around usual buffers. */
  @Test
  void eventsArriveOneByOne() throws Exception {
    List<byte[]> events = new ArrayList<>();
    for (int size : new int[] {1, 20, 1_400, 4_096, 8_192, 16_384, 70_000, 3, 1}) {
      events.add(delta("x".repeat(size)));
    }
    events.add("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".getBytes(UTF_8));
    GatedUpstream upstream = closing(new GatedUpstream(events));
    ProxyServer proxy = inFrontOf(gateway(s -> s.upstreamBaseUrl(upstream.baseUrl())));
    RawClient client =
        client(proxy).post("/claude/v1/messages", STREAMING, "Accept-Encoding: gzip, deflate, br");

    for (int i = 0; i < events.size(); i++) {
      upstream.release();
      if (i == 0) {
        Reply head = client.replyHead();
        assertThat(head.header("content-encoding")).isEmpty();
        assertThat(head.header("content-type").orElse("")).startsWith("text/event-stream");
        assertThat(head.header("cache-control")).hasValue("no-cache");
      }
      byte[] event = events.get(i);
      ByteArrayOutputStream read = new ByteArrayOutputStream();
      while (read.size() < event.length) {
        assertThat(client.readBody(read, event.length - read.size()))
            .as("event %s of %s bytes", i, event.length)
            .isEqualTo(End.COMPLETE);
      }
      assertThat(read.toByteArray()).isEqualTo(event);
    }
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    assertThat(client.readBody(rest, Long.MAX_VALUE)).isEqualTo(End.COMPLETE);
    assertThat(rest.size()).isZero();
    Figures.note(kind() + ": version", kind().version());
  }

  @Test
  void plainTextArrivesWordByWord() throws Exception {
    String[] parts = TRANSCRIPT.split("(?<=\n\n)", -1); // the fourth one has the first word
    List<byte[]> events = new ArrayList<>();
    events.add(String.join("", List.of(parts).subList(0, 4)).getBytes(UTF_8));
    events.add(parts[4].getBytes(UTF_8));
    GatedUpstream upstream = closing(new GatedUpstream(events));
    ProxyServer proxy = inFrontOf(gateway(s -> s.upstreamBaseUrl(upstream.baseUrl())));
    RawClient client =
        client(proxy).post("/claude/v1/messages?format=text", STREAMING, "Accept-Encoding: gzip");

    upstream.release();
    assertThat(client.replyHead().header("content-encoding")).isEmpty();
    assertThat(client.readBodyUntil("Grüße")).isEqualTo("Grüße");
    upstream.release();
    assertThat(client.readBodyUntil(" aus Köln! 👋")).isEqualTo(" aus Köln! 👋");
  }

  private static byte[] delta(String text) {
    String json =
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\""
            + text
            + "\"}}";
    return ("event: content_block_delta\ndata: " + json + "\n\n").getBytes(UTF_8);
  }

  @Test
  void everyTranscriptAndAVeryLargeEventArriveByteForByte() throws Exception {
    GatewayUnderTest headrace = gateway(s -> s.retryMaxAttempts(1).breakerEnabled(false));
    ProxyServer proxy = inFrontOf(headrace);
    for (Map.Entry<String, byte[]> entry : Transcripts.all().entrySet()) {
      if (!entry.getKey().equals("f-error-first")) { // becomes a status: see below
        headrace.claude().answers(Answer.transcript(entry.getValue()));
        assertBytes(entry.getValue(), post(proxy, STREAMING));
      }
    }
    byte[] large = (TRANSCRIPT + new String(delta("é".repeat(2_000_000)), UTF_8)).getBytes(UTF_8);
    headrace.claude().answers(Answer.transcript(large));
    assertBytes(large, post(proxy, STREAMING));
    String json = "{\"text\":\"" + "x".repeat(500_000) + "\"}";
    headrace.claude().answers(Answer.json(200, json));
    assertBytes(json.getBytes(UTF_8), post(proxy, Requests.whole("Hello")));
  }

  private static void assertBytes(byte[] expected, Reply reply) {
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.bytes()).isEqualTo(expected);
  }

  @Test
  void aThousandShortStreamsAreAllComplete() throws Exception {
    GatewayUnderTest headrace = gateway(s -> s);
    headrace.claude().answersAlways(Answer.transcript(TRANSCRIPT));
    ProxyServer proxy = inFrontOf(headrace);
    LoadClient client =
        new LoadClient(proxy.port(), "/claude/v1/messages", STREAMING, TRANSCRIPT, "");

    LoadClient.Result result = client.run(1_000, 32, Duration.ofMinutes(1));

    assertThat(result.others()).isEqualTo(Map.of());
    assertThat(result.complete()).isEqualTo(1_000);
    assertThat(headrace.claude().attempts()).isEqualTo(1_000);
  }

  @Test
  void aBodyOfSeveralMebibytesPassesWithAndWithoutItsLength() throws Exception {
    GatewayUnderTest headrace = gateway(s -> s);
    headrace.claude().answersAlways(Answer.text("A picture."));
    ProxyServer proxy = inFrontOf(headrace);
    String body = Requests.streaming("x".repeat(20 * 1024 * 1024) + " Grüße 👋");
    byte[] bytes = body.getBytes(UTF_8);

    Reply reply = post(proxy, body);

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body()).contains("A picture.", "message_stop");
    assertThat(headrace.claude().lastRequest().body()).isEqualTo(bytes);

    ByteArrayOutputStream chunks = new ByteArrayOutputStream();
    for (int at = 0; at < bytes.length; at += 1 << 20) {
      int size = Math.min(1 << 20, bytes.length - at);
      chunks.writeBytes((Integer.toHexString(size) + "\r\n").getBytes(UTF_8));
      chunks.write(bytes, at, size);
      chunks.writeBytes("\r\n".getBytes(UTF_8));
    }
    chunks.writeBytes("0\r\n\r\n".getBytes(UTF_8));
    String head =
        RawClient.head("POST", "/claude/v1/messages")
            .append("Content-Type: application/json\r\nanthropic-version: 2026-10-21\r\n")
            .append("Transfer-Encoding: chunked\r\n\r\n")
            .toString();
    Reply chunked = client(proxy).send(head, chunks.toByteArray()).reply();
    assertThat(chunked.status()).isEqualTo(200);
    assertThat(headrace.claude().lastRequest().body()).isEqualTo(bytes);
  }

  @Test
  void theOfficialSdkStreamsThroughIt() throws Exception {
    GatewayUnderTest headrace = gateway(s -> s);
    headrace.claude().answers(Answer.text("Grüße ", "aus ", "Köln! 👋"));
    ProxyServer proxy = inFrontOf(headrace);
    try (JavaSdk.Closing sdk =
        new JavaSdk.Closing(
            AnthropicOkHttpClient.builder()
                .baseUrl("http://127.0.0.1:" + proxy.port() + "/claude")
                .apiKey("sk-test-client")
                .maxRetries(0)
                .build())) {

      Message message = JavaSdk.accumulate(sdk.client(), JavaSdk.hello());

      assertThat(JavaSdk.text(message)).isEqualTo("Grüße aus Köln! 👋");
    }
  }

  // ---- Silence

  /** The proxy's own limits are cut to a second; without heartbeats they do end the stream. */
  @Test
  void heartbeatsKeepASilentStreamAliveBeyondTheLimitsOfTheProxy() throws Exception {
    Answer silent = Answer.transcript(TRANSCRIPT).pauseAfterEvents(4, Duration.ofMillis(2_500));
    GatewayUnderTest beating = gateway(s -> s.timeoutsHeartbeat(Duration.ofMillis(200)));
    beating.claude().answers(silent);
    Reply kept = post(impatient(beating), STREAMING);
    assertThat(kept.end()).isEqualTo(End.COMPLETE);
    assertThat(kept.body().replace(": keep-alive\n\n", "")).isEqualTo(TRANSCRIPT);

    GatewayUnderTest still = gateway(s -> s.timeoutsHeartbeat(Duration.ZERO));
    still.claude().answers(silent);
    Reply cut = post(impatient(still), STREAMING);
    assertThat(cut.end()).isIn(End.CUT, End.RESET);
    assertThat(cut.body()).doesNotContain("message_stop");
  }

  private ProxyServer impatient(GatewayUnderTest headrace) throws Exception {
    try (RawClient first = RawClient.connect(headrace.port())) {
      first.request("GET", "/claude/ops/ready").reply(); // the first one may take a second
    }
    ProxyServer.Builder proxy = ProxyServer.of(kind(), headrace.port());
    switch (kind()) {
      case NGINX -> proxy.replacing("proxy_read_timeout 31m;", "proxy_read_timeout 1s;");
      case APACHE_HTTPD -> proxy.replacing(" timeout=1860 ", " timeout=1 ");
      case HAPROXY ->
          proxy
              .replacing("timeout server 31m", "timeout server 1s")
              .replacing("timeout client 31m", "timeout client 1s");
    }
    return closing(proxy.start());
  }

  // ---- Ends

  @Test
  void aStreamThatWasCutDoesNotLookComplete() throws Exception {
    GatewayUnderTest headrace = gateway(s -> s.retryMaxAttempts(1).breakerEnabled(false));
    ProxyServer proxy = inFrontOf(headrace);

    headrace.claude().answers(Answer.transcript(TRANSCRIPT).cutAfterEvents(4));
    Reply events = post(proxy, STREAMING);
    assertThat(events.end()).isEqualTo(End.COMPLETE);
    assertThat(events.body()).contains("event: error").doesNotContain("message_stop");

    int inAnEvent = TRANSCRIPT.indexOf("content_block_delta") + 30;
    headrace.claude().answers(Answer.transcript(TRANSCRIPT).resetAtByte(inAnEvent));
    assertThat(post(proxy, STREAMING).end()).isIn(End.CUT, End.RESET);

    headrace.claude().answers(Answer.transcript(TRANSCRIPT).cutAfterEvents(4));
    Reply text = post(proxy, "/claude/v1/messages?format=text", STREAMING);
    assertThat(text.status()).isEqualTo(200);
    assertThat(text.end()).isIn(End.CUT, End.RESET);

    String large = "{\"text\":\"" + "x".repeat(500_000) + "\"}";
    headrace.claude().answers(Answer.json(200, large).cutAtByte(300_000));
    Reply json = post(proxy, Requests.whole("Hello"));
    assertThat(json.status()).isEqualTo(200);
    assertThat(json.end()).isIn(End.CUT, End.RESET);
  }

  @Test
  void errorsPassUnchangedAndNothingIsAskedTwice() throws Exception {
    GatewayUnderTest headrace = gateway(s -> s.retryMaxAttempts(1).breakerEnabled(false));
    ProxyServer proxy = inFrontOf(headrace);
    int asked = 0;
    for (int status : new int[] {400, 401, 404, 413, 429, 500, 502, 503, 504, 529}) {
      for (String body : List.of(STREAMING, Requests.whole("Hello"))) {
        headrace
            .claude()
            .answersAlways(
                Answer.error(status, "some_error", "As it is.").retryAfter(Duration.ofSeconds(7)));
        Reply direct;
        try (RawClient client = RawClient.connect(headrace.port())) {
          direct = client.post(body).reply();
        }

        Reply reply = post(proxy, body);

        asked += 2;
        assertThat(reply.status()).isEqualTo(direct.status()).isEqualTo(status);
        assertThat(withoutId(reply)).isEqualTo(withoutId(direct)).contains("As it is.");
        for (String name : List.of("retry-after", "x-should-retry", "content-type")) {
          assertThat(reply.header(name)).as(name).isEqualTo(direct.header(name));
        }
        assertThat(reply.header("request-id")).isPresent();
        assertThat(headrace.claude().attempts()).isEqualTo(asked);
      }
    }
    headrace.claude().answersAlways(Answer.text("x").resetBeforeHead());
    assertThat(post(proxy, STREAMING).status()).isEqualTo(502);
    assertThat(headrace.claude().attempts()).isEqualTo(asked + 1);
    headrace.awaitIdle(Duration.ofSeconds(5)); // an outcome is counted after the last byte
    long atTheGateway =
        headrace.gateway().outcomes().values().stream().mapToLong(Long::longValue).sum();
    assertThat(atTheGateway).isEqualTo(asked + 1);
  }

  private static String withoutId(Reply reply) {
    return reply.body().replaceAll("req_\\w+", "req");
  }

  /**
   * The simulator in the gateway's place, as a container that dies with the request in its hands.
   */
  @Test
  void aRequestThatWasSentIsNeverSentAgain() throws Exception {
    ClaudeSimulator dying = closing(ClaudeSimulator.builder().withoutValidation().start());
    dying.answersTo("GET", "/claude/ops/ready", Answer.json(200, "{}"));
    ProxyServer proxy =
        closing(ProxyServer.of(kind(), dying.port(), dying.port(), dying.port()).start());
    for (Answer last :
        List.of(
            Answer.text("x").closeBeforeHead(),
            Answer.text("x").resetBeforeHead(),
            Answer.status(503),
            Answer.text("x").resetAfterEvents(1))) {
      dying.answersTo("POST", "/claude/v1/messages", Answer.text("fine"));
      Reply fine = post(proxy, STREAMING); // leaves a connection to reuse
      assertThat(fine.status()).isEqualTo(200);
      assertThat(fine.body()).startsWith("event: message_start").contains("message_stop");
      long before = posts(dying);
      dying.answersTo("POST", "/claude/v1/messages", last);

      Reply reply = post(proxy, STREAMING);

      assertThat(reply.status() != 200 || reply.end() != End.COMPLETE).isTrue();
      assertThat(posts(dying)).isEqualTo(before + 1);
    }
  }

  /**
   * Before the answer has begun nobody writes to the client. httpd does not notice that it leaves,
   * the others do. The simulator stands in the gateway's place again.
   */
  @Test
  void aClientThatLeavesBeforeTheAnswerIsNotWaitedFor() throws Exception {
    Assumptions.assumeTrue(kind() != ProxyKind.APACHE_HTTPD, "httpd waits: its snippet says so");
    ClaudeSimulator waiting = closing(ClaudeSimulator.builder().withoutValidation().start());
    waiting.answersTo("GET", "/claude/ops/ready", Answer.json(200, "{}"));
    waiting.answersTo("POST", "/claude/v1/messages", Answer.text("x").stallBeforeHead());
    ProxyServer proxy = closing(ProxyServer.of(kind(), waiting.port()).start());
    for (int i = 1; i <= 2; i++) {
      RawClient client = client(proxy).post(STREAMING);
      int arrived = i;
      Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> posts(waiting) == arrived);
      SeenRequest request =
          waiting.requests().stream()
              .filter(each -> each.method().equals("POST"))
              .reduce((earlier, later) -> later)
              .orElseThrow();

      long left = System.nanoTime();
      if (i == 1) {
        client.leave();
      } else {
        client.reset();
      }

      request.awaitClientGone(Duration.ofSeconds(5));
      Figures.note(
          kind() + ": connection to the gateway closed, client left before the answer",
          (request.clientGoneAtNanos().orElseThrow() - left) / 1_000_000 + " ms");
    }
  }

  private static long posts(ClaudeSimulator claude) {
    return claude.requests().stream().filter(each -> each.method().equals("POST")).count();
  }

  // ---- Users

  @Test
  void theClientsAddressIsItsOwnOnlyWhenTheProxyIsTrusted() throws Exception {
    assertThat(userOf(List.of("127.0.0.1/32"), 1, "127.0.0.5")).isEqualTo("address:127.0.0.5");
    assertThat(userOf(List.of(), 0, "127.0.0.5")).isEqualTo("address:127.0.0.1");
    assertThat(userOf(List.of("192.0.2.0/24"), 1, "127.0.0.5")).isEqualTo("address:127.0.0.1");
  }

  private String userOf(List<String> proxies, int hops, String from) throws Exception {
    RecordingSink sink = new RecordingSink();
    GatewayUnderTest headrace =
        keep(
            GatewayUnderTest.startWith(
                container(),
                ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).start(),
                settings ->
                    settings
                        .identitySources(List.of(IdentitySource.ADDRESS))
                        .identityTrustedProxies(proxies.stream().map(AddressBlock::parse).toList())
                        .identityTrustedHops(hops),
                builder -> builder.sink("recording", sink)));
    ProxyServer proxy = inFrontOf(headrace);
    RawClient client = closing(RawClient.connectFrom(from, proxy.port()));
    Reply reply =
        client
            .post("/claude/v1/messages", STREAMING, "X-Forwarded-For: 203.0.113.9, 127.0.0.1")
            .reply();
    assertThat(reply.status()).isEqualTo(200);
    return String.valueOf(sink.awaitOne().user());
  }

  // ---- Restarts

  @Test
  void whileTheGatewayDrainsStreamsGoOnAndNewRequestsGet503() throws Exception {
    GatewayUnderTest headrace = gateway(s -> s.shutdownDrain(Duration.ofSeconds(20)));
    ProxyServer proxy = inFrontOf(headrace);
    headrace.claude().answers(Answer.text("Hel", "lo").stallAfterEvents(4).withPings(PING));
    RawClient running = client(proxy).post(STREAMING);
    running.replyHead();
    running.readBodyUntil("Hel");
    assertThat(ready(proxy)).isEqualTo(200);

    headrace.gateway().drain();

    assertThat(ready(proxy)).isEqualTo(503);
    assertThat(post(proxy, STREAMING).status()).isEqualTo(503);
    if (kind().asksForReadiness()) {
      Awaitility.await("the proxy itself refuses")
          .atMost(Duration.ofSeconds(15))
          .until(() -> !post(proxy, STREAMING).body().contains("shutting down"));
      assertThat(post(proxy, STREAMING).status()).isEqualTo(503);
    }
    assertThat(headrace.claude().attempts()).isEqualTo(1);
    running.readBodyUntil("event: ping"); // after the refusals it still gets what comes
    running.reset();
  }

  private static final Duration PING = Duration.ofMillis(100);

  private static int ready(ProxyServer proxy) throws Exception {
    try (RawClient client = RawClient.connect(proxy.port())) {
      return client.request("GET", "/claude/ops/ready").reply().status();
    }
  }

  @Test
  void ofTwoGatewaysOneThatDrainsSoonGetsNoMoreRequests() throws Exception {
    Assumptions.assumeTrue(
        kind().asksForReadiness(), "nginx does not ask by itself; its snippet says what to do");
    GatewayUnderTest one = gateway(s -> s);
    GatewayUnderTest other = gateway(s -> s);
    one.claude().answersAlways(Answer.text("one"));
    other.claude().answersAlways(Answer.text("other"));
    ProxyServer proxy = closing(ProxyServer.of(kind(), one.port(), other.port()).start());

    one.gateway().drain();

    long before = System.nanoTime();
    Awaitility.await("ten answers in a row")
        .atMost(Duration.ofSeconds(15))
        .until(
            () -> {
              for (int i = 0; i < 10; i++) {
                if (post(proxy, STREAMING).status() != 200) {
                  return false;
                }
              }
              return true;
            });
    Figures.note(
        pair() + ": no requests any more to a gateway that drains after",
        (System.nanoTime() - before) / 1_000_000 + " ms");
    for (int i = 0; i < 20; i++) {
      assertThat(post(proxy, STREAMING).body()).contains("\"other\"");
    }
    assertThat(one.claude().attempts()).isZero();
  }
}
