package dev.headrace;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.GatewayKeyEntry;
import dev.headrace.config.GatewayKeyList;
import dev.headrace.identity.GatewayKey;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NewKeyTest {
  private static final Pattern KEY = Pattern.compile("hr_\\w+");

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String arguments) {
    return NewKey.run(
        arguments.isEmpty() ? new String[0] : arguments.split(" ", -1),
        new PrintStream(out, true, UTF_8),
        new PrintStream(err, true, UTF_8));
  }

  private static String keyIn(String output) {
    Matcher matcher = KEY.matcher(output);
    assertThat(matcher.find()).isTrue();
    String key = matcher.group();
    assertThat(matcher.find()).as("the key is there once").isFalse();
    return key;
  }

  private static GatewayKeyEntry pasted(String output) {
    String yaml = "keys:\n" + output.substring(output.indexOf("  - name"));
    return GatewayKeyList.read(yaml.getBytes(UTF_8), Path.of("keys.yaml")).get(0);
  }

  @Test
  void theLinesCanBePastedIntoAKeyFile() {
    int status =
        run(
            "--name alice --group staff --expires 2027-01-01 --address 10.0.0.0/8 --address"
                + " 2001:DB8::1");
    assertThat(status).isZero();
    String output = out.toString(UTF_8);
    GatewayKeyEntry entry = pasted(output);
    assertThat(entry.name()).isEqualTo("alice");
    assertThat(entry.group()).isEqualTo("staff");
    assertThat(entry.expires()).hasToString("2027-01-01T00:00:00Z");
    assertThat(entry.addresses()).hasToString("[10.0.0.0/8, 2001:db8::1]");
    String key = keyIn(output);
    assertThat(GatewayKey.isWellFormed(key)).isTrue();
    assertThat(entry.sha256()).isEqualTo(GatewayKey.sha256(key));
    assertThat(err.size()).isZero();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--group staff",
        "--name",
        "--name a --group",
        "--name a/b --group staff",
        "--name a --group staff --expires soon",
        "--name a --group staff --expires 2027-02-30",
        "--name a --group staff --address 10.0.0.1/8",
        "--name a --group staff --address localhost",
        "--name a --name b --group staff",
        "--name a --group staff extra"
      })
  void wrongArgumentsGetTheUsageAndStatus2(String arguments) {
    assertThat(run(arguments)).isEqualTo(2);
    assertThat(err.toString(UTF_8)).contains("Usage: java -cp").doesNotContain("hr_");
    assertThat(out.size()).isZero();
  }

  @Test
  void withoutAGroupTheKeyIsOneOfTheUsers() {
    assertThat(run("--name alice")).isZero();
    assertThat(pasted(out.toString(UTF_8)).group()).isEqualTo("users");
  }

  @Test
  void whoAsksForHelpGetsTheUsageAsOutput() {
    assertThat(run("--help")).isZero();
    assertThat(out.toString(UTF_8))
        .startsWith("Usage: java -cp")
        .contains("--name NAME [--group GROUP]")
        .doesNotContain("hr_");
    assertThat(err.size()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"2020-01-01", "2020-01-01T08:00:00Z"})
  void anEndThatHasPassedIsTold(String end) {
    assertThat(run("--name alice --expires " + end)).isZero();
    assertThat(err.toString(UTF_8)).contains("--expires: " + end + " has passed");
  }

  /** Somebody has the one jar and no class path for the rest. */
  @Test
  void theCommandNeedsNoOtherJar() throws Exception {
    String classes =
        Path.of(NewKey.class.getProtectionDomain().getCodeSource().getLocation().toURI())
            .toString();
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-cp",
                    classes,
                    "dev.headrace.NewKey",
                    "--name",
                    "ci",
                    "--group",
                    "robots",
                    "--address",
                    "10.0.0.0/8"))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    assertThat(pasted(output).sha256()).isEqualTo(GatewayKey.sha256(keyIn(output)));
  }
}
