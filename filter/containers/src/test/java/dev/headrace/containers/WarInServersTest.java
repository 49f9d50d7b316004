package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.errors.UnauthorizedException;
import dev.headrace.servers.ServerKind;
import dev.headrace.servers.ServerProcess;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The WAR file as it is published, in servers as they are published. */
@Tag("slow")
final class WarInServersTest {

  private static final Pattern KEY = Pattern.compile("hr_\\w+");

  @TempDir private Path directory;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  @ParameterizedTest
  @EnumSource(names = {"TOMCAT_11", "TOMCAT_10_1", "JETTY_12_1"})
  void atTheRootAndBelowAnSdkStreamsWithAKeyThatTheWarItselfHasMade(ServerKind kind)
      throws Exception {
    Path war = WarFile.get();
    String printed = java("-jar", war.toString(), "new-key", "--name", "alice");
    Matcher key = KEY.matcher(printed);
    assertThat(key.find()).isTrue();
    Files.writeString(
        directory.resolve("keys.yaml"), "keys:\n" + printed.substring(printed.indexOf("  - name")));
    try (ClaudeSimulator claude =
        ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).start()) {
      claude.answersAlways(Answer.text("Hello, ", "World!"));
      Path settings =
          Files.writeString(
              directory.resolve("headrace.yaml"),
              "upstream:\n  api-key: ${ANTHROPIC_API_KEY}\n  base-url: "
                  + claude.baseUrl()
                  + "\nidentity:\n  sources: [key]\n  keys-file: keys.yaml\n");
      try (ServerProcess server =
          ServerProcess.of(kind)
              .environment("ANTHROPIC_API_KEY", GatewayUnderTest.API_KEY)
              .environment("HEADRACE_CONFIG", settings.toString())
              .war("ROOT", war)
              .war("headrace", war)
              .start()) {
        for (String context : List.of("", "/headrace")) {
          String base = "http://127.0.0.1:" + server.port() + context;
          assertThat(answer(base, key.group())).isEqualTo("Hello, World!");
          assertThatThrownBy(() -> answer(base, "hr_wrong"))
              .isInstanceOf(UnauthorizedException.class);
          assertThat(get(base + "/").statusCode()).isEqualTo(200);
          assertThat(get(base + "/").body()).contains("Ready", ">" + base + "</span>");
          assertThat(get(base + "/ops/ready").statusCode()).isEqualTo(200);
          assertThat(get(base + "/ops/metrics").body()).contains("headrace_ready 1.0");
          assertThat(get(base + "/WEB-INF/web.xml").statusCode()).isIn(400, 404);
          assertThat(get(base + "/dev/headrace/war/WarMain.class").statusCode()).isEqualTo(404);
        }
        server.stop();
        assertThat(log(server))
            .contains(
                "Headrace answers at /v1/messages", "Headrace answers at /headrace/v1/messages")
            .doesNotContain("SLF4J", key.group(), GatewayUnderTest.API_KEY, "\tat ");
      }
    }
  }

  /** The gateway would be open to everybody. */
  @ParameterizedTest
  @EnumSource(names = {"TOMCAT_11", "JETTY_12_1"})
  void anApiKeyInTheEnvironmentAloneStartsNothing(ServerKind kind) throws Exception {
    Path war = WarFile.get();
    try (ServerProcess server =
        ServerProcess.of(kind)
            .environment("ANTHROPIC_API_KEY", GatewayUnderTest.API_KEY)
            .environment("HEADRACE_UPSTREAM_API_KEY", GatewayUnderTest.API_KEY)
            .war("headrace", war)
            .start()) {
      String base = "http://127.0.0.1:" + server.port() + "/headrace";
      assertThat(get(base + "/").body()).contains("Not configured", "HEADRACE_CONFIG");
      assertThat(get(base + "/v1/models").statusCode()).isEqualTo(503);
      assertThat(get(base + "/ops/ready").body()).isEqualTo("{\"status\":\"not configured\"}");
      assertThat(log(server).lines().filter(line -> line.contains("dev.headrace")))
          .singleElement()
          .asString()
          .contains("WARN", "not configured", "HEADRACE_CONFIG");
      assertThat(log(server)).doesNotContain("\tat ", GatewayUnderTest.API_KEY);
    }
  }

  @Test
  void theSystemPropertyOfLogbackNamesAnotherConfiguration() throws Exception {
    Path logback =
        Files.writeString(
            directory.resolve("other-logback.xml"),
            """
            <configuration>
              <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
                <encoder><pattern>OTHER %msg%n</pattern></encoder>
              </appender>
              <root level="warn"><appender-ref ref="STDOUT"/></root>
            </configuration>
            """);
    try (ServerProcess server =
        ServerProcess.of(ServerKind.TOMCAT_11)
            .systemProperty("logback.configurationFile", logback.toString())
            .war("headrace", WarFile.get())
            .start()) {
      assertThat(log(server)).contains("OTHER Headrace is not configured");
    }
  }

  @Test
  void theFileHoldsWhatItNeedsAndNoMore() throws IOException {
    Path war = WarFile.get();
    List<String> names;
    try (ZipFile zip = new ZipFile(war.toFile())) {
      names = zip.stream().map(ZipEntry::getName).toList();
    }
    Figures.note("headrace.war", Files.size(war) + " bytes");
    assertThat(Files.size(war)).isLessThan(8_000_000);
    assertThat(names)
        .contains(
            "META-INF/context.xml",
            "WEB-INF/web.xml",
            "WEB-INF/classes/logback.xml",
            "dev/headrace/war/WarMain.class")
        .doesNotContain("WEB-INF/classes/dev/headrace/war/WarMain.class");
    String jars =
        names.stream()
            .filter(name -> name.endsWith(".jar"))
            .map(name -> name.substring("WEB-INF/lib/".length()))
            .collect(Collectors.joining(" "));
    assertThat(jars)
        .contains("headrace-core-", "logback-classic-", "slf4j-api-")
        .doesNotContain("servlet-api", "junit", "simulator", "netty");
  }

  private static String answer(String baseUrl, String key) {
    AnthropicClient client =
        AnthropicOkHttpClient.builder().baseUrl(baseUrl).apiKey(key).maxRetries(0).build();
    try {
      return JavaSdk.text(JavaSdk.accumulate(client, JavaSdk.hello()));
    } finally {
      client.close();
    }
  }

  private HttpResponse<String> get(String url) throws IOException, InterruptedException {
    return http.send(
        HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
  }

  private static String log(ServerProcess server) throws IOException {
    return Files.readString(server.log());
  }

  private static String java(String... arguments) throws IOException, InterruptedException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    List<String> command = Stream.concat(Stream.of(java), Stream.of(arguments)).toList();
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }
}
