package dev.headrace.proxies;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.ContainerKind;
import dev.headrace.containers.Figures;
import dev.headrace.containers.GatewayUnderTest;
import dev.headrace.containers.RawClient;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** A client that leaves ends the upstream's answer, although a proxy stands between them. */
@ParameterizedClass
@MethodSource("pairs")
@Tag("slow")
final class ClientLeavesBehindProxyTest extends ProxyContract {

  private static final Duration HEARTBEAT = Duration.ofMillis(200);
  private static final int EVENTS_PER_SECOND = 50;

  ClientLeavesBehindProxyTest(ProxyKind kind, ContainerKind container) {
    super(kind, container);
  }

  @Test
  void leavingWhileEventsFlowClosesTheUpstream() throws Exception {
    String[] deltas = new String[2_000];
    Arrays.fill(deltas, "Hel");
    assertLeavingClosesTheUpstream(
        Answer.text("Hel", deltas).paced(EVENTS_PER_SECOND), "while events flow", 1_500);
  }

  /** Two writes show it to the proxy, two more to the gateway, each up to a clock's tick late. */
  @Test
  void leavingInSilenceClosesTheUpstream() throws Exception {
    assertLeavingClosesTheUpstream(
        Answer.text("Hel", "lo").stallAfterEvents(4),
        "in silence, with a heartbeat of " + HEARTBEAT.toMillis() + " ms",
        6 * (HEARTBEAT.toMillis() + 100) + 500);
  }

  private void assertLeavingClosesTheUpstream(Answer answer, String when, long most)
      throws Exception {
    GatewayUnderTest headrace = gateway(s -> s.timeoutsHeartbeat(HEARTBEAT));
    ProxyServer proxy = inFrontOf(headrace);
    headrace.claude().answersAlways(answer);
    for (int i = 0; i < 6; i++) {
      boolean politely = i % 2 == 0;
      RawClient client = client(proxy).post(STREAMING);
      client.replyHead();
      client.readBodyUntil("Hel");
      SeenRequest request = headrace.claude().awaitRequest(i, Duration.ofSeconds(5));

      long left = System.nanoTime();
      if (politely) {
        client.leave();
      } else {
        client.reset();
      }

      request.awaitClientGone(Duration.ofSeconds(10));
      long millis = (request.clientGoneAtNanos().orElseThrow() - left) / 1_000_000;
      Figures.note(
          pair() + ": upstream closed after " + (politely ? "FIN " : "RST ") + when,
          millis + " ms, " + request.eventsSentAfter(left) + " events after");
      assertThat(millis).isLessThan(most);
    }
  }
}
