package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import dev.headrace.config.GatewaySettings.DisconnectPolicy;
import dev.headrace.config.GatewaySettings.Preset;
import dev.headrace.config.GatewaySettings.PresetFormat;
import dev.headrace.config.RecordType.Values;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What one of {@code presets} consists of. */
final class PresetProperties {
  /** What a preset is there to fix, or would let a client around it. */
  private static final Set<String> NEVER_OPEN =
      Set.of(
          "model",
          "messages",
          "stream",
          "system",
          "tools",
          "mcp_servers",
          "container",
          "fallbacks");

  /** Text or a file; the text is never shown, since it may be a prompt. */
  private static final class PresetTextType extends SettingType<PresetText> {
    private final Range.Check<String> rule;

    PresetTextType(String name, String expected, Range.Check<String> rule) {
      super(name, expected);
      this.rule = rule;
    }

    @Override
    PresetText read(String text) throws BadValue {
      PresetText value = PresetText.read(text);
      if (value.text() != null) {
        rule.check(value.text());
      }
      return value;
    }

    @Override
    void check(String path, PresetText value, Faults faults) {
      try {
        if (value.text() != null) {
          rule.check(value.text());
        }
      } catch (BadValue e) {
        faults.add(path, shown(value), e);
      }
    }

    @Override
    PresetText start(RelativePaths paths, PresetText value) throws BadValue {
      return value.file() == null ? value : PresetText.ofFile(paths.resolve(value.file()));
    }

    @Override
    String write(PresetText value) {
      return value.write();
    }

    @Override
    String show(String text) {
      return PresetText.show(text);
    }

    @Override
    String shown(PresetText value) {
      return value.toString();
    }

    @Override
    String print(PresetText value) {
      return value.toString();
    }
  }

  static final SettingType<PresetText> PROMPT =
      new PresetTextType(
          "prompt",
          "a text, or file: and the path of a file with it",
          PresetProperties::checkPrompt);

  static final SettingType<PresetText> JSON_TOOLS =
      new PresetTextType(
          "tools",
          "file: and the path of a file with a JSON array of tools, or that JSON",
          JsonText::checkArrayOfObjects);

  private static final SettingType<String> FIELD =
      SettingType.word(
          "body field",
          "the name of a field of the request body, such as max_tokens",
          "[a-z][a-z0-9_]{0,63}");

  static final Property<Preset, List<String>> ROLES =
      new Property<>(
          "roles",
          SettingType.listOf(SettingType.ROLE)
              .sized(1, PlanProperties.MAX_ROLES, "roles")
              .distinct(),
          null,
          Range.any(),
          preset -> PlanProperties.nullIfEmpty(preset.roles()),
          "Who may use the preset: callers with one of these roles or groups. Without it, everybody.");

  static final Property<Preset, String> MODEL =
      new Property<>(
          "model",
          SettingType.MODEL,
          null,
          Range.any(),
          Preset::model,
          "The model or alias that is asked. Needed.");

  static final Property<Preset, PresetText> SYSTEM =
      new Property<>(
          "system",
          PROMPT,
          null,
          Range.any(),
          Preset::system,
          "The system prompt, or file: and the path of a file with it, which is read again when it"
              + " changes. A relative path starts at the folder of the settings file.");

  static final Property<Preset, Boolean> CACHE_SYSTEM =
      new Property<>(
          "cache-system",
          SettingType.BOOLEAN,
          "false",
          Range.any(),
          Preset::cacheSystem,
          "Whether the system prompt is marked for prompt caching.");

  static final Property<Preset, PresetText> TOOLS =
      new Property<>(
          "tools",
          JSON_TOOLS,
          null,
          Range.any(),
          Preset::tools,
          "Tools as a JSON array, or file: and the path of a file with it.");

