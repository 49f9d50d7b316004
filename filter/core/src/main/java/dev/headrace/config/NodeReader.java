package dev.headrace.config;

import dev.headrace.config.Placeholders.Filled;
import dev.headrace.config.RecordType.Exclusive;
import dev.headrace.config.RecordType.Values;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the node of a setting, with everything below it, as a value of the setting's type. What is
 * wrong goes to the problems, each with its path and line; a value with a problem in it is null.
 * Not thread-safe: one instance per reading.
 */
final class NodeReader implements Faults {
  /** As shells write it. A secret that looks so can be given by a variable. */
  private static final Pattern VARIABLE_WITHOUT_BRACES =
      Pattern.compile("\\$[A-Za-z_][A-Za-z0-9_]*");

  private final String sourceName;
  private final RelativePaths paths;
  private final Environment environment;
  private final Problems problems;

  /** The lines of all values that were read, by path. */
  private final Map<String, Origin> places = new HashMap<>();

  /** Plain values as they stand in the file, safe for error texts, by path. */
  private final Map<String, String> written = new HashMap<>();

  /** Those of them that came from a variable with a secret's name, so that nothing else may do. */
  private final Map<String, String> veiled = new HashMap<>();

  private boolean complete = true;

  /**
   * Prepares a reading.
   *
   * @param paths where relative paths in the file start
   */
  NodeReader(String sourceName, RelativePaths paths, Environment environment, Problems problems) {
    this.sourceName = sourceName;
    this.paths = paths;
    this.environment = environment;
    this.problems = problems;
  }

  /**
   * Says that the file was not read to its end, so that nothing in it can be said to be missing.
   */
  void restIsUnknown() {
    complete = false;
  }

  /** Reads a value and checks its range. */
  <T> @Nullable T read(Property<?, T> property, Place place, YamlNode node) {
    T value = property.type().read(this, place, node);
    if (value == null) {
      return null;
    }
    int before = problems.size();
    property.checkRange(place.path(), value, this);
    return problems.size() == before ? value : null;
  }

  /** Returns the line of a value, or of what it is a part of; null if it is not in the file. */
  @Nullable Origin locate(String path) {
    return places.get(path);
  }

  /** Shows a value in an error text, unless it came from a variable with a secret's name. */
  String show(String path, String shown) {
    return veiled.getOrDefault(path, shown);
  }

  @Override
  public void add(String path, String shown, BadValue fault) {
    String sentence = fault.sentence(written.getOrDefault(path, shown));
    problems.add(Problem.of(path, path + ": " + sentence, nearest(path)));
  }

  /** Returns the line of the value, or else of the smallest part of the file that surrounds it. */
  private @Nullable Origin nearest(String path) {
    for (String at = path; !at.isEmpty(); at = parent(at)) {
      Origin origin = places.get(at);
      if (origin != null) {
        return origin;
      }
    }
    return null;
  }

