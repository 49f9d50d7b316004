package dev.headrace.config;

/** Takes what is wrong with the parts of a value, each by the path of its key. */
@FunctionalInterface
interface Faults {
  /**
   * Adds one fault.
   *
   * @param path the full key, such as {@code upstream.members[1].weight}
   * @param shown the bad value, fit for an error text
   */
  void add(String path, String shown, BadValue fault);
}
