package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.RawClient.End;
import dev.headrace.simulator.Answer;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An application is stopped while streams run: each of them completes or ends with a well-formed
 * error event, none is torn. Jetty calls {@code destroy()} at once, so that our drain decides;
 * Tomcat waits for its own {@code unloadDelay} (2 s here) and then ends asynchronous requests
 * itself, whatever {@code destroy()} does.
 */
@Tag("alone")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class UndeployTest extends GatewayContract {

  private static final int STREAMS = Load.count(200, 1_000);

  UndeployTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void streamsThatEndSoonEndProperly() throws Exception {
    Map<String, Integer> ends = undeployUnder(8, Duration.ofSeconds(10));
    assertThat(ends).isEqualTo(Map.of("complete", STREAMS));
  }

  @Test
  void streamsThatGoOnForLongEndWithAnErrorEvent() throws Exception {
    Map<String, Integer> ends = undeployUnder(2_000, Duration.ofMillis(500));
    assertThat(ends).isEqualTo(Map.of("error event", STREAMS));
  }

  /** Tomcat ends the requests itself after 2 s and a little, while the drain still waits. */
  @Test
  void aContainerThatIsLessPatientThanTheDrainTearsNothingEither() throws Exception {
    Map<String, Integer> ends = undeployUnder(2_000, Duration.ofSeconds(5));
    assertThat(ends).isEqualTo(Map.of("error event", STREAMS));
  }

  /** Some streams are at their end when the application stops, some are not. */
  @Test
  void streamsOfAllLengthsAreNotTorn() throws Exception {
    Map<String, Integer> ends = undeployUnder(0, Duration.ofSeconds(1));
    assertThat(ends).containsOnlyKeys("complete", "error event");
    assertThat(ends.values().stream().mapToInt(Integer::intValue).sum()).isEqualTo(STREAMS);
  }

  /** What has not been taken when the container ends the request is lost: that has to show. */
  @ParameterizedTest
  @ValueSource(strings = {"events", "text"})
  void aClientThatIsStillReadingDoesNotTakeItsAnswerForWhole(String format) throws Exception {
    GatewayUnderTest headrace = start(s -> s.shutdownDrain(Duration.ofSeconds(5)));
    headrace.claude().answersAlways(Answer.text("first ").flood(64_000_000));
    RawClient client =
        clientWithSmallBuffer(headrace)
            .patience(Duration.ofSeconds(30))
            .post("/claude/v1/messages?format=" + format, STREAMING);
    assertThat(client.replyHead().status()).isEqualTo(200);
    Standstill.await(headrace.claude().awaitRequest(0, Duration.ofSeconds(10))::bytesSent);
    headrace.stopApplication();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    End end = client.readBody(body, Long.MAX_VALUE);
    if (end == End.COMPLETE) {
      assertThat(format).isEqualTo("events");
      assertThat(describe(end, body.toString(UTF_8))).isEqualTo("error event");
    }
  }

  /**
   * @param words how many events of 20 a second each answer has; 0 for all lengths up to 10 s
   */
  private Map<String, Integer> undeployUnder(int words, Duration drain) throws Exception {
    GatewayUnderTest headrace = start(s -> s.shutdownDrain(drain));
    List<RawClient> clients = new ArrayList<>();
    for (int i = 0; i < STREAMS; i++) {
      String text = "word ".repeat(words == 0 ? 1 + i % 200 : words);
      headrace.claude().answers(Answer.text("first ").thenText(text).tokenwise().paced(20));
      clients.add(client(headrace).patience(Duration.ofSeconds(30)).post(STREAMING));
    }
    for (RawClient client : clients) {
      assertThat(client.replyHead().status()).isEqualTo(200);
    }

    long before = System.nanoTime();
    headrace.stopApplication();
    long millis = (System.nanoTime() - before) / 1_000_000;

    Map<String, Integer> ends = new TreeMap<>();
    for (RawClient client : clients) {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      End end = client.readBody(body, Long.MAX_VALUE);
      ends.merge(describe(end, body.toString(UTF_8)), 1, Integer::sum);
    }
    Figures.note(
        kind(),
        STREAMS + " streams while the application stops, drain " + drain.toMillis() + " ms",
        ends + ", stopped after " + millis + " ms");
    assertNothingIsLeft(headrace);
    return ends;
  }

  private static String describe(End end, String body) {
    if (end != End.COMPLETE) {
      return "torn: " + end;
    }
    if (!body.endsWith("\n\n")) {
      return "ends in mid-event";
    }
    String last = body.substring(body.lastIndexOf("event: "));
    if (last.startsWith("event: message_stop\n")) {
      return "complete";
    }
    return last.startsWith("event: error\n") && last.contains("shutting down")
        ? "error event"
        : "looks complete and is not";
  }

  private static void assertNothingIsLeft(GatewayUnderTest headrace) {
    headrace.awaitIdle(Duration.ofSeconds(5));
    assertThat(headrace.gateway().isReady()).isFalse();
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .noneMatch(name -> name.startsWith("headrace-")));
    assertThat(headrace.claude().openConnections()).isZero();
  }
}
