package shop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.Gateway;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** An application that is stopped while streams run. */
@Timeout(180)
class GracefulShutdownTest {

  @Test
  void streamThatEndsInTimeEndsWholeAndTheOtherWithAnErrorEvent() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    try (ClaudeSimulator claude =
        ClaudeSimulator.builder().apiKey(ClaudeContract.API_KEY).start()) {
      byte[] transcript = Transcripts.text();
      claude.answers(Answer.transcript(transcript).pauseAfterEvents(3, Duration.ofSeconds(6)));
      claude.answers(Answer.text("Hel").stallAfterEvents(4));
      ConfigurableApplicationContext application =
          SpringApplication.run(
              ShopApplication.class,
              "--server.port=0",
              "--claude.base-url=" + claude.baseUrl(),
              "--claude.api-key=" + ClaudeContract.API_KEY);
      String port = application.getEnvironment().getRequiredProperty("local.server.port");
      Gateway gateway = application.getBean(Gateway.class);
      HttpResponse<InputStream> first = ask(port);
      HttpResponse<InputStream> second = ask(port);
      assertThat(first.body().readNBytes(20)).isEqualTo("event: message_start".getBytes(UTF_8));
      assertThat(gateway.runningExchanges()).isEqualTo(2);

      Thread closing = new Thread(application::close, "closing");
      closing.start();

      byte[] rest = first.body().readAllBytes();
      assertThat("event: message_start" + new String(rest, UTF_8).replace(": keep-alive\n\n", ""))
          .isEqualTo(new String(transcript, UTF_8));
      assertThat(closing.isAlive()).as("the application waits for the other stream").isTrue();
      assertThat(new String(second.body().readAllBytes(), UTF_8))
          .contains("Hel", "event: error")
          .doesNotContain("message_stop");
      closing.join(Duration.ofSeconds(30).toMillis());
      assertThat(closing.isAlive()).isFalse();
      assertThat(gateway.permitsInUse()).isZero();
      Awaitility.await().until(() -> claude.openStreams() == 0);
      Awaitility.await()
          .until(
              () ->
                  Thread.getAllStackTraces().keySet().stream()
                      .filter(thread -> !before.contains(thread))
                      .noneMatch(thread -> thread.getName().startsWith("headrace-")));
    }
  }

  private static HttpResponse<InputStream> ask(String port) throws Exception {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .build()
        .send(
            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/claude/v1/messages"))
                .header("content-type", "application/json")
                .header("anthropic-version", "2026-10-21")
                .header("authorization", ClaudeContract.basic("alice:wonderland"))
                .header("cookie", "XSRF-TOKEN=of-a-program")
                .header("X-XSRF-TOKEN", "of-a-program")
                .POST(
                    HttpRequest.BodyPublishers.ofString(
                        "{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":100,\"stream\":true,"
                            + "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}"))
                .build(),
            HttpResponse.BodyHandlers.ofInputStream());
  }
}
