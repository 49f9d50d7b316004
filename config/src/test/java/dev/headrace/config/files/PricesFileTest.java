package dev.headrace.config.files;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.messages.MessageUsage;
import dev.headrace.usage.PriceTable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The price file as shipped is the one in the jar, and a pattern for files of one's own. */
class PricesFileTest {
  private static final Path YAML = Path.of("prices.yaml");

  @Test
  void fileIsTheOneInTheJar() throws IOException {
    try (InputStream in =
        requireNonNull(PriceTable.class.getResourceAsStream("prices.yaml"), "prices.yaml")) {
      assertThat(in).hasBinaryContent(Files.readAllBytes(YAML));
    }
  }

  @Test
  void fileCanBeGivenAsAnOwnOneAndChangesNothing() {
    PriceTable own = PriceTable.load(YAML);
    PriceTable builtIn = PriceTable.builtIn();
    assertThat(own.version()).isEqualTo(builtIn.version() + " + " + builtIn.version());
    MessageUsage usage =
        new MessageUsage(61, 58, 1500, 1000, 8200, 0, 1, 0, "standard", "us", "fast", List.of());
    Instant when = Instant.parse("2026-11-22T10:15:00Z");
    assertThat(own.costUsd("claude-opus-5-5", usage, when, true))
        .isNotNull()
        .isEqualTo(builtIn.costUsd("claude-opus-5-5", usage, when, true));
  }

  @Test
  void fileExplainsEveryKeyOfARow() throws IOException {
    List<String> lines = Files.readAllLines(YAML);
    lines.stream()
        .filter(line -> line.matches(" +(- )?[a-z0-9-]+:.*"))
        .map(line -> line.replaceAll("^ +(- )?|:.*$", ""))
        .distinct()
        .forEach(
            key ->
                assertThat(lines)
                    .as(key)
                    .anyMatch(line -> line.matches("#   " + key + "  +[A-Za-z].*")));
  }
}
