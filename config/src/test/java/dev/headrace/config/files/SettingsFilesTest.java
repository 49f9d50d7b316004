package dev.headrace.config.files;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.Budget;
import dev.headrace.config.BudgetWindow;
import dev.headrace.config.ByteSize;
import dev.headrace.config.Environment;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.GatewaySettings.AboveMaxTokens;
import dev.headrace.config.GatewaySettings.DisconnectPolicy;
import dev.headrace.config.GatewaySettings.Plan;
import dev.headrace.config.GatewaySettings.Preset;
import dev.headrace.config.GatewaySettings.PresetFormat;
import dev.headrace.config.GatewaySettings.Shortfall;
import dev.headrace.config.LoadedSettings;
import dev.headrace.config.PresetText;
import dev.headrace.config.RequestRate;
import dev.headrace.config.Secret;
import dev.headrace.config.Setting;
import dev.headrace.config.SettingTable;
import dev.headrace.config.SettingsReader;
import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The settings file as shipped, its JSON schema and the table in the code say the same. */
class SettingsFilesTest {
  private static final Path YAML = Path.of("headrace.yaml");
  private static final Environment WITH_KEY =
      Environment.of(Map.of("ANTHROPIC_API_KEY", "test-key"), Map.of());

  /** A default that is commented out has no space after the "#"; an explanation has one. */
  private static final Pattern COMMENTED_OUT = Pattern.compile("(?m)^( *)#([a-z])");

  private static final GatewaySettings DEFAULTS =
      GatewaySettings.builder().upstreamApiKey(Secret.of("test-key")).build();

  @Test
  void fileAsShippedReadsAsAllDefaults() throws IOException {
    LoadedSettings loaded = SettingsReader.read(YAML, WITH_KEY);
    assertThat(loaded.settings()).isEqualTo(DEFAULTS);
    assertThat(loaded.warnings()).isEmpty();
    assertThat(loaded.origins()).containsOnlyKeys("upstream.api-key");
  }

  @Test
  void fileWithAllCommentsRemovedIsStillReadAsTheDefaults() throws IOException {
    // Some settings have no default, and a line without a value is refused.
    String yaml = uncommented().replaceAll("(?m)^  [a-z-]+:$", "");
    LoadedSettings loaded = SettingsReader.read(yaml, "headrace.yaml", WITH_KEY);
    assertThat(loaded.settings()).isEqualTo(DEFAULTS);
  }

  @Test
  void fileNamesTheSettingsOfTheTableInItsOrderWithItsDefaults() throws IOException {
    Map<String, String> expected = new LinkedHashMap<>();
    for (Setting<?> setting : SettingTable.all()) {
      expected.put(
          setting.key(),
          setting.key().equals("upstream.api-key") ? "${ANTHROPIC_API_KEY}" : defaultOf(setting));
    }
    assertThat(keysAndValues(uncommented()).entrySet())
        .containsExactlyElementsOf(expected.entrySet());
  }

  @Test
  void fileSaysWhereItIsLookedForInTheOrderOfTheCode() throws IOException {
    String head = Files.readString(YAML).replaceAll("\n# ", " ");
    assertThat(head)
        .containsSubsequence(
            "the init-parameter config",
            "the context parameter headrace.config",
            "the JNDI entry java:comp/env/headrace/config",
            "the system property headrace.config",
            "the environment variable HEADRACE_CONFIG",
            "WEB-INF/headrace.yaml",
            "headrace.yaml on the class path");
  }

