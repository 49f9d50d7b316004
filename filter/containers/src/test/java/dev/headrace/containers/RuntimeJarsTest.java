package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.identity.GatewayKey;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import jakarta.annotation.PostConstruct;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.catalina.startup.Tomcat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The jars that an application gets with the gateway: how heavy they are, and that they are all it
 * needs.
 */
final class RuntimeJarsTest {

  /** They land in somebody's WAR. */
  private static final long MOST_BYTES = 6_000_000;

  @TempDir private Path directory;

  @Test
  void theyStayBelowSixMegabytes() throws Exception {
    long bytes = 0;
    StringBuilder weights = new StringBuilder();
    for (Path jar : RuntimeJars.all()) {
      bytes += Files.size(jar);
      weights.append(String.format("%n%,10d  %s", Files.size(jar), jar.getFileName()));
    }
    System.out.printf("jars of an application with the gateway: %,d bytes%n", bytes);
    assertThat(bytes).as("bytes of all jars:%s", weights).isLessThan(MOST_BYTES);
  }

  @Test
  @Timeout(120)
  void nothingElseIsNeededToReadFilesAndToAnswer() throws Exception {
    try (ClaudeSimulator claude =
        ClaudeSimulator.builder().apiKey(GatewayUnderTest.API_KEY).start()) {
      claude.answersAlways(Answer.text("Hello").model("claude-house-1").usage(100, 5));
      Process process = start(claude);
      try (BufferedReader out =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        assertThat(after("keys ", out)).isEqualTo("2");
        int port = Integer.parseInt(after("port ", out));
        for (String request : List.of(Requests.streaming("Hello"), Requests.whole("Hello"))) {
          try (RawClient client = RawClient.connect(port)) {
            RawClient.Reply reply = client.post(request).reply();
            assertThat(reply.status()).isEqualTo(200);
            assertThat(reply.body()).contains("Hello");
          }
          // 100 tokens at 7 dollars and 5 at 11 per million
          assertThat(after("usage ", out)).isEqualTo("claude-house-1 0.000755000000");
        }
        process.getOutputStream().close();
        after("closed", out);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      } finally {
        process.destroyForcibly().waitFor();
      }
    }
  }

  private Process start(ClaudeSimulator claude) throws Exception {
    Path settings = directory.resolve("headrace.yaml");
    Files.writeString(
        settings,
        """
        upstream:
          base-url: %s
          api-key: %s
        usage:
          log: true
          prices-file: prices.yaml
          spool: spool
        """
            .formatted(claude.baseUrl(), GatewayUnderTest.API_KEY));
    Files.writeString(
        directory.resolve("prices.yaml"),
        """
        version: house
        prices:
          - models: [claude-house-1]
            input: 7
            cache-write-5m: 8
            cache-write-1h: 9
            cache-read: 1
            output: 11
        """);
    Path keys = directory.resolve("keys.yaml");
    Files.writeString(
        keys,
        "keys:\n"
            + Stream.of("alice", "bob")
                .map(
                    name ->
                        "  - {name: %s, group: staff, sha256: %s}%n"
                            .formatted(
                                name, GatewayKey.sha256(GatewayKey.create(new SecureRandom()))))
                .collect(Collectors.joining()));
    List<Path> classPath = new ArrayList<>(RuntimeJars.all());
    classPath.add(RuntimeJars.of(Tomcat.class));
    classPath.add(RuntimeJars.of(PostConstruct.class)); // Tomcat's
    classPath.add(RuntimeJars.of(RuntimeJarsMain.class));
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx128m",
            "-cp",
            classPath.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)),
            RuntimeJarsMain.class.getName(),
            settings.toString(),
            keys.toString(),
            Files.createDirectories(directory.resolve("tomcat")).toString())
        .redirectErrorStream(true)
        .start();
  }

  /** The rest of the next line that begins so. */
  private static String after(String beginning, BufferedReader out) throws IOException {
    StringBuilder seen = new StringBuilder();
    String line = out.readLine();
    while (line != null) {
      if (line.startsWith(beginning)) {
        return line.substring(beginning.length());
      }
      seen.append(line).append('\n');
      line = out.readLine();
    }
    throw new AssertionError("no line begins with '" + beginning + "' but:\n" + seen);
  }
}
