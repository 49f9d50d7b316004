package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What must hold for each row of the table, so that a new setting cannot be half done. */
class EverySettingTest {
  /** The samples that exclude each other with the key in {@link #code}, or name absent files. */
  private static final Set<String> FILES =
      Set.of(
          "upstream.api-key-file", "upstream.ca-file", "identity.keys-file", "usage.prices-file");

  static List<Setting<?>> settings() {
    return SettingTable.all();
  }

  static Stream<Setting<?>> settingsReadableWithoutFiles() {
    return SettingTable.all().stream().filter(setting -> !FILES.contains(setting.key()));
  }

  @Test
  void samplesNameExactlyTheSettingsOfTheTable() {
    assertThat(SampleSettings.VALUES.keySet())
        .containsExactlyInAnyOrderElementsOf(settings().stream().map(Setting::key).toList());
  }

  @ParameterizedTest
  @MethodSource("settingsReadableWithoutFiles")
  void fileVariableAndBuilderGiveEqualSettings(Setting<?> setting) throws Exception {
    String text = SampleSettings.of(setting);
    GatewaySettings fromFile =
        SettingsReader.read(
                SampleSettings.yaml(setting, text), "t.yaml", SampleSettings.NOTHING, code(setting))
            .settings();
    GatewaySettings fromBuilder = callBuilder(setting).build();

    assertThat(fromFile).isEqualTo(fromBuilder);
    if (setting.type().isText()) {
      GatewaySettings fromVariable =
          SettingsReader.read(
                  "", "t.yaml", SampleSettings.variables(setting.variable(), text), code(setting))
              .settings();
      assertThat(fromVariable).isEqualTo(fromBuilder);
    }
    assertThat((Object) setting.valueIn(fromBuilder)).isNotNull().isNotEqualTo(defaultOf(setting));
  }

  @ParameterizedTest
  @MethodSource("settings")
  void builderCanSetIt(Setting<?> setting) throws Exception {
    GatewaySettings settings = callBuilder(setting).build();
    assertThat((Object) setting.valueIn(settings)).isEqualTo(SampleSettings.valueOf(setting));
    assertThat(settings.toBuilder().build()).isEqualTo(settings);
  }

  static Stream<Setting<?>> settingsOfText() {
    return SettingTable.all().stream().filter(setting -> setting.type().isText());
  }

  static Stream<Setting<?>> settingsWithDefault() {
    return SettingTable.all().stream().filter(setting -> setting.defaultText().isPresent());
  }

  @ParameterizedTest
  @MethodSource("settingsOfText")
  void writtenValueIsReadBackEqual(Setting<?> setting) throws Exception {
    assertReadBack(setting, SampleSettings.of(setting));
    if (setting.defaultText().isPresent()) {
      assertReadBack(setting, setting.defaultText().get());
    }
  }

