package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Utf8OffsetsTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "abc",
        "\u007F\u0080\u07FF\u0800\uFFFF",
        "a\u00FCb\u20ACc\uD83D\uDE00d",
        "\uD800\uDC00" + "\uDBFF\uDFFF"
      })
  void countsBytesUpToEachCharacter(String text) {
    byte[] utf8 = text.getBytes(UTF_8);
    Utf8Offsets offsets = new Utf8Offsets(utf8);
    for (int i = 0;
        i <= text.length();
        i = i == text.length() ? i + 1 : text.offsetByCodePoints(i, 1)) {
      int expected = text.substring(0, i).getBytes(UTF_8).length;
      assertThat(offsets.byteOffset(i)).isEqualTo(expected);
      assertThat(offsets.byteOffset(i)).as("asked again").isEqualTo(expected);
      assertThat(new Utf8Offsets(utf8).byteOffset(i)).as("in one step").isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @CsvSource({"6162,2", "61C3BC,3", "61C3,1", "61C361,1", "E282ACF0,3", "EDA080,0", "C080,0"})
  void findsTheFirstIllFormedByte(String hex, int expected) {
    byte[] text = HexFormat.of().parseHex(hex);
    assertThat(Utf8Offsets.firstIllFormed(text, text.length)).isEqualTo(expected);
  }
}
