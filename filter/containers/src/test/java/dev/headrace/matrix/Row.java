package dev.headrace.matrix;

import java.util.List;

/**
 * A row of the table.
 *
 * @param async whether streams were asynchronous
 * @param noticed after what time a client that left was noticed; differs from run to run
 * @param notes where this server differs
 */
record Row(
    String container,
    String version,
    String jdk,
    String protocol,
    String async,
    String noticed,
    String notes) {

  static final Row HEADER =
      new Row(
          "Container",
          "Version",
          "JDK",
          "Protocol",
          "Async streaming",
          "A client that has left is noticed after",
          "Notes");

  static Row of(Cell cell, Protocol protocol, boolean async, String noticed) {
    return new Row(
        cell.kind().title(),
        cell.version(),
        Integer.toString(cell.jdk()),
        protocol.title(),
        async ? "yes" : "no",
        noticed,
        Notes.words(cell.kind(), protocol));
  }

  /** Which row it is, whatever was measured. */
  String key() {
    return String.join(" | ", container, version, jdk, protocol);
  }

  /** What must be the same in every run. */
  String lasting() {
    return String.join(" | ", key(), async, notes);
  }

  String markdown() {
    return "| "
        + String.join(" | ", container, version, jdk, protocol, async, noticed, notes)
        + " |";
  }

  static Row parse(String markdown) {
    List<String> fields =
        java.util.Arrays.stream(markdown.strip().split("\\|", -1)).map(String::strip).toList();
    if (fields.size() != 9) {
      throw new IllegalArgumentException("not a row of the table: " + markdown);
    }
    return new Row(
        fields.get(1),
        fields.get(2),
        fields.get(3),
        fields.get(4),
        fields.get(5),
        fields.get(6),
        fields.get(7));
  }
}
