package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.Transcripts;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What had arrived before the upstream broke off belongs to the client. */
class LastBytesTest {

  private static final int ROUNDS = 200;
  private static final int EVENTS = 5;

  @ParameterizedTest
  @EnumSource(ContainerKind.class)
  void everyEventBeforeAnAbruptEndReachesTheClient(ContainerKind kind) throws Exception {
    String transcript = new String(Transcripts.text(), StandardCharsets.UTF_8);
    String before = firstEvents(transcript, EVENTS);
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    try (GatewayUnderTest headrace = GatewayUnderTest.start(kind)) {
      headrace
          .claude()
          .answersAlways(Answer.transcript(transcript).withoutGzip().cutAfterEvents(EVENTS));
      for (int round = 0; round < ROUNDS; round++) {
        HttpResponse<String> answer =
            client.send(
                HttpRequest.newBuilder(URI.create(headrace.baseUrl() + "/v1/messages"))
                    .header("content-type", "application/json")
                    .header("anthropic-version", "2026-10-21")
                    .POST(
                        HttpRequest.BodyPublishers.ofString(
                            """
                            {"model":"claude-sonnet-5-5","max_tokens":9,"stream":true,\
                            "messages":[{"role":"user","content":"Hello"}]}"""))
                    .build(),
                HttpResponse.BodyHandlers.ofString());

        assertThat(answer.statusCode()).as("round %d: %s", round, answer.body()).isEqualTo(200);
        assertThat(answer.body())
            .as("round %d", round)
            .startsWith(before + "event: error\ndata: ")
            .contains("\"type\":\"api_error\"");
      }
    }
  }

  private static String firstEvents(String transcript, int count) {
    int end = 0;
    for (int i = 0; i < count; i++) {
      end = transcript.indexOf("\n\n", end) + 2;
    }
    return transcript.substring(0, end);
  }
}
