package dev.headrace.demo;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class DemoServerTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final JsonMapper JSON = new JsonMapper();

  private static DemoServer demo;

  @BeforeAll
  static void start() throws DemoException {
    demo = DemoMain.start(Map.of("PORT", "0"));
  }

  @AfterAll
  static void stop() {
    demo.close();
  }

  private static HttpResponse<String> get(String path, String... headers) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(demo.uri().resolve(path));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return CLIENT.send(request.build(), BodyHandlers.ofString());
  }

  private static HttpRequest.Builder ask(DemoServer server, String prompt) {
    return HttpRequest.newBuilder(server.uri().resolve("/claude/v1/messages"))
        .header("content-type", "application/json")
        .header("anthropic-version", "2023-06-01")
        .timeout(Duration.ofSeconds(20))
        .POST(
            HttpRequest.BodyPublishers.ofString(
                """
                {"model":"claude-sonnet-5-5","max_tokens":64,"stream":true,
                 "messages":[{"role":"user","content":"%s"}]}
                """
                    .formatted(prompt)));
  }

  @Test
  void thePageComesWithStrictHeadersAndIsNotSentTwice() throws Exception {
    HttpResponse<String> page = get("/");
    assertThat(page.statusCode()).isEqualTo(200);
    assertThat(page.headers().firstValue("content-type").orElse("")).startsWith("text/html");
    assertThat(page.body()).contains("<title>Headrace demo</title>");
    assertThat(page.headers().firstValue("content-security-policy").orElse(""))
        .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
        .doesNotContain("unsafe", "http");
    assertThat(page.headers().firstValue("x-content-type-options")).contains("nosniff");
    assertThat(page.headers().firstValue("referrer-policy")).contains("no-referrer");
    assertThat(page.headers().firstValue("server")).isEmpty();
    String etag = page.headers().firstValue("etag").orElseThrow();
    assertThat(get("/", "If-None-Match", etag).statusCode()).isEqualTo(304);
  }

  @Test
  void everyFileThatThePageNamesIsThereAndNoneIsElsewhere() throws Exception {
    Pattern reference = Pattern.compile("(?:href|src|from) ?=? ?['\"]([./][^'\"#]*)");
    for (String file : new String[] {"/", "/app.js", "/view.js", "/blocks.js", "/markdown.js"}) {
      String content = get(file).body();
      assertThat(content).doesNotContainPattern("(?:src|href)=['\"](?:https?:)?//");
      Matcher names = reference.matcher(content);
      while (names.find()) {
        HttpResponse<String> named = get(names.group(1).replaceFirst("^\\./", "/"));
        assertThat(named.statusCode()).as(names.group(1)).isEqualTo(200);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "/webjars/marked/lib/marked.esm.js, text/javascript",
    "/webjars/dompurify/dist/purify.es.mjs, text/javascript",
    "/headrace/headrace.js, text/javascript",
    "/style.css, text/css",
    "/mark.svg, image/svg+xml"
  })
  void scriptsAndStylesHaveTheTypeThatBrowsersInsistOn(String path, String type) throws Exception {
    HttpResponse<String> response = get(path);
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type").orElse("")).startsWith(type);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/nothing.js",
        "/page",
        "/DemoMain.class",
        "/page-defaults.json",
        "/webjars/marked/package.json",
        "/headrace/",
        "/headrace/headrace.d.ts",
        "/headrace/..%2Fheadrace/headrace.js",
        "/..%2Flogback.xml",
        "/%2e%2e/page-defaults.json",
        "/demo/other.json",
        "/META-INF/MANIFEST.MF"
      })
  void anythingElseIsNotFound(String path) throws Exception {
    assertThat(get(path).statusCode()).isIn(400, 404);
  }

  @Test
  void thePageLearnsThatClaudeIsSimulatedAndWhichFaultsThereAre() throws Exception {
    JsonNode config = JSON.readTree(get("/demo/config.json").body());
    assertThat(config.path("simulated").asBoolean()).isTrue();
    assertThat(config.path("defaultModel").asString()).isEqualTo("claude-sonnet-5-5");
    assertThat(config.path("prompts").size()).isPositive();
    assertThat(config.path("maxTokens").asInt()).isPositive();
    JsonNode fault = config.path("faults").path(0).path("commands").path(0);
    assertThat(fault.path("prompt").asString()).isEqualTo("/fault overloaded");
    assertThat(fault.path("word").asString()).isEqualTo("overloaded");
    assertThat(fault.path("description").asString()).isNotBlank();
  }

  @Test
  void anAnswerStreamsThroughTheGateway() throws Exception {
    HttpResponse<String> answer =
        CLIENT.send(ask(demo, "/fault comments").build(), BodyHandlers.ofString());
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.headers().firstValue("content-type").orElse(""))
        .startsWith("text/event-stream");
    assertThat(answer.body()).contains("event: message_start", "event: message_stop");
  }

  /** Asked for, seven faults are 21 attempts: they must not open a circuit breaker. */
  @Test
  void faultsThatWereTriedDoNotSpoilTheAnswersAfterThem() throws Exception {
    for (int i = 0; i < 7; i++) {
      HttpRequest fault = ask(demo, "/fault server-error").build();
      assertThat(CLIENT.send(fault, BodyHandlers.ofString()).statusCode()).isEqualTo(500);
    }
    HttpResponse<String> answer = CLIENT.send(ask(demo, "Hello").build(), BodyHandlers.ofString());
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(answer.body()).contains("event: message_stop");
  }

  @Test
  void aClientThatLeavesIsSeenByTheSimulator() throws Exception {
    HttpResponse<InputStream> answer =
        CLIENT.send(ask(demo, "/show long").build(), BodyHandlers.ofInputStream());
    int before = simulatorStatus().path("clientGone").asInt();
    assertThat(answer.body().readNBytes(200)).hasSize(200);
    answer.body().close();
    long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (simulatorStatus().path("clientGone").asInt() == before) {
      assertThat(System.nanoTime()).as("the stop reaches Claude").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  private static JsonNode simulatorStatus() throws Exception {
    return JSON.readTree(get("/demo/simulator.json").body());
  }

  @Test
  void anotherSiteCannotSpendTokensThroughTheBrowser() throws Exception {
    for (String site : new String[] {"cross-site", "same-site"}) {
      HttpResponse<String> answer =
          CLIENT.send(
              ask(demo, "hello").header("Sec-Fetch-Site", site).build(), BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(403);
      assertThat(answer.body()).contains("permission_error");
    }
  }

  /** A page of another site whose name points here for the moment: it would read every answer. */
  @Test
  void onThisMachineOnlyNoOtherNameThanItsOwnIsAnswered() throws Exception {
    try (DemoServer local =
        DemoMain.start(Map.of("PORT", "0", "HEADRACE_DEMO_HOST", "127.0.0.1"))) {
      int port = local.uri().getPort();
      for (String name :
          List.of("localhost", "LocalHost", "demo.localhost", "127.0.0.1", "127.1.2.3", "[::1]")) {
        for (String host : List.of(name, name + ":" + port, name + ":80")) {
          assertThat(answerToHost(local, "/", host)).as(host).contains(" 200 ");
        }
      }
      for (String host :
          List.of(
              "evil.example:" + port,
              "evil.example",
              "localhost.evil.example",
              "evillocalhost",
              "127.0.0.1.evil.example",
              "192.0.2.1:" + port,
              "0.0.0.0",
              "[::]",
              "[2001:db8::1]:" + port)) {
        for (String path : List.of("/", "/demo/config.json", "/claude/v1/models")) {
          assertThat(answerToHost(local, path, host))
              .as(path + " of " + host)
              .contains(" 421 ", "open http://localhost:" + port + "/", "HEADRACE_DEMO_HOST");
        }
      }
    }
  }

  @Test
  void onAllAddressesEveryNameOfTheMachineIsAnswered() throws Exception {
    assertThat(answerToHost(demo, "/", "box.example:8080")).contains(" 200 ");
  }

  /** The whole answer as it comes; the JDK's client would not let a test choose the host. */
  private static String answerToHost(DemoServer server, String path, String host)
      throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.uri().getPort())) {
      socket.setSoTimeout(20_000);
      String request = "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n";
      socket.getOutputStream().write(request.formatted(path, host).getBytes(UTF_8));
      return new String(socket.getInputStream().readAllBytes(), UTF_8);
    }
  }

  @Test
  void aTakenPortIsSaidInOneLine() throws IOException {
    try (ServerSocket taken = new ServerSocket(0)) {
      assertThatThrownBy(() -> DemoMain.start(Map.of("PORT", "" + taken.getLocalPort())).close())
          .isInstanceOf(DemoException.class)
          .hasMessageStartingWith("Port " + taken.getLocalPort() + " is taken. Set PORT");
    }
  }

  @Test
  void anAddressThatIsNotOfThisMachineIsNotCalledATakenPort() {
    assertThatThrownBy(
            () -> DemoMain.start(Map.of("PORT", "0", "HEADRACE_DEMO_HOST", "192.0.2.1")).close())
        .isInstanceOf(DemoException.class)
        .message()
        .startsWith("Cannot listen on 192.0.2.1:0: ")
        .endsWith(". Set PORT to another port or HEADRACE_DEMO_HOST to an address of this machine")
        .doesNotContain("taken", "null", "\n");
  }

  @ParameterizedTest
  @ValueSource(strings = {"::1", "[::1]"})
  void anAddressOfIpv6IsInBracketsInTheUrl(String host) throws Exception {
    assumeTrue(hasIpv6(), "no IPv6 here");
    try (DemoServer local = DemoMain.start(Map.of("PORT", "0", "HEADRACE_DEMO_HOST", host))) {
      assertThat(local.uri()).hasHost("[::1]").hasPath("/");
      assertThat(local.isLocal()).isTrue();
      assertThat(bodyOf(local.uri())).contains("<title>Headrace demo</title>");
    }
  }

  private static boolean hasIpv6() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getAllByName("::1")[0])) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void withAKeyTheUpstreamIsAskedWithItAndThePageHasNoFaults() throws Exception {
    try (ClaudeSimulator upstream = ClaudeSimulator.start();
        DemoServer real =
            DemoMain.start(
                Map.of(
                    "PORT", "0",
                    "ANTHROPIC_API_KEY", "sk-demo",
                    "ANTHROPIC_BASE_URL", upstream.baseUrl().toString(),
                    "HEADRACE_DEMO_MODEL", "claude-opus-5-5,claude-new"))) {
      upstream.answers(Answer.text("Hi"));
      HttpResponse<String> answer =
          CLIENT.send(ask(real, "hello").build(), BodyHandlers.ofString());
      assertThat(answer.body()).contains("message_stop");
      assertThat(upstream.lastRequest().header("x-api-key")).hasValue("sk-demo");
      String config = bodyOf(real.uri().resolve("/demo/config.json"));
      assertThat(config).doesNotContain("sk-demo");
      assertThat(JSON.readTree(config).path("simulated").asBoolean()).isFalse();
      assertThat(JSON.readTree(config).path("faults")).isEmpty();
      assertThat(JSON.readTree(config).path("models").path(0).path("name").asString())
          .isEqualTo("Claude Opus 5.5");
      assertThat(JSON.readTree(config).path("models").path(1).path("id").asString())
          .isEqualTo("claude-new");
      assertThat(real.isLocal()).isTrue();
      assertThat(
              CLIENT
                  .send(
                      HttpRequest.newBuilder(real.uri().resolve("/demo/simulator.json")).build(),
                      BodyHandlers.ofString())
                  .statusCode())
          .isEqualTo(404);
    }
  }

  /** Also where no key is in ANTHROPIC_API_KEY, and where only some of the answers cost money. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "upstream: {base-url: 'https://api.example', api-key: '${MY_KEY}'}",
        "upstream: {members: [{name: a, base-url: 'https://api.example', api-key: '${MY_KEY}'}]}",
        "upstream: {members: [{name: a, base-url: 'https://api.example', api-key: '${MY_KEY}'},"
            + " {name: simulated}]}"
      })
  void anUpstreamOfTheSettingsFileIsCalledRealAndReachedFromThisMachineOnly(
      String yaml, @TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("headrace.yaml"), yaml);
    assertRealAndLocal(Map.of("HEADRACE_CONFIG", file.toString(), "MY_KEY", "sk-mine"));
  }

  @Test
  void anUpstreamOfTheEnvironmentIsCalledRealAndReachedFromThisMachineOnly() throws Exception {
    assertRealAndLocal(
        Map.of(
            "HEADRACE_UPSTREAM_BASE_URL", "https://api.example",
            "HEADRACE_UPSTREAM_API_KEY", "sk-mine"));
  }

  @Test
  void aKeyFileOfTheSettingsIsUsedInsteadOfTheDemosOwnKey(@TempDir Path folder) throws Exception {
    Files.writeString(folder.resolve("key.txt"), "sk-from-file");
    Path file = folder.resolve("headrace.yaml");
    for (String own : new String[] {"", "sk-own"}) {
      try (ClaudeSimulator upstream = ClaudeSimulator.start()) {
        Files.writeString(
            file,
            "upstream: {base-url: '%s', api-key-file: key.txt}".formatted(upstream.baseUrl()));
        try (DemoServer real =
            DemoMain.start(
                Map.of(
                    "PORT", "0", "HEADRACE_CONFIG", file.toString(), "ANTHROPIC_API_KEY", own))) {
          upstream.answers(Answer.text("Hi"));
          HttpResponse<String> answer =
              CLIENT.send(ask(real, "hello").build(), BodyHandlers.ofString());
          assertThat(answer.body()).contains("message_stop");
          assertThat(upstream.lastRequest().header("x-api-key")).hasValue("sk-from-file");
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "api-key-file: key.txt, "})
  void aMistakeInTheSettingsIsToldWithoutAWordAboutTheKeyThatIsNone(
      String source, @TempDir Path folder) throws Exception {
    Files.writeString(folder.resolve("key.txt"), "sk-from-file");
    Path file =
        Files.writeString(
            folder.resolve("headrace.yaml"), "upstream: {" + source + "max-connections: many}");
    assertThatThrownBy(
            () -> DemoMain.start(Map.of("PORT", "0", "HEADRACE_CONFIG", file.toString())).close())
        .isInstanceOf(DemoException.class)
        .hasMessageContaining("1 problem")
        .hasMessageContaining("upstream.max-connections");
  }

  private static void assertRealAndLocal(Map<String, String> variables) throws Exception {
    Map<String, String> environment = new HashMap<>(variables);
    environment.put("PORT", "0");
    try (DemoServer real = DemoMain.start(environment)) {
      assertThat(real.isLocal()).as("listens on localhost").isTrue();
      assertThat(real.upstreamHosts()).isEqualTo("api.example");
      assertThat(real.settings().breaker().enabled()).isTrue();
      JsonNode config = JSON.readTree(bodyOf(real.uri().resolve("/demo/config.json")));
      assertThat(config.path("simulated").asBoolean()).isFalse();
      assertThat(config.path("faults")).isEmpty();
      assertThat(bodyOf(real.uri().resolve("/demo/simulator.json"))).isEmpty();
    }
  }

  @Test
  void theSimulatorIsReachedFromEverywhereAndItsFaultsOpenNoBreaker() {
    assertThat(demo.simulated()).isTrue();
    assertThat(demo.isLocal()).isFalse();
    assertThat(demo.settings().breaker().enabled()).isFalse();
  }

  private static String bodyOf(URI uri) throws Exception {
    return CLIENT.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString()).body();
  }

  @Test
  void aSettingsFileWorksWithTheSimulatorAndItsMistakesStopTheStart(@TempDir Path folder)
      throws Exception {
    Path file = folder.resolve("headrace.yaml");
    Files.writeString(
        file, "upstream:\n  api-key: ${ANTHROPIC_API_KEY}\nrequest:\n  max-body: 1KiB\n", UTF_8);
    try (DemoServer server =
        DemoMain.start(Map.of("PORT", "0", "HEADRACE_CONFIG", file.toString()))) {
      assertThat(server.simulated()).isTrue();
      HttpResponse<String> answer =
          CLIENT.send(ask(server, "x".repeat(2000)).build(), BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(413);
    }
    Files.writeString(file, "upstraem:\n  max-connections: 5\n", UTF_8);
    assertThatThrownBy(
            () -> DemoMain.start(Map.of("PORT", "0", "HEADRACE_CONFIG", file.toString())).close())
        .isInstanceOf(DemoException.class)
        .hasMessageContaining("upstraem")
        .hasMessageContaining("headrace.yaml:1");
    for (String upstream :
        new String[] {
          "{base-url: 'https://api.example'}",
          "{members: [{name: a, base-url: 'https://api.example'}, {name: b}]}"
        }) {
      Files.writeString(file, "upstream: " + upstream, UTF_8);
      assertThatThrownBy(
              () -> DemoMain.start(Map.of("PORT", "0", "HEADRACE_CONFIG", file.toString())).close())
          .hasMessageContaining("api.example")
          .hasMessageContaining("set ANTHROPIC_API_KEY");
    }
  }
}
