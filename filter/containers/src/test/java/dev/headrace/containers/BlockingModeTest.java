package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import dev.headrace.simulator.Transcripts;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/**
 * Behind a filter that does not support asynchronous requests the same answers come, with the same
 * clocks and ends; each holds a thread of the container.
 */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class BlockingModeTest extends GatewayContract {

  private static final String TEXT = new String(Transcripts.text(), UTF_8);

  BlockingModeTest(ContainerKind kind) {
    super(kind);
  }

  private GatewayUnderTest behindLegacyFilter(UnaryOperator<GatewaySettingsBuilder> change)
      throws Exception {
    return keep(GatewayUnderTest.startBehindLegacyFilter(kind(), change));
  }

  @Test
  void everyTranscriptArrivesByteForByte() throws Exception {
    GatewayUnderTest headrace = behindLegacyFilter(s -> s);
    for (Map.Entry<String, byte[]> transcript : Transcripts.all().entrySet()) {
      if (transcript.getKey().contains("error-first")) {
        continue; // does not become a stream
      }
      headrace.claude().answers(Answer.transcript(new String(transcript.getValue(), UTF_8)));
      Reply reply = post(headrace, STREAMING);
      assertThat(reply.end()).as(transcript.getKey()).isEqualTo(End.COMPLETE);
      assertThat(reply.bytes()).as(transcript.getKey()).isEqualTo(transcript.getValue());
    }
    headrace.claude().answers(Answer.text("whole"));
    assertThat(post(headrace, Requests.whole("Hello")).body()).contains("\"whole\"");
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().outcomes())
        .containsOnlyKeys("COMPLETED", "UPSTREAM_ERROR(error event)");
  }

  @Test
  void eventsArriveOneByOne() throws Exception {
    GatewayUnderTest headrace =
        behindLegacyFilter(s -> s.timeoutsHeartbeat(Duration.ofMillis(100)));
    headrace.claude().answers(Answer.text("one", "two").stallAfterEvents(4));
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();
    assertThat(client.readBodyUntil("\"one\"")).doesNotContain("two");
    client.leave();
  }

  @Test
  void overloadIsRepeatedAndSilenceFilledAsEver() throws Exception {
    GatewayUnderTest headrace =
        behindLegacyFilter(
            s ->
                s.retryWaitDuration(Duration.ofMillis(20))
                    .timeoutsHeartbeat(Duration.ofMillis(150)));
    headrace.claude().answers(Answer.status(529));
    headrace.claude().answers(Answer.transcript(TEXT).pauseAfterEvents(4, Duration.ofMillis(800)));
    Reply reply = post(headrace, STREAMING);
    assertThat(reply.body()).contains(": keep-alive\n\n");
    assertThat(reply.body().replace(": keep-alive\n\n", "")).isEqualTo(TEXT);
    assertThat(headrace.claude().attempts()).isEqualTo(2);
  }

  @Test
  void clocksEndStreamsWithTheirErrorEvent() throws Exception {
    GatewayUnderTest headrace = behindLegacyFilter(s -> s.timeoutsIdle(Duration.ofMillis(300)));
    headrace.claude().answers(Answer.text("Hel").stallAfterEvents(4));
    Reply reply = post(headrace, STREAMING);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.body()).contains("event: error", "timeouts.idle of 300ms is over");
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().outcomes()).containsExactly(Map.entry("TIMED_OUT(idle)", 1L));
  }

  @Test
  void aCutInMidEventDropsTheConnection() throws Exception {
    GatewayUnderTest headrace = behindLegacyFilter(s -> s);
    headrace.claude().answers(Answer.text("Hel").largeEvent(20_000).cutAtByte(5000));
    Reply reply = post(headrace, STREAMING);
    assertThat(reply.end()).isIn(End.CUT, End.RESET);
    assertThat(reply.body()).doesNotContain("message_stop");
  }

  @Test
  void aClientThatLeavesEndsTheUpstreamCall() throws Exception {
    GatewayUnderTest headrace = behindLegacyFilter(s -> s);
    headrace
        .claude()
        .answers(Answer.text("Hel").thenText("lo ".repeat(3000)).tokenwise().paced(50));
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();
    client.readBodyUntil("Hel");
    client.reset();
    SeenRequest seen = headrace.claude().lastRequest();
    seen.awaitClientGone(Duration.ofSeconds(5));
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().outcomes()).containsExactly(Map.entry("CLIENT_GONE", 1L));
  }

  /** A write that blocks cannot be waited for: the exchange ends, and the thread when it may. */
  @Test
  void aClientThatNeverReadsEndsBySlowClient() throws Exception {
    GatewayUnderTest headrace =
        behindLegacyFilter(s -> s.timeoutsSlowClient(Duration.ofMillis(500)));
    headrace.claude().answers(Answer.empty().flood(1L << 30));
    RawClient client = clientWithSmallBuffer(headrace).post(STREAMING);
    client.replyHead();
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(
            () ->
                assertThat(headrace.gateway().outcomes())
                    .containsExactly(Map.entry("TIMED_OUT(slow-client)", 1L)));
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.claude().lastRequest().bytesSent()).isLessThan(64L << 20);
    client.reset();
  }

  /** As Tomcat's valve for stuck threads does, or a watchdog of the application's. */
  @Test
  void aStreamWhoseThreadIsInterruptedEndsWithAnErrorEvent() throws Exception {
    Interruptible thread = new Interruptible();
    GatewayUnderTest headrace = keep(GatewayUnderTest.startBehind(kind(), thread, s -> s));
    headrace.claude().answers(Answer.text("Hel").stallAfterEvents(4));
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();
    client.readBodyUntil("Hel");
    thread.interrupt();
    ByteArrayOutputStream rest = new ByteArrayOutputStream();
    assertThat(client.readBody(rest, Long.MAX_VALUE)).isEqualTo(End.COMPLETE);
    assertThat(rest.toString(UTF_8)).contains("event: error", "interrupted");
    thread.assertStillInterrupted();
    assertInterrupted(headrace);
  }

  @Test
  void aTextWhoseThreadIsInterruptedDoesNotLookWhole() throws Exception {
    Interruptible thread = new Interruptible();
    GatewayUnderTest headrace = keep(GatewayUnderTest.startBehind(kind(), thread, s -> s));
    headrace.claude().answers(Answer.text("Hel").stallAfterEvents(4));
    RawClient client = client(headrace).post("/claude/v1/messages?format=text", STREAMING);
    client.replyHead();
    client.readBodyUntil("Hel");
    thread.interrupt();
    assertThat(client.readBody(new ByteArrayOutputStream(), Long.MAX_VALUE))
        .isIn(End.CUT, End.RESET);
    assertInterrupted(headrace);
  }

  /** Tomcat fails the write then, and would end the answer properly all the same. */
  @Test
  void aStreamWhoseThreadIsInterruptedInAWriteDoesNotLookWhole() throws Exception {
    AtomicInteger flushes = new AtomicInteger();
    Filter filter =
        (request, response, chain) ->
            chain.doFilter(
                request,
                new PassedOn((HttpServletResponse) response) {
                  @Override
                  void beforeFlush() {
                    if (flushes.incrementAndGet() == 3) { // the first one comes twice
                      Thread.currentThread().interrupt();
                    }
                  }
                });
    GatewayUnderTest headrace = keep(GatewayUnderTest.startBehind(kind(), filter, s -> s));
    headrace
        .claude()
        .answers(
            Answer.text("Hel", "lo")
                .pauseAfterEvents(4, Duration.ofMillis(300))
                .stallAfterEvents(5));
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    End end = client.readBody(body, Long.MAX_VALUE);
    String text = body.toString(UTF_8);
    assertThat(end == End.COMPLETE && !text.contains("message_stop") && !text.contains("error"))
        .as("%s after %s", end, text)
        .isFalse();
    assertThat(flushes).hasValueGreaterThanOrEqualTo(3);
    headrace.awaitIdle(Duration.ofSeconds(5));
  }

  @Test
  void aRequestWhoseThreadIsInterruptedBeforeTheAnswerIsAnError() throws Exception {
    Interruptible thread = new Interruptible();
    GatewayUnderTest headrace = keep(GatewayUnderTest.startBehind(kind(), thread, s -> s));
    headrace.claude().answers(Answer.text("never").stallBeforeHead());
    RawClient client = client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(0, Duration.ofSeconds(5));
    thread.interrupt();
    Reply reply = client.reply();
    assertThat(reply.status()).isEqualTo(503);
    assertThat(reply.body()).contains("api_error", "interrupted");
    thread.assertStillInterrupted();
    assertInterrupted(headrace);
  }

  private static void assertInterrupted(GatewayUnderTest headrace) {
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().outcomes())
        .containsExactly(Map.entry("CANCELLED(interrupted)", 1L));
    headrace.claude().lastRequest().awaitClientGone(Duration.ofSeconds(5));
  }

  /** Knows the thread that is in the request, and whether it comes back interrupted. */
  private static final class Interruptible implements Filter {
    private final CompletableFuture<Thread> inside = new CompletableFuture<>();
    private final CompletableFuture<Boolean> interrupted = new CompletableFuture<>();

    @Override
    public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
        throws IOException, ServletException {
      inside.complete(Thread.currentThread());
      try {
        chain.doFilter(request, response);
      } finally {
        interrupted.complete(Thread.interrupted());
      }
    }

    /** Interrupts it while it waits for more: within a write, Tomcat takes it for a lost client. */
    void interrupt() {
      Thread thread = inside.join();
      Awaitility.await()
          .atMost(Duration.ofSeconds(5))
          .until(() -> thread.getState() == Thread.State.WAITING);
      thread.interrupt();
    }

    void assertStillInterrupted() {
      assertThat(interrupted).succeedsWithin(Duration.ofSeconds(5)).isEqualTo(true);
    }
  }

  @Test
  void moreStreamsThanMayHoldAThreadAreRefused() throws Exception {
    GatewayUnderTest headrace =
        behindLegacyFilter(s -> s.blockingMaxConcurrent(2).shutdownDrain(Duration.ZERO));
    headrace.claude().answersAlways(Answer.text("Hel").stallAfterEvents(4));
    List<RawClient> running = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      RawClient client = client(headrace).post(STREAMING);
      client.replyHead();
      running.add(client);
    }
    Reply refused = post(headrace, STREAMING);
    assertThat(refused.status()).isEqualTo(503);
    assertThat(refused.header("retry-after")).contains("1");
    assertThat(refused.body()).contains("overloaded_error", "blocking.max-concurrent");
    assertThat(headrace.claude().attempts()).isEqualTo(2);

    for (RawClient client : running) {
      client.reset();
    }
    headrace.gateway().close(); // else the silence would hold the threads until a heartbeat
  }

  @Test
  void zeroRefusesThemAll() throws Exception {
    GatewayUnderTest headrace = behindLegacyFilter(s -> s.blockingMaxConcurrent(0));
    assertThat(post(headrace, STREAMING).status()).isEqualTo(503);
    assertThat(headrace.claude().attempts()).isZero();
  }

  @Test
  void oneLineOfTheLogSaysWhatToChange() throws Exception {
    Logger logger = (Logger) LoggerFactory.getLogger("dev.headrace.relay.Relay");
    Level level = logger.getLevel();
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.setLevel(Level.WARN);
    logger.setAdditive(false);
    logger.addAppender(lines);
    try {
      GatewayUnderTest headrace = behindLegacyFilter(s -> s);
      headrace.claude().answersAlways(Answer.text("a"));
      post(headrace, STREAMING);
      post(headrace, STREAMING);
    } finally {
      logger.detachAppender(lines);
      logger.setAdditive(true);
      logger.setLevel(level);
    }
    assertThat(lines.list).hasSize(1);
    assertThat(lines.list.get(0).getFormattedMessage())
        .contains("<async-supported>true</async-supported>", "blocking.max-concurrent", "legacy");
  }

  @Test
  void aBodyThatIsTooLargeOrTooSlowIsRefused() throws Exception {
    GatewayUnderTest headrace =
        behindLegacyFilter(
            s ->
                s.requestMaxBody(dev.headrace.config.ByteSize.ofKibibytes(1))
                    .requestBodyTimeout(Duration.ofMillis(300)));
    // Without a length, so that it is found out while reading.
    String chunk = "800\r\n" + "x".repeat(0x800) + "\r\n0\r\n\r\n";
    RawClient large =
        client(headrace)
            .send(
                RawClient.head("POST", "/claude/v1/messages", "Transfer-Encoding: chunked")
                    .append("\r\n")
                    .toString(),
                chunk.getBytes(UTF_8));
    assertThat(large.reply().status()).isEqualTo(413);

    RawClient slow =
        client(headrace)
            .send(
                RawClient.head("POST", "/claude/v1/messages", "Content-Length: 100")
                    .append("\r\n")
                    .toString(),
                "{\"mod".getBytes(UTF_8));
    if (kind() == ContainerKind.TOMCAT) { // whose thread waits for bytes
      Awaitility.await()
          .atMost(Duration.ofSeconds(5))
          .until(() -> headrace.gateway().runningExchanges() == 1);
      Awaitility.await()
          .during(Duration.ofMillis(450))
          .atMost(Duration.ofSeconds(5))
          .until(() -> headrace.gateway().runningExchanges() == 1);
      slow.send("", "el\":".getBytes(UTF_8)); // the clock has run out: the rest is not waited for
    }
    assertThat(slow.reply().status()).isEqualTo(408);
    assertThat(headrace.claude().attempts()).isZero();
  }

  /** Also where a thread cannot be called back from a read, as in Tomcat. */
  @Test
  void aBodyThatNeverComesEndsByItsClockAndHoldsUpNoClose() throws Exception {
    GatewayUnderTest headrace =
        behindLegacyFilter(
            s ->
                s.requestBodyTimeout(Duration.ofMillis(300))
                    .timeoutsSlowClient(Duration.ofMillis(300))
                    .shutdownDrain(Duration.ofMinutes(1)));
    RawClient silent = client(headrace).send(headOfSilentUpload(), new byte[0]);
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(
            () ->
                assertThat(headrace.gateway().outcomes())
                    .containsExactly(Map.entry("TIMED_OUT(body)", 1L)));
    headrace.awaitIdle(Duration.ofSeconds(5));
    headrace.gateway().close();
    silent.reset();
  }

  @Test
  void aBodyThatNeverComesDoesNotOutliveTheDrain() throws Exception {
    GatewayUnderTest headrace = behindLegacyFilter(s -> s.shutdownDrain(Duration.ofMillis(100)));
    RawClient silent = client(headrace).send(headOfSilentUpload(), new byte[0]);
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .until(() -> headrace.gateway().runningExchanges() == 1);
    headrace.gateway().close();
    assertThat(headrace.gateway().runningExchanges()).isZero();
    assertThat(headrace.gateway().outcomes()).containsOnlyKeys("CANCELLED(shutdown)");
    silent.reset();
  }

  private static String headOfSilentUpload() {
    return RawClient.head("POST", "/claude/v1/messages", "Content-Length: 100")
        .append("\r\n")
        .toString();
  }

  @Test
  void closingEndsThemWithAnErrorEvent() throws Exception {
    GatewayUnderTest headrace = behindLegacyFilter(s -> s.shutdownDrain(Duration.ofMillis(200)));
    headrace.claude().answers(Answer.text("Hel").stallAfterEvents(4));
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();
    headrace.gateway().close();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    assertThat(client.readBody(body, Long.MAX_VALUE)).isEqualTo(End.COMPLETE);
    assertThat(body.toString(UTF_8)).contains("event: error", "shutting down");
  }
}
