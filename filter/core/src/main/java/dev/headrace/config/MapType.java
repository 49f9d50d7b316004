package dev.headrace.config;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Values of one type under keys that the user chooses, in the order of the file. Only the file can
 * have them, an environment variable cannot. Immutable.
 */
public final class MapType<V> extends SettingType<Map<String, V>> {
  /** Says by its exception what is wrong with a value under its key. */
  @FunctionalInterface
  interface EntryRule<V> {
    void check(String key, V value) throws BadValue;
  }

  private final SettingType<String> key;
  private final SettingType<V> value;
  private final EntryRule<V> rule;

  MapType(SettingType<String> key, SettingType<V> value) {
    this(key, value, (name, each) -> {});
  }

  private MapType(SettingType<String> key, SettingType<V> value, EntryRule<V> rule) {
    super("map of " + value.name(), "a group of keys, each " + key.expected());
    this.key = key;
    this.value = value;
    this.rule = rule;
  }

  /** Returns a type of maps whose entries keep a rule, besides those of their types. */
  MapType<V> where(EntryRule<V> entryRule) {
    return new MapType<>(key, value, entryRule);
  }

  /** Returns the type of the keys. */
  public SettingType<String> key() {
    return key;
  }

  /** Returns the type of the values. */
  public SettingType<V> value() {
    return value;
  }

  @Override
  public boolean isText() {
    return false;
  }

  @Override
  Map<String, V> read(String text) throws BadValue {
    if (text.isBlank()) {
      return Map.of();
    }
    throw BadValue.expected(expected());
  }

  @Override
  @Nullable Map<String, V> read(NodeReader reader, Place place, YamlNode node) {
    return reader.map(this, place, node);
  }

  @Override
  void check(String path, Map<String, V> map, Faults faults) {
    Place place = new Place(path, path);
    map.forEach(
        (name, each) -> {
          checkKey(path, name, faults);
          value.check(place.key(name).path(), each, faults);
          checkEntry(place, name, each, faults);
        });
  }

  /** Checks the form of a key; returns whether it is good. */
  boolean checkKey(String path, String name, Faults faults) {
    try {
      key.read(name);
      return true;
    } catch (BadValue e) {
      faults.add(path, "the key " + key.show(name), e);
      return false;
    }
  }

  void checkEntry(Place map, String name, V each, Faults faults) {
    try {
      rule.check(name, each);
    } catch (BadValue e) {
      faults.add(map.key(name).path(), value.shown(each), e);
    }
  }

  /** Not supported, as {@link #isText} says. */
  @Override
  String write(Map<String, V> map) {
    throw new UnsupportedOperationException(name());
  }

  @Override
  String shown(Map<String, V> map) {
    return print(map);
  }

  @Override
  String print(Map<String, V> map) {
    Map<String, String> printed = new LinkedHashMap<>();
    map.forEach((name, each) -> printed.put(Shown.text(name), value.print(each)));
    return printed.entrySet().stream()
        .map(entry -> entry.getKey() + ": " + entry.getValue())
        .collect(Collectors.joining(", ", "{", "}"));
  }
}
