package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The gateway dropped into the sample legacy application, behind its filters: what streams, what
 * does not, and what the log says about it.
 */
@ParameterizedClass
@EnumSource(WebApplication.class)
@Tag("slow")
final class LegacyFilterChainTest {

  private static final String PATH = "/shop/claude/v1/messages";
  private static final String STREAMING = Requests.streaming("Hello");
  private static final String GZIP = "Accept-Encoding: gzip";
  private static final String TEXT = new String(Transcripts.text(), UTF_8);
  private static final String HELD = "Answers do not stream as they should";

  private final WebApplication kind;
  private final List<RawClient> clients = new ArrayList<>();
  @TempDir private Path directory;
  private ClaudeSimulator claude;
  private LogLines log;
  private ExchangeLines exchanges;

  LegacyFilterChainTest(WebApplication kind) {
    this.kind = kind;
  }

  @BeforeEach
  void start() throws IOException {
    claude = ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).start();
    claude.answersAlways(Answer.transcript(TEXT));
    log = new LogLines("dev.headrace");
    exchanges = new ExchangeLines();
  }

  @AfterEach
  void stop() throws IOException {
    for (RawClient client : clients) {
      client.close();
    }
    log.close();
    exchanges.close();
    claude.close();
  }

  private LegacyApplication application() throws IOException {
    return LegacyApplication.in(directory.resolve("app")).withoutLogin();
  }

  private WebApplication.Deployed deploy(LegacyApplication application, String... settings)
      throws Exception {
    return kind.deploy(
        application.with(
            "upstream:\n  base-url: "
                + claude.baseUrl()
                + "\n  api-key: "
                + GatewayUnderTest.API_KEY
                + "\n"
                + String.join("\n", settings)
                + "\n"));
  }

  private RawClient client(WebApplication.Deployed deployed) throws IOException {
    RawClient client = RawClient.connect(deployed.port());
    clients.add(client);
    return client;
  }

  private Reply post(WebApplication.Deployed deployed, String... headers) throws IOException {
    return client(deployed).post(PATH, STREAMING, headers).reply();
  }

  /** What the gateway says itself about how it streams here. */
  private String check(WebApplication.Deployed deployed, String... headers) throws IOException {
    Reply reply = client(deployed).request("GET", "/shop/claude/ops/streaming", headers).reply();
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    String body = text(reply);
    assertThat(body).contains("{\"number\":1}", "{\"number\":5}");
    return body.substring(body.indexOf("event: result"));
  }

  private static String text(Reply reply) throws IOException {
    return reply.header("content-encoding").filter("gzip"::equals).isPresent()
        ? new String(
            new GZIPInputStream(new ByteArrayInputStream(reply.bytes())).readAllBytes(), UTF_8)
        : reply.body();
  }

  /** Reads the first event while Claude is silent behind it, and leaves. */
  private void assertEventsArriveOneByOne(WebApplication.Deployed deployed, String... headers)
      throws IOException {
    claude.answersAlways(Answer.text("one", "two").stallAfterEvents(4));
    RawClient client = client(deployed).post(PATH, STREAMING, headers);
    assertThat(client.replyHead().status()).isEqualTo(200);
    assertThat(client.readBodyUntil("\"one\"")).doesNotContain("two");
    client.leave();
    claude.answersAlways(Answer.transcript(TEXT));
  }

  @Test
  void behindTheFilterWithoutAsyncEventsArriveOneByOneAndTheLogSaysWhatToAdd() throws Exception {
    try (WebApplication.Deployed deployed =
        deploy(application(), "timeouts:", "  heartbeat: 200ms")) {
      assertThat(log.warnings("Filters in front of Headrace at /claude/*"))
          .singleElement()
          .asString()
          .contains(
              "logging (com.example.orders.LoggingFilter): does not support asynchronous requests",
              "<filter><filter-name>logging</filter-name>"
                  + "<filter-class>com.example.orders.LoggingFilter</filter-class>"
                  + "<async-supported>true</async-supported></filter>")
          .doesNotContain("compression", "etag");

      assertEventsArriveOneByOne(deployed);
      assertThat(post(deployed).body()).isEqualTo(TEXT);
      assertThat(check(deployed)).contains("\"mode\":\"blocking\"", "\"held_back\":null");

      assertThat(log.warnings("Async is off"))
          .singleElement()
          .asString()
          .contains("<filter-name>logging</filter-name>", "blocking.max-concurrent");
      assertThat(log.warnings(HELD)).isEmpty();
    }
  }

  @Test
  void afterTheChangeThatTheLogAsksForEverythingIsAsynchronous() throws Exception {
    try (WebApplication.Deployed deployed =
        deploy(application().asyncSupported("logging"), "timeouts:", "  heartbeat: 200ms")) {
      assertEventsArriveOneByOne(deployed, GZIP);
      assertThat(post(deployed, GZIP).body()).isEqualTo(TEXT);
      assertThat(check(deployed)).contains("\"mode\":\"asynchronous\"", "\"wrappers\":[]");
      assertThat(log.at(Level.WARN)).isEmpty();
      assertThat(log.at(Level.INFO))
          .anyMatch(line -> line.contains("supports asynchronous requests"));
    }
  }

  @Test
  void compressionInFrontIsNamedAtTheStartAndAtTheFirstAnswer() throws Exception {
    LegacyApplication compressed =
        application().map("compression", "/*").asyncSupported("logging", "compression");
    try (WebApplication.Deployed deployed = deploy(compressed)) {
      assertThat(log.warnings("Filters in front of Headrace"))
          .singleElement()
          .asString()
          .contains("compression (com.example.orders.CompressionFilter): seems to compress");
      for (int i = 0; i < 2; i++) {
        Reply reply = post(deployed, GZIP);
        assertThat(reply.end()).isEqualTo(End.COMPLETE);
        assertThat(reply.header("content-encoding")).contains("gzip");
        assertThat(text(reply)).isEqualTo(TEXT); // late, but whole
      }
      assertThat(log.warnings(HELD))
          .singleElement()
          .asString()
          .contains(
              "com.example.orders.ZippedResponse",
              "compresses them",
              "compression (com.example.orders.CompressionFilter)",
              "<filter-name>compression</filter-name>",
              "dev.headrace.GatewayFilter");
      assertThat(check(deployed, GZIP))
          .contains(
              "\"mode\":\"blocking\"",
              "\"wrappers\":[\"com.example.orders.ZippedResponse\"]",
              "\"held_back\":\"compressed\"");
      // Those who take no gzip are not wrapped.
      assertEventsArriveOneByOne(deployed);
      assertThat(check(deployed)).contains("\"mode\":\"asynchronous\"");
    }
  }

  @Test
  void collectingInFrontIsNamedAtTheStartAndAtTheFirstAnswer() throws Exception {
    LegacyApplication collecting =
        application().map("etag", "/*").asyncSupported("logging", "etag");
    try (WebApplication.Deployed deployed = deploy(collecting)) {
      assertThat(log.warnings("Filters in front of Headrace"))
          .singleElement()
          .asString()
          .contains("etag (com.example.orders.ValidatorFilter): seems to collect answers");
      for (int i = 0; i < 2; i++) {
        Reply reply = post(deployed);
        assertThat(reply.end()).isEqualTo(End.COMPLETE);
        assertThat(reply.body()).isEqualTo(TEXT);
        assertThat(reply.header("etag")).isPresent();
      }
      assertThat(log.warnings(HELD))
          .singleElement()
          .asString()
          .contains(
              "com.example.orders.ValidatorFilter$Collected",
              "keeps them until they are complete",
              "etag (com.example.orders.ValidatorFilter)");
      assertThat(check(deployed)).contains("\"held_back\":\"buffered\"");
    }
  }

  @Test
  void bothBehindTheFilterWithoutAsyncAreFoundToo() throws Exception {
    LegacyApplication all = application().map("compression", "/*").map("etag", "/*");
    try (WebApplication.Deployed deployed = deploy(all)) {
      assertThat(text(post(deployed, GZIP))).isEqualTo(TEXT);
      assertThat(log.warnings(HELD)).hasSize(1);
      assertThat(log.warnings("Async is off"))
          .singleElement()
          .asString()
          .contains("logging", "compression", "etag");
    }
  }

  @Test
  void theGatewayAsAFilterBeforeThemStreamsPastThem() throws Exception {
    LegacyApplication before =
        application()
            .map("compression", "/*")
            .map("etag", "/*")
            .asyncSupported("logging")
            .gatewayFilter("compression");
    try (WebApplication.Deployed deployed = deploy(before, "timeouts:", "  heartbeat: 200ms")) {
      assertEventsArriveOneByOne(deployed, GZIP);
      assertThat(post(deployed, GZIP).body()).isEqualTo(TEXT);
      assertThat(check(deployed, GZIP)).contains("\"mode\":\"asynchronous\"", "\"wrappers\":[]");
      assertThat(log.at(Level.WARN)).isEmpty();
    }
  }

  @Test
  void theGatewayAsAFilterBehindThemIsHeldBackByThem() throws Exception {
    LegacyApplication behind =
        application()
            .map("compression", "/*")
            .asyncSupported("logging", "compression")
            .gatewayFilter("");
    try (WebApplication.Deployed deployed = deploy(behind)) {
      assertThat(log.warnings("Filters in front of Headrace"))
          .singleElement()
          .asString()
          .contains("compression", "logging")
          .doesNotContain("etag"); // is mapped to *.jsp
      assertThat(text(post(deployed, GZIP))).isEqualTo(TEXT);
      assertThat(log.warnings(HELD)).hasSize(1);
    }
  }

  /** One answer is written on the container's thread, to see; the next ones need none. */
  @Test
  void aHarmlessStreamOfAFilterIsTriedOnceAndThenWrittenAsynchronously() throws Exception {
    try (WebApplication.Deployed deployed =
        deploy(application().asyncSupported("logging").oddFilter("counts"))) {
      assertThat(check(deployed)).contains("\"mode\":\"blocking\"", "OddFilter$OddResponse");
      assertThat(check(deployed)).contains("\"mode\":\"asynchronous\"", "\"held_back\":null");
      assertEventsArriveOneByOne(deployed);
      assertThat(log.at(Level.WARN)).isEmpty();
    }
  }

  /** The API may compress although nobody asks it to, which is no filter's doing. */
  @Test
  void aStreamThatTheUpstreamHasCompressedAccusesNoFilter() throws Exception {
    try (WebApplication.Deployed deployed =
        deploy(application().asyncSupported("logging").oddFilter("counts"))) {
      claude.answers(Answer.text("Hello").forcedGzip());
      Reply compressed = post(deployed);
      assertThat(compressed.header("content-encoding")).contains("gzip");
      assertThat(text(compressed)).contains("message_stop");
      assertThat(post(deployed).body()).isEqualTo(TEXT);
      assertThat(check(deployed)).contains("\"mode\":\"asynchronous\"", "\"held_back\":null");
      assertThat(log.at(Level.WARN)).isEmpty();
    }
  }

  @Test
  void aStreamThatRefusesListenersIsWrittenOnTheThreadOfItsRequest() throws Exception {
    try (WebApplication.Deployed deployed =
        deploy(application().asyncSupported("logging").oddFilter("refuses"))) {
      for (int i = 0; i < 3; i++) {
        Reply reply = post(deployed);
        assertThat(reply.end()).isEqualTo(End.COMPLETE);
        assertThat(reply.body()).isEqualTo(TEXT);
      }
      assertThat(log.warnings(HELD))
          .singleElement()
          .asString()
          .contains("com.example.orders.OddFilter$OddResponse", "WriteListener", "odd (");
      assertThat(exchanges.await(3)).allMatch(line -> line.contains("outcome=COMPLETED"));
    }
  }

  @Test
  void aStreamThatForgetsItsListenerEndsOneExchangeWith500AndIsKnownFromThenOn() throws Exception {
    try (WebApplication.Deployed deployed =
        deploy(application().asyncSupported("logging").oddFilter("deaf"))) {
      assertThat(post(deployed).body()).isEqualTo(TEXT); // tried on the thread of its request
      Reply unheard = post(deployed);
      assertThat(unheard.status()).isEqualTo(500);
      assertThat(unheard.end()).isEqualTo(End.COMPLETE);
      assertThat(unheard.body()).contains("\"api_error\"", "The server's log says which one");
      assertThat(post(deployed).body()).isEqualTo(TEXT);
      assertThat(log.awaitWarnings(HELD, 1))
          .singleElement()
          .asString()
          .contains("com.example.orders.OddFilter$OddResponse", "WriteListener");
      assertThat(exchanges.await(3).get(1)).contains("outcome=FAILED(response wrapper)");
      awaitClaudeIdle();
    }
  }

  /** As compression filters do; here with nothing to hold a thread with, to see the worst. */
  @Test
  void aStreamThatIsClosedWhenTheChainReturnsEndsTheExchangeAsFailed() throws Exception {
    claude.answersAlways(Answer.text("one", "two").stallAfterEvents(4));
    try (WebApplication.Deployed deployed =
        deploy(
            application().asyncSupported("logging").oddFilter("closes"),
            "blocking:",
            "  max-concurrent: 0")) {
      Reply reply = post(deployed);
      assertThat(reply.body()).doesNotContain("message_stop");
      assertThat(exchanges.awaitOne()).contains("outcome=FAILED(response wrapper)");
      assertThat(log.awaitWarnings(HELD, 1))
          .singleElement()
          .asString()
          .contains("com.example.orders.OddFilter$OddResponse", "odd (");
      awaitClaudeIdle();
    }
  }

  @Test
  void aStreamThatIsClosedWhenTheChainReturnsIsWholeOnTheThreadOfItsRequest() throws Exception {
    try (WebApplication.Deployed deployed =
        deploy(application().asyncSupported("logging").oddFilter("closes"))) {
      Reply first = post(deployed);
      assertThat(first.end()).isEqualTo(End.COMPLETE);
      assertThat(first.body()).isEqualTo(TEXT);
    }
  }

  /** So that no filter is accused because a client has left. */
  @Test
  void aClientThatLeavesBehindAHarmlessStreamIsNoFaultOfTheFilter() throws Exception {
    try (WebApplication.Deployed deployed =
        deploy(application().asyncSupported("logging").oddFilter("counts"))) {
      assertThat(check(deployed)).contains("\"mode\":\"blocking\"");
      String head =
          RawClient.head("POST", PATH, "Content-Type: application/json", "Content-Length: 1000")
              .append("\r\n")
              .toString();
      client(deployed).send(head, "{\"model\":".getBytes(UTF_8)).reset();
      assertThat(exchanges.awaitOne()).contains("outcome=CLIENT_GONE");
      assertThat(check(deployed)).contains("\"mode\":\"asynchronous\"");
      assertThat(log.at(Level.WARN)).isEmpty();
    }
  }

  private void awaitClaudeIdle() {
    Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> claude.openStreams() == 0);
  }
}
