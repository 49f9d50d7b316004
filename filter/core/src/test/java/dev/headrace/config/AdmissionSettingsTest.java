package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.headrace.config.GatewaySettings.AboveMaxTokens;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.GatewaySettings.Preset;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The settings of identity, plans and presets: what is refused, in which words, at which line. */
class AdmissionSettingsTest {

  private static GatewaySettings read(String yaml) {
    return SettingsReader.read(yaml, "t.yaml", SampleSettings.NOTHING, code()).settings();
  }

  private static GatewaySettingsBuilder code() {
    return GatewaySettings.builder().upstreamApiKey(Secret.of("k"));
  }

  private static void assertProblems(String yaml, String... problems) {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> read(yaml))
        .satisfies(failure -> assertThat(failure.problems()).containsExactly(problems));
  }

  // ---- identity

  @Test
  void everySourceNeedsWhatItLooksInto() {
    assertProblems(
        "identity:\n  sources: [session, header, key]\n",
        "identity.sources has session, and identity.session-attribute is not set (expected:"
            + " identity.session-attribute) at t.yaml:2");
    assertProblems(
        "identity:\n  sources: [header]\n  header: x-user\n",
        "identity.sources has header, and identity.trusted-proxies is empty (expected: the"
            + " addresses from which that header may come) at t.yaml:2");
    assertProblems(
        "identity:\n  sources: [key]\n",
        "identity.sources has key, and identity.keys-file is not set (expected:"
            + " identity.keys-file) at t.yaml:2");
  }

  @Test
  void settingsOfASourceThatIsNotAskedAreRefused() {
    assertProblems(
        "identity:\n  header: x-user\n",
        "identity.header is set, and identity.sources has no header (expected: both or neither) at"
            + " t.yaml:2");
    assertProblems(
        "identity:\n  trusted-hops: 2\n",
        "identity.trusted-hops is set, and identity.trusted-proxies is empty (expected: the"
            + " addresses of these proxies) at t.yaml:2");
  }

  @Test
  void addressComesLastAndNoSourceTwice() {
    assertProblems(
        "identity:\n  sources: [address, principal]\n",
        "identity.sources: [address, principal] (expected: address last, because it names"
            + " everybody, so that no source behind it is asked) at t.yaml:2");
    assertProblems(
        "identity:\n  sources: [principal, principal]\n",
        "identity.sources: [principal, principal] (expected: each element once) at t.yaml:2");
  }

  @Test
  void headerWithCredentialsIsNoName() {
    assertProblems(
        """
        identity:
          sources: [header]
          header: Authorization
          trusted-proxies: [10.0.0.0/8]
        """,
        "identity.header: Authorization carries credentials (expected: the header with the user's"
            + " name or groups) at t.yaml:3");
  }

  @Test
  void headersAreInLowerCaseAndProxiesAreBlocks() {
    GatewaySettings.Identity identity =
        read("""
        identity:
          sources: [header, address]
          header: X-User
          groups-header: X-Groups
          trusted-proxies: [10.0.0.0/8]
          trusted-hops: 1
        """)
            .identity();
    assertThat(identity)
        .isEqualTo(
            new GatewaySettings.Identity(
                List.of(IdentitySource.HEADER, IdentitySource.ADDRESS),
                null,
                "X-USER",
                "x-groups",
                List.of(AddressBlock.parse("10.0.0.0/8")),
                1,
                null));
  }

  @Test
  void missingKeysFileIsFoundUnlessTheGatewayIsSwitchedOff(@TempDir Path folder)
      throws IOException {
    String yaml = "identity:\n  sources: [key]\n  keys-file: keys.yaml\n";
    Path file = Files.writeString(folder.resolve("t.yaml"), "upstream: {api-key: k}\n" + yaml);
    Path keys = folder.resolve("keys.yaml");
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> SettingsReader.read(file, SampleSettings.NOTHING))
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .singleElement()
                    .asString()
                    .startsWith("identity.keys-file: ")
                    .endsWith(" does not exist (expected: a readable file) at t.yaml:4"));
    Files.writeString(keys, "keys: []\n");
    assertThat(SettingsReader.read(file, SampleSettings.NOTHING).settings().identity().keysFile())
        .isEqualTo(keys);
    Files.delete(keys);
    Files.writeString(file, "enabled: false\n" + yaml);
    assertThat(SettingsReader.read(file, SampleSettings.NOTHING).warnings()).hasSize(1);
  }

  // ---- pages of other sites

  @ParameterizedTest
  @CsvSource({
    "https://shop.example.com, https://shop.example.com",
    "HTTPS://Shop.Example.com:443, https://shop.example.com",
    "http://localhost:5173, http://localhost:5173",
    "http://[::1]:80, http://[::1]",
  })
  void originsAreInTheirNormalForm(String written, String normal) {
    assertThat(read("cross-site: {origins: ['" + written + "']}").crossSite().origins())
        .containsExactly(normal);
    assertThat(new GatewaySettings.CrossSite(List.of(written), false).origins())
        .containsExactly(normal);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "*",
        "null",
        "shop.example.com",
        "https://",
        "https://a.example/",
        "https://a.example/x",
        "https://a.example?x",
        "https://u@a.example",
        "https://a.example:0",
        "https://a.example:70000",
        "https://*.example.com",
        ""
      })
  void whatIsNoOriginIsRefused(String text) {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> read("cross-site: {origins: ['" + text + "']}"))
        .withMessageContaining("cross-site.origins: ");
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> new GatewaySettings.CrossSite(List.of(text), false));
  }

  @Test
  void originThatLetsEverybodyInSaysWhy() {
    assertProblems(
        "cross-site:\n  origins: ['*']\n",
        "cross-site.origins: * would let every page call in its visitors' names (expected: the"
            + " origins, one by one) at t.yaml:2");
  }

  // ---- models and limits

  @Test
  void aliasDoesNotLeadToAnAlias() {
    assertProblems(
        "models:\n  aliases:\n    best: claude-opus-5-5\n    good: best\n",
        "models.aliases.good: best is an alias itself (expected: a model) at t.yaml:4");
  }

  @Test
  void fallbacksAreNoAliases() {
    String yaml =
        """
        models:
          aliases: {best: claude-opus-5-5, fast: claude-haiku-5-5}
        retry:
          fallbacks:
            best: [claude-sonnet-5-5]
            claude-opus-5-5: [claude-sonnet-5-5, fast]
            claude-sonnet-5-5: [claude-haiku-5-5]
        """;
    String[] problems = {
      "retry.fallbacks: the key best is an alias (expected: the model that models.aliases has for"
          + " it) at t.yaml:5",
      "retry.fallbacks.claude-opus-5-5: fast is an alias (expected: the model that models.aliases"
          + " has for it) at t.yaml:6",
    };
    assertProblems(yaml, problems);
    assertProblems(
        yaml + "shutdown: {drain: -1s}\n",
        "shutdown.drain: -1s (expected: a duration with its unit, such as 500ms, 60s, 5m or 1h) at"
            + " t.yaml:8",
        problems[0],
        problems[1]);
  }

  @Test
  void groupThatCannotBeMadeDoesNotHideThatAFallbackIsAnAlias() {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(
            () ->
                code()
                    .limitsMaxUsers(1)
                    .modelsAliases(Map.of("fast", "claude-haiku-5-5"))
                    .retryFallbacks(Map.of("claude-opus-5-5", List.of("fast")))
                    .build())
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .containsExactly(
                        "limits.max-users: 1 (expected: 100 to 10000000)",
                        "retry.fallbacks.claude-opus-5-5: fast is an alias (expected: the model that"
                            + " models.aliases has for it)"));
  }

  @Test
  void timeZoneIsOneThatJavaKnows() {
    assertThat(read("limits: {time-zone: Europe/Berlin}").limits().timeZone())
        .isEqualTo(ZoneId.of("Europe/Berlin"));
    assertProblems(
        "limits: {time-zone: Berlin}",
        "limits.time-zone: Berlin (expected: a time zone such as UTC or Europe/Berlin) at t.yaml:1");
  }

  @ParameterizedTest
  @CsvSource({
    "5 USD/day, 5 USD/day",
    "0.50 USD/hour, 0.5 USD/hour",
    "1_000.10 USD/month, 1000.1 USD/month",
    "100 USD/day, 100 USD/day",
    "100_000 output-tokens/minute, 100000 output-tokens/minute",
    "999999999999999999 input-tokens/month, 999999999999999999 input-tokens/month",
  })
  void budgetsAreReadAndWritten(String text, String written) {
    Budget budget = Budget.parse(text);
    assertThat(budget).hasToString(written);
    assertThat(Budget.parse(written)).isEqualTo(budget);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "5",
        "5 USD",
        "5USD/day",
        "5 usd/day",
        "5 EUR/day",
        "0 USD/day",
        "-1 USD/day",
        "05 USD/day",
        "5 USD/week",
        "4000000.01 USD/day",
        "0.0000000000001 USD/day",
        "1.5 input-tokens/day",
        "1__0 input-tokens/day",
        "_1 input-tokens/day",
        "1_ input-tokens/day",
        "1000000000000000000 input-tokens/day",
        "1e3 USD/day",
        "5 tokens/day",
        "5  USD/day",
        ""
      })
  void whatIsNoBudgetIsRefused(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> Budget.parse(text));
  }

  @Test
  void budgetOfCodeHasTheSameBounds() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Budget.ofInputTokens(0, BudgetWindow.DAY))
        .withMessage("0 (expected: whole tokens above 0, at most 18 digits)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Budget.ofDollars(new BigDecimal("1E+9"), BudgetWindow.DAY));
    BigDecimal huge = BigDecimal.valueOf(1, Integer.MIN_VALUE);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Budget(BudgetKind.INPUT_TOKENS, huge, BudgetWindow.DAY));
    assertThat(Budget.ofDollars(new BigDecimal("1E+2"), BudgetWindow.DAY))
        .isEqualTo(Budget.parse("100.00 USD/day"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"60", "60/", "/1m", "0/1m", "1000001/1m", "60/1", "60/0", "60/366d", "a/1m"})
  void whatIsNoRateIsRefused(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> RequestRate.parse(text));
  }

  @Test
  void rateIsReadAndWritten() {
    assertThat(RequestRate.parse("60/1m"))
        .isEqualTo(new RequestRate(60, Duration.ofMinutes(1)))
        .hasToString("60/60s");
  }

  // ---- plans

  @Test
  void emptyPlanIsOpen() {
    assertThat(read("plans: {all: {}}").plans()).isEqualTo(Map.of("all", Plan.open("all")));
  }

  @Test
  void plansKeepTheOrderOfTheFile() {
    List<String> names = Stream.of("z", "m", "a", "k", "b").toList();
    StringBuilder yaml = new StringBuilder("identity: {sources: [principal]}\nplans:\n");
    names.forEach(
        name -> yaml.append("  ").append(name).append(": {roles: [").append(name).append("]}\n"));
    GatewaySettings settings = read(yaml.toString());
    assertThat(settings.plans().keySet()).containsExactlyElementsOf(names);
    assertThat(settings.toBuilder().build().plans().keySet()).containsExactlyElementsOf(names);
  }

  @Test
  void planThatNobodyGetsIsRefused() {
    assertProblems(
        "identity: {sources: [principal]}\nplans:\n  all: {}\n  staff: {roles: [staff]}\n",
        "plans.staff is nobody's plan: the first that fits is taken, and plans.all has no roles and"
            + " so is for everybody (expected: plans.staff above plans.all, or other roles) at"
            + " t.yaml:4");
    assertProblems(
        """
        identity: {sources: [principal]}
        plans:
          ab: {roles: [a, b]}
          b: {roles: [b]}
          all: {}
        """,
        "plans.b is nobody's plan: the first that fits is taken, and all of its roles are in"
            + " plans.ab (expected: plans.b above plans.ab, or other roles) at t.yaml:4");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{sources: [address]}",
        "{sources: [header], header: x-user, trusted-proxies: [10.0.0.1]}"
      })
  void rolesNeedASourceThatTellsThem(String identity) {
    assertProblems(
        "identity: " + identity + "\nplans:\n  staff:\n    roles: [staff]\n  b: {roles: [b]}\n",
        "plans.staff.roles is set, and nothing in identity.sources tells roles (expected: principal,"
            + " session, key, resolver, or header with identity.groups-header) at t.yaml:4");
    assertProblems(
        "identity: " + identity + "\npresets: {a: {model: m, max-tokens: 5, roles: [staff]}}\n",
        "presets.a.roles is set, and nothing in identity.sources tells roles (expected: principal,"
            + " session, key, resolver, or header with identity.groups-header) at t.yaml:2");
  }

  @Test
  void allMistakesOfPlansAreReportedTogetherWithTheirLines() {
    assertProblems(
        """
        plans:
          Staff: {max-tokens: 0, tols: false}
          a:
            max-tokens: 0
            max-body: 5
            requests: 60
            budgets: [5 USD/day, 6 USD/week]
            tols: false
            roles: []
            betas: [a b]
            models: [x, x]
          b:
            above-max-tokens: lower
          c:
            tools: false
            budgets: [5 USD/day, 6 USD/day]
        """,
        "plans: the key Staff (expected: a name of lower-case letters, digits and dashes, at most 40"
            + " of them) at t.yaml:2",
        "plans.Staff.max-tokens: 0 (expected: 1 to 100000000) at t.yaml:2",
        "plans.Staff.tols is not a setting. Did you mean plans.Staff.tools? (t.yaml:2)",
        "plans.a.max-tokens: 0 (expected: 1 to 100000000) at t.yaml:4",
        "plans.a.max-body: 5 has no unit (expected: a size with its unit, such as 4096B, 64KiB or"
            + " 8MiB) at t.yaml:5",
        "plans.a.requests: 60 (expected: requests in a period such as 60/1m: 1 to 1000000, and a"
            + " duration above 0 and up to 365d) at t.yaml:6",
        "plans.a.budgets: \"6 USD/week\" (expected: " + Budget.EXPECTED + ") at t.yaml:7",
        "plans.a.tols is not a setting. Did you mean plans.a.tools? (t.yaml:8)",
        "plans.a.roles: [] (expected: 1 to 100 roles) at t.yaml:9",
        "plans.a.betas: \"a b\" (expected: a value of the header anthropic-beta, such as"
            + " files-api-2025-04-14) at t.yaml:10",
        "plans.a.models: [x, x] (expected: each element once) at t.yaml:11",
        "plans.b.above-max-tokens: lower (expected: together with plans.b.max-tokens) at t.yaml:13",
        "plans.c.budgets: 5 USD/day and 6 USD/day are for the same (expected: one of them) at"
            + " t.yaml:16");
  }

  @Test
  void planOfCodeIsCheckedWhenItIsMade() {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(
            () -> Plan.builder("a").maxTokens(0, AboveMaxTokens.REFUSE).concurrent(-1).build())
        .satisfies(
            failure ->
                assertThat(failure.problems())
                    .containsExactly(
                        "plans.a.max-tokens: 0 (expected: 1 to 100000000)",
                        "plans.a.concurrent: -1 (expected: 0 to 100000)"));
    Map<String, Plan> misnamed = new LinkedHashMap<>(Map.of("a", Plan.open("b")));
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> code().plans(misnamed).build())
        .withMessageContaining("has the name b (expected: a, as its key)");
  }

  @Test
  void unreadRestOfABrokenFileIsNotSaidToBeMissing() {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> read("presets:\n  a:\n    model: m\n  : x: [\n"))
        .satisfies(failure -> assertThat(failure.problems()).hasSize(1));
  }

  // ---- presets

  @Test
  void presetNeedsModelAndMaxTokens() {
    assertProblems(
        "presets:\n  a: {}\n  b: {model: m}\n",
        "presets.a has no model (expected: model: the name of a model such as claude-sonnet-5-5:"
            + " letters, digits and . _ : @ / -, a letter or digit first, at most 128 of them) at"
            + " t.yaml:2",
        "presets.a has no max-tokens (expected: max-tokens: 1 to 100000000) at t.yaml:2",
        "presets.b has no max-tokens (expected: max-tokens: 1 to 100000000) at t.yaml:3");
  }

  @Test
  void mistakesOfPresetsAreReportedWithoutThePrompt() {
    assertProblems(
        """
        presets:
          a:
            model: m
            max-tokens: 5
            cache-system: true
          b:
            model: m
            max-tokens: 5
            system: "hidden\\0"
            tools: '{"hidden": 1}'
            open: [max_tokens, system]
          c:
            model: m
            max-tokens: 5
            tools: '[{"hidden": 1'
            system: 'file: '
            format: html
        """,
        "presets.a.cache-system: true (expected: together with presets.a.system) at t.yaml:5",
        "presets.b.system: 7 characters hold the character NUL (expected: a text with something in"
            + " it, or file: and the path of a file) at t.yaml:9",
        "presets.b.tools: 13 characters are no array of objects (expected: a JSON array of objects"
            + " with at least one element, or file: and the path of a file) at t.yaml:10",
        "presets.b.open: [max_tokens, system] holds system (expected: body fields other than those"
            + " that a preset fixes, such as max_tokens) at t.yaml:11",
        "presets.c.tools: 13 characters are no valid JSON at line 1, column 14 (expected: a JSON"
            + " array of objects with at least one element, or file: and the path of a file) at"
            + " t.yaml:15",
        "presets.c.system: \"file: \" (expected: the path of a file behind file:) at t.yaml:16",
        "presets.c.format: html (expected: events or text or simple) at t.yaml:17");
  }

  @Test
  void filesOfAPresetStartAtTheFolderOfTheSettingsAndMustBeThere(@TempDir Path folder)
      throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("t.yaml"),
            """
        upstream: {api-key: k}
        presets: {a: {model: m, max-tokens: 5, system: 'file:prompts/a.md'}}
        """);
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> SettingsReader.read(file, SampleSettings.NOTHING))
        .withMessageContaining("presets.a.system: ")
        .withMessageContaining("does not exist (expected: a readable file) at t.yaml:2");
    Path prompt = Files.createDirectory(folder.resolve("prompts")).resolve("a.md");
    Files.writeString(prompt, "Be kind.");
    GatewaySettings settings = SettingsReader.read(file, SampleSettings.NOTHING).settings();
    assertThat(settings.presets().values())
        .extracting(Preset::system)
        .containsExactly(PresetText.ofFile(prompt));
  }

  @Test
  void promptsAreNotPrinted() {
    GatewaySettings settings =
        read(
            "presets: {a: {model: m, max-tokens: 5, system: hidden-prompt, tools: '[{\"hidden\":1}]'}}");
    assertThat(EffectiveSettings.describe(settings))
        .contains(
            "presets = {a: {model: \"m\", system: 13 characters, cache-system: false,"
                + " tools: 14 characters, max-tokens: 5, open: []}}  (code)\n")
        .doesNotContain("hidden");
    assertThat(settings.toString()).doesNotContain("hidden");
  }

  @Test
  void plansArePrintedAsTheyAreWritten() {
    assertThat(
            EffectiveSettings.describe(
                read("plans: {a: {requests: 60/1m, budgets: [5 USD/day], max-tokens: 7}}")))
        .contains(
            "plans = {a: {max-tokens: 7, above-max-tokens: refuse, raw-messages: true, tools: true,"
                + " server-tools: true, fast-mode: true, service-tier: true, inference-geo: true,"
                + " workspaces: true, requests: 60/60s, concurrent: 0, budgets: [\"5 USD/day\"], shortfall: refuse,"
                + " shadow: false}}  (code)\n");
  }

  /** The rule stands at two places, because neither package may know the other. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "model",
        "messages",
        "stream",
        "system",
        "tools",
        "mcp_servers",
        "container",
        "fallbacks",
        "max_tokens",
        "temperature",
        "tool_choice",
        "thinking",
        "metadata",
        "Max",
        "a-b",
        "1a",
        "",
        "speed",
        "service_tier",
        "inference_geo",
        "a\u00e4"
      })
  void fieldsThatMayBeOpenAreThoseOfThePreset(String field) {
    List<BadValue> faults = new ArrayList<>();
    PresetProperties.OPEN.check("open", List.of(field), (path, shown, fault) -> faults.add(fault));
    assertThat(faults.isEmpty()).isEqualTo(dev.headrace.admission.Preset.mayOpen(field));
  }
}
