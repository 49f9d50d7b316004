package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.SeenRequest;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Images and documents travel inside the request's JSON. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class LargeBodyTest extends GatewayContract {

  LargeBodyTest(ContainerKind kind) {
    super(kind);
  }

  @Test
  void bodyOfTwentyMebibytesArrivesByteForByte() throws Exception {
    GatewayUnderTest headrace = start();
    headrace.claude().answersAlways(Answer.text("A picture."));
    String body = Requests.streaming("x".repeat(20 * 1024 * 1024) + " Grüße 👋");

    RawClient.Reply reply = post(headrace, body);

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.body()).contains("A picture.", "message_stop");
    SeenRequest seen = headrace.claude().lastRequest();
    assertThat(seen.body()).isEqualTo(body.getBytes(StandardCharsets.UTF_8));
    assertThat(seen.header("content-length"))
        .hasValue(Integer.toString(body.getBytes(StandardCharsets.UTF_8).length));
  }
}
