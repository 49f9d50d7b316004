package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.containers.RawClient.End;
import dev.headrace.containers.RawClient.Reply;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.Transcripts;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** The gateway as a filter in an application that has a context path and pages of its own. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class FilterTest extends GatewayContract {

  private static final String PATH = "/shop/claude/v1/messages";

  FilterTest(ContainerKind kind) {
    super(kind);
  }

  private GatewayUnderTest startFilter() throws Exception {
    return keep(
        GatewayUnderTest.startAsFilter(
            kind(), "/shop", s -> s.timeoutsIdle(Duration.ofMillis(500))));
  }

  @Test
  void aStreamPassesByteForByte() throws Exception {
    GatewayUnderTest headrace = startFilter();
    headrace.claude().answers(Answer.transcript(Transcripts.text()));
    Reply reply = client(headrace).post(PATH, STREAMING).reply();
    assertThat(reply.body()).isEqualTo(new String(Transcripts.text(), StandardCharsets.UTF_8));
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(headrace.claude().lastRequest().path()).isEqualTo("/v1/messages");
  }

  @Test
  void aStreamThatDiesWithinAnEventIsDropped() throws Exception {
    GatewayUnderTest headrace = startFilter();
    headrace
        .claude()
        .answers(
            Answer.transcript(Transcripts.text())
                .trickle(10_000, Duration.ofMillis(20))
                .cutAtByte(700));
    Reply reply = client(headrace).post(PATH, STREAMING).reply();
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.end()).isIn(End.CUT, End.RESET);
  }

  @Test
  void aStreamThatStallsGetsAnErrorEventAfterTheIdleClock() throws Exception {
    GatewayUnderTest headrace = startFilter();
    headrace.claude().answers(Answer.transcript(Transcripts.text()).stallAfterEvents(3));
    Reply reply = client(headrace).post(PATH, STREAMING).reply();
    assertThat(reply.end()).isEqualTo(End.COMPLETE);
    assertThat(reply.body()).contains("timeout_error");
  }

  @Test
  void otherPathsPassToTheApplication() throws Exception {
    GatewayUnderTest headrace = startFilter();
    for (String path : List.of("/shop/", "/shop/page", "/shop/claudette/v1/messages")) {
      Reply reply = client(headrace).request("GET", path).reply();
      assertThat(reply.status()).isEqualTo(200);
      assertThat(reply.body()).isEqualTo("the application at " + path);
    }
    assertThat(client(headrace).request("GET", "/shop/claude/v1/nothing").reply().status())
        .isEqualTo(404);
    assertThat(headrace.claude().attempts()).isZero();
  }
}
