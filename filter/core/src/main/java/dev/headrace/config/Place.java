package dev.headrace.config;

/**
 * Where in the settings a value stands. Immutable.
 *
 * @param path the full key, such as {@code upstream.members[1]}; places in a list count from 0
 * @param name what tells a value from its neighbours: its key, or its number in a list, counted
 *     from 1
 */
record Place(String path, String name) {
  static Place of(Setting<?> setting) {
    return new Place(setting.key(), setting.name());
  }

  Place key(String key) {
    return new Place(path + "." + Shown.name(key), key);
  }

  Place item(int index) {
    return new Place(path + "[" + index + "]", Integer.toString(index + 1));
  }
}
