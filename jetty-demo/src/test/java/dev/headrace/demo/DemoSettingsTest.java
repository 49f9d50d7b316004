package dev.headrace.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoSettingsTest {

  @Test
  void withoutVariablesTheDemoListensOnPort8080OfAllAddresses() throws DemoException {
    DemoSettings settings = DemoSettings.of(Map.of("PORT", " ", "ANTHROPIC_API_KEY", ""));
    assertThat(settings.port()).isEqualTo(8080);
    assertThat(settings.apiKey()).isNull();
    assertThat(settings.bindHost(true)).isNull();
  }

  @Test
  void unlessClaudeIsSimulatedOnlyThisMachineReachesTheDemoIfNotAskedOtherwise()
      throws DemoException {
    assertThat(DemoSettings.of(Map.of()).bindHost(false)).isEqualTo("localhost");
    assertThat(DemoSettings.of(Map.of("HEADRACE_DEMO_HOST", "0.0.0.0")).bindHost(false))
        .isEqualTo("0.0.0.0");
  }

  @ParameterizedTest
  @ValueSource(strings = {"http", "-1", "65536", "80 80", "8080x"})
  void aPortThatIsNoneIsNamedWithWhatWasExpected(String port) {
    assertThatThrownBy(() -> DemoSettings.of(Map.of("PORT", port)))
        .isInstanceOf(DemoException.class)
        .hasMessage("PORT: " + port + " (expected: a number from 0 to 65535, such as 8080)");
  }

  @Test
  void anotherUpstreamNeedsAKey() {
    assertThatThrownBy(() -> DemoSettings.of(Map.of("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")))
        .hasMessageContaining("ANTHROPIC_API_KEY is not");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "api.example",
        "ftp://api.example",
        "http://",
        "https://u:secret@/ x",
        "https://u:secret@api.example"
      })
  void anUpstreamThatIsNoAddressIsRefusedWithoutRepeatingIt(String url) {
    assertThatThrownBy(
            () -> DemoSettings.of(Map.of("ANTHROPIC_API_KEY", "k", "ANTHROPIC_BASE_URL", url)))
        .hasMessageContaining("ANTHROPIC_BASE_URL")
        .hasMessageNotContaining("secret");
  }

  @Test
  void anUpstreamWithTheApisOwnPathIsRefusedInTheNameOfItsVariable() {
    assertThatThrownBy(
            () ->
                DemoSettings.of(
                    Map.of(
                        "ANTHROPIC_API_KEY", "k", "ANTHROPIC_BASE_URL", "https://api.example/v1")))
        .isInstanceOf(DemoException.class)
        .hasMessageContaining(
            "ANTHROPIC_BASE_URL: https://api.example/v1 (expected: the URL without")
        .hasMessageNotContaining("upstream.base-url");
  }

  @Test
  void aLogLevelThatIsNoneIsNamedWithWhatWasExpected() {
    assertThatThrownBy(() -> DemoSettings.of(Map.of("HEADRACE_DEMO_LOG", "loud")))
        .isInstanceOf(DemoException.class)
        .hasMessage("HEADRACE_DEMO_LOG: loud (expected: error, warn, info, debug)");
  }

  @Test
  void everythingElseIsTakenAsItIs(@TempDir Path folder) throws Exception {
    Path prompts = Files.writeString(folder.resolve("prompts.txt"), "One?\n\n  Two?  \n");
    DemoSettings settings =
        DemoSettings.of(
            Map.of(
                "PORT", "0",
                "ANTHROPIC_API_KEY", "sk-test",
                "ANTHROPIC_BASE_URL", "https://api.example/base",
                "HEADRACE_DEMO_MODEL", "claude-a, claude-b",
                "HEADRACE_DEMO_PROMPTS", prompts.toString(),
                "HEADRACE_DEMO_SYSTEM", "Be brief."));
    assertThat(settings.port()).isZero();
    assertThat(settings.baseUrl()).isEqualTo(URI.create("https://api.example/base"));
    assertThat(settings.models()).containsExactly("claude-a", "claude-b");
    assertThat(settings.prompts()).containsExactly("One?", "Two?");
    assertThat(settings.system()).isEqualTo("Be brief.");
  }

  @ParameterizedTest
  @ValueSource(strings = {"HEADRACE_CONFIG", "HEADRACE_DEMO_PROMPTS"})
  void aFileThatIsMissingIsNamedWithItsVariable(String variable) {
    assertThatThrownBy(() -> DemoSettings.of(Map.of(variable, "/nowhere/at/all")))
        .hasMessage(variable + ": /nowhere/at/all (expected: a file that can be read)");
  }

  @Test
  void everyVariableStandsInTheHelp() {
    assertThat(DemoSettings.HELP)
        .contains("PORT", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "HEADRACE_CONFIG")
        .contains("HEADRACE_DEMO_HOST", "HEADRACE_DEMO_MODEL", "HEADRACE_DEMO_PROMPTS")
        .contains("HEADRACE_DEMO_SYSTEM", "HEADRACE_DEMO_LOG");
  }
}