  @ParameterizedTest
  @MethodSource("settingsWithDefault")
  void defaultIsWithinTheRange(Setting<?> setting) {
    String text = setting.defaultText().orElseThrow();
    assertThatCode(() -> setting.read(text)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @MethodSource("settingsOfVariables")
  void variableOverridesTheFileEvenIfTheFileIsWrong(Setting<?> setting) {
    String text = SampleSettings.of(setting);
    String wrong =
        (setting.group().isEmpty() ? "" : setting.group() + ":\n  ")
            + setting.name()
            + ": ${ABSENT}\n";
    LoadedSettings loaded =
        SettingsReader.read(
            wrong, "t.yaml", SampleSettings.variables(setting.variable(), text), code(setting));
    assertThat(loaded.origins()).containsEntry(setting.key(), setting.variable());
  }

  static Stream<Setting<?>> settingsOfVariables() {
    return settingsOfText().filter(setting -> !FILES.contains(setting.key()));
  }

  static Stream<Setting<?>> settingsThatNoVariableHolds() {
    return SettingTable.all().stream().filter(setting -> !setting.type().isText());
  }

  @ParameterizedTest
  @MethodSource("settingsThatNoVariableHolds")
  void variableThatCannotHoldTheValueIsAnErrorWithoutItsContent(Setting<?> setting) {
    for (String text : List.of("", "[]", SampleSettings.of(setting))) {
      assertThatExceptionOfType(SettingsException.class)
          .isThrownBy(
              () ->
                  SettingsReader.read(
                      SampleSettings.yaml(setting, SampleSettings.of(setting)),
                      "t.yaml",
                      SampleSettings.variables(setting.variable(), text),
                      code(setting)))
          .satisfies(
              failure ->
                  assertThat(failure.problems())
                      .containsExactly(
                          setting.key()
                              + ": one line of text (expected: "
                              + setting.key()
                              + " in the settings file) in the environment variable "
                              + setting.variable()));
    }
  }

  @Test
  void onlyListsOfRecordsAndMapsDoNotFitIntoAVariable() {
    assertThat(settingsThatNoVariableHolds().map(Setting::key))
        .containsExactly(
            "upstream.members", "models.aliases", "plans", "presets", "retry.fallbacks");
  }

  @Test
  void propertiesOfPlansAndPresetsHaveTheUsualFormAndADescription() {
    for (RecordType<?> type : List.of(PlanProperties.PLAN, PresetProperties.PRESET)) {
      for (Property<?, ?> property : type.properties()) {
        assertThat(property.name()).matches("[a-z]+(-[a-z]+)*");
        assertThat(property.description()).endsWith(".");
        assertThat(property.secret()).isFalse();
      }
    }
  }

  @Test
  void propertiesOfAMemberHaveTheUsualFormAndADescription() {
    for (Property<?, ?> property : MemberProperties.MEMBER.properties()) {
      assertThat(property.name()).matches("[a-z]+(-[a-z]+)*");
      assertThat(property.description()).endsWith(".");
    }
    assertThat(
            MemberProperties.MEMBER.properties().stream()
                .filter(Property::secret)
                .map(Property::name))
        .containsExactly("api-key");
  }

  @ParameterizedTest
  @MethodSource("settings")
  void keyHasTheUsualFormAndADescription(Setting<?> setting) {
    assertThat(setting.key()).matches("([a-z]+(-[a-z]+)*\\.)?[a-z]+(-[a-z]+)*");
    assertThat(setting.description()).endsWith(".");
  }

  @Test
  void variablesAreDistinct() {
    assertThat(settings().stream().map(Setting::variable)).doesNotHaveDuplicates();
  }

  @Test
  void onlyKeysAndPasswordsAreSecret() {
    assertThat(settings().stream().filter(Setting::secret).map(Setting::key))
        .containsExactly("upstream.api-key", "usage.jdbc-password", "usage.report-key");
  }

  /** A key from elsewhere, so that each setting can be tested alone. */
  private static GatewaySettingsBuilder code(Setting<?> setting) {
    return SampleSettings.needsOf(setting);
  }

  private static GatewaySettingsBuilder callBuilder(Setting<?> setting) throws Exception {
    GatewaySettingsBuilder builder = code(setting);
    Method method =
        Arrays.stream(GatewaySettingsBuilder.class.getMethods())
            .filter(candidate -> candidate.getName().equals(camelCase(setting.key())))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no builder method for " + setting));
    method.invoke(builder, SampleSettings.valueOf(setting));
    return builder;
  }

  private static String camelCase(String key) {
    return Pattern.compile("[.-]([a-z])")
        .matcher(key)
        .replaceAll(match -> match.group(1).toUpperCase(java.util.Locale.ROOT));
  }

  private static <T> void assertReadBack(Setting<T> setting, String text) throws BadValue {
    T value = setting.read(text);
    String written = setting.secret() ? ((Secret) value).reveal() : setting.type().write(value);
    assertThat(setting.read(written)).isEqualTo(value);
  }

  private static Object defaultOf(Setting<?> setting) {
    Object value = setting.defaultValue();
    return value == null ? "none" : value;
  }
}
