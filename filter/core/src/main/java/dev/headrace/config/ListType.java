package dev.headrace.config;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A list of values of one type. In an environment variable its elements are separated by commas, if
 * they can be written there at all. Immutable.
 */
public final class ListType<E> extends SettingType<List<E>> {
  /**
   * How many elements there may be.
   *
   * @param noun what the elements are, in the plural
   */
  private record Size(int minimum, int maximum, String noun) {
    private String expected() {
      return (minimum == 0 ? "at most " : minimum + " to ") + maximum + " " + noun;
    }
  }

  private final SettingType<E> element;
  private final @Nullable Size size;
  private final @Nullable Property<E, ?> distinct;
  private final boolean allDistinct;

  ListType(SettingType<E> element) {
    this(element, null, null, false);
  }

  private ListType(
      SettingType<E> element,
      @Nullable Size size,
      @Nullable Property<E, ?> distinct,
      boolean allDistinct) {
    super("list of " + element.name(), "a list, each element " + element.expected());
    this.element = element;
    this.size = size;
    this.distinct = distinct;
    this.allDistinct = allDistinct;
  }

  /** Returns a type of lists with so many elements. */
  ListType<E> sized(int minimum, int maximum, String noun) {
    return new ListType<>(element, new Size(minimum, maximum, noun), distinct, allDistinct);
  }

  /** Returns a type of lists in which no element is there twice. */
  ListType<E> distinct() {
    return new ListType<>(element, size, null, true);
  }

  /** Returns a type of lists whose elements all differ in one property. */
  ListType<E> distinctBy(Property<E, ?> property) {
    return new ListType<>(element, size, property, false);
  }

  /** Returns the type of the elements. */
  public SettingType<E> element() {
    return element;
  }

  /** Returns the least number of elements. */
  public int minimumSize() {
    return size == null ? 0 : size.minimum();
  }

  /** Returns the greatest number of elements. */
  public int maximumSize() {
    return size == null ? Integer.MAX_VALUE : size.maximum();
  }

  @Override
  public boolean isText() {
    return element.isText();
  }

  @Override
  List<E> read(String text) throws BadValue {
    if (text.isBlank()) {
      return List.of();
    }
    if (!isText()) {
      throw BadValue.expected(expected());
    }
    List<E> list = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      list.add(element.read(part.strip()));
    }
    return List.copyOf(list);
  }

  @Override
  @Nullable List<E> read(NodeReader reader, Place place, YamlNode node) {
    return reader.list(this, place, node);
  }

  /** Returns where an element stands; a plain value counts as a part of its list. */
  Place placeOf(Place list, int index) {
    return element.isText() ? list : list.item(index);
  }

  @Override
  void check(String path, List<E> value, Faults faults) {
    checkWhole(path, value, faults);
    Place list = new Place(path, path);
    for (int i = 0; i < value.size(); i++) {
      element.check(placeOf(list, i).path(), value.get(i), faults);
    }
  }

  /**
   * Checks the rules of the list, not its elements.
   *
   * @param value the elements, with null for those that are bad by themselves
   */
  void checkWhole(String path, List<? extends @Nullable E> value, Faults faults) {
    if (size != null && (value.size() < size.minimum() || value.size() > size.maximum())) {
      String shown = isText() ? shownWhole(value) : value.size() + " " + size.noun();
      faults.add(path, shown, BadValue.expected(size.expected()));
    }
    if (distinct != null) {
      checkDistinct(path, value, distinct, faults);
    }
    if (allDistinct && new HashSet<>(value).size() < value.size()) {
      faults.add(path, shownWhole(value), BadValue.expected("each element once"));
    }
  }

  private String shownWhole(List<? extends @Nullable E> value) {
    return value.stream().map(each -> each == null ? "?" : element.shown(each)).toList().toString();
  }

  private <T> void checkDistinct(
      String path, List<? extends @Nullable E> value, Property<E, T> property, Faults faults) {
    Set<T> seen = new HashSet<>();
    for (int i = 0; i < value.size(); i++) {
      E each = value.get(i);
      T part = each == null ? null : property.valueIn(each);
      if (part != null && !seen.add(part)) {
        faults.add(
            path + "[" + i + "]." + property.name(),
            property.show(part),
            BadValue.expected("one that no other element of the list has"));
      }
    }
  }

  @Override
  String write(List<E> value) {
    return String.join(", ", value.stream().map(element::write).toList());
  }

  @Override
  String shown(List<E> value) {
    return shownWhole(value);
  }

  @Override
  String print(List<E> value) {
    return value.stream().map(element::print).toList().toString();
  }
}
