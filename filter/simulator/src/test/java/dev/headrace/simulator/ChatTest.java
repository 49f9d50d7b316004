package dev.headrace.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTest {
  private final ClaudeSimulator claude =
      ClaudeSimulator.builder()
          .chat()
          .pace(TokenPace.FULL_SPEED)
          .firstTokenDelay(Duration.ZERO)
          .paddingSeed(1)
          .start();
  private final HttpCaller http = new HttpCaller(claude);

  @AfterEach
  void close() {
    claude.close();
  }

  @Test
  void aQuestionIsAnsweredWithItsOwnWordsAndTheSameEachTime() throws Exception {
    String first = text(ask("Please explain the photosynthesis of plants"));
    String second = text(ask("Please explain the photosynthesis of plants"));

    assertThat(first).isEqualTo(second).contains("photosynthesis").contains("**");
    assertThat(claude.lastRequest().eventsSent()).isGreaterThan(50);
  }

  @ParameterizedTest
  @CsvSource({
    "/fault overloaded,529",
    "/fault rate-limit 3600,429",
    "/fault spend-limit,429",
    "/fault bad-key,401",
    "/fault billing,402",
    "/fault forbidden,403",
    "/fault not-found,404",
    "/fault conflict,409",
    "/fault too-large,413",
    "/fault server-error,500",
    "/fault html,503",
    "/fault timeout,504",
    "/fault bad-request,400"
  })
  void aPersonCanProvokeEveryHttpError(String question, int status) throws Exception {
    assertThat(ask(question).statusCode()).isEqualTo(status);
  }

  @Test
  void theSecondsOfARateLimitCanBeTyped() throws Exception {
    assertThat(ask("/fault rate-limit 3600").headers().firstValue("retry-after")).hasValue("3600");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/fault overloaded-once", "/fault error-first-once"})
  void aFaultThatHappensOnceIsOverWithTheNextAttempt(String question) throws Exception {
    HttpResponse<String> first = ask(question);

    assertThat(first.statusCode() == 529 || first.body().startsWith("event: error")).isTrue();
    assertThat(text(ask(question))).contains("after a retry");
  }

  @ParameterizedTest
  @CsvSource({
    "/fault overloaded-once,1",
    "/fault overloaded-once 2,2",
    "/fault error-first-once,1"
  })
  void aFaultThatHappensOnceHappensAgainWhenItIsAskedForAgain(String question, int times)
      throws Exception {
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < times; i++) {
        assertThat(ask(question).body()).contains("overloaded_error");
      }
      assertThat(text(ask(question))).contains("after a retry");
    }
    assertThat(ask(question).body()).contains("overloaded_error");
    claude.reset();
    assertThat(ask(question).body()).contains("overloaded_error");
  }

  @Test
  void aFloodHasTheSizeThatWasTypedAlsoWhenTheRequestAllowsGzip() throws Exception {
    HttpResponse<String> flood =
        http.send(
            http.request("/v1/messages")
                .header("Accept-Encoding", "gzip")
                .POST(HttpRequest.BodyPublishers.ofString(body("/fault flood 1")))
                .build());

    assertThat(flood.headers().firstValue("Content-Encoding")).isEmpty();
    assertThat(flood.body().length()).isBetween(1 << 20, 2 << 20);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/show markdown",
        "/show code",
        "/show table",
        "/show emoji",
        "/show long 300",
        "/show thinking",
        "/show thinking-redacted",
        "/show tool",
        "/show refusal",
        "/show refusal-late",
        "/show max-tokens",
        "/fault trickle",
        "/fault split",
        "/fault big-event 1",
        "/fault flood 1",
        "/fault unknown",
        "/fault crlf",
        "/fault comments",
        "/fault pause 0.1",
        "/fault slow-start 0.1",
        "/speed 5000 and what is a weir?",
        "/help"
      })
  void aPersonCanAskForEveryKindOfCompleteAnswer(String question) throws Exception {
    assertThat(ask(question).body()).contains("message_stop");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/fault cut", "/fault reset", "/fault no-answer"})
  void aPersonCanBreakTheConnection(String question) {
    assertThatThrownBy(() -> ask(question)).isInstanceOf(java.io.IOException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/fault clean-end", "/fault error-midway", "/fault error-first"})
  void aPersonCanEndTheStreamTooEarly(String question) throws Exception {
    assertThat(ask(question).body()).contains("event: ").doesNotContain("message_stop");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/fault hang", "/fault stall", "/fault stall-pings 0.1"})
  void aPersonCanCauseSilence(String question) throws Exception {
    try (RawClient client = new RawClient(claude)) {
      client.post(body(question));
      SeenRequest seen = claude.awaitRequest(0, Duration.ofSeconds(10));
      if (!question.equals("/fault hang")) {
        seen.awaitEvents(30, Duration.ofSeconds(10));
      }
      assertThat(seen.finished()).isFalse();
    }
    claude.lastRequest().awaitClientGone(Duration.ofSeconds(10));
  }

  @Test
  void everyCommandIsDocumentedOnceAndUnderstood() {
    assertThat(ChatFaults.documented())
        .extracting(ChatFault::command)
        .doesNotHaveDuplicates()
        .allMatch(
            command ->
                ChatFaults.answer(
                        new ChatTurn(command, java.util.Optional.empty(), "get_weather", 1))
                    .isPresent());
    assertThat(ChatFaults.documented())
        .allMatch(fault -> !fault.description().isBlank())
        .hasSizeGreaterThan(40);
  }

  @Test
  void anUnknownCommandIsExplained() throws Exception {
    assertThat(text(ask("/fault everything"))).contains("do not know", "/fault overloaded");
  }

  @Test
  void aToolResultIsTakenUp() throws Exception {
    String body =
        "{\"model\":\"m\",\"max_tokens\":9,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"t\",\"content\":\"19 degrees\"}]}]}";

    assertThat(text(http.post("/v1/messages", body))).contains("19 degrees");
  }

  @Test
  void theProgramTellsItsAddressAndEveryCommand() {
    MainOptions options =
        MainOptions.parse(
            new String[] {"--port", "0", "--tokens-per-second=0", "--tls"},
            Map.of("SIMULATOR_FIRST_TOKEN_DELAY", "5ms"));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ClaudeSimulator simulator = SimulatorMain.start(options)) {
      SimulatorMain.print(simulator, options, new PrintStream(out, true, StandardCharsets.UTF_8));

      assertThat(out.toString(StandardCharsets.UTF_8))
          .contains(
              "https://127.0.0.1:" + simulator.port(),
              "full speed",
              "5 ms",
              ".pem",
              "/fault overloaded",
              "/show long [words]");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "--port=x,'--port: x (expected: 0 to 65535)'",
    "--speed=1,--speed=1 is no option",
    "--seed,--seed needs a value",
    "--api-key=,--api-key:  (expected: the only key to accept",
    "--first-token-delay=soon,a duration such as 400ms"
  })
  void aWrongOptionIsNamed(String argument, String message) {
    assertThatThrownBy(() -> MainOptions.parse(new String[] {argument}, Map.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void anEmptyKeyInTheEnvironmentIsNone() {
    assertThat(MainOptions.parse(new String[0], Map.of("SIMULATOR_API_KEY", "")).apiKey()).isNull();
    assertThat(MainOptions.parse(new String[0], Map.of("SIMULATOR_API_KEY", "k")).apiKey())
        .isEqualTo("k");
  }

  @Test
  @Timeout(60)
  void theProgramThatFindsItsPortTakenSaysWhatToDoAndFails() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                SimulatorMain.class.getName(),
                "--port=" + claude.port())
            .redirectErrorStream(true);
    // Java says that it has seen them.
    builder.environment().keySet().removeAll(Set.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"));
    Process program = builder.start();
    String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(said.lines().filter(line -> !line.startsWith("SLF4J")))
        .singleElement()
        .asString()
        .startsWith("Cannot listen on 127.0.0.1:" + claude.port() + ": ")
        .contains("--port");
    assertThat(program.waitFor()).isEqualTo(1);
  }

  private HttpResponse<String> ask(String question) throws Exception {
    return http.post("/v1/messages", body(question));
  }

  private static String body(String question) {
    return "{\"model\":\"claude-opus-5-5\",\"max_tokens\":9000,\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":"
        + Json.quote(question)
        + "}]}";
  }

  private static String text(HttpResponse<String> response) {
    return response
        .body()
        .lines()
        .filter(line -> line.contains("\"text_delta\""))
        .map(line -> Json.parse(line.substring(6)).path("delta").path("text").asString())
        .collect(Collectors.joining());
  }
}
