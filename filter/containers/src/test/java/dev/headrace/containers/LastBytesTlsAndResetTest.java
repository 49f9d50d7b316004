package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * As {@link LastBytesTest}, for the other ways in which a connection ends: with TLS, and by a
 * reset.
 */
class LastBytesTlsAndResetTest {

  private static final int ROUNDS = 100;

  private static final String BODY =
      """
      {"model":"claude-sonnet-5-5","max_tokens":100,"stream":true,\
      "messages":[{"role":"user","content":"Hello"}]}""";

  @ParameterizedTest
  @CsvSource({"cutAfterEvents, true", "resetAfterEvents, false"})
  void eventsThatCameTogetherWithTheEndOfTheConnectionReachTheClient(String end, boolean tls)
      throws Exception {
    Answer text = Answer.text("Hel", "lo");
    ClaudeSimulator.Builder simulator = ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY);
    ClaudeSimulator claude = (tls ? simulator.tls() : simulator).start();
    try (GatewayUnderTest headrace =
        GatewayUnderTest.start(
            ContainerKind.JETTY,
            claude,
            settings -> tls ? settings.upstreamCaFile(claude.certificateFile()) : settings)) {
      claude.answersAlways(
          end.equals("cutAfterEvents") ? text.cutAfterEvents(4) : text.resetAfterEvents(4));
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(headrace.baseUrl() + "/v1/messages"))
              .timeout(Duration.ofSeconds(10))
              .header("content-type", "application/json")
              .header("anthropic-version", "2026-10-21")
              .POST(BodyPublishers.ofString(BODY))
              .build();
      HttpClient http = HttpClient.newHttpClient();
      Map<String, Integer> outcomes = new TreeMap<>();

      for (int i = 0; i < ROUNDS; i++) {
        HttpResponse<String> response = http.send(request, BodyHandlers.ofString());
        String outcome =
            response.statusCode()
                + (response.body().contains("\"Hel\"") ? ", text" : ", no text")
                + (response.body().contains("event: error") ? ", error event" : "");
        outcomes.merge(outcome, 1, Integer::sum);
      }

      assertThat(outcomes).isEqualTo(Map.of("200, text, error event", ROUNDS));
    }
  }
}
