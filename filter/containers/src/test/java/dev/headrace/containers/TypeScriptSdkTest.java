package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The official TypeScript SDK as the gateway's client: runs the tests of {@code src/test/node} in a
 * Node process, against a gateway and a simulator in this one.
 *
 * <p>Needs Node 20 or newer, npm and an npm registry, and is therefore left out of {@code mvn
 * verify}. To run it alone, in a clean clone as well:
 *
 * <pre>{@code
 * mvn -B -ntp -Pnode -pl filter/containers -am \
 *     -Dtest=TypeScriptSdkTest -Dsurefire.failIfNoSpecifiedTests=false verify
 * }</pre>
 */
@Tag("node")
class TypeScriptSdkTest {

  private static final Path SOURCES = Path.of("src", "test", "node");
  private static final Path DIRECTORY = Path.of("target", "node");
  private static final int FEWEST_TESTS = 75;
  private static final int FEWEST_TESTS_OF_RETRIES = 85;
  private static final Pattern SUMMARY = Pattern.compile("^\\S+ (pass|fail|skipped|todo) (\\d+)$");

  @ParameterizedTest
  @EnumSource(ContainerKind.class)
  void allNodeTestsPass(ContainerKind kind) throws Exception {
    copySources();
    run(Map.of(), List.of("npm", "install", "--no-audit", "--no-fund"), line -> {});
    try (GatewayUnderTest headrace =
            GatewayUnderTest.start(
                kind,
                settings ->
                    settings
                        .timeoutsHeartbeat(Duration.ofMillis(200))
                        .retryMaxAttempts(1)
                        .breakerEnabled(false)); // one gateway for many failures
        SimulatorControl control = new SimulatorControl(headrace)) {
      Map<String, String> environment =
          Map.of(
              "HEADRACE_BASE_URL", headrace.baseUrl().toString(),
              "HEADRACE_SIMULATOR_URL", headrace.claude().baseUrl().toString(),
              "HEADRACE_SIMULATOR_KEY", GatewayUnderTest.API_KEY,
              "HEADRACE_CONTROL_URL", control.url().toString(),
              "HEADRACE_MESSAGES", String.join(",", SdkAnswers.MESSAGES.keySet()));
      Summary summary = new Summary();

      run(
          environment,
          List.of("node", "--test", "--test-reporter=spec", "sdk.test.mjs"),
          summary::read);

      assertThat(summary.passed).isGreaterThanOrEqualTo(FEWEST_TESTS);
      assertThat(summary.others).isZero();
    }
  }

  @ParameterizedTest
  @EnumSource(ContainerKind.class)
  void allNodeTestsOfRetriesPass(ContainerKind kind) throws Exception {
    copySources();
    run(Map.of(), List.of("npm", "install", "--no-audit", "--no-fund"), line -> {});
    try (SimulatorControl control =
        new SimulatorControl((attempts, fault) -> startForRetries(kind, attempts, fault))) {
      Map<String, String> environment =
          Map.of(
              "HEADRACE_SIMULATOR_KEY", GatewayUnderTest.API_KEY,
              "HEADRACE_CONTROL_URL", control.url().toString(),
              "HEADRACE_FAULTS", faults());
      Summary summary = new Summary();

      run(
          environment,
          List.of("node", "--test", "--test-reporter=spec", "retries.test.mjs"),
          summary::read);

      assertThat(summary.passed).isGreaterThanOrEqualTo(FEWEST_TESTS_OF_RETRIES);
      assertThat(summary.others).isZero();
    }
  }

  /** Only waits and budget differ from the defaults, and the clock that a fault needs. */
  private static GatewayUnderTest startForRetries(
      ContainerKind kind, CountedAttempts attempts, @Nullable RepeatedFault fault)
      throws Exception {
    return GatewayUnderTest.start(
        kind,
        attempts,
        settings -> {
          settings.retryWaitDuration(Duration.ofMillis(20)).retryBudgetPerSecond(1000);
          if (fault != null) {
            settings.timeoutsIdle(fault.idle());
            if (fault.endsByFirstEvent()) {
              settings.timeoutsFirstEvent(Duration.ofSeconds(1));
            }
          }
          return settings;
        });
  }

  /** One line per fault and way to ask: name, {@code STREAM} or {@code JSON}, status, type, id. */
  private static String faults() {
    StringBuilder lines = new StringBuilder();
    for (RepeatedFault fault : RepeatedFault.values()) {
      for (RepeatedFault.Asked asked : RepeatedFault.Asked.values()) {
        if (fault.happensTo(asked)) {
          lines
              .append(fault.name())
              .append(' ')
              .append(asked)
              .append(' ')
              .append(fault.status)
              .append(' ')
              .append(fault.type == null ? "none" : fault.type)
              .append(' ')
              .append(fault.hasRequestId())
              .append('\n');
        }
      }
    }
    return lines.toString();
  }

  /** The tests run in a copy, so that no {@code node_modules} comes into the source tree. */
  private static void copySources() throws IOException {
    Files.createDirectories(DIRECTORY);
    try (Stream<Path> files = Files.list(SOURCES)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(
            file, DIRECTORY.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }

  private interface LineReader {
    void read(String line);
  }

  private static void run(Map<String, String> environment, List<String> command, LineReader lines)
      throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(command).directory(DIRECTORY.toFile()).redirectErrorStream(true);
    // The SDK would take its address, key and headers from there.
    builder.environment().keySet().removeIf(name -> name.startsWith("ANTHROPIC_"));
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      process.getOutputStream().close();
      try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
        for (String line = output.readLine(); line != null; line = output.readLine()) {
          System.out.println(line);
          lines.read(line);
        }
      }
      assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
      assertThat(process.exitValue()).as(String.join(" ", command)).isZero();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  /** The counts that Node's reporter prints at its end. */
  private static final class Summary {
    private int passed;
    private int others;

    void read(String line) {
      Matcher matcher = SUMMARY.matcher(line);
      if (matcher.matches()) {
        int count = Integer.parseInt(matcher.group(2));
        if (matcher.group(1).equals("pass")) {
          passed += count;
        } else {
          others += count;
        }
      }
    }
  }
}
