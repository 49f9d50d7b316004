package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.GatewayInside;
import dev.headrace.ManualTime;
import dev.headrace.config.GatewaySettingsBuilder;
import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Transcripts;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.params.provider.Arguments;

/**
 * What the tests of failures share: every row of a table runs with a request for a stream and with
 * one for a whole message, and after each test the threads are those from before it.
 */
abstract class FailureContract extends GatewayContract {

  /** Plain text in eight events; the third is a ping, the fourth the first with content. */
  static final String TEXT = new String(Transcripts.text(), UTF_8);

  private static final String KEEP_ALIVE = ": keep-alive\n\n";

  /** What the client asks for. */
  enum Asked {
    STREAM("a stream", Requests.streaming("Hello")),
    WHOLE("a whole message", Requests.whole("Hello"));

    private final String words;
    private final String body;

    Asked(String words, String body) {
      this.words = words;
      this.body = body;
    }

    String body() {
      return body;
    }

    @Override
    public String toString() {
      return words;
    }
  }

  private final Map<String, Integer> threadsBefore = ThreadWatch.countedThreads();

  FailureContract(ContainerKind kind) {
    super(kind);
  }

  /** Each row with each way of asking. */
  static Stream<Arguments> withEachAsked(List<?> rows) {
    List<Arguments> all = new ArrayList<>();
    for (Object row : rows) {
      for (Asked asked : Asked.values()) {
        all.add(Arguments.of(row, asked));
      }
    }
    return all.stream();
  }

  /** Short waits and no limit of retries, for tests in which neither is the point. */
  static GatewaySettingsBuilder quick(GatewaySettingsBuilder settings) {
    return settings
        .retryWaitDuration(Duration.ofMillis(20))
        .retryMaxWaitDuration(Duration.ofMillis(40))
        .retryBudgetPerSecond(10_000);
  }

  /** The first events of {@link #TEXT}. */
  static String firstEvents(int count) {
    return TEXT.substring(0, endOfEvent(count));
  }

  static int endOfEvent(int number) {
    int end = 0;
    for (int i = 0; i < number; i++) {
      end = TEXT.indexOf("\n\n", end) + 2;
    }
    return end;
  }

  /** The body without what the gateway writes into silent streams. */
  static String withoutComments(String body) {
    return body.replace(KEEP_ALIVE, "");
  }

  /** An error as a whole answer, of the API or in its shape. */
  static void assertError(Reply reply, int status, String type, String messagePart) {
    assertThat(reply.status()).isEqualTo(status);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.header("content-type").orElse("")).startsWith("application/json");
    assertThat(reply.body())
        .startsWith("{\"type\":\"error\",\"error\":{")
        .contains("\"type\":\"" + type + "\"")
        .contains(messagePart);
  }

  /** The first events of {@link #TEXT}, then one error event, then the proper end of the body. */
  static void assertEventsThenError(Reply reply, int events, String type, String messagePart) {
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertEventsThenError(reply.body(), events, type, messagePart);
  }

  static void assertEventsThenError(String body, int events, String type, String messagePart) {
    String passed = firstEvents(events);
    assertThat(withoutComments(body)).startsWith(passed);
    assertOneErrorEvent(withoutComments(body).substring(passed.length()), type, messagePart);
  }

  static void assertOneErrorEvent(String event, String type, String messagePart) {
    assertThat(event)
        .startsWith("event: error\ndata: {\"type\":\"error\",\"error\":{")
        .endsWith("}\n\n")
        .contains("\"type\":\"" + type)
        .contains(messagePart);
    assertThat(event.indexOf("\n\n")).isEqualTo(event.length() - 2);
  }

  /** Some of the bytes of {@link #TEXT} and then no proper end. */
  static void assertDropped(Reply reply, int mostBytes) {
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isIn(End.CUT, End.RESET);
    byte[] bytes = reply.bytes();
    assertThat(bytes.length).isLessThanOrEqualTo(mostBytes);
    assertThat(bytes).isEqualTo(Arrays.copyOf(Transcripts.text(), bytes.length));
  }

  /** A clean answer, as if nothing had gone wrong before. */
  static void assertCleanAnswer(Reply reply, Asked asked) {
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.header("x-should-retry")).isEmpty();
    assertThat(reply.header("retry-after")).isEmpty();
    if (asked == Asked.STREAM) {
      assertThat(reply.body()).isEqualTo(TEXT);
    } else {
      assertThat(reply.body()).startsWith("{").contains("Grüße aus Köln!").endsWith("}");
    }
  }

  /** Looks often: there are hundreds of rows. */
  static ConditionFactory quickly() {
    return Awaitility.await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(10));
  }

  /** What the gateway has counted, and nothing else: each row runs in a gateway of its own. */
  static void assertOutcomes(GatewayUnderTest headrace, Map<String, Long> expected) {
    quickly().untilAsserted(() -> assertThat(headrace.gateway().outcomes()).isEqualTo(expected));
  }

  static void assertOutcome(GatewayUnderTest headrace, String expected) {
    assertOutcomes(headrace, Map.of(expected, 1L));
  }

  /**
   * Waits for the next attempt to wait for its turn, its time settled by the clock as it stands.
   */
  static void awaitBetweenAttempts(GatewayUnderTest headrace) {
    awaitBetweenAttempts(headrace, 1);
  }

  static void awaitBetweenAttempts(GatewayUnderTest headrace, int exchanges) {
    Awaitility.await()
        .pollInterval(Duration.ofMillis(10))
        .until(() -> GatewayInside.waitingForTheNextAttempt(headrace.gateway()) >= exchanges);
  }

  /** Sees that there is no further attempt while the gateway looks at its clocks three times. */
  static void assertAttemptsStay(GatewayUnderTest headrace, int attempts) {
    Awaitility.await()
        .pollInterval(Duration.ofMillis(20))
        .during(Duration.ofMillis(330))
        .atMost(Duration.ofSeconds(5))
        .until(() -> headrace.claude().attempts() == attempts);
  }

  /** Moves the clock on and on until something has happened. */
  static void advanceUntil(ManualTime time, Duration step, Callable<Boolean> happened) {
    Awaitility.await()
        .pollInterval(Duration.ofMillis(150)) // longer than the gateway takes to look
        .until(
            () -> {
              if (happened.call()) {
                return true;
              }
              time.advance(step);
              return false;
            });
  }

  @Override
  final void afterClosing() {
    quickly()
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(
            () -> {
              Map<String, Integer> more = ThreadWatch.countedThreads();
              more.entrySet()
                  .removeIf(
                      each -> each.getValue() <= threadsBefore.getOrDefault(each.getKey(), 0));
              assertThat(more).as("threads that were not there before").isEmpty();
            });
  }
}
