package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.ByteSize;
import dev.headrace.config.EndpointTemplate;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What of a client's request reaches the API, and what is refused before. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class RequestSideTest extends GatewayContract {

  /** Everything that a request of the gateway may carry. */
  private static final Set<String> SENT =
      Set.of(
          "accept",
          "accept-encoding",
          "anthropic-beta",
          "anthropic-version",
          "connection",
          "content-length",
          "content-type",
          "host",
          "user-agent",
          "x-api-key");

  RequestSideTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void onlyListedHeadersReachTheApi() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answers(Answer.text("Hello"));
    RawClient client = client(headrace);
    client.post(
        "/claude/v1/messages",
        STREAMING,
        "X-Api-Key: sk-of-the-client",
        "Authorization: Bearer of-the-client",
        "Cookie: session=of-the-client",
        "Origin: https://client.example",
        "Referer: https://client.example/page",
        "X-Forwarded-For: 10.0.0.1",
        "X-Forwarded-Proto: https",
        "Forwarded: for=10.0.0.1",
        "X-Real-Ip: 10.0.0.1",
        "Sec-Fetch-Mode: cors",
        "Sec-Ch-Ua: x",
        "User-Agent: client/1.0",
        "Accept-Encoding: gzip, br",
        "TE: trailers",
        "Via: 1.1 proxy",
        "Proxy-Authorization: Basic x",
        "X-Other: x",
        "Connection: keep-alive, x-named",
        "X-Named: x",
        "anthropic-beta: first-2025-01-01,second-2025-01-01",
        "anthropic-beta: third-2025-01-01");

    assertThat(client.reply().status()).isEqualTo(200);

    SeenRequest seen = headrace.claude().lastRequest();
    assertThat(lowerCase(seen.headers().keySet())).isSubsetOf(SENT);
    assertThat(seen.headers().toString()).doesNotContain("of-the-client", "client.example");
    assertThat(seen.headers().get("x-api-key")).containsExactly(KEY);
    assertThat(seen.headers().get("accept-encoding")).containsExactly("identity");
    assertThat(seen.headers().get("anthropic-version")).containsExactly("2026-10-21");
    assertThat(seen.headers().get("anthropic-beta"))
        .containsExactly("first-2025-01-01,second-2025-01-01", "third-2025-01-01");
    assertThat(seen.headers().get("host")).containsExactly("127.0.0.1:" + headrace.claude().port());
    assertThat(seen.bodyText()).isEqualTo(STREAMING);
    assertThat(seen.headers().get("content-length")).containsExactly(STREAMING.length() + "");
  }

  /** What was judged as JSON in UTF-8 is not to be read as anything else behind the gateway. */
  @Test
  void aBodyThatIsReadGoesOnAsWhatItWasReadAs() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answersAlways(Answer.text("Hello"));
    for (String type :
        List.of(
            "Content-Type: application/json; charset=utf-8",
            "content-type: Application/JSON ; Charset = \"UTF-8\"; x=y",
            "Content-Type: application/json;charset=utf8",
            "Content-Type: text/plain",
            "anthropic-version: 2026-10-21")) {
      assertThat(ask(headrace, type).status()).as(type).isEqualTo(200);
      assertThat(headrace.claude().lastRequest().headers().get("content-type"))
          .as(type)
          .containsExactly("application/json");
      assertThat(headrace.claude().lastRequest().headers().get("anthropic-version"))
          .as(type)
          .containsExactly("2026-10-21");
    }
  }

  @Test
  void headersThatCanBeReadInTwoWaysAreRefused() throws Exception {
    GatewayUnderTest headrace = start();
    for (String charset : List.of("utf-7", "UTF-16LE", "\"utf-16\"", "IBM037", "utf-8x", "")) {
      String type = "Content-Type: application/json; CharSet=" + charset;
      assertError(ask(headrace, type), 400, "invalid_request_error");
      Reply reply = ask(headrace, type + ";charset=utf-8");
      assertThat(reply.status()).isEqualTo(400);
      assertThat(reply.body())
          .contains("content-type: the charset", "reads this body as UTF-8")
          .contains(charset.replace("\"", ""));
    }
    String json = "Content-Type: application/json";
    assertThat(ask(headrace, json, "content-type: application/json").body())
        .contains("\"invalid_request_error\"", "send one Content-Type");
    for (String version : List.of("2023-06-01", "2026-10-21, 2023-06-01")) {
      assertThat(ask(headrace, json, "Anthropic-Version: " + version).body())
          .contains("\"invalid_request_error\"", "more than one anthropic-version");
    }
    assertThat(headrace.claude().attempts()).isZero();
  }

  /** With these lines besides one version of the API. */
  private Reply ask(GatewayUnderTest headrace, String... lines) throws Exception {
    try (RawClient client = RawClient.connect(headrace.port())) {
      String head =
          RawClient.head("POST", "/claude/v1/messages", lines)
              .append("anthropic-version: 2026-10-21\r\nContent-Length: ")
              .append(STREAMING.length())
              .append("\r\n\r\n")
              .toString();
      return client.send(head, STREAMING.getBytes(UTF_8)).reply();
    }
  }

  @Test
  void headersOfTheSettingsAreForwardedToo() throws Exception {
    GatewayUnderTest headrace = start(s -> s.upstreamForwardHeaders(List.of("X-Tenant")));
    headrace.claude().answers(Answer.text("Hello"));
    client(headrace).post("/claude/v1/messages", STREAMING, "x-tenant: one").reply();
    assertThat(headrace.claude().lastRequest().headers().get("x-tenant")).containsExactly("one");
  }

  @Test
  void theBodyIsForwardedByteForByte() throws Exception {
    GatewayUnderTest headrace = start();
    String body =
        "  {\"stream\" : true,\r\n\"max_tokens\" :10, \"metadata\":{\"user_id\":\"\\u00e4ä👋\"},\t\"model\":\"claude-sonnet-5-5\","
            + "\"messages\":[{\"role\":\"user\",\"content\":\""
            + "long ".repeat(50_000)
            + "\"}]}\n";
    headrace.claude().answersAlways(Answer.text("Hello"));
    assertThat(post(headrace, body).body()).contains("message_stop");
    assertThat(headrace.claude().lastRequest().bodyText().equals(body)).isTrue();

    StringBuilder chunks = new StringBuilder();
    byte[] bytes = body.getBytes(UTF_8);
    RawClient client = client(headrace);
    client.send(
        RawClient.head("POST", "/claude/v1/messages", "anthropic-version: 2026-10-21")
            .append("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            .toString(),
        new byte[0]);
    for (int at = 0; at < bytes.length; at += 7_001) {
      int size = Math.min(7_001, bytes.length - at);
      client.send(
          Integer.toHexString(size) + "\r\n", java.util.Arrays.copyOfRange(bytes, at, at + size));
      client.send("\r\n", new byte[0]);
      chunks.append(size).append(' ');
    }
    client.send("0\r\n\r\n", new byte[0]);
    client.reply();
    assertThat(headrace.claude().lastRequest().bodyText().equals(body)).as("%s", chunks).isTrue();
  }

  @Test
  void aBodyThatIsTooLargeIsRefusedWithAndWithoutLength() throws Exception {
    GatewayUnderTest headrace = start(s -> s.requestMaxBody(ByteSize.ofKibibytes(4)));
    Reply withLength = post(headrace, Requests.streaming("x".repeat(5_000)));
    assertError(withLength, 413, "request_too_large");
    assertThat(withLength.body()).contains("request.max-body");

    RawClient client = client(headrace);
    client.send(
        RawClient.head("POST", "/claude/v1/messages")
            .append("Transfer-Encoding: chunked\r\n\r\n1400\r\n")
            .toString(),
        "x".repeat(0x1400).getBytes(UTF_8));
    client.send("\r\n0\r\n\r\n", new byte[0]);
    assertError(client.reply(), 413, "request_too_large");

    // Just as large as allowed is fine.
    int frame = Requests.streaming("").length();
    headrace.claude().answers(Answer.text("Hello"));
    assertThat(post(headrace, Requests.streaming("x".repeat(4096 - frame))).status())
        .isEqualTo(200);
    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  @Test
  void aBodyThatDoesNotArriveIsTimedOut() throws Exception {
    GatewayUnderTest headrace = start(s -> s.requestBodyTimeout(Duration.ofMillis(500)));
    RawClient client = client(headrace);
    client.send(
        RawClient.head("POST", "/claude/v1/messages")
            .append("Content-Length: 1000\r\n\r\n")
            .toString(),
        "{\"model\":".getBytes(UTF_8));
    Reply reply = client.reply();
    assertThat(reply.status()).isEqualTo(408);
    assertThat(reply.body()).contains("request.body-timeout");
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void aBodyThatIsNoSuchJsonIsRefusedWithoutAskingTheApi() throws Exception {
    GatewayUnderTest headrace = start();
    String valid = STREAMING;
    for (String body :
        List.of(
            "",
            "{",
            "null",
            "[]",
            "\"text\"",
            "not json",
            valid.substring(0, valid.length() - 1),
            valid + "x",
            valid + valid,
            valid.replace("\"stream\":true", "\"stream\":true,\"stream\":false"),
            valid.replace("{\"model\"", "{\"model\":\"claude-opus-5\",\"model\""))) {
      Reply reply = post(headrace, body);
      assertThat(reply.status()).as(body).isEqualTo(400);
      assertError(reply, 400, "invalid_request_error");
    }
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void roundaboutPathsNeverReachTheApi() throws Exception {
    GatewayUnderTest headrace = start();
    for (String path :
        List.of(
            "/claude/v1/messages/",
            "/claude/v1//messages",
            "/claude//v1/messages",
            "/claude/v1/./messages",
            "/claude/v1/../v1/messages",
            "/claude/v1/models/../messages",
            "/claude/v1/%2e%2e/v1/messages",
            "/claude/v1/models/%2e%2e%2fmessages",
            "/claude/v1/models/..%2fmessages",
            "/claude/v1%2fmessages",
            "/claude/v1%252fmessages",
            "/claude/v1/%6dessages",
            "/claude/v1/messages%00",
            "/claude/v1/%00messages",
            "/claude/v1/messages%0d%0ax:%20y",
            "/claude/v1/messages;v=1",
            "/claude/v1;/messages",
            "/claude/..;/claude/v1/messages",
            "/claude/v1/messages\\",
            "/claude/v1\\messages",
            "/claude/v1/Messages",
            "/claude/V1/messages",
            "/claude/v1/messages%20",
            "/claude/v1/messages/batches",
            "/claude/v1/complete",
            "/claude/v1/models/a/b",
            "/claude/v1/organizations/x",
            "/claude",
            "/claude/",
            "/claude/v1",
            "/claude/v2/messages",
            "/%63laude/v1/messages",
            "/v1/messages")) {
      for (String method : List.of("POST", "GET")) {
        int status = statusOf(headrace, method, path);
        assertThat(status).as(method + " " + path).isIn(400, 404, 405);
      }
    }
    assertThat(headrace.claude().attempts()).isZero();
  }

  private static int statusOf(GatewayUnderTest headrace, String method, String path)
      throws IOException {
    try (RawClient client = RawClient.connect(headrace.port())) {
      return (method.equals("POST")
              ? client.post(path, STREAMING)
              : client.request("GET", path, "anthropic-version: 2026-10-21"))
          .replyHead()
          .status();
    }
  }

  @Test
  void aBaseUrlWithOneVersionTooManyIsExplained() throws Exception {
    GatewayUnderTest headrace = start();
    Reply reply = client(headrace).post("/claude/v1/v1/messages", STREAMING).reply();
    assertError(reply, 404, "not_found_error");
    assertThat(reply.body()).contains("base URL").contains("/v1");
  }

  @Test
  void anotherMethodIsRefusedWithTheRightOnes() throws Exception {
    GatewayUnderTest headrace = start();
    Map<String, String> allowed = new LinkedHashMap<>();
    allowed.put("/claude/v1/messages", "POST");
    allowed.put("/claude/v1/messages/count_tokens", "POST");
    allowed.put("/claude/v1/models", "GET");
    allowed.put("/claude/v1/models/claude-sonnet-5-5", "GET");
    for (Map.Entry<String, String> entry : allowed.entrySet()) {
      for (String method : List.of("PUT", "DELETE", "PATCH", "OPTIONS")) {
        Reply reply = client(headrace).request(method, entry.getKey()).reply();
        assertThat(reply.status()).as(method + " " + entry.getKey()).isEqualTo(405);
        assertThat(reply.header("allow")).hasValue(entry.getValue());
      }
    }
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void anExtraEndpointOpensExactlyOne() throws Exception {
    GatewayUnderTest headrace =
        start(s -> s.requestExtraEndpoints(List.of(EndpointTemplate.parse("GET /v1/files/{id}"))));
    headrace.claude().answersTo("GET", "/v1/files/file_1", Answer.json(200, "{\"id\":1}"));
    Reply reply =
        client(headrace)
            .request(
                "GET", "/claude/v1/files/file_1?limit=3&secret=1", "anthropic-version: 2023-06-01")
            .reply();
    assertThat(reply.body()).isEqualTo("{\"id\":1}");
    assertThat(headrace.claude().lastRequest().query()).isEqualTo("limit=3");
    assertThat(client(headrace).request("GET", "/claude/v1/files").reply().status()).isEqualTo(404);
    assertThat(client(headrace).request("DELETE", "/claude/v1/files/file_1").reply().status())
        .isEqualTo(405);
    assertThat(headrace.claude().attempts()).isEqualTo(1);
  }

  /** What events it has and how they end is not known, and {@code message_stop} is of messages. */
  @ParameterizedTest
  @ValueSource(
      strings = {"event: completion\ndata: {}\n\n", "data: [1]\n\ndata: [DONE]\n\n", ": c\n\n"})
  void anExtraEndpointMayStreamWhatItLikes(String events) throws Exception {
    GatewayUnderTest headrace =
        start(s -> s.requestExtraEndpoints(List.of(EndpointTemplate.parse("POST /v1/complete"))));
    headrace
        .claude()
        .answersTo(
            "POST", "/v1/complete", Answer.body(200, "text/event-stream", events.getBytes(UTF_8)));
    Reply reply =
        client(headrace).post("/claude/v1/complete", "{}", "anthropic-version: 2023-06-01").reply();
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isEqualTo(RawClient.End.COMPLETE);
    assertThat(reply.body()).isEqualTo(events);
  }

  @Test
  void howABodyIsEncodedIsSaidWhereItIsNotRead() throws Exception {
    GatewayUnderTest headrace =
        start(s -> s.requestExtraEndpoints(List.of(EndpointTemplate.parse("POST /v1/files"))));
    headrace.claude().answersTo("POST", "/v1/files", Answer.json(200, "{}"));
    Reply reply =
        client(headrace)
            .post(
                "/claude/v1/files",
                "not really",
                "anthropic-version: 2023-06-01",
                "Content-Encoding: gzip")
            .reply();
    assertThat(reply.status()).isEqualTo(200);
    assertThat(headrace.claude().lastRequest().headers().get("content-encoding"))
        .containsExactly("gzip");
  }

  @Test
  void anEncodedBodyIsRefusedWhereItIsRead() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answersAlways(Answer.text("Hello"));
    for (String path : List.of("/claude/v1/messages", "/claude/v1/messages/count_tokens")) {
      Reply reply = client(headrace).post(path, "not really", "Content-Encoding: gzip").reply();
      assertError(reply, 415, "invalid_request_error");
      assertThat(reply.body()).contains("Content-Encoding");
    }
    assertThat(headrace.claude().attempts()).isZero();
    Reply plain =
        client(headrace)
            .post("/claude/v1/messages", STREAMING, "Content-Encoding: identity")
            .reply();
    assertThat(plain.body()).contains("message_stop");
    assertThat(headrace.claude().lastRequest().headers()).doesNotContainKey("content-encoding");
  }

  @Test
  void whoMayUsePresetsOnlyDoesNotReadWhatOthersAskedElsewhere() throws Exception {
    GatewayUnderTest headrace =
        start(
            s ->
                s.requestExtraEndpoints(List.of(EndpointTemplate.parse("GET /v1/files/{id}")))
                    .plans(Map.of("all", Plan.builder("all").rawMessages(false).build())));
    assertThat(client(headrace).request("GET", "/claude/v1/files/f").reply().status())
        .isEqualTo(403);
    assertThat(headrace.claude().attempts()).isZero();
    Reply models =
        client(headrace)
            .request("GET", "/claude/v1/models", "anthropic-version: 2023-06-01")
            .reply();
    assertThat(models.status()).isEqualTo(200);
  }

  @Test
  void modelsAreListedWithKnownQueryParametersOnly() throws Exception {
    GatewayUnderTest headrace = start();
    Reply reply =
        client(headrace)
            .request(
                "GET",
                "/claude/v1/models?limit=2&x=1&after_id=a%26b&before_id=%0d%0aX:1&limit",
                "anthropic-version: 2026-10-21")
            .reply();
    SeenRequest seen = headrace.claude().lastRequest();
    assertThat(seen.path()).isEqualTo("/v1/models");
    assertThat(seen.query()).isEqualTo("limit=2&after_id=a%26b&limit=");
    assertThat(seen.bodyLength()).isZero();
    assertThat(seen.header("x-api-key")).hasValue(KEY);
    assertThat(reply.header("content-type").orElse("")).startsWith("application/json");
    Reply one =
        client(headrace)
            .request("GET", "/claude/v1/models/claude-sonnet-5-5", "anthropic-version: 2026-10-21")
            .reply();
    assertThat(one.status()).isEqualTo(200);
    assertThat(one.body()).contains("claude-sonnet-5-5");
  }

  @Test
  void tokensAreCounted() throws Exception {
    GatewayUnderTest headrace = start();
    String body =
        "{\"model\":\"claude-sonnet-5-5\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    Reply reply = client(headrace).post("/claude/v1/messages/count_tokens?beta=true", body).reply();
    assertThat(reply.body()).startsWith("{\"input_tokens\":");
    assertThat(headrace.claude().lastRequest().query()).isEqualTo("beta=true");
  }

  @Test
  void theProbeIsAnsweredWithoutTheApi() throws Exception {
    GatewayUnderTest headrace = start();
    assertThat(client(headrace).request("HEAD", "/claude/api/hello").replyToHead().status())
        .isEqualTo(200);
    assertThat(client(headrace).request("GET", "/claude/api/hello").reply().status())
        .isEqualTo(200);
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void moreExchangesThanAllowedAreRefusedUntilOneEnds() throws Exception {
    GatewayUnderTest headrace =
        start(s -> s.upstreamMaxConnections(2).timeoutsHeartbeat(Duration.ofMillis(100)));
    headrace.claude().answersAlways(Answer.text("Hel").stallAfterEvents(4));
    RawClient first = client(headrace).post(STREAMING);
    first.replyHead();
    RawClient second = client(headrace).post(STREAMING);
    second.replyHead();

    Reply refused = post(headrace, STREAMING);
    assertError(refused, 503, "overloaded_error");
    assertThat(refused.header("retry-after")).isPresent();

    first.leave();
    org.awaitility.Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .until(() -> headrace.gateway().permitsInUse() == 1);
    headrace.claude().answers(Answer.text("Hello"));
    assertThat(post(headrace, STREAMING).status()).isEqualTo(200);
    second.leave();
  }

  private static Set<String> lowerCase(Set<String> names) {
    return names.stream()
        .map(name -> name.toLowerCase(Locale.ROOT))
        .collect(java.util.stream.Collectors.toSet());
  }

  private static void assertError(Reply reply, int status, String type) {
    assertThat(reply.status()).isEqualTo(status);
    assertThat(reply.end()).isEqualTo(RawClient.End.COMPLETE);
    assertThat(reply.header("content-type").orElse("")).startsWith("application/json");
    assertThat(reply.body()).startsWith("{\"type\":\"error\",\"error\":{\"type\":\"" + type + "\"");
  }
}
