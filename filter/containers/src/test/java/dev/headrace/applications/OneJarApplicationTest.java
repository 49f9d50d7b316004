package dev.headrace.applications;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.headrace.applications.ServletContainer.Kind;
import dev.headrace.identity.GatewayKey;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import jakarta.servlet.Servlet;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Applications that have the one jar in {@code WEB-INF/lib}: without any other jar, and beside old
 * versions of the libraries that are in it.
 */
@Timeout(300)
@Tag("slow")
class OneJarApplicationTest {

  private static final String API_KEY = "sk-ant-test-key-that-must-stay-secret";
  private static final Path OLD_LIBRARIES = Path.of("target/old-libraries");
  private static final Path SOURCE =
      Path.of("src/test/applications/old-libraries/shop/LibrariesServlet.java");

  @TempDir private Path directory;
  private ClaudeSimulator claude;
  private HttpServer stock;
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final String alice = GatewayKey.create(new SecureRandom());
  private final String bob = GatewayKey.create(new SecureRandom());

  @BeforeEach
  void start() throws IOException {
    claude = ClaudeSimulator.builder().apiKey(API_KEY).start();
    stock = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    stock.createContext(
        "/stock",
        exchange -> {
          byte[] answer = "7 wheels".getBytes(UTF_8);
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    stock.start();
    Path lib = Files.createDirectories(directory.resolve("app/WEB-INF/lib"));
    Path jar = OneJar.path();
    Files.copy(jar, lib.resolve(jar.getFileName().toString()));
    writeSettings();
  }

  @AfterEach
  void stop() {
    claude.close();
    stock.stop(0);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void jarIsEnoughByItself(Kind kind) throws Exception {
    try (ServletContainer container = ServletContainer.start(kind, directory.resolve("app"))) {
      useGateway(container);

      assertThat(container.output())
          .as("where there is no SLF4J, lines go to the JDK's log")
          .contains("Headrace answers at /shop/claude/v1/messages")
          .contains("Headrace starts with")
          .doesNotContain(API_KEY)
          .doesNotContain("SLF4J: ");
      HttpResponse<String> script = get(container, "/shop/headrace/headrace.js");
      assertThat(script.statusCode()).isEqualTo(200);
      assertThat(script.body()).contains("export ");
      assertThat(container.undeployAndCollect()).as("class loader collected").isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void oldLibrariesOfTheApplicationWorkBesideItAndItBesideThem(Kind kind) throws Exception {
    Path log = directory.resolve("shop.log");
    installOldApplication(log);
    try (ServletContainer container = ServletContainer.start(kind, directory.resolve("app"))) {
      useOldLibraries(container);

      claude.answers(Answer.text("Hel").stallAfterEvents(4));
      HttpResponse<InputStream> running = stream(container, alice);
      assertThat(running.statusCode()).isEqualTo(200);
      assertThat(running.body().readNBytes(20)).startsWith("event: message_start".getBytes(UTF_8));
      useOldLibraries(container);
      assertThat(claude.openStreams()).isEqualTo(1);
      running.body().close();
      Awaitility.await().until(() -> claude.openStreams() == 0);

      useGateway(container);
      useOldLibraries(container);
      assertThat(Files.readString(log))
          .as("the application's own SLF4J 1.7 and Logback 1.2")
          .contains("INFO shop.LibrariesServlet The shop has used its 5 libraries")
          .contains("INFO dev.headrace.GatewayInitializer Headrace answers at /shop/claude")
          .contains("DEBUG dev.headrace.shaded.org.apache.hc.client5.http.impl.async")
          .doesNotContain(API_KEY);
      assertThat(container.output()).doesNotContain("SLF4J: ").doesNotContain("Headrace answers");
      assertThat(container.undeployAndCollect()).as("class loader collected").isTrue();
    }
  }

  /** Streams, answers, refusals and limits, so that all libraries in the jar are used. */
  private void useGateway(ServletContainer container) throws Exception {
    claude.answers(Answer.status(529)); // a second attempt
    claude.answers(Answer.transcript(Transcripts.text()));
    assertThat(stream(container, alice).body().readAllBytes()).isEqualTo(Transcripts.text());
    for (byte[] transcript :
        List.of(Transcripts.thinking(), Transcripts.toolUse(), Transcripts.webSearch())) {
      claude.answers(Answer.transcript(transcript));
      assertThat(stream(container, alice).body().readAllBytes()).isEqualTo(transcript);
    }
    assertThat(stream(container, "hr_nobody").statusCode()).isEqualTo(401);
    claude.answersAlways(Answer.text("Hello"));
    assertThat(stream(container, bob).statusCode()).isEqualTo(200);
    HttpResponse<InputStream> refused = stream(container, bob);
    assertThat(refused.statusCode()).isEqualTo(429);
    assertThat(new String(refused.body().readAllBytes(), UTF_8)).contains("rate_limit_error");
  }

  private void useOldLibraries(ServletContainer container) throws Exception {
    String url = "http://127.0.0.1:" + stock.getAddress().getPort() + "/stock";
    HttpResponse<String> answer =
        get(container, "/shop/libraries?url=" + URLEncoder.encode(url, UTF_8));
    assertThat(answer.body().lines())
        .as(container.output())
        .containsExactly(
            "jackson 3 30 jackson-databind-2.9.10.8.jar",
            "httpclient4 7 wheels httpclient-4.5.2.jar",
            "httpclient5 7 wheels httpclient5-5.0.3.jar",
            "caffeine key-cached caffeine-2.8.0.jar",
            "resilience4j 2 resilience4j-circuitbreaker-1.3.1.jar",
            "log logback-classic-1.2.3.jar");
  }

  private HttpResponse<InputStream> stream(ServletContainer container, String key)
      throws Exception {
    return client.send(
        HttpRequest.newBuilder(uri(container, "/shop/claude/v1/messages"))
            .timeout(Duration.ofSeconds(30))
            .header("content-type", "application/json")
            .header("anthropic-version", "2026-10-21")
            .header("authorization", "Bearer " + key)
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    """
                    {"model":"claude-sonnet-5-5","max_tokens":100,"stream":true,\
                    "messages":[{"role":"user","content":"Hello"}]}\
                    """))
            .build(),
        HttpResponse.BodyHandlers.ofInputStream());
  }

  private HttpResponse<String> get(ServletContainer container, String path) throws Exception {
    return client.send(
        HttpRequest.newBuilder(uri(container, path)).timeout(Duration.ofSeconds(30)).build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static URI uri(ServletContainer container, String path) {
    return URI.create("http://127.0.0.1:" + container.port() + path);
  }

  private void writeSettings() throws IOException {
    Path keys = directory.resolve("keys.yaml");
    Files.writeString(
        keys,
        """
        keys:
          - {name: alice, group: staff, sha256: %s}
          - {name: bob, group: guests, sha256: %s}
        """
            .formatted(GatewayKey.sha256(alice), GatewayKey.sha256(bob)));
    Files.writeString(
        directory.resolve("app/WEB-INF/headrace.yaml"),
        """
        upstream:
          base-url: %s
          api-key: %s
        retry:
          wait-duration: 10ms
        identity:
          sources: [key]
          keys-file: %s
        plans:
          staff:
            roles: [staff]
            concurrent: 10
            requests: 100/1h
            budgets: [20 USD/day, 1_000_000 output-tokens/day]
          everybody:
            requests: 1/1h
        timeouts:
          heartbeat: 1s
        usage:
          log: true
          spool: %s
        shutdown:
          drain: 100ms
        """
            .formatted(claude.baseUrl(), API_KEY, keys, directory.resolve("spool")));
  }

  private void installOldApplication(Path log) throws IOException {
    Path lib = directory.resolve("app/WEB-INF/lib");
    Path classes = Files.createDirectories(directory.resolve("app/WEB-INF/classes"));
    try (Stream<Path> jars = Files.list(OLD_LIBRARIES)) {
      for (Path jar : jars.toList()) {
        Files.copy(jar, lib.resolve(jar.getFileName().toString()));
      }
    }
    Files.writeString(
        classes.resolve("logback.xml"),
        """
        <configuration>
          <appender name="file" class="ch.qos.logback.core.FileAppender">
            <file>%s</file>
            <encoder><pattern>%%level %%logger %%msg%%n%%ex</pattern></encoder>
          </appender>
          <logger name="dev.headrace.shaded.org.apache.hc.client5.http.impl" level="DEBUG"/>
          <root level="INFO"><appender-ref ref="file"/></root>
        </configuration>
        """
            .formatted(log));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    try (Stream<Path> jars = Files.list(lib);
        StandardJavaFileManager files = compiler.getStandardFileManager(null, Locale.ROOT, UTF_8)) {
      String classPath =
          Stream.concat(jars, Stream.of(OneJar.of(Servlet.class)))
              .map(Path::toString)
              .collect(Collectors.joining(File.pathSeparator));
      boolean compiled =
          compiler
              .getTask(
                  messages,
                  files,
                  null,
                  List.of("-d", classes.toString(), "-cp", classPath, "-proc:none"),
                  null,
                  files.getJavaFileObjects(SOURCE))
              .call();
      assertThat(compiled).as(messages.toString()).isTrue();
    }
  }
}