  /** Returns the path without its last key or index; empty at the end. */
  static String parent(String path) {
    return path.substring(0, Math.max(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['))));
  }

  // ---- one method for each kind of type, which call it

  <T> @Nullable T scalar(SettingType<T> type, Place place, YamlNode node) {
    places.put(place.path(), origin(node));
    if (!(node instanceof YamlNode.Scalar scalar)) {
      addShape(place, node, type);
      return null;
    }
    if (type == SettingType.SECRET && VARIABLE_WITHOUT_BRACES.matcher(scalar.text()).matches()) {
      // Without the name: it may be a secret after all.
      add(
          place.path(),
          Secret.MASK,
          BadValue.noted(
              "is the name of a variable without braces",
              "braces, as in ${ANTHROPIC_API_KEY}; a secret that looks so, in a variable"));
      return null;
    }
    Filled text = fill(type, place, scalar);
    if (text == null) {
      return null;
    }
    String shown = type.show(text.showable());
    written.put(place.path(), shown);
    if (!text.showable().equals(text.value())) {
      veiled.put(place.path(), shown);
    }
    T value;
    try {
      value = type.read(text.value());
    } catch (BadValue e) {
      add(place.path(), shown, e);
      return null;
    }
    try {
      return type.start(paths, value);
    } catch (BadValue e) {
      String problem = place.path() + ": " + e.sentence(shown);
      problems.add(Problem.missingHere(place.path(), problem, origin(node)));
      return null;
    }
  }

  <E> @Nullable List<E> list(ListType<E> type, Place place, YamlNode node) {
    if (!(node instanceof YamlNode.Sequence sequence)) {
      addShape(place, node, type);
      return null;
    }
    int before = problems.size();
    List<@Nullable E> all = new ArrayList<>();
    List<E> good = new ArrayList<>();
    List<String> shown = new ArrayList<>();
    for (YamlNode item : sequence.items()) {
      Place itemPlace = type.placeOf(place, all.size());
      E element = type.element().read(this, itemPlace, item);
      all.add(element);
      if (element != null) {
        good.add(element);
      }
      shown.add(written.getOrDefault(itemPlace.path(), "?"));
    }
    places.put(place.path(), origin(node));
    if (type.isText()) {
      written.put(place.path(), shown.toString());
    }
    if (!type.isText() || good.size() == all.size()) {
      type.checkWhole(place.path(), all, this);
    }
    return problems.size() == before ? List.copyOf(good) : null;
  }

  <V> @Nullable Map<String, V> map(MapType<V> type, Place place, YamlNode node) {
    if (!(node instanceof YamlNode.Mapping mapping)) {
      addShape(place, node, type);
      return null;
    }
    int before = problems.size();
    Map<String, V> map = new LinkedHashMap<>();
    mapping
        .entries()
        .forEach(
            (key, entry) -> {
              places.put(place.path(), Origin.file(sourceName, entry.keyLine()));
              boolean named = type.checkKey(place.path(), key, this);
              V value = type.value().read(this, place.key(key), entry.value());
              if (named && value != null) {
                type.checkEntry(place, key, value, this);
                map.put(key, value);
              }
            });
    places.put(place.path(), origin(node));
    return problems.size() == before ? map : null;
  }

  <R> @Nullable R record(RecordType<R> type, Place place, YamlNode node) {
    places.put(place.path(), origin(node));
    if (!(node instanceof YamlNode.Mapping mapping)) {
      addShape(place, node, type);
      return null;
    }
    int before = problems.size();
    Values<R> values = new Values<>(place);
    mapping
        .entries()
        .forEach(
            (key, entry) -> {
              Optional<Property<R, ?>> property =
                  type.properties().stream().filter(each -> each.name().equals(key)).findFirst();
              if (property.isPresent()) {
                readInto(values, property.get(), place.key(key), entry.value());
              } else {
                addUnknown(type, place, key, entry.keyLine());
              }
            });
    for (Exclusive<R> exclusive : type.exclusives()) {
      String first = place.key(exclusive.first().name()).path();
      String second = place.key(exclusive.second().name()).path();
      Origin origin = places.get(second);
      if (places.containsKey(first) && origin != null) {
        problems.add(Problem.bothSet(first, second).from(origin));
      }
    }
    return problems.size() == before ? make(type, values, place) : null;
  }

  private <R, T> void readInto(
      Values<R> values, Property<R, T> property, Place place, YamlNode node) {
    T value = read(property, place, node);
    if (value != null) {
      values.put(property, value);
    }
  }

  /**
   * Makes the record; what only its constructor can tell is said of the part that it blames, or
   * else of the record as a whole.
   */
  private <R> @Nullable R make(RecordType<R> type, Values<R> values, Place place) {
    try {
      return type.make(values);
    } catch (SettingsException e) {
      for (Problem problem : e.details()) {
        if (problem.isRelation() && !complete) {
          continue;
        }
        Origin part = places.get(problem.keys().get(0));
        Origin origin = part == null ? places.get(place.path()) : part;
        problems.add(Problem.of(place.path(), problem.text(), origin));
      }
      return null;
    }
  }

  // ---- parts

  /** Fills the placeholders of a text; null if that is not possible, which is then noted. */
  private @Nullable Filled fill(SettingType<?> type, Place place, YamlNode.Scalar scalar) {
    try {
      return Placeholders.fill(scalar.text(), environment);
    } catch (BadValue e) {
      String text = place.path() + ": " + e.sentence(type.show(scalar.text()));
      problems.add(Problem.of(place.path(), text, origin(scalar)));
    } catch (Placeholders.MissingVariable e) {
      String fault = place.path() + ": ${" + Shown.name(e.variableName()) + "} has no value";
      String expected = " (expected: an environment variable or system property of that name)";
      problems.add(Problem.missingHere(place.path(), fault + expected, origin(scalar)));
    }
    return null;
  }

  private void addShape(Place place, YamlNode node, SettingType<?> type) {
    String text = place.path() + ": " + node.kind() + " (expected: " + type.expected() + ")";
    problems.add(Problem.of(place.path(), text, origin(node)));
  }

  private void addUnknown(RecordType<?> type, Place place, String key, int line) {
    List<String> names = type.properties().stream().map(Property::name).toList();
    String hint =
        Suggestions.closest(key, names)
            .map(name -> ". Did you mean " + place.key(name).path() + "?")
            .orElse(". Known here: " + String.join(", ", names) + ".");
    String path = place.key(key).path();
    problems.add(
        Problem.of(path, path + " is not a setting" + hint, Origin.file(sourceName, line)));
  }

  private Origin origin(YamlNode node) {
    return Origin.file(sourceName, node.line());
  }
}
