package dev.headrace.usage;

import static java.util.Objects.requireNonNull;

import dev.headrace.usage.PriceYaml.Mapping;
import dev.headrace.usage.PriceYaml.Node;
import dev.headrace.usage.PriceYaml.Scalar;
import dev.headrace.usage.PriceYaml.Sequence;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads one price file and gathers all that is wrong with it. Not thread-safe: one per file. */
final class PriceFileReader {
  private static final String FILE = "a price file in YAML like config/prices.yaml";
  private static final String PRICE = "US dollars per million tokens, such as 2.50";
  private static final String FACTOR = "a factor such as 1.1, above 0";

  /** A price file has some hundred lines; a larger one is another file, named by mistake. */
  private static final int MAX_FILE_BYTES = 256 * 1024;

  /** Twelve decimals hold what six of a price and six of a million make. */
  private static final Pattern AMOUNT = Pattern.compile("[0-9]{1,6}(\\.[0-9]{1,6})?");

  private static final Pattern COUNT = Pattern.compile("[0-9]{1,12}");
  private static final Pattern DATE = Pattern.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}");
  private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9._:/@-]{1,100}");
  private static final Pattern VERSION = Pattern.compile("[!-~]([ -~]{0,38}[!-~])?");

  private static final List<String> FILE_KEYS =
      List.of("version", "fast-factor", "batch-factor", "web-search", "prices");
  private static final List<String> RATE_KEYS =
      List.of("input", "cache-write-5m", "cache-write-1h", "cache-read", "output");
  private static final List<String> ROW_KEYS =
      List.of(
          "models",
          "effective-from",
          "above-prompt-tokens",
          "input",
          "cache-write-5m",
          "cache-write-1h",
          "cache-read",
          "output",
          "us-factor",
          "fast");

  private final PriceProblems problems;
  private final Map<String, List<PriceRow>> rows = new LinkedHashMap<>();

  private PriceFileReader(String sourceName) {
    problems = new PriceProblems(sourceName);
  }

  /**
   * Reads a file.
   *
   * @throws PriceFileException with all problems, if there is any; also when it cannot be read
   */
  static PriceFile read(Path file) {
    PriceProblems unreadable = new PriceProblems(file.toAbsolutePath().toString());
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
      if (bytes.length <= MAX_FILE_BYTES) {
        String yaml = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        return read(yaml, String.valueOf(file.getFileName()));
      }
      unreadable.addOfFile("is larger than 256KiB", FILE);
    } catch (CharacterCodingException e) {
      unreadable.addOfFile("is not in UTF-8", FILE);
    } catch (NoSuchFileException e) {
      unreadable.addOfFile("does not exist", FILE);
    } catch (IOException e) {
      unreadable.addOfFile(Files.isDirectory(file) ? "is a folder" : "cannot be read", FILE);
    }
    throw unreadable.exception();
  }

  /**
   * Reads the text of a file.
   *
   * @param sourceName what error texts call it
   * @throws PriceFileException with all problems, if there is any
   */
  static PriceFile read(String yaml, String sourceName) {
    PriceFileReader reader = new PriceFileReader(sourceName);
    PriceFile file = reader.readFile(PriceYaml.read(yaml, reader.problems));
    if (file == null || !reader.problems.isEmpty()) {
      throw reader.problems.exception();
    }
    return file;
  }

  private @Nullable PriceFile readFile(@Nullable Node root) {
    if (root == null) {
      if (problems.isEmpty()) {
        problems.addOfFile("is empty", FILE);
      }
      return null;
    }
    if (!(root instanceof Mapping file)) {
      problems.add(root.line(), "no keys", FILE);
      return null;
    }
    refuseUnknownKeys(file, "", FILE_KEYS);
    String version = readVersion(file);
    BigDecimal fast = readAmount(file, "", "fast-factor", FACTOR, false);
    BigDecimal batch = readAmount(file, "", "batch-factor", FACTOR, false);
    BigDecimal search =
        readAmount(file, "", "web-search", "US dollars for one search, such as 0.01", false);
    readRows(file);
    if (problems.isEmpty()) {
      checkFirstBands();
    }
    rows.replaceAll((model, ofModel) -> List.copyOf(ofModel));
    return version == null ? null : new PriceFile(version, fast, batch, search, rows);
  }

  private @Nullable String readVersion(Mapping file) {
    String expected = "a text of at most 40 characters, such as 2026-11-22";
    Node node = file.entries().get("version");
    if (node == null) {
      problems.add(file.line(), "version is missing", expected);
    } else if (node instanceof Scalar scalar && VERSION.matcher(scalar.text()).matches()) {
      return scalar.text();
    } else {
      addValue("version", node, expected);
    }
    return null;
  }

  private void readRows(Mapping file) {
    String expected = "a list of rows, each with models and their prices";
    Node node = file.entries().get("prices");
    if (node == null) {
      problems.add(file.line(), "prices is missing", expected);
    } else if (node instanceof Sequence list && !list.items().isEmpty()) {
      for (int i = 0; i < list.items().size(); i++) {
        String path = "prices[" + i + "]";
        if (list.items().get(i) instanceof Mapping row) {
          readRow(row, path);
        } else {
          addValue(path, list.items().get(i), "a group of keys with models and their prices");
        }
      }
    } else {
      addValue("prices", node, expected);
    }
  }

  private void readRow(Mapping node, String path) {
    refuseUnknownKeys(node, path + ".", ROW_KEYS);
    List<String> models = readModels(node, path);
    LocalDate from = readDate(node, path);
    long above = readAbove(node, path);
    Rates rates = readRates(node, path);
    Rates fast = readFast(node, path);
    BigDecimal us = readAmount(node, path + ".", "us-factor", FACTOR, false);
    if (rates == null) {
      return;
    }
    PriceRow row =
        new PriceRow(from, above, rates, fast, us == null ? BigDecimal.ONE : us, node.line());
    for (String model : models) {
      add(model, row, path);
    }
  }

  private void add(String model, PriceRow row, String path) {
    List<PriceRow> ofModel = rows.computeIfAbsent(model, name -> new ArrayList<>());
    for (PriceRow other : ofModel) {
      if (other.from().isEqual(row.from())
          && other.abovePromptTokens() == row.abovePromptTokens()) {
        problems.add(
            row.line(),
            path + ": " + model + " has the same row already, on line " + other.line(),
            "another effective-from or above-prompt-tokens");
        return;
      }
    }
    ofModel.add(row);
  }

  /** A day with a price for long prompts alone would bill short ones by an older price. */
  private void checkFirstBands() {
    rows.forEach(
        (model, ofModel) -> {
          for (PriceRow row : ofModel) {
            boolean hasFirst =
                ofModel.stream()
                    .anyMatch(
                        other ->
                            other.from().isEqual(row.from())
                                && other.abovePromptTokens() == PriceRow.ALL_PROMPTS);
            if (!hasFirst) {
              problems.add(
                  row.line(),
                  model + " has no row for short prompts from the same day on",
                  "one with the same effective-from and without above-prompt-tokens");
            }
          }
        });
  }

  private List<String> readModels(Mapping row, String path) {
    String expected = "a list of model ids such as [claude-opus-5-5]";
    Node node = row.entries().get("models");
    if (node == null) {
      problems.add(row.line(), path + ".models is missing", expected);
      return List.of();
    }
    if (!(node instanceof Sequence list) || list.items().isEmpty()) {
      addValue(path + ".models", node, expected);
      return List.of();
    }
    List<String> models = new ArrayList<>();
    for (Node item : list.items()) {
      if (item instanceof Scalar scalar && MODEL.matcher(scalar.text()).matches()) {
        models.add(scalar.text());
      } else {
        addValue(path + ".models", item, "a model id such as claude-opus-5-5");
      }
    }
    return models;
  }

  private LocalDate readDate(Mapping row, String path) {
    Node node = row.entries().get("effective-from");
    if (node == null) {
      return LocalDate.MIN;
    }
    if (node instanceof Scalar scalar && DATE.matcher(scalar.text()).matches()) {
      try {
        return LocalDate.parse(scalar.text());
      } catch (DateTimeException e) {
        // Such as the 30th of February; reported below.
      }
    }
    addValue(path + ".effective-from", node, "a day such as 2026-10-07");
    return LocalDate.MIN;
  }

  private long readAbove(Mapping row, String path) {
    Node node = row.entries().get("above-prompt-tokens");
    if (node == null) {
      return PriceRow.ALL_PROMPTS;
    }
    if (node instanceof Scalar scalar && COUNT.matcher(scalar.text()).matches()) {
      return Long.parseLong(scalar.text());
    }
    addValue(path + ".above-prompt-tokens", node, "a number of tokens such as 100000");
    return PriceRow.ALL_PROMPTS;
  }

  private @Nullable Rates readFast(Mapping row, String path) {
    Node node = row.entries().get("fast");
    if (node == null) {
      return null;
    }
    if (!(node instanceof Mapping fast)) {
      addValue(path + ".fast", node, "the five prices as a group of keys");
      return null;
    }
    refuseUnknownKeys(fast, path + ".fast.", RATE_KEYS);
    return readRates(fast, path + ".fast");
  }

  private @Nullable Rates readRates(Mapping node, String path) {
    List<@Nullable BigDecimal> prices = new ArrayList<>();
    for (String key : RATE_KEYS) {
      prices.add(readAmount(node, path + ".", key, PRICE, true));
    }
    if (prices.contains(null)) {
      return null;
    }
    return new Rates(
        requireNonNull(prices.get(0)),
        requireNonNull(prices.get(1)),
        requireNonNull(prices.get(2)),
        requireNonNull(prices.get(3)),
        requireNonNull(prices.get(4)));
  }

  /** Reads a price, which may be 0, or a factor, which may not. */
  private @Nullable BigDecimal readAmount(
      Mapping group, String prefix, String key, String expected, boolean required) {
    Node node = group.entries().get(key);
    if (node == null) {
      if (required) {
        problems.add(group.line(), prefix + key + " is missing", expected);
      }
      return null;
    }
    if (node instanceof Scalar scalar && AMOUNT.matcher(scalar.text()).matches()) {
      BigDecimal amount = new BigDecimal(scalar.text());
      if (!expected.equals(FACTOR) || amount.signum() > 0) {
        return amount;
      }
    }
    addValue(prefix + key, node, expected);
    return null;
  }

  private void refuseUnknownKeys(Mapping group, String prefix, List<String> known) {
    group
        .entries()
        .forEach(
            (key, value) -> {
              if (!known.contains(key)) {
                problems.add(
                    value.line(),
                    prefix + PriceProblems.shown(key) + " is not known here",
                    String.join(", ", known));
              }
            });
  }

  private void addValue(String path, Node node, String expected) {
    String shown =
        node instanceof Scalar scalar
            ? (scalar.text().isEmpty() ? "no value" : PriceProblems.shown(scalar.text()))
            : node instanceof Mapping ? "a group of keys" : "a list";
    problems.add(node.line(), path + ": " + shown, expected);
  }
}