  @Test
  void everySettingIsExplainedRightAboveIt() throws IOException {
    List<String> lines = Files.readAllLines(YAML);
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).matches(" *#?[a-z-]+:.*")) {
        assertThat(lines.get(i - 1)).as("above " + lines.get(i)).matches(" *# .*\\.");
      }
    }
  }

  @Test
  void fileStatesTheBoundsOfEveryRange() throws IOException {
    String yaml = Files.readString(YAML);
    for (Setting<?> setting : SettingTable.all()) {
      if (setting.minimum().isPresent() && setting.maximum().isPresent()) {
        assertThat(explanation(yaml, setting))
            .as(setting.key())
            .contains(setting.minimum().get() + " to " + setting.maximum().get());
      }
    }
  }

  @Test
  void examplesInTheFileAreReadAsTheySay() throws IOException {
    String yaml =
        "upstream:\n" + example("members") + "retry:\n" + example("fallbacks") + "mount: /a\n";
    Environment keys = Environment.of(Map.of("KEY_A", "a", "KEY_B", "b"), Map.of());
    GatewaySettings settings = SettingsReader.read(yaml, "headrace.yaml", keys).settings();
    assertThat(settings.upstream().members())
        .containsExactly(
            new GatewaySettings.Member(
                "main", URI.create("https://example.com"), Secret.of("a"), null, 2),
            new GatewaySettings.Member("member-2", null, Secret.of("b"), null, 1));
    assertThat(settings.retry().fallbacks())
        .isEqualTo(Map.of("claude-opus-5-5", List.of("claude-sonnet-5-5", "claude-haiku-5-5")));
  }

  @Test
  void examplesOfPlansAndPresetsInTheFileAreReadAsTheySay() throws IOException {
    String yaml =
        "upstream: {api-key: k}\nidentity: {sources: [principal]}\nmodels:\n"
            + example("aliases")
            + topExample("plans")
            + topExample("presets");
    GatewaySettings settings = SettingsReader.read(yaml, "headrace.yaml", WITH_KEY).settings();
    assertThat(settings.models().aliases())
        .containsExactly(
            Map.entry("best", "claude-opus-5-5"), Map.entry("fast", "claude-haiku-5-5"));
    assertThat(settings.plans().values())
        .containsExactly(
            Plan.builder("staff")
                .roles("staff", "admin")
                .models("best", "claude-sonnet-5-5")
                .maxTokens(8192, AboveMaxTokens.LOWER)
                .maxBody(ByteSize.ofMebibytes(4))
                .requests(new RequestRate(60, Duration.ofMinutes(1)))
                .concurrent(4)
                .budgets(
                    Budget.ofDollars(BigDecimal.valueOf(5), BudgetWindow.DAY),
                    Budget.ofInputTokens(2_000_000, BudgetWindow.MONTH),
                    Budget.ofOutputTokens(100_000, BudgetWindow.HOUR))
                .shortfall(Shortfall.LOWER_MAX_TOKENS)
                .shadow(true)
                .build(),
            Plan.builder("guests")
                .rawMessages(false)
                .tools(false)
                .serverTools(false)
                .fastMode(false)
                .serviceTier(false)
                .inferenceGeo(false)
                .workspaces(false)
                .betas()
                .build());
    assertThat(settings.presets().values())
        .containsExactly(
            new Preset(
                "support",
                List.of("customer"),
                "claude-sonnet-5-5",
                PresetText.of("Answer in one sentence."),
                true,
                PresetText.of("[{\"name\": \"order\", \"input_schema\": {\"type\": \"object\"}}]"),
                1024,
                PresetFormat.SIMPLE,
                DisconnectPolicy.DRAIN,
                List.of("stop_sequences")));
  }

  /** Returns the lines of the example of a key that is in no group. */
  private static String topExample(String key) throws IOException {
    StringBuilder example = new StringBuilder();
    for (String line : Files.readAllLines(YAML)) {
      if (line.equals("#   " + key + ":") || (!example.isEmpty() && line.startsWith("#     "))) {
        example.append(line.substring("#   ".length())).append('\n');
      } else if (!example.isEmpty()) {
        return example.toString();
      }
    }
    throw new AssertionError("no example of " + key);
  }

  /** Returns the lines of an example, which are indented in a comment above the key. */
  private static String example(String key) throws IOException {
    StringBuilder example = new StringBuilder();
    for (String line : Files.readAllLines(YAML)) {
      if (line.equals("  #   " + key + ":")
          || (!example.isEmpty() && line.startsWith("  #     "))) {
        example.append(line.substring("  # ".length())).append('\n');
      } else if (!example.isEmpty()) {
        return example.toString();
      }
    }
    throw new AssertionError("no example of " + key);
  }

  @Test
  void schemaIsTheOneThatFollowsFromTheTable() throws IOException {
    if (Boolean.getBoolean("write-schema")) {
      Files.writeString(SettingsSchema.FILE, SettingsSchema.text());
    }
    assertThat(Files.readString(SettingsSchema.FILE))
        .as("mvn -pl filter/core,config verify -Dwrite-schema=true writes the file anew")
        .isEqualTo(SettingsSchema.text());
  }

  @Test
  void schemaNamesTheSettingsOfTheTableInItsOrderWithItsDefaults() {
    Map<String, String> expected = new LinkedHashMap<>();
    for (Setting<?> setting : SettingTable.all()) {
      expected.put(setting.key(), defaultOf(setting));
    }
    Map<String, String> found = new LinkedHashMap<>();
    collect("", SettingsSchema.stored(), found);
    assertThat(found.entrySet()).containsExactlyElementsOf(expected.entrySet());
  }

  static List<Setting<?>> settings() {
    return SettingTable.all();
  }

  @ParameterizedTest
  @MethodSource("settings")
  void schemaTakesTheDefault(Setting<?> setting) {
    ObjectNode schema = SettingsSchema.stored();
    JsonNode property = propertyOf(schema, setting);
    assertThat(property.has("default")).isEqualTo(setting.defaultText().isPresent());
    if (property.has("default")) {
      assertThat(accepts(schema, property, property.get("default"))).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "timeouts.idle, 5s, true",
    "timeouts.idle, 0, false",
    "timeouts.idle, 0s, false",
    "timeouts.total, 0, true",
    "timeouts.idle, ${IDLE:-5s}, true",
    "timeouts.idle, 5, false",
    "timeouts.idle, off, false",
    "timeouts.idle, 5 s, false",
    "timeouts.heartbeat, off, true",
    "buffers.soft, 8KiB, true",
    "buffers.soft, 8192, false",
    "buffers.soft, 8KB, false",
    "upstream.base-url, http://localhost:80/a, true",
    "upstream.base-url, https://me@example.com, false",
    "upstream.base-url, ftp://example.com, false",
    "upstream.base-url, https://example.com/v1/, false",
    "upstream.base-url, https://example.com/v1beta, true",
    "enabled, yes, false",
    "enabled, ${ON}, true",
    "mount, /claude, true",
    "mount, /, true",
    "mount, ${MOUNT:-/x}, true",
    "mount, claude, false",
    "mount, /claude/, false",
    "upstream.io-threads, ${N}, true",
    "upstream.io-threads, many, false",
    "upstream.selection, weighted, true",
    "upstream.selection, ${SELECTION:-ordered}, true",
    "upstream.selection, random, false",
    "retry.hold, first-content, true",
    "retry.hold, FIRST_CONTENT, false",
    "disconnect.policy, drain, true",
    "timeouts.early-commit, off, true",
    "timeouts.idle-content, off, false",
    "upstream.members, main, false",
    "retry.fallbacks, claude-sonnet-5-5, false",
    "limits.time-zone, Europe/Berlin, true",
    "identity.header, x-user, true",
    "identity.header, x user, false",
    "plans, staff, false",
  })
  void schemaJudgesTextAsTheReaderDoes(String key, String value, boolean accepted) {
    ObjectNode schema = SettingsSchema.stored();
    Setting<?> setting =
        settings().stream().filter(row -> row.key().equals(key)).findFirst().orElseThrow();
    JsonNode text = schema.stringNode(value);
    assertThat(accepts(schema, propertyOf(schema, setting), text)).isEqualTo(accepted);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "upstream.members | [] | true",
        "upstream.members | [{}] | true",
        "upstream.members | [{'name': 'a', 'api-key': '${A}', 'weight': 2}] | true",
        "upstream.members | [{'api-key-file': 'key'}, {'base-url': 'http://localhost'}] | true",
        "upstream.members | [{'weight': '${W}', 'name': '${N}'}] | true",
        "upstream.members | {} | false",
        "upstream.members | ['main'] | false",
        "upstream.members | [{'nmae': 'a'}] | false",
        "upstream.members | [{'name': 'a b'}] | false",
        "upstream.members | [{'weight': 0}] | false",
        "upstream.members | [{'weight': 1001}] | false",
        "upstream.members | [{'base-url': 'localhost'}] | false",
        "identity.sources | ['principal', '${SOURCE}'] | true",
        "identity.sources | ['principle'] | false",
        "cross-site.origins | ['https://shop.example.com', 'http://localhost:5173'] | true",
        "cross-site.origins | ['https://shop.example.com/'] | false",
        "cross-site.origins | ['*'] | false",
        "models.aliases | {'best': 'claude-a'} | true",
        "models.aliases | {'best': 1} | false",
        "plans | {'staff': {}} | true",
        "plans | {'Staff': {}} | false",
        "plans | {'a': {'max-tokens': 5, 'requests': '60/1m', 'tools': false}} | true",
        "plans | {'a': {'budgets': ['5 USD/day', '0.5 USD/hour', '1_000 input-tokens/month']}} | true",
        "plans | {'a': {'budgets': ['5 EUR/day']}} | false",
        "plans | {'a': {'budgets': ['5 USD/week']}} | false",
        "plans | {'a': {'requests': '60'}} | false",
        "plans | {'a': {'requests': '0/1m'}} | false",
        "plans | {'a': {'max-tokens': 0}} | false",
        "plans | {'a': {'roles': []}} | false",
        "plans | {'a': {'betas': []}} | true",
        "presets | {'a-1': {'model': 'm', 'max-tokens': 5, 'system': 'file:a.md'}} | true",
        "presets | {'a': {'model': 'm', 'max-tokens': 5}} | true",
        "presets | {'a': {'model': 'm'}} | false",
        "presets | {'a': {'max-tokens': 5}} | false",
        "presets | {'a': {'model': 'm', 'max-tokens': 5, 'open': ['Max']}} | false",
        "presets | {'a': {'model': 'm', 'max-tokens': 5, 'format': 'json'}} | false",
        "retry.fallbacks | {} | true",
        "retry.fallbacks | {'claude-a': ['claude-b', '${MODEL}']} | true",
        "retry.fallbacks | [] | false",
        "retry.fallbacks | {'claude-a': 'claude-b'} | false",
        "retry.fallbacks | {'claude-a': []} | false",
        "retry.fallbacks | {'claude-a': ['b', 'c', 'd', 'e', 'f', 'g']} | false",
        "retry.fallbacks | {'claude-a': ['b', 'b']} | false",
        "retry.fallbacks | {'claude a': ['b']} | false",
        "retry.fallbacks | {'${MODEL}': ['b']} | false",
        "retry.fallbacks | {'claude-a': ['b c']} | false",
      })
  void schemaJudgesStructuresAsTheReaderDoes(String key, String json, boolean accepted) {
    ObjectNode schema = SettingsSchema.stored();
    Setting<?> setting =
        settings().stream().filter(row -> row.key().equals(key)).findFirst().orElseThrow();
    JsonNode value = JsonMapper.shared().readTree(json.replace('\'', '"'));
    assertThat(accepts(schema, propertyOf(schema, setting), value)).isEqualTo(accepted);
  }

  @Test
  void schemaTakesTwentyMembers() {
    ObjectNode schema = SettingsSchema.stored();
    JsonNode members = schema.at("/properties/upstream/properties/members");
    assertThat(members.path("maxItems").asInt()).isEqualTo(20);
    assertThat(members.path("items").path("properties").propertyNames())
        .containsExactly("name", "base-url", "api-key", "api-key-file", "weight");
  }

  private static String defaultOf(Setting<?> setting) {
    String text = setting.defaultText().orElse("");
    if (setting.typeName().startsWith("list of ")) {
      return "[" + text + "]";
    }
    return setting.typeName().startsWith("map of ") ? "{" + text + "}" : text;
  }

  private static String uncommented() throws IOException {
    return COMMENTED_OUT.matcher(Files.readString(YAML)).replaceAll("$1$2");
  }

  /** Reads the two levels of the file by its indentation, which needs no YAML library. */
  private static Map<String, String> keysAndValues(String yaml) {
    Map<String, String> found = new LinkedHashMap<>();
    String group = "";
    for (String line : yaml.lines().toList()) {
      if (line.isBlank() || line.strip().startsWith("#")) {
        continue;
      }
      int colon = line.indexOf(':');
      String key = line.substring(0, colon).strip();
      String value = line.substring(colon + 1).strip();
      if (line.startsWith("  ")) {
        found.put(group + "." + key, value);
      } else if (value.isEmpty()) {
        group = key;
      } else {
        found.put(key, value);
      }
    }
    return found;
  }

  /** Returns the comments of a group and of a setting in it, on one line. */
  private static String explanation(String yaml, Setting<?> setting) {
    StringBuilder ofGroup = new StringBuilder();
    StringBuilder comments = new StringBuilder();
    String group = "";
    for (String line : yaml.lines().toList()) {
      String text = line.strip();
      if (text.startsWith("# ")) {
        comments.append(text, 1, text.length());
        continue;
      }
      if (line.matches("[a-z-]+:")) {
        group = line.substring(0, line.length() - 1);
        ofGroup.setLength(0);
        ofGroup.append(comments);
      }
      if (group.equals(setting.group()) && text.startsWith("#" + setting.name() + ":")) {
        return ofGroup.append(comments).toString();
      }
      comments.setLength(0);
    }
    throw new AssertionError(setting + " is not in the file");
  }

  private static void collect(String prefix, JsonNode schema, Map<String, String> found) {
    for (Map.Entry<String, JsonNode> property : schema.path("properties").properties()) {
      if (property.getValue().has("properties")) {
        collect(property.getKey() + ".", property.getValue(), found);
      } else {
        JsonNode standard = property.getValue().path("default");
        found.put(prefix + property.getKey(), written(standard));
      }
    }
  }

  /** A default of the schema in the notation of the file. */
  private static String written(JsonNode value) {
    if (value.isArray()) {
      return value.values().stream().map(JsonNode::asString).toList().toString();
    }
    return value.isContainer() ? value.toString() : value.asString();
  }

  private static JsonNode propertyOf(JsonNode schema, Setting<?> setting) {
    JsonNode group =
        setting.group().isEmpty() ? schema : schema.path("properties").path(setting.group());
    JsonNode property = group.path("properties").path(setting.name());
    assertThat(property.isObject()).as(setting.key()).isTrue();
    return property;
  }

  /** Judges a value by the few words of JSON Schema that our schema uses. */
  private static boolean accepts(JsonNode schema, JsonNode form, JsonNode value) {
    if (form.has("$ref")) {
      String name = form.get("$ref").asString().substring("#/$defs/".length());
      return accepts(schema, schema.path("$defs").required(name), value);
    }
    if (form.has("anyOf")) {
      return form.get("anyOf").values().stream().anyMatch(each -> accepts(schema, each, value));
    }
    if (form.has("const")) {
      return form.get("const").equals(value);
    }
    if (form.has("enum")) {
      return form.get("enum").values().contains(value);
    }
    return switch (form.path("type").asString()) {
      case "array" -> value.isArray() && acceptsItems(schema, form, value);
      case "object" -> value.isObject() && acceptsProperties(schema, form, value);
      case "string" ->
          value.isString()
              && value.asString().length() >= form.path("minLength").asInt(0)
              && Pattern.compile(form.path("pattern").asString(""))
                  .matcher(value.asString())
                  .find();
      case "integer" ->
          value.isInt()
              && value.asInt() >= form.path("minimum").asInt(Integer.MIN_VALUE)
              && value.asInt() <= form.path("maximum").asInt(Integer.MAX_VALUE);
      case "boolean" -> value.isBoolean();
      default -> throw new AssertionError("a form that this test does not know: " + form);
    };
  }

  private static boolean acceptsItems(JsonNode schema, JsonNode form, JsonNode array) {
    boolean mayRepeat = !form.path("uniqueItems").asBoolean(false);
    return array.size() >= form.path("minItems").asInt(0)
        && array.size() <= form.path("maxItems").asInt(Integer.MAX_VALUE)
        && (mayRepeat || new HashSet<>(array.values()).size() == array.size())
        && array.values().stream().allMatch(item -> accepts(schema, form.required("items"), item));
  }

  private static boolean acceptsProperties(JsonNode schema, JsonNode form, JsonNode object) {
    Pattern names = Pattern.compile(form.path("propertyNames").path("pattern").asString(""));
    JsonNode others = form.required("additionalProperties");
    boolean whole =
        form.path("required").values().stream().allMatch(name -> object.has(name.asString()));
    return whole
        && object.properties().stream()
            .allMatch(
                entry -> {
                  JsonNode known = form.path("properties").path(entry.getKey());
                  if (!known.isMissingNode()) {
                    return accepts(schema, known, entry.getValue());
                  }
                  return others.isObject()
                      && names.matcher(entry.getKey()).find()
                      && accepts(schema, others, entry.getValue());
                });
  }
}
