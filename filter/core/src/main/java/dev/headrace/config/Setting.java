package dev.headrace.config;

import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One row of the {@link SettingTable}: everything there is to know about a setting. Immutable.
 * Internal: may change in any release.
 *
 * @param <T> the Java type of its value
 */
public final class Setting<T> {
  /** Every environment variable that overrides a setting begins so. */
  static final String VARIABLE_PREFIX = "HEADRACE_";

  /** Takes the value of one setting out of the records. */
  @FunctionalInterface
  interface Getter<T> {
    @Nullable T get(GatewaySettings settings);
  }

  private final String key;
  private final SettingType<T> type;
  private final @Nullable String defaultText;
  private final @Nullable T defaultValue;
  private final Range<T> range;
  private final Getter<T> getter;
  private final String description;

  Setting(
      String key,
      SettingType<T> type,
      @Nullable String defaultText,
      Range<T> range,
      Getter<T> getter,
      String description) {
    this.key = key;
    this.type = type;
    this.defaultText = defaultText;
    this.range = range;
    this.getter = getter;
    this.description = description;
    try {
      this.defaultValue = defaultText == null ? null : type.read(defaultText);
    } catch (BadValue e) {
      throw new IllegalStateException(key + ": " + e.sentence(defaultText), e);
    }
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

  /** Returns the key within its group, such as {@code base-url}. */
  public String name() {
    return key.substring(key.indexOf('.') + 1);
  }

  /** Returns the environment variable that overrides the file, such as {@code HEADRACE_MOUNT}. */
  public String variable() {
    return VARIABLE_PREFIX + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  /** Returns the name of the value's form, such as {@code duration} or {@code list of header}. */
  public String typeName() {
    return type.name();
  }

  /** Returns the default in the notation of the file; empty if there is none. */
  public Optional<String> defaultText() {
    return Optional.ofNullable(defaultText);
  }

  /** Returns the allowed values in words; empty if every value of the type is allowed. */
  public String range() {
    return range.text();
  }

  /** Returns the smallest value in the notation of the file, if the range has one. */
  public Optional<String> minimum() {
    return Optional.ofNullable(range.minimum());
  }

  /** Returns the largest value in the notation of the file, if the range has one. */
  public Optional<String> maximum() {
    return Optional.ofNullable(range.maximum());
  }

  /** Returns what the setting does. */
  public String description() {
    return description;
  }

  /** Returns whether the value must not be shown. */
  public boolean secret() {
    return type == SettingType.SECRET;
  }

  SettingType<T> type() {
    return type;
  }

  @Nullable T defaultValue() {
    return defaultValue;
  }

  @Nullable T valueIn(GatewaySettings settings) {
    return getter.get(settings);
  }

  /** Reads a value and checks its range. */
  T read(String text) throws BadValue {
    T value = type.read(text);
    check(value);
    return value;
  }

  /**
   * Reads a value, checks its range, and lets a relative path start at a folder.
   *
   * @param folder where relative paths start; null for the working directory
   */
  T read(String text, @Nullable Path folder) throws BadValue {
    return folder == null ? read(text) : type.below(folder, read(text));
  }

  void check(T value) throws BadValue {
    range.check().check(value);
  }

  /** Shows a value in an error text. */
  String show(T value) {
    return type.show(type.write(value));
  }

  @Override
  public String toString() {
    return key;
  }
}
