package dev.headrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Durations, sizes, suggestions, and that no text at all breaks the reader. */
class NotationTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "0s, 0",
    "500ms, 500",
    "1500ms, 1500",
    "5s, 5000",
    "2m, 120000",
    "1h, 3600000",
    "1d, 86400000"
  })
  void durations(String text, long millis) throws BadValue {
    assertThat(Durations.read(text)).isEqualTo(Duration.ofMillis(millis));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "s", "1 s", "1.5s", "-1s", "+1s", "01s", "5S", "1w", "1m30s", "PT5S", "1e3s", "off",
        "٣s"
      })
  void noDurations(String text) {
    assertThatExceptionOfType(BadValue.class)
        .isThrownBy(() -> Durations.read(text))
        .satisfies(
            fault ->
                assertThat(fault.sentence("X"))
                    .isEqualTo(
                        "X (expected: a duration with its unit, such as 500ms, 60s, 5m or 1h)"));
  }

  @Test
  void absurdDurationIsOutOfRangeRatherThanAnOverflow() {
    assertThatExceptionOfType(BadValue.class)
        .isThrownBy(() -> SettingTable.TIMEOUTS_IDLE.read("999999999999d"));
  }

  @Property
  void durationIsReadBackAsItWasWritten(
      @ForAll @LongRange(min = 0, max = 400L * 86_400_000) long millis) throws BadValue {
    Duration value = Duration.ofMillis(millis);
    assertThat(Durations.read(Durations.format(value))).isEqualTo(value);
    Duration whole = Duration.ofMinutes(millis / 60_000);
    assertThat(Durations.read(Durations.format(whole))).isEqualTo(whole);
  }

  @ParameterizedTest
  @CsvSource({
    "0B, 0, 0B",
    "1B, 1, 1B",
    "4096B, 4096, 4KiB",
    "8KiB, 8192, 8KiB",
    "32MiB, 33554432, 32MiB",
    "1GiB, 1073741824, 1GiB",
    "1024MiB, 1073741824, 1GiB"
  })
  void sizes(String text, long bytes, String written) {
    assertThat(ByteSize.parse(text)).isEqualTo(ByteSize.ofBytes(bytes)).hasToString(written);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "KiB",
        "8 KiB",
        "8kib",
        "8KB",
        "8K",
        "1.5MiB",
        "-1B",
        "08KiB",
        "999999999999GiB"
      })
  void noSizes(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ByteSize.parse(text))
        .withMessageEndingWith("(expected: a size with its unit, such as 4096B, 64KiB or 8MiB)");
  }

  @Test
  void sizeWithoutUnitSaysSo() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ByteSize.parse("4096"))
        .withMessage(
            "4096 has no unit (expected: a size with its unit, such as 4096B, 64KiB or 8MiB)");
  }

  @Property
  void sizeIsReadBackAsItWasWritten(
      @ForAll @LongRange(min = 0, max = 999_999_999_999L) long bytes) {
    assertThat(ByteSize.parse(ByteSize.ofBytes(bytes).toString()).bytes()).isEqualTo(bytes);
  }

  @ParameterizedTest
  @CsvSource({
    "idel, idle",
    "conect, connect",
    "firstEvent, first-event",
    "first_event, first-event",
    "FIRST-EVENT, first-event",
    "heart-beats, heartbeat",
    "totl, total"
  })
  void nearMissesFindTheirName(String typed, String meant) {
    assertThat(Suggestions.closest(typed, names())).contains(meant);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "proxy", "retries", "io", "tot"})
  void otherWordsFindNothing(String typed) {
    assertThat(Suggestions.closest(typed, List.of("connect", "first-event", "idle"))).isEmpty();
  }

  @Test
  void veryLongWordFindsNothing() {
    assertThat(Suggestions.closest("idle".repeat(100_000), names())).isEmpty();
  }

  @Property
  void anyTextIsReadOrRefusedWithProblems(@ForAll String text) {
    readWithoutSurprise(text);
    readWithoutSurprise("mount: " + text);
    readWithoutSurprise("upstream:\n  api-key: \"" + text + "\"\n");
  }

  private static void readWithoutSurprise(String yaml) {
    try {
      SettingsReader.read(yaml, "t.yaml", Environment.of(Map.of(), Map.of()));
    } catch (SettingsException e) {
      assertThat(e.problems()).isNotEmpty();
    }
  }

  private static List<String> names() {
    return SettingTable.all().stream().map(Setting::name).toList();
  }
}
