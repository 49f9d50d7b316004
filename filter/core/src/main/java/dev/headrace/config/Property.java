package dev.headrace.config;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One named value of a record: its form, default, range and effect. The whole of the settings has
 * {@link Setting}s; a record within them, such as a member of the upstream, has plain ones.
 * Immutable. Internal: may change in any release.
 *
 * @param <R> the record that has the value
 * @param <T> the Java type of the value
 */
public class Property<R, T> {
  /** Takes the value out of its record. */
  @FunctionalInterface
  interface Getter<R, T> {
    @Nullable T get(R owner);
  }

  private final String name;
  private final SettingType<T> type;
  private final @Nullable String defaultText;
  private final @Nullable T defaultValue;
  private final Range<T> range;
  private final Getter<R, T> getter;
  private final String description;

  Property(
      String name,
      SettingType<T> type,
      @Nullable String defaultText,
      Range<T> range,
      Getter<R, T> getter,
      String description) {
    this.name = name;
    this.type = type;
    this.defaultText = defaultText;
    this.range = range;
    this.getter = getter;
    this.description = description;
    try {
      this.defaultValue = defaultText == null ? null : type.read(defaultText);
    } catch (BadValue e) {
      throw new IllegalStateException(name + ": " + e.sentence(defaultText), e);
    }
  }

  /** Returns the key within its group or record, such as {@code base-url}. */
  public final String name() {
    return name;
  }

  /** Returns the form of the value. */
  public final SettingType<T> type() {
    return type;
  }

  /** Returns the name of the value's form, such as {@code duration} or {@code list of header}. */
  public final String typeName() {
    return type.name();
  }

  /** Returns the default in the notation of the file; empty if there is none. */
  public final Optional<String> defaultText() {
    return Optional.ofNullable(defaultText);
  }

  /** Returns the allowed values in words; empty if every value of the type is allowed. */
  public final String range() {
    return range.text();
  }

  /** Returns the smallest value in the notation of the file, if the range has one. */
  public final Optional<String> minimum() {
    return Optional.ofNullable(range.minimum());
  }

  /** Returns the largest value in the notation of the file, if the range has one. */
  public final Optional<String> maximum() {
    return Optional.ofNullable(range.maximum());
  }

  /** Returns what the value does. */
  public final String description() {
    return description;
  }

  /** Returns whether the value must not be shown. */
  public final boolean secret() {
    return type == SettingType.SECRET;
  }

  final @Nullable T defaultValue() {
    return defaultValue;
  }

  final @Nullable T valueIn(R owner) {
    return getter.get(owner);
  }

  /** Reads a value and checks its range. */
  final T read(String text) throws BadValue {
    T value = type.read(text);
    check(value);
    return value;
  }

  /** Checks the range alone. */
  final void check(T value) throws BadValue {
    range.check().check(value);
  }

  /** Checks the range of a value and the rules of its type, for each of its parts. */
  final void check(String path, T value, Faults faults) {
    type.check(path, value, faults);
    checkRange(path, value, faults);
  }

  /** Checks the range of a value that was read, so that its type has been checked already. */
  final void checkRange(String path, T value, Faults faults) {
    try {
      check(value);
    } catch (BadValue e) {
      faults.add(path, show(value), e);
    }
  }

  /** Shows a value in an error text. */
  final String show(T value) {
    return type.shown(value);
  }
}
