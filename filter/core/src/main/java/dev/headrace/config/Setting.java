package dev.headrace.config;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One row of the {@link SettingTable}: everything there is to know about a setting. Immutable.
 * Internal: may change in any release.
 *
 * @param <T> the Java type of its value
 */
public final class Setting<T> extends Property<GatewaySettings, T> {
  /** Every environment variable that overrides a setting begins so. */
  static final String VARIABLE_PREFIX = "HEADRACE_";

  private final String key;

  Setting(
      String key,
      SettingType<T> type,
      @Nullable String defaultText,
      Range<T> range,
      Getter<GatewaySettings, T> getter,
      String description) {
    super(key.substring(key.indexOf('.') + 1), type, defaultText, range, getter, description);
    this.key = key;
  }

  /** Returns the full key, such as {@code upstream.base-url}. */
  public String key() {
    return key;
  }

  /** Returns the group, such as {@code upstream}; empty for the settings that are in none. */
  public String group() {
    int dot = key.indexOf('.');
    return dot < 0 ? "" : key.substring(0, dot);
  }

  /** Returns the environment variable that overrides the file, such as {@code HEADRACE_MOUNT}. */
  public String variable() {
    return VARIABLE_PREFIX + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  @Override
  public String toString() {
    return key;
  }
}
