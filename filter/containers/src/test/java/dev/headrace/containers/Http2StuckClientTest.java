package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A client may allow far more by the windows of HTTP/2 than its system takes unread. Then it is the
 * connection that stands still and not a window, and a container may find out only in a write.
 */
@Tag("alone")
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class Http2StuckClientTest extends GatewayContract {

  private static final int EVENTS_A_SECOND = 50;
  private static final int SECONDS = 6;

  Http2StuckClientTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void clientWhoseConnectionStandsStillHoldsUpNobodyElse() throws Exception {
    GatewayUnderTest headrace =
        start(
            ClaudeSimulator.builder().apiKey(KEY).noPadding(),
            s -> s.upstreamIoThreads(1)); // so that both are read by the same
    String[] deltas = new String[EVENTS_A_SECOND * SECONDS];
    Arrays.fill(deltas, "word ");
    headrace.claude().answers(Answer.text("first", deltas).paced(EVENTS_A_SECOND));
    headrace.claude().answersAlways(Answer.empty().flood(1L << 30));
    RawClient other = client(headrace).post(STREAMING);
    other.replyHead();
    other.readBodyUntil("first");

    try (RawHttp2Client stuck = RawHttp2Client.connectWithSmallBuffer(headrace.port())) {
      stuck.post(STREAMING); // and reads nothing
      Duration longest = longestPause(other);
      Figures.note(
          kind(), "longest pause beside a stuck HTTP/2 client", longest.toMillis() + " ms");
      assertThat(headrace.claude().attempts()).isEqualTo(2);
      assertThat(longest).isLessThan(Duration.ofSeconds(3)); // Tomcat would wait for 5 s
      stuck.reset();
    }
  }

  /** Reads to the end; the longest time between two pieces of the body. */
  private static Duration longestPause(RawClient client) throws Exception {
    long longest = 0;
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    long last = System.nanoTime();
    int before;
    do {
      before = body.size();
      assertThat(client.readBody(body, 1)).isEqualTo(RawClient.End.COMPLETE);
      long now = System.nanoTime();
      longest = Math.max(longest, now - last);
      last = now;
    } while (body.size() > before);
    assertThat(body.toString(java.nio.charset.StandardCharsets.UTF_8)).contains("message_stop");
    return Duration.ofNanos(longest);
  }
}
