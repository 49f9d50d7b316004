package dev.headrace.config;

import java.util.List;
import java.util.Map;

/** A piece of a YAML document with the line on which it begins. */
sealed interface YamlNode {
  /** Returns the line, counted from 1. */
  int line();

  /** Says what this is, for an error text. */
  String kind();

  /** One value, always as text: whether {@code 010} is eight or ten is for nobody to guess. */
  record Scalar(String text, int line) implements YamlNode {
    @Override
    public String kind() {
      return "a single value";
    }
  }

  /** A key with nothing behind it, or {@code null}. */
  record Nothing(int line) implements YamlNode {
    @Override
    public String kind() {
      return "no value";
    }
  }

  /** A list. */
  record Sequence(List<YamlNode> items, int line) implements YamlNode {
    @Override
    public String kind() {
      return "a list";
    }
  }

  /** Keys and values in the order of the file. */
  record Mapping(Map<String, Entry> entries, int line) implements YamlNode {
    @Override
    public String kind() {
      return "a group of keys";
    }
  }

  /**
   * A value and the line of its key.
   *
   * @param keyLine where the key stands, which may be above the value
   */
  record Entry(YamlNode value, int keyLine) {}
}
