package dev.headrace.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.headrace.spi.UsageRecord;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UsageRecordJsonTest {

  @Test
  void everyFieldIsReadBackEqual() {
    assertThat(UsageRecordJson.read(UsageRecordJson.write(Records.full("a"))))
        .isEqualTo(Records.full("a"));
    assertThat(UsageRecordJson.read(UsageRecordJson.write(Records.empty("b"))))
        .isEqualTo(Records.empty("b"));
  }

  @Test
  void lineIsOneLineOfAsciiWithSnakeCaseNames() {
    String line = UsageRecordJson.write(Records.full("a"));
    assertThat(StandardCharsets.US_ASCII.newEncoder().canEncode(line)).isTrue();
    assertThat(line)
        .doesNotContain("\n")
        .contains("\"cache_write_5m_tokens\":4")
        .contains("\"cost_usd\":0.000123450000")
        .contains("\"started_at\":\"2026-11-22T23:59:59.999999Z\"");
  }

  @Test
  void unknownPriceIsNullAndOtherMissingFieldsAreLeftOut() {
    assertThat(UsageRecordJson.write(Records.empty("a")))
        .contains("\"cost_usd\":null")
        .doesNotContain("\"user\"");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"0", "0.000000000001", "1234567890123.123456789012", "0.10", "1E+3", "1E-12"})
  void costIsExactAndPlain(String cost) {
    UsageRecord usage = Records.of("a", "2026-11-22T00:00:00Z", "u", "m", cost);
    String line = UsageRecordJson.write(usage);
    assertThat(line).contains("\"cost_usd\":" + new BigDecimal(cost).toPlainString() + ",");
    assertThat(UsageRecordJson.read(line).costUsd()).isEqualByComparingTo(cost);
  }

  @Test
  void halfSurrogatePairAndControlCharactersInANameAreReadBack() {
    String odd = "a\uD800b\u0000c\nd\u0085";
    UsageRecord usage = Records.of("a", "2026-11-22T00:00:00Z", odd, "m", "1");
    assertThat(UsageRecordJson.read(UsageRecordJson.write(usage)).user()).isEqualTo(odd);
  }

  @Test
  void fieldsOfALaterVersionAreSkipped() {
    String line = UsageRecordJson.write(Records.full("a"));
    String later = "{\"new\":{\"a\":[1]}," + line.substring(1);
    assertThat(UsageRecordJson.read(later)).isEqualTo(Records.full("a"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "{", "{}", "[]", "null", "{\"id\":\"a\"}", "x"})
  void anythingElseIsRefusedWithoutRepeatingIt(String text) {
    assertThatIllegalArgumentException().isThrownBy(() -> UsageRecordJson.read(text));
  }
}
