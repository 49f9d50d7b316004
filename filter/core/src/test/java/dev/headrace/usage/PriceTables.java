package dev.headrace.usage;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Price tables and rows for tests. */
final class PriceTables {
  private PriceTables() {}

  /** The built-in table with a file of one's own. */
  static PriceTable with(String yaml) {
    try {
      Path file = Files.createTempFile("prices", ".yaml");
      try {
        Files.writeString(file, yaml);
        return PriceTable.load(file);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A row of seven lines that costs 1, 2, 3, 4, 5. */
  static String row(String model) {
    return """
      - models: [%s]
        input: 1
        cache-write-5m: 2
        cache-write-1h: 3
        cache-read: 4
        output: 5
    """
        .formatted(model);
  }
}
