package dev.headrace.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Gathers problems, so that all of them are reported together. Not thread-safe. */
final class Problems implements Faults {
  private final List<Problem> problems = new ArrayList<>();
  private final Set<String> keys = new HashSet<>();

  /** An exception for one bad value. */
  static SettingsException only(String key, BadValue fault, String shown) {
    return new SettingsException(
        List.of(Problem.of(key, key + ": " + fault.sentence(shown), null)));
  }

  void add(Problem problem) {
    problems.add(problem);
    for (String key : problem.keys()) {
      // With what surrounds it: a member of the upstream that is bad makes the list of them bad.
      String at = key;
      while (!at.isEmpty() && keys.add(at)) {
        at = NodeReader.parent(at);
      }
    }
  }

  @Override
  public void add(String path, String shown, BadValue fault) {
    add(Problem.of(path, path + ": " + fault.sentence(shown), null));
  }

  int size() {
    return problems.size();
  }

  /** Checks one value. */
  <T> void check(Setting<T> setting, T value) {
    setting.check(setting.key(), value, this);
  }

  /** Checks one value, if there is one. */
  <T> void checkIfSet(Setting<T> setting, @Nullable T value) {
    if (value != null) {
      check(setting, value);
    }
  }

  /** Checks a part of a record, if there is one. */
  <R, T> void checkPart(Place owner, Property<R, T> property, @Nullable T value) {
    if (value != null) {
      property.check(owner.key(property.name()).path(), value, this);
    }
  }

  /**
   * Adds that two settings, each in its range, do not fit each other; the first one is to blame.
   */
  <T> void addRelation(Setting<T> setting, T value, String relation, Setting<T> other, T limit) {
    List<String> both = List.of(setting.key(), other.key());
    if (concernAnyOf(both)) {
      return;
    }
    String fault = setting.key() + ": " + setting.show(value);
    String expected = relation + " " + other.key() + ", which is " + other.show(limit);
    add(Problem.between(both, fault + " (expected: " + expected + ")"));
  }

  /**
   * Whether one of these settings already has a problem, so that a further one would only repeat
   * it.
   */
  boolean concernAnyOf(List<String> some) {
    return !Collections.disjoint(keys, some);
  }

  List<Problem> all() {
    return List.copyOf(problems);
  }

  void throwIfAny() {
    if (!problems.isEmpty()) {
      throw new SettingsException(problems);
    }
  }
}
