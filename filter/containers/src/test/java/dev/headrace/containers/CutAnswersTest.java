package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.RawClient.End;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.Transcripts;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An answer that is not complete never looks so, whatever stands between us and the client. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class CutAnswersTest extends GatewayContract {

  private static final String TEXT = "/claude/v1/messages?format=text";

  /** As some do that only log. */
  static final Filter CATCHING =
      (request, response, chain) -> {
        try {
          chain.doFilter(request, response);
        } catch (Exception e) {
          // nobody hears of it
        }
      };

  CutAnswersTest(ContainerKind kind) {
    super(kind);
  }

  private static void cut(GatewayUnderTest headrace) {
    headrace.claude().answersAlways(Answer.transcript(Transcripts.text()).cutAfterEvents(4));
  }

  private void assertCut(RawClient.Reply reply) {
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body()).isEqualTo("Grüße");
    assertThat(reply.end()).isNotEqualTo(End.COMPLETE);
  }

  @Test
  void forAClientThatWantsNoOtherAnswer() throws Exception {
    GatewayUnderTest headrace = start();
    cut(headrace);
    assertCut(client(headrace).post(TEXT, STREAMING, "Connection: close").reply());

    headrace.claude().answersAlways(Answer.transcript(Transcripts.text()));
    RawClient.Reply whole = client(headrace).post(TEXT, STREAMING, "Connection: close").reply();
    assertThat(whole.end()).isEqualTo(End.COMPLETE);
    assertThat(whole.body()).contains("Köln");
    headrace.claude().answersAlways(Answer.text("Hello"));
    RawClient.Reply json =
        client(headrace)
            .post("/claude/v1/messages", STREAMING.replace("true", "false"), "Connection: close")
            .reply();
    assertThat(json.header("content-length")).isPresent();
    assertThat(json.header("transfer-encoding")).isEmpty();
    assertThat(json.end()).isEqualTo(End.COMPLETE);
  }

  /** Its end cannot differ there. */
  @Test
  void overHttp10TextIsRefused() throws Exception {
    GatewayUnderTest headrace = start();
    cut(headrace);
    byte[] body = STREAMING.getBytes(UTF_8);
    String head =
        "POST %s HTTP/1.0\r\nHost: x\r\nContent-Type: application/json\r\nanthropic-version: 2026-10-21\r\nContent-Length: "
            + body.length
            + "\r\n\r\n";
    RawClient.Reply text = client(headrace).send(head.formatted(TEXT), body).reply();
    assertThat(text.status()).isEqualTo(400);
    assertThat(text.body()).contains("HTTP/1.1").contains("proxy_http_version");
    RawClient.Reply events =
        client(headrace).send(head.formatted("/claude/v1/messages"), body).reply();
    assertThat(events.status()).isEqualTo(200);
    assertThat(events.body()).contains("event: error");
  }

  /** The connection's end says nothing there, so that an event must. */
  @ParameterizedTest
  @ValueSource(strings = {"", "?format=simple"})
  void overHttp10AnEventThatBreaksOffIsFollowedByAnErrorEvent(String format) throws Exception {
    GatewayUnderTest headrace = start();
    String transcript = new String(Transcripts.text(), UTF_8);
    int middle = transcript.indexOf("text_delta", transcript.indexOf("text_delta") + 1);
    headrace
        .claude()
        .answersAlways(
            Answer.transcript(Transcripts.text())
                .resetAtByte(transcript.substring(0, middle).getBytes(UTF_8).length));
    byte[] body = STREAMING.getBytes(UTF_8);
    String head =
        "POST /claude/v1/messages%s HTTP/1.0\r\nHost: x\r\nContent-Type: application/json\r\nanthropic-version: 2026-10-21\r\nContent-Length: %d\r\n\r\n"
            .formatted(format, body.length);
    RawClient.Reply reply = client(headrace).send(head, body).reply();
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body()).contains("Gr");
    assertThat(reply.body().substring(reply.body().lastIndexOf("event: ")))
        .startsWith("event: error\n")
        .endsWith("\n\n");
  }

  @Test
  void behindAFilterThatWantsTheConnectionClosed() throws Exception {
    GatewayUnderTest headrace =
        keep(
            GatewayUnderTest.startBehindAsync(
                kind(),
                (request, response, chain) -> {
                  ((HttpServletResponse) response).setHeader("Connection", "close");
                  chain.doFilter(request, response);
                },
                settings -> settings));
    cut(headrace);
    assertCut(client(headrace).post(TEXT, STREAMING).reply());
    headrace.claude().answersAlways(Answer.transcript(Transcripts.text()));
    RawClient.Reply whole = client(headrace).post(TEXT, STREAMING).reply();
    assertThat(whole.end()).isEqualTo(End.COMPLETE);
    assertThat(whole.body()).contains("Köln");
    headrace.claude().answersAlways(Answer.text("Hello"));
    RawClient.Reply json =
        client(headrace).post("/claude/v1/messages", STREAMING.replace("true", "false")).reply();
    assertThat(json.body()).contains("Hello");
    assertThat(json.end()).isEqualTo(End.COMPLETE);
  }

  /** Of several lines the last one counts. */
  @Test
  void behindFiltersThatDisagreeAboutTheConnection() throws Exception {
    GatewayUnderTest headrace =
        keep(
            GatewayUnderTest.startBehindAsync(
                kind(),
                (request, response, chain) -> {
                  ((HttpServletResponse) response).addHeader("Connection", "keep-alive");
                  ((HttpServletResponse) response).addHeader("Connection", "close");
                  chain.doFilter(request, response);
                },
                settings -> settings));
    cut(headrace);
    assertCut(client(headrace).post(TEXT, STREAMING).reply());
    headrace.claude().answersAlways(Answer.transcript(Transcripts.text()));
    assertThat(client(headrace).post(TEXT, STREAMING).reply().end()).isEqualTo(End.COMPLETE);
  }

  @Test
  void behindAFilterThatCatchesWhatIsThrown() throws Exception {
    GatewayUnderTest headrace =
        keep(GatewayUnderTest.startBehind(kind(), CATCHING, settings -> settings));
    cut(headrace);
    assertCut(client(headrace).post(TEXT, STREAMING).reply());
  }
}
