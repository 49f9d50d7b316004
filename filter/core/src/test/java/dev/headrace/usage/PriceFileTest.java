package dev.headrace.usage;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.headrace.messages.MessageUsage;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Price files of an operator: what they replace, and what is said of a wrong one. */
class PriceFileTest {
  private static final Instant NOW = Instant.parse("2026-11-22T10:15:00Z");
  private static final MessageUsage MILLION =
      new MessageUsage(1_000_000, 0, 0, 0, 0, 0, 1, 0, null, null, null, List.of());

  private static final String ROW = "prices:\n" + PriceTables.row("x");

  @TempDir private Path folder;

  private static List<String> problemsOf(String yaml) {
    return catchThrowableOfType(
            PriceFileException.class, () -> PriceFileReader.read(yaml, "own.yaml"))
        .problems();
  }

  @Test
  void ownRowsReplaceAllRowsOfTheModelsThatTheyNameAndNoOthers() {
    PriceTable prices =
        PriceTables.with(
            "version: acme 7\nprices:\n" + PriceTables.row("claude-haiku-5-5, acme-1"));
    assertThat(prices.costUsd("claude-haiku-5-5", MILLION, NOW, true))
        .as("the band is gone, too")
        .isEqualByComparingTo("1.01");
    assertThat(prices.costUsd("acme-1", MILLION, NOW, true)).isEqualByComparingTo("1.01");
    assertThat(prices.costUsd("claude-opus-5-5", MILLION, NOW, true)).isEqualByComparingTo("4.01");
    assertThat(prices.version()).isEqualTo("2026-11-22 + acme 7");
  }

  @Test
  void ownFactorsReplaceTheBuiltInOnes() {
    PriceTable prices =
        PriceTables.with(
            "version: own\nweb-search: 0.5\nfast-factor: 3\nbatch-factor: 0.25\n" + ROW);
    MessageUsage fastBatch =
        new MessageUsage(1_000_000, 0, 0, 0, 0, 0, 2, 0, "batch", null, "fast", List.of());
    assertThat(prices.costUsd("x", fastBatch, NOW, true)).isEqualByComparingTo("1.75");
  }

  @Test
  void withoutAFileThePricesAreTheBuiltInOnes() {
    PriceTable prices = PriceTable.load(null);
    assertThat(prices.version()).isEqualTo("2026-11-22");
    assertThat(prices.models()).isEqualTo(PriceTable.builtIn().models());
  }

  @Test
  void anExactIdWithADateGoesBeforeTheModelWithout() {
    PriceTable prices =
        PriceTables.with("version: own\nprices:\n" + PriceTables.row("claude-opus-5-5-20261001"));
    assertThat(prices.costUsd("claude-opus-5-5-20261001", MILLION, NOW, true))
        .isEqualByComparingTo("1.01");
    assertThat(prices.costUsd("claude-opus-5-5-20261002", MILLION, NOW, true))
        .isEqualByComparingTo("4.01");
  }

  @Test
  void aModelHasNoPriceBeforeItsFirstDay() {
    PriceTable prices =
        PriceTables.with("version: own\n" + ROW + "    effective-from: 2026-11-23\n");
    assertThat(prices.costUsd("x", MILLION, NOW, true)).isNull();
    assertThat(prices.costUsd("x", MILLION, Instant.parse("2026-11-23T00:00:00Z"), true))
        .isEqualByComparingTo("1.01");
  }

  @Test
  void bandsOfALaterDayReplaceThoseOfAnEarlierOne() {
    String later =
        PriceTables.row("x").replace(" 1\n", " 9\n") + "    effective-from: 2026-11-01\n";
    String band = PriceTables.row("x").replace(" 1\n", " 7\n") + "    above-prompt-tokens: 10\n";
    PriceTable prices =
        PriceTables.with("version: own\nprices:\n" + band + later + PriceTables.row("x"));
    assertThat(prices.costUsd("x", MILLION, NOW, true)).isEqualByComparingTo("9.01");
    assertThat(prices.costUsd("x", MILLION, Instant.parse("2026-10-31T23:59:59Z"), true))
        .isEqualByComparingTo("7.01");
  }

