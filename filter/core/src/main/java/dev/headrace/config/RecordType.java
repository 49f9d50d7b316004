package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A group of known keys that stands in a list or a map, and the Java record that it is read into.
 * The record checks its values when it is made. Only the file can have it, an environment variable
 * cannot. Immutable.
 *
 * @param <R> the Java record
 */
public final class RecordType<R> extends SettingType<R> {
  /** Makes the record from values that are each in their range. */
  @FunctionalInterface
  interface Maker<R> {
    R make(Values<R> values);
  }

  /** Two properties of which at most one may be there. */
  record Exclusive<R>(Property<R, ?> first, Property<R, ?> second) {}

  private final List<Property<R, ?>> properties;
  private final List<Exclusive<R>> exclusives;
  private final List<Property<R, ?>> needed;
  private final Maker<R> maker;

  /**
   * Describes a record.
   *
   * @param name one word for it
   */
  RecordType(String name, Maker<R> maker, List<Property<R, ?>> properties) {
    this(name, maker, properties, List.of(), List.of());
  }

  private RecordType(
      String name,
      Maker<R> maker,
      List<Property<R, ?>> properties,
      List<Exclusive<R>> exclusives,
      List<Property<R, ?>> needed) {
    super(
        name,
        "a group of keys out of "
            + properties.stream().map(Property::name).collect(Collectors.joining(", ")));
    this.properties = List.copyOf(properties);
    this.exclusives = List.copyOf(exclusives);
    this.needed = List.copyOf(needed);
    this.maker = maker;
  }

  /** Returns a type of records that have at most one of these two. */
  RecordType<R> atMostOneOf(Property<R, ?> first, Property<R, ?> second) {
    List<Exclusive<R>> all = new ArrayList<>(exclusives);
    all.add(new Exclusive<>(first, second));
    return new RecordType<>(name(), maker, properties, all, needed);
  }

  /** Returns a type of records that have all of these; to check it is the matter of the maker. */
  RecordType<R> needing(List<Property<R, ?>> all) {
    return new RecordType<>(name(), maker, properties, exclusives, all);
  }

  /** Returns what a record consists of, in the order of the settings file. */
  public List<Property<R, ?>> properties() {
    return properties;
  }

  /** Returns the properties without which there is no such record. */
  public List<Property<R, ?>> needed() {
    return needed;
  }

  List<Exclusive<R>> exclusives() {
    return exclusives;
  }

  @Override
  public boolean isText() {
    return false;
  }

  @Override
  R read(String text) throws BadValue {
    throw BadValue.expected(expected());
  }

  @Override
  @Nullable R read(NodeReader reader, Place place, YamlNode node) {
    return reader.record(this, place, node);
  }

  R make(Values<R> values) {
    return maker.make(values);
  }

  /** Not supported, as {@link #isText} says. */
  @Override
  String write(R value) {
    throw new UnsupportedOperationException(name());
  }

  @Override
  String shown(R value) {
    return print(value);
  }

  @Override
  String print(R value) {
    List<String> printed = new ArrayList<>();
    for (Property<R, ?> property : properties) {
      print(property, value, printed);
    }
    return "{" + String.join(", ", printed) + "}";
  }

  private static <R, T> void print(Property<R, T> property, R owner, List<String> printed) {
    T value = property.valueIn(owner);
    if (value != null) {
      printed.add(property.name() + ": " + property.type().print(value));
    }
  }

  /** What the file has for one record. Not thread-safe. */
  static final class Values<R> {
    private final Place place;
    private final Map<Property<R, ?>, Object> given = new HashMap<>();

    Values(Place place) {
      this.place = place;
    }

    /** Returns the key under which the record stands, or its number in a list, counted from 1. */
    String place() {
      return place.name();
    }

    <T> void put(Property<R, T> property, T value) {
      given.put(property, requireNonNull(value, property.name()));
    }

    boolean has(Property<R, ?> property) {
      return given.containsKey(property);
    }

    /** Returns the value or else the default; null if there is neither. */
    <T> @Nullable T get(Property<R, T> property) {
      // The only way in is put(), which takes the value that belongs to the property.
      @SuppressWarnings("unchecked")
      T value = (T) given.get(property);
      return value == null ? property.defaultValue() : value;
    }

    <T> T get(Property<R, T> property, T otherwise) {
      T value = get(property);
      return value == null ? otherwise : value;
    }
  }
}