  static final Property<Preset, Integer> MAX_TOKENS =
      new Property<>(
          "max-tokens",
          SettingType.INTEGER,
          null,
          Range.between(1, PlanProperties.MOST_TOKENS),
          Preset::maxTokens,
          "max_tokens of each request, and the most that a client may ask for if max_tokens is"
              + " open. Needed.");

  static final Property<Preset, PresetFormat> FORMAT =
      new Property<>(
          "format",
          SettingType.oneOf(PresetFormat.class),
          null,
          Range.any(),
          Preset::format,
          "The output format. Without it, the client chooses.");

  static final Property<Preset, DisconnectPolicy> DISCONNECT_POLICY =
      new Property<>(
          "disconnect-policy",
          SettingType.oneOf(DisconnectPolicy.class),
          null,
          Range.any(),
          Preset::disconnectPolicy,
          "What happens to the upstream call when a client of this preset leaves in mid-answer: cancel"
              + " or drain. Without it, what disconnect.policy says.");

  static final Property<Preset, List<String>> OPEN =
      new Property<>(
          "open",
          SettingType.listOf(FIELD).sized(0, 100, "fields").distinct(),
          "",
          openFields(),
          Preset::open,
          "Fields of the body that a client may send besides messages and stream.");

  static final RecordType<Preset> PRESET =
      new RecordType<>(
              "preset",
              PresetProperties::make,
              List.of(
                  ROLES,
                  MODEL,
                  SYSTEM,
                  CACHE_SYSTEM,
                  TOOLS,
                  MAX_TOKENS,
                  FORMAT,
                  DISCONNECT_POLICY,
                  OPEN))
          .needing(List.of(MODEL, MAX_TOKENS));

  private PresetProperties() {}

  private static Range<List<String>> openFields() {
    return new Range<>(
        "fields other than those that a preset fixes",
        fields -> {
          for (String field : fields) {
            if (NEVER_OPEN.contains(field)) {
              throw BadValue.noted(
                  "holds " + field,
                  "body fields other than those that a preset fixes, such as max_tokens");
            }
          }
        },
        null,
        null);
  }

  private static void checkPrompt(String text) throws BadValue {
    String expected = "a text with something in it, or file: and the path of a file";
    if (text.isBlank()) {
      throw BadValue.noted("say nothing", expected);
    }
    if (text.indexOf('\0') >= 0) {
      throw BadValue.noted("hold the character NUL", expected);
    }
    if (text.startsWith("\uFEFF")) {
      throw BadValue.noted("begin with a byte order mark", expected);
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw BadValue.noted("hold half a surrogate pair", expected);
    }
  }

  private static Preset make(Values<Preset> values) {
    Problems problems = new Problems();
    Place place = Place.of(SettingTable.PRESETS).key(values.place());
    for (Property<Preset, ?> needed : PRESET.needed()) {
      if (!values.has(needed)) {
        String text = place.path() + " has no " + needed.name();
        String expected = needed == MODEL ? needed.type().expected() : needed.range();
        problems.add(
            Problem.between(
                List.of(place.path(), place.key(needed.name()).path()),
                text + " (expected: " + needed.name() + ": " + expected + ")"));
      }
    }
    problems.throwIfAny();
    return new Preset(
        values.place(),
        values.get(ROLES, List.of()),
        requireNonNull(values.get(MODEL)),
        values.get(SYSTEM),
        requireNonNull(values.get(CACHE_SYSTEM)),
        values.get(TOOLS),
        requireNonNull(values.get(MAX_TOKENS)),
        values.get(FORMAT),
        values.get(DISCONNECT_POLICY),
        values.get(OPEN, List.of()));
  }

  /** Checks values that are each in their range. */
  static void checkTogether(
      Problems problems, Place preset, @Nullable PresetText system, boolean cacheSystem) {
    if (cacheSystem && system == null) {
      String path = preset.key(CACHE_SYSTEM.name()).path();
      String other = preset.key(SYSTEM.name()).path();
      problems.add(
          Problem.between(
              List.of(path, other), path + ": true (expected: together with " + other + ")"));
    }
  }
}
