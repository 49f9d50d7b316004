package dev.headrace.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.SecureRandom;
import java.util.HashSet;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GatewayKeyTest {
  private static final SecureRandom RANDOM = new SecureRandom();

  @Test
  void aNewKeyIsRecognisedAndUnlikeEveryOther() {
    Set<String> keys = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      String key = GatewayKey.create(RANDOM);
      assertThat(key).matches("hr_[0-9A-Za-z]{38}").matches(GatewayKey::isWellFormed);
      keys.add(key);
    }
    assertThat(keys).hasSize(10_000);
  }

  /** Keys that exist must stay valid, so the form cannot change by accident. */
  @Test
  void theFormIsFixed() {
    String random = "hr_0123456789ABCDEFGHIJKLMNOPQRSTUV";
    assertThat(GatewayKey.isWellFormed(random + "35gWeA")).isTrue(); // computed elsewhere
    assertThat(GatewayKey.sha256("abc")) // FIPS 180-2, appendix B.1
        .isEqualTo("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }

  @Test
  void everyMistypedOrSwappedCharacterIsNoticed() {
    String key = GatewayKey.create(RANDOM);
    for (int i = 0; i < key.length(); i++) {
      for (char c : "09AZaz_-é".toCharArray()) {
        String wrong = key.substring(0, i) + c + key.substring(i + 1);
        assertThat(GatewayKey.isWellFormed(wrong)).isEqualTo(wrong.equals(key));
      }
      if (i > 0) {
        String swapped =
            key.substring(0, i - 1) + key.charAt(i) + key.charAt(i - 1) + key.substring(i + 1);
        assertThat(GatewayKey.isWellFormed(swapped)).isEqualTo(swapped.equals(key));
      }
      assertThat(GatewayKey.isWellFormed(key.substring(0, i))).isFalse();
    }
    assertThat(GatewayKey.isWellFormed(key + "0")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "hr_", "sk-ant-api03-abc", "Bearer", "hr_0000000000000000000000000000"})
  void otherTextIsNoKey(String text) {
    assertThat(GatewayKey.isWellFormed(text)).isFalse();
  }

  @Property
  void anyTextIsLookedAtWithoutFailing(
      @ForAll @CharRange(from = 0, to = 0xffff) String text, @ForAll @IntRange(max = 41) int cut) {
    String key = GatewayKey.create(RANDOM);
    String other = key.substring(0, cut) + text + "x"; // the key itself where it ends in x
    assertThat(GatewayKey.isWellFormed(other)).isEqualTo(other.equals(key));
    assertThat(GatewayKey.sha256(text)).hasSize(64);
  }
}
