package dev.headrace.messages;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Characters of a delta, whatever stands around them. */
class DeltaTextTest {
  private static final DeltaText EXPERIENCED = new DeltaText();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          {"delta":{"type":"text_delta","text":"Hello"}} | 5
          {"delta":{"type":"thinking_delta","thinking":"Hm, "}} | 4
          {"delta":{"type":"input_json_delta","partial_json":"{\\"a\\": \\"b"}} | 8
          {"delta":{"type":"text_delta","text":""}} | 0
          {"delta":{"text":"Grüße 👋"}} | 8
          {"delta":{"text":"Gr\\u00fc\\u00dfe \\ud83d\\udc4b"}} | 8
          {"delta":{"text":"\\\\\\"\\n\\/"}} | 4
          {"delta":{"text":"ends in \\\\"}} | 9
          {"text":"no","delta":{"text":"yes"}} | 3
          {"a":{"delta":{"text":"no"}},"delta":{"text":"y"}} | 1
          {"a":[1,{"b":"]}"}],"index":0,"delta":{"x":{"text":"no"},"text":"yes"}} | 3
          {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"  a  "}      } | 5
          { "delta" : { "text" : "ab" } } | 2
          {"delta":{"text":"ab","thinking":"c"}} | 3
          {"delta":null} | 0
          {"delta":"text"} | 0
          {"delta":{}} | 0
          {"delta":{"text":null}} | -1
          {"delta":{"type":"signature_delta","signature":"abc"}} | -1
          {"delta":{"citation":{"text":"no"},"type":"citations_delta"}} | -1
          {"deltas":{"text":"no"}} | 0
          {} | 0
          [] | 0
          {"delta":{"text":"cut | 3
          {"delta":{"text":"cut\\u00 | 4
          {"delta":{"text":"cut\\ | 4
          {"delta":{"tex | 0
          {"delta":{"signature":"cu | 0
          {"delta" | 0
          {"delta": | 0
          {" | 0
          { | 0
          """)
  void countsWhatTheDeltaStandsFor(String data, int expected) {
    byte[] bytes = FedUsage.bytes(data);
    assertThat(new DeltaText().count(bytes, 0, bytes.length)).isEqualTo(expected);
    byte[] around = FedUsage.bytes("\"x}" + data + "\"}}\"delta\":{\"text\":\"beyond\"}}");
    assertThat(new DeltaText().count(around, 3, bytes.length))
        .as("in an array")
        .isEqualTo(expected);
    assertThat(EXPERIENCED.count(bytes, 0, bytes.length)).as("behind others").isEqualTo(expected);
    assertThat(EXPERIENCED.count(around, 3, bytes.length)).as("once more").isEqualTo(expected);
  }

  /** Deltas that begin alike and go on differently. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          {"delta":{"text":"other text"}} | 10
          {"delta":{"text":""}} | 0
          {"delta":{"text":"\\""}} | 1
          {"delta":{"text":"ab","thinking":"c"}} | 3
          {"delta":{"text":"ab" }} | 2
          {"delta":{"text":"ab"},"delta":{"text":"c"}} | 2
          {"delta":{"text":"ab" | 2
          {"delta":{"text":"a | 1
          {"delta":{"text":" | 0
          {"delta":{"text": | 0
          {"delta":{"tex":"ab"}} | -1
          {"delta":{"text":7}} | -1
          """)
  void whatBeginsAsTheLastOneCountsAsEver(String data, int expected) {
    byte[] last = FedUsage.bytes("{\"delta\":{\"text\":\"some text\"}}");
    byte[] bytes = FedUsage.bytes(data);
    DeltaText deltas = new DeltaText();
    assertThat(deltas.count(last, 0, last.length)).isEqualTo(9);
    assertThat(deltas.count(bytes, 0, bytes.length)).isEqualTo(expected);
    assertThat(new DeltaText().count(bytes, 0, bytes.length)).isEqualTo(expected);
    assertThat(deltas.count(last, 0, last.length)).isEqualTo(9);
  }

  @Test
  void nothingIsNoDelta() {
    assertThat(new DeltaText().count(new byte[0], 0, 0)).isZero();
    assertThat(new DeltaText().count(FedUsage.bytes("   "), 0, 3)).isZero();
  }

  @Test
  void neverCountsMoreThanThereIsHoweverTheDataIsCut() {
    byte[] data =
        FedUsage.bytes(
            "{\"a\":[\"\\\"\",{}],\"delta\":{\"type\":\"x\",\"text\":\"Gr\\u00fcße 👋\\\\\"},\"b\":0}");
    DeltaText deltas = new DeltaText();
    int last = 0;
    for (int length = 0; length <= data.length; length++) {
      byte[] cut = Arrays.copyOf(data, length);
      int count = deltas.count(cut, 0, length);
      assertThat(count).isBetween(last, 9);
      last = count;
    }
    assertThat(last).isEqualTo(9);
  }
}
