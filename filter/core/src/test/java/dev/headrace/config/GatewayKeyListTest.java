package dev.headrace.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GatewayKeyListTest {
  private static final String HASH = "0123456789".repeat(6) + "0123";

  private static List<GatewayKeyEntry> read(String yaml) {
    return GatewayKeyList.read(yaml.getBytes(UTF_8), Path.of("folder", "keys.yaml"));
  }

  @Test
  void aFileHasItsKeys() {
    List<GatewayKeyEntry> keys =
        read(
            """
            keys:
              - name: alice
                sha256: %s
                group: staff
              - {name: ci, sha256: "%s", group: robots, expires: 2027-01-01, addresses: [10.0.0.0/8, "::1"]}
              - {name: bob, sha256: %s, group: staff, expires: "2027-01-01T08:00:00Z"}
            """
                .formatted(HASH, HASH.replace('3', 'A'), HASH.replace('3', '4')));
    assertThat(keys).extracting(GatewayKeyEntry::name).containsExactly("alice", "ci", "bob");
    GatewayKeyEntry ci = keys.get(1);
    assertThat(ci.sha256()).isEqualTo(HASH.replace('3', 'a'));
    assertThat(ci.expires()).isEqualTo(Instant.parse("2027-01-01T00:00:00Z"));
    assertThat(ci.addresses())
        .containsExactly(AddressBlock.parse("10.0.0.0/8"), AddressBlock.parse("::1"));
    assertThat(keys.get(0).expires()).isNull();
    assertThat(keys.get(2).expires()).isEqualTo(Instant.parse("2027-01-01T08:00:00Z"));
  }

  @Test
  void allMistakesAreReportedTogetherWithTheirLines() {
    String yaml =
        """
        keys:
          - nmae: alice
            sha256: %1$s
            group: staff
          - name: b b
            sha256: hr_ThisIsTheKeyItselfAndMustNotBeShown
            group: staff
          - name: carol
            sha256: %1$s
            group: staff
            expires: soon
            addresses: [10.0.0.1/8]
          - name: dave
        kyes: []
        """
            .formatted(HASH);
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> read(yaml))
        .satisfies(
            e -> {
              assertThat(e.getMessage()).doesNotContain("ThisIsTheKey").doesNotContain(HASH);
              assertThat(String.join("\n", e.problems()))
                  .contains("kyes is not a setting of a key file. Did you mean keys?")
                  .contains("(keys.yaml:14)")
                  .contains("keys[0].nmae is not a setting. Did you mean keys[0].name?")
                  .contains("(keys.yaml:2)")
                  .contains("keys[1].name: \"b b\" (expected: a name of letters")
                  .contains("keys[1].sha256: ***")
                  .contains("keys.yaml:6")
                  .contains("keys[2].expires: soon (expected: a date such as 2027-01-01")
                  .contains("keys.yaml:11")
                  .contains("keys[2].addresses: ")
                  .contains("expected: 10.0.0.0/8, or 10.0.0.1 alone")
                  .contains("key 4 has no sha256")
                  .contains("key 4 has no group");
            });
  }

  @Test
  void nobodyIsThereTwice() {
    String key = "  - {name: %s, sha256: %s, group: g}\n";
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> read("keys:\n" + key.formatted("a", HASH) + key.formatted("b", HASH)))
        .withMessageContaining("keys[1].sha256: the same key as a")
        .withMessageNotContaining(HASH);
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(
            () ->
                read(
                    "keys:\n"
                        + key.formatted("a", HASH)
                        + key.formatted("a", HASH.replace('0', '9'))))
        .withMessageContaining("keys[1].name: a (expected: one that no other element");
  }

  @Test
  void anEmptyListIsAListButAnEmptyFileIsAMistake() {
    assertThat(read("keys: []\n")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|no value",
        "keys:|no value",
        "'# nothing'|no value",
        "{}|no keys",
        "[]|a list",
        "keys: {}|a group of keys",
        "keys: [|YAML syntax",
        "keys: [{name: a}]|has no sha256",
        "'${KEYS}'|a single value",
      })
  void aFileWithoutItsListIsAMistake(String yaml, String fault) {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> read(yaml))
        .withMessageContaining(fault);
  }

  @Test
  void aGatewayKeyInTheWrongPlaceIsNotShown() {
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(() -> read("keys:\n  - name: hr_0123456789abcdefghijABCDEFGHIJ0123456789a\n"))
        .withMessageContaining("keys[0].name: ***")
        .withMessageNotContaining("abcdef");
  }
}
