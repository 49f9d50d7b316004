package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The API key must not come out of any door: not in errors, not printed, not by toString. */
class SecretMaskingTest {
  private static final String KEY = "hunter2-NotForPrint";

  /** A key of the real form, which is masked wherever somebody pastes it. */
  private static final String ANTHROPIC_KEY = "sk-ant-api03-NotForPrint_x-y";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "upstream: {api-key: '%s with a space'}",
        "upstream: {api-key: \"%s\\n\"}",
        "upstream: {api-key: [%s]}",
        "upstream: {api-key: {%s: x}}",
        "upstream: {api-key: '${%s'}",
        "upstream: {api-key: '${A:-%s} x'}",
        "upstream: {api-key: '%s', api-key: '%s'}",
        "upstream: {api-kye: %s}",
        "upstream: %s",
        "api-key: %s",
        "upstream:\n  api-key: \"%s\n",
        "upstream:\n  api-key: '%s' x\n",
        "upstream:\n  api-key: @%s\n",
        "upstream:\n  api-key: %s: x\n",
        "upstream:\n  api-key: &a %s\n  x: *a\n",
        "upstream:\n  api-key: %s\n mount: x\n",
        "upstream:\n  api-key: \"%s\\q\"\n",
        "%s",
        "- %s",
        "upstream: {api-key: 'a', base-url: 'https://user:%s@example.com'}",
        "upstream: {api-key: 'a', base-url: 'https://%s@exa mple.com'}",
        "upstream: {api-key: 'a', base-url: 'https://example.com/?key=%s'}",
        "upstream: {api-key: 'a', base-url: 'https://example.com/#%s'}",
        "upstream: {members: [{api-key: '%s with a space'}]}",
        "upstream: {members: [{api-key: [%s]}]}",
        "upstream: {members: [{api-key: {%s: x}}]}",
        "upstream: {members: [{api-key: '${%s'}]}",
        "upstream: {members: [{api-key: '%s', api-key: '%s'}]}",
        "upstream: {members: [{api-kye: %s}]}",
        "upstream: {members: [%s]}",
        "upstream: {members: %s}",
        "upstream: {members: [{api-key: %s, api-key-file: /absent}]}",
        "upstream: {members: [{api-key: %s, weight: 0}]}",
        "upstream: {members: [{api-key: 'a', base-url: 'https://user:%s@example.com'}]}",
        "upstream: {members: [{name: a, api-key: %s}, {name: a, api-key: %s}]}",
      })
  void noErrorContainsTheKey(String yaml) {
    assertFailsWithoutKey(yaml.replace("%s", KEY), SampleSettings.NOTHING, KEY);
    assertFailsWithoutKey(yaml.replace("%s", ANTHROPIC_KEY), SampleSettings.NOTHING, "NotForPrint");
  }

  static List<Setting<?>> settings() {
    return SettingTable.all();
  }

  @ParameterizedTest
  @MethodSource("settings")
  void keyThatIsPastedAsAnyOtherValueIsMasked(Setting<?> setting) {
    String bad = ANTHROPIC_KEY + " /";
    assertFailsWithoutKey(
        SampleSettings.yaml(setting, "\"" + bad + "\"").replace("\"\"", "\""),
        SampleSettings.NOTHING,
        "NotForPrint");
    assertFailsWithoutKey("", SampleSettings.variables(setting.variable(), bad), "NotForPrint");
  }

  @ParameterizedTest
  @MethodSource("settings")
  void contentOfAVariableThatLooksSecretIsNotShown(Setting<?> setting) {
    assertFailsWithoutKey(
        SampleSettings.yaml(setting, "\"${MY_TOKEN} /\"").replace("\"\"", "\""),
        SampleSettings.variables("MY_TOKEN", KEY),
        KEY);
  }

  @Test
  void contentOfTheKeyFileIsNotShown(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("key"), KEY + " " + KEY);
    assertFailsWithoutKey("upstream: {api-key-file: " + file + "}", SampleSettings.NOTHING, KEY);
    Throwable failure =
        catchThrowable(
            () ->
                GatewaySettings.builder().upstreamApiKeyFile(file).build().upstream().readApiKey());
    assertThat(failure).isInstanceOf(SettingsException.class);
    assertThat(everythingIn(failure)).doesNotContain(KEY);
  }

  @Test
  void recordsBuilderAndDescriptionMaskTheKey() {
    GatewaySettings.Member member = new GatewaySettings.Member("a", null, Secret.of(KEY), null, 1);
    GatewaySettingsBuilder builder =
        GatewaySettings.builder().upstreamApiKey(Secret.of(KEY)).upstreamMembers(List.of(member));
    GatewaySettings settings = builder.build();
    LoadedSettings loaded = SettingsReader.read("", "t.yaml", SampleSettings.NOTHING, builder);
    for (Object printed :
        List.of(
            builder,
            settings,
            settings.upstream(),
            settings.upstream().resolvedMembers(),
            member,
            loaded,
            Secret.of(KEY),
            EffectiveSettings.describe(settings),
            EffectiveSettings.describe(loaded))) {
      assertThat(printed.toString()).doesNotContain(KEY);
    }
    assertThat(EffectiveSettings.describe(settings))
        .contains(
            "upstream.api-key = ****  (code)\n",
            "upstream.members = [{name: \"a\", api-key: ****, weight: 1}]  (code)\n");
    assertThat(settings.upstream().toString()).contains("apiKey=****");
  }

  @Test
  void builderDoesNotShowABadKeyOrUrl() {
    Throwable failure =
        catchThrowable(
            () ->
                GatewaySettings.builder()
                    .upstreamApiKey(Secret.of(KEY + "\r\nx: y"))
                    .upstreamBaseUrl(URI.create("https://me:" + KEY + "@example.com/?a=" + KEY))
                    .build());
    assertThat(failure)
        .hasMessage(
            """
            2 problems in the settings:
              - upstream.base-url: "https://****@example.com/?****" (expected: a URL without user and password; the API key has a setting of its own)
              - upstream.api-key: **** (expected: visible ASCII characters, without spaces and line breaks)\
            """);
  }

  @Test
  void badKeyFromTheSourceOfTheApplicationIsNotShown() {
    GatewaySettings settings =
        GatewaySettings.builder().upstreamApiKeySource(() -> Secret.of(KEY + " ")).build();
    Throwable failure = catchThrowable(() -> settings.upstream().readApiKey());
    assertThat(failure).isInstanceOf(SettingsException.class);
    assertThat(everythingIn(failure)).doesNotContain(KEY);
    assertThat(EffectiveSettings.describe(settings))
        .contains("upstream.api-key-source = ****  (code)\n");
  }

  private static void assertFailsWithoutKey(String yaml, Environment environment, String key) {
    Throwable failure =
        catchThrowable(() -> SettingsReader.read(yaml, "headrace.yaml", environment));
    assertThat(failure).as(yaml).isInstanceOf(SettingsException.class);
    assertThat(everythingIn(failure)).doesNotContain(key);
  }

  /** The whole stack trace, as a log would show it, with causes and suppressed exceptions. */
  private static String everythingIn(Throwable failure) {
    StringWriter text = new StringWriter();
    failure.printStackTrace(new PrintWriter(text));
    return text.toString();
  }

  @Test
  void whereThereIsNoSecretTheVariableIsAskedFor() {
    assertThatNullPointerException()
        .isThrownBy(() -> Secret.of(System.getenv("HEADRACE_TEST_ABSENT")))
        .withMessageContaining("is its environment variable set?");
  }
}
