package dev.headrace.matrix;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The table in the README, and the rows that cells have measured in {@code target/matrix}. */
final class MatrixTable {

  /** Whether cells write what they have measured into the README, instead of comparing with it. */
  static final boolean IS_WRITTEN = Boolean.getBoolean("write-matrix");

  private static final String BEGIN = "<!-- matrix:begin -->";
  private static final String END = "<!-- matrix:end -->";
  private static final Path README = Path.of("../../README.md");
  private static final Path MEASURED = Path.of("target/matrix");
  private static final Path LOCK = MEASURED.resolve("writing");

  private MatrixTable() {}

  /** The rows of the README. */
  static List<Row> inReadme() throws IOException {
    String readme = Files.readString(README);
    int begin = readme.indexOf(BEGIN);
    int end = readme.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IllegalStateException(README + " has no " + BEGIN + " ... " + END);
    }
    List<Row> rows = new ArrayList<>();
    for (String line : readme.substring(begin, end).lines().toList()) {
      if (line.startsWith("| ") && !line.startsWith("| " + Row.HEADER.container() + " ")) {
        rows.add(Row.parse(line));
      }
    }
    return rows;
  }

  /** The rows that there must be, in their order, as far as they are known without measuring. */
  static List<Row> expected() {
    return Cell.all().stream()
        .flatMap(
            cell -> cell.protocols().stream().map(protocol -> Row.of(cell, protocol, true, "")))
        .toList();
  }

  static void keep(Cell cell, List<Row> rows) throws IOException {
    Files.createDirectories(MEASURED);
    Files.write(MEASURED.resolve(cell.id() + ".md"), rows.stream().map(Row::markdown).toList());
  }

  private static Map<String, Row> measured() throws IOException {
    List<Row> rows = new ArrayList<>();
    if (Files.isDirectory(MEASURED)) {
      try (Stream<Path> files = Files.list(MEASURED)) {
        for (Path file : (Iterable<Path>) files.sorted()::iterator) {
          if (file.toString().endsWith(".md")) {
            Files.readAllLines(file).forEach(line -> rows.add(Row.parse(line)));
          }
        }
      }
    }
    return byKey(rows);
  }

  /** Writes the table: rows measured now, else those that were in it. One JVM at a time. */
  static void write() throws IOException {
    try (FileChannel lock =
            FileChannel.open(LOCK, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock held = lock.lock()) {
      writeAlone();
      held.release();
    }
  }

  private static void writeAlone() throws IOException {
    Map<String, Row> rows = byKey(inReadme());
    rows.putAll(measured());
    StringBuilder table = new StringBuilder(Row.HEADER.markdown());
    table.append("\n|---|---|---|---|---|---|---|\n");
    for (Cell cell : Cell.all()) {
      for (Protocol protocol : cell.protocols()) {
        Row row = rows.get(Row.of(cell, protocol, true, "").key());
        if (row != null) { // else not measured yet
          boolean async = row.async().equals("yes");
          table.append(Row.of(cell, protocol, async, row.noticed()).markdown()).append('\n');
        }
      }
    }
    String readme = Files.readString(README);
    Files.writeString(
        README,
        readme.substring(0, readme.indexOf(BEGIN) + BEGIN.length())
            + "\n"
            + table
            + readme.substring(readme.indexOf(END)));
  }

  static Map<String, Row> byKey(List<Row> rows) {
    Map<String, Row> map = new LinkedHashMap<>();
    rows.forEach(row -> map.put(row.key(), row));
    return map;
  }
}