  @Test
  void aPriceMayBeZero() {
    PriceTable prices = PriceTables.with("version: own\n" + ROW.replace("input: 1", "input: 0"));
    assertThat(prices.costUsd("x", MILLION, NOW, true)).isEqualTo(new BigDecimal("0.010000000000"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          input: 1            | input: abc          | prices[0].input: abc (expected: US dollars per million tokens, such as 2.50) at own.yaml:4
          input: 1            | input: -1           | prices[0].input: -1 (expected: US dollars per million tokens, such as 2.50) at own.yaml:4
          input: 1            | input: 1e3          | prices[0].input: 1e3 (expected: US dollars per million tokens, such as 2.50) at own.yaml:4
          input: 1            | input: 0.1234567    | prices[0].input: 0.1234567 (expected: US dollars per million tokens, such as 2.50) at own.yaml:4
          input: 1            | input: 1234567      | prices[0].input: 1234567 (expected: US dollars per million tokens, such as 2.50) at own.yaml:4
          input: 1            | input:              | prices[0].input: no value (expected: US dollars per million tokens, such as 2.50) at own.yaml:4
          input: 1            | input: [1]          | prices[0].input: a list (expected: US dollars per million tokens, such as 2.50) at own.yaml:4
          cache-read: 4       | 'cache-read: 4\n    cache-reads: 4' | prices[0].cache-reads is not known here (expected: models, effective-from, above-prompt-tokens, input, cache-write-5m, cache-write-1h, cache-read, output, us-factor, fast) at own.yaml:8
          cache-read: 4       | 'cache-read: 4\n    us-factor: 0' | prices[0].us-factor: 0 (expected: a factor such as 1.1, above 0) at own.yaml:8
          output: 5           | us-factor: 1        | prices[0].output is missing (expected: US dollars per million tokens, such as 2.50) at own.yaml:3
          models: [x]         | models: x           | prices[0].models: x (expected: a list of model ids such as [claude-opus-5-5]) at own.yaml:3
          models: [x]         | models: []          | prices[0].models: a list (expected: a list of model ids such as [claude-opus-5-5]) at own.yaml:3
          models: [x]         | models: [a b]       | prices[0].models: a b (expected: a model id such as claude-opus-5-5) at own.yaml:3
          models: [x]         | effective-from: 2026-01-01 | prices[0].models is missing (expected: a list of model ids such as [claude-opus-5-5]) at own.yaml:3
          output: 5           | 'output: 5\n    effective-from: 2026-02-30' | prices[0].effective-from: 2026-02-30 (expected: a day such as 2026-10-07) at own.yaml:9
          output: 5           | 'output: 5\n    effective-from: tomorrow'   | prices[0].effective-from: tomorrow (expected: a day such as 2026-10-07) at own.yaml:9
          output: 5           | 'output: 5\n    above-prompt-tokens: -1'    | prices[0].above-prompt-tokens: -1 (expected: a number of tokens such as 100000) at own.yaml:9
          output: 5           | 'output: 5\n    above-prompt-tokens: 10'    | x has no row for short prompts from the same day on (expected: one with the same effective-from and without above-prompt-tokens) at own.yaml:3
          output: 5           | 'output: 5\n    fast: 2'                    | prices[0].fast: 2 (expected: the five prices as a group of keys) at own.yaml:9
          output: 5           | 'output: 5\n    output: 6'                  | output is set twice (expected: each key once) at own.yaml:9
          output: 5           | 'output: 5\n  - 7'                          | prices[1]: 7 (expected: a group of keys with models and their prices) at own.yaml:9
          version: own        | version:            | version: no value (expected: a text of at most 40 characters, such as 2026-11-22) at own.yaml:1
          version: own        | version: 0123456789012345678901234567890123456789x | version: 0123456789012345678901234567890123456789x (expected: a text of at most 40 characters, such as 2026-11-22) at own.yaml:1
          version: own        | fast-factor: 2      | version is missing (expected: a text of at most 40 characters, such as 2026-11-22) at own.yaml:1
          version: own        | 'version: own\nfast-factor: 0'  | fast-factor: 0 (expected: a factor such as 1.1, above 0) at own.yaml:2
          version: own        | 'version: own\nbatch-factor: x' | batch-factor: x (expected: a factor such as 1.1, above 0) at own.yaml:2
          version: own        | 'version: own\nweb-search: x'   | web-search: x (expected: US dollars for one search, such as 0.01) at own.yaml:2
          version: own        | 'version: own\nprice: x'        | price is not known here (expected: version, fast-factor, batch-factor, web-search, prices) at own.yaml:2
          models: [x]         | 'models: &a [x]'    | a YAML anchor (&name) (expected: the value alone) at own.yaml:3
          version: own        | 'version: !x own'   | a YAML tag (!name) (expected: the value alone) at own.yaml:1
          version: own        | 'version: *a'       | a YAML alias (*name) (expected: the value written out) at own.yaml:1
          input: 1            | 'input: [[[[[[[1]]]]]]]' | more than 8 levels of nesting (expected: a price file) at own.yaml:4
          input: 1            | 'input: "1'         | YAML syntax: found unexpected end of stream (expected: keys and values such as input: 2.50) at own.yaml:9
          output: 5           | 'output: 5\n---\na: 1'     | a second YAML document (expected: one document, without a --- between) at own.yaml:10
          """)
  void eachMistakeIsToldWithItsPlaceAndWhatWasExpected(String from, String to, String problem) {
    String right = "version: own\n" + ROW;
    assertThat(right).contains(from);
    String yaml = right.replace(from, to.replace("\\n", "\n"));
    assertThat(problemsOf(yaml)).containsExactly(problem);
  }

  @Test
  void theSameRowTwiceIsToldWithThePlaceOfTheFirst() {
    assertThat(problemsOf("version: own\n" + ROW + PriceTables.row("y, x")))
        .containsExactly(
            "prices[1]: x has the same row already, on line 3 (expected: another effective-from or"
                + " above-prompt-tokens) at own.yaml:9");
  }

  @Test
  void fastPricesAreCheckedLikeTheOthers() {
    assertThat(
            problemsOf("version: own\n" + ROW + "    fast:\n      input: x\n      us-factor: 2\n"))
        .containsExactly(
            "prices[0].fast.us-factor is not known here (expected: input, cache-write-5m,"
                + " cache-write-1h, cache-read, output) at own.yaml:11",
            "prices[0].fast.input: x (expected: US dollars per million tokens, such as 2.50) at"
                + " own.yaml:10",
            "prices[0].fast.cache-write-5m is missing (expected: US dollars per million tokens, such"
                + " as 2.50) at own.yaml:10",
            "prices[0].fast.cache-write-1h is missing (expected: US dollars per million tokens, such"
                + " as 2.50) at own.yaml:10",
            "prices[0].fast.cache-read is missing (expected: US dollars per million tokens, such as"
                + " 2.50) at own.yaml:10",
            "prices[0].fast.output is missing (expected: US dollars per million tokens, such as 2.50)"
                + " at own.yaml:10");
  }

  @Test
  void allMistakesAreToldTogether() {
    assertThatThrownBy(
            () ->
                PriceFileReader.read(
                    "versions: own\n" + ROW.replace("input: 1", "in: 1"), "own.yaml"))
        .isInstanceOf(PriceFileException.class)
        .hasMessage(
            """
            4 problems in the prices:
              - versions is not known here (expected: version, fast-factor, batch-factor, web-search, prices) at own.yaml:1
              - version is missing (expected: a text of at most 40 characters, such as 2026-11-22) at own.yaml:1
              - prices[0].in is not known here (expected: models, effective-from, above-prompt-tokens, input, cache-write-5m, cache-write-1h, cache-read, output, us-factor, fast) at own.yaml:4
              - prices[0].input is missing (expected: US dollars per million tokens, such as 2.50) at own.yaml:3""");
  }

  @Test
  void aVeryWrongFileIsNotToldWithoutEnd() {
    StringBuilder yaml = new StringBuilder("version: own\n" + ROW);
    for (int i = 0; i < 70; i++) {
      yaml.append("wrong").append(i).append(": 1\n");
    }
    assertThatThrownBy(() -> PriceFileReader.read(yaml.toString(), "own.yaml"))
        .hasMessageStartingWith("70 problems in the prices:\n  - wrong0 ")
        .hasMessageEndingWith(":58\n  - and 20 more");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ''           | own.yaml is empty (expected: a price file in YAML like config/prices.yaml)
          '# nothing'  | own.yaml is empty (expected: a price file in YAML like config/prices.yaml)
          'text'       | no keys (expected: a price file in YAML like config/prices.yaml) at own.yaml:1
          '[1]'        | no keys (expected: a price file in YAML like config/prices.yaml) at own.yaml:1
          'version: 1' | prices is missing (expected: a list of rows, each with models and their prices) at own.yaml:1
          'version: 1\nprices: []' | prices: a list (expected: a list of rows, each with models and their prices) at own.yaml:2
          """)
  void aFileThatIsNoPriceFileIsToldSo(String yaml, String problem) {
    assertThat(problemsOf(yaml.replace("\\n", "\n"))).containsExactly(problem);
  }

  @Test
  void aFileThatCannotBeReadIsToldWithItsName() throws IOException {
    Path missing = folder.resolve("missing.yaml");
    assertThatThrownBy(() -> PriceTable.load(missing))
        .hasMessage(
            "1 problem in the prices:\n  - "
                + missing
                + " does not exist (expected: a price file in YAML like config/prices.yaml)");
    assertThatThrownBy(() -> PriceTable.load(folder))
        .hasMessageContaining(folder + " is a folder (expected: ");
    Path latin = Files.write(folder.resolve("latin.yaml"), "version: ü".getBytes(ISO_8859_1));
    assertThatThrownBy(() -> PriceTable.load(latin)).hasMessageContaining(" is not in UTF-8 ");
    Path large = Files.writeString(folder.resolve("large.yaml"), "#".repeat(256 * 1024 + 1));
    assertThatThrownBy(() -> PriceTable.load(large))
        .hasMessageContaining(" is larger than 256KiB ");
  }
}
