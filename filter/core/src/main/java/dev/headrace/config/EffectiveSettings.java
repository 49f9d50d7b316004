package dev.headrace.config;

import java.util.Map;
import java.util.Objects;

/** Writes the settings in force as text, to be printed once at the start. Secrets are masked. */
public final class EffectiveSettings {
  private EffectiveSettings() {}

  /** Describes settings that were read: from where, and each with the place where it was set. */
  public static String describe(LoadedSettings loaded) {
    return "from " + loaded.source() + "\n" + describe(loaded.settings(), loaded.origins());
  }

  /** Describes settings made in code. */
  public static String describe(GatewaySettings settings) {
    return describe(settings, Map.of());
  }

  /**
   * Describes settings: one line for each, {@code key = value (origin)}, in the order of the
   * settings file. Text is in quotes; a setting without a value is left out.
   *
   * @param origins where settings come from, by key; without an entry it is {@code default} or, if
   *     the value is another one, {@code code}
   */
  public static String describe(GatewaySettings settings, Map<String, String> origins) {
    StringBuilder text = new StringBuilder();
    for (Setting<?> setting : SettingTable.all()) {
      appendLine(text, setting, settings, origins);
    }
    if (settings.upstream().apiKeySource() != null) {
      appendLine(text, "upstream.api-key-source", Secret.MASK, Origin.CODE.name());
    }
    return text.toString();
  }

  private static <T> void appendLine(
      StringBuilder text,
      Setting<T> setting,
      GatewaySettings settings,
      Map<String, String> origins) {
    T value = setting.valueIn(settings);
    if (value == null) {
      return;
    }
    boolean isDefault = Objects.equals(value, setting.defaultValue());
    String origin =
        origins.getOrDefault(setting.key(), isDefault ? Origin.DEFAULT.name() : Origin.CODE.name());
    appendLine(text, setting.key(), setting.type().print(value), origin);
  }

  private static void appendLine(StringBuilder text, String key, String value, String origin) {
    text.append(key).append(" = ").append(value).append("  (").append(origin).append(")\n");
  }
}
