package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A client that leaves must not disturb the next one, whose connection may get its place. */
class AfterLeavingTest {

  private static final String BODY =
      """
      {"model":"claude-sonnet-5-5","max_tokens":100,"stream":true,\
      "messages":[{"role":"user","content":"Hello"}]}""";
  private static final byte[] REQUEST =
      ("POST /claude/v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
              + "anthropic-version: 2026-10-21\r\nContent-Length: "
              + BODY.length()
              + "\r\n\r\n"
              + BODY)
          .getBytes(StandardCharsets.ISO_8859_1);
  private static final int ROUNDS = 300;

  @ParameterizedTest
  @EnumSource(ContainerKind.class)
  void nextClientGetsItsWholeAnswerRightAfterOneThatLeftInMidstream(ContainerKind kind)
      throws Exception {
    try (GatewayUnderTest headrace =
        GatewayUnderTest.start(kind, s -> s.timeoutsHeartbeat(Duration.ofMillis(200)))) {
      Answer flowing = SdkAnswers.named("flowing").paced(500);
      Map<String, Integer> outcomes = new TreeMap<>();
      for (int i = 0; i < ROUNDS; i++) {
        headrace.claude().reset();
        headrace.claude().answers(flowing).answers(Answer.text("Hello"));
        try (Socket leaving = open(headrace)) {
          readUntil(leaving, "\"Hel\"");
        }
        // No rest in between: the trouble lasted microseconds.
        while (headrace.gateway().permitsInUse() > 0) {
          Thread.onSpinWait();
        }
        String outcome;
        try (Socket next = open(headrace)) {
          outcome = readUntil(next, "message_stop") ? "whole" : "end of connection";
        } catch (IOException e) {
          outcome = e.toString();
        }
        outcomes.merge(outcome, 1, Integer::sum);
      }
      assertThat(outcomes).isEqualTo(Map.of("whole", ROUNDS));
    }
  }

  private static Socket open(GatewayUnderTest headrace) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), headrace.port());
    socket.setSoTimeout(5000);
    socket.getOutputStream().write(REQUEST);
    return socket;
  }

  private static boolean readUntil(Socket socket, String what) throws IOException {
    InputStream in = socket.getInputStream();
    StringBuilder read = new StringBuilder();
    byte[] buffer = new byte[4096];
    while (read.indexOf(what) < 0) {
      int count = in.read(buffer);
      if (count < 0) {
        return false;
      }
      read.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
    }
    return true;
  }
}
