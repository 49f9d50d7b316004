package dev.headrace.messages;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.headrace.messages.MessageUsage.Iteration;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Usage of answers that are not streamed, in any pieces. */
class MessageBodyReaderTest {
  /** The example of the API reference, 12. */
  private static final String PLAIN =
      "{\"id\":\"msg_01HqN7vW2bZk4sYtR9cXePfL\",\"type\":\"message\",\"role\":\"assistant\",\"model\":"
          + "\"claude-opus-5-5\",\"content\":[{\"type\":\"text\",\"text\":\"Hi.\"}],\"stop_reason\":"
          + "\"end_turn\",\"stop_sequence\":null,\"stop_details\":null,\"container\":null,\"usage\":"
          + "{\"input_tokens\":9,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,"
          + "\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0},"
          + "\"output_tokens\":6,\"service_tier\":\"standard\",\"inference_geo\":\"global\"}}";

  private static final String RICH =
      "{\"usage\":{\"iterations\":[{\"type\":\"compaction\",\"input_tokens\":5,\"x\":{\"y\":[1,2.5]}}],"
          + "\"input_tokens\":61,\"cache_creation_input_tokens\":1500,\"cache_creation\":"
          + "{\"ephemeral_1h_input_tokens\":1000},\"cache_read_input_tokens\":8200,\"output_tokens\":58,"
          + "\"server_tool_use\":{\"web_search_requests\":2},\"speed\":\"fast\"},\"content\":[{\"type\":"
          + "\"thinking\",\"thinking\":\"Gr\\u00fc\\ud83d\\udc4b👋\",\"signature\":\"sig\"},{\"type\":"
          + "\"tool_use\",\"input\":{\"text\":\"ab\\\"\",\"n\":[-1.5e3,{\"usage\":{}}]}},{\"content\":"
          + "[{\"type\":\"text\",\"text\":\"not counted\"}],\"type\":\"web_search_tool_result\"}],"
          + "\"new\":{\"id\":\"no\",\"usage\":{\"input_tokens\":1}},\"model\":\"claude-x\",\"id\":\"m\","
          + "\"stop_reason\":\"tool_use\",\"type\":\"message\"}\n";

  private static MessageBodyReader read(String body) {
    MessageBodyReader reader = new MessageBodyReader();
    byte[] bytes = body.getBytes(UTF_8);
    reader.feed(bytes, 0, bytes.length);
    reader.end();
    return reader;
  }

  @Test
  void readsAnAnswer() {
    assertThat(NaiveUsage.told(read(PLAIN)))
        .isEqualTo(
            "model=claude-opus-5-5 id=msg_01HqN7vW2bZk4sYtR9cXePfL stop=end_turn final=true"
                + " unreadable=false estimate=6 output=true\n"
                + new MessageUsage(9, 6, 0, 0, 0, 0, 0, 0, "standard", "global", null, List.of()));
  }

  @Test
  void readsFieldsInAnyOrderAndIgnoresTheirNamesakesElsewhere() {
    assertThat(NaiveUsage.told(read(RICH)))
        .isEqualTo(
            "model=claude-x id=m stop=tool_use final=true unreadable=false estimate=58 output=true\n"
                + new MessageUsage(
                    61,
                    58,
                    1500,
                    1000,
                    8200,
                    0,
                    2,
                    0,
                    null,
                    null,
                    "fast",
                    List.of(new Iteration("compaction", null, 5, 0, 0, 0, 0))));
  }

  @ParameterizedTest
  @ValueSource(strings = {PLAIN, RICH})
  void tellsTheSameHoweverTheBodyIsSplit(String body) {
    byte[] bytes = body.getBytes(UTF_8);
    String whole = NaiveUsage.told(read(body));
    MessageBodyReader byteByByte = new MessageBodyReader();
    for (byte each : bytes) {
      byte[] piece = {'"', each, '"'};
      byteByByte.feed(piece, 1, 1);
      Arrays.fill(piece, (byte) '}');
    }
    assertThat(NaiveUsage.told(byteByByte)).isEqualTo(whole);
    for (int cut = 0; cut <= bytes.length; cut++) {
      MessageBodyReader inTwo = new MessageBodyReader();
      byte[] first = Arrays.copyOf(bytes, cut);
      inTwo.feed(first, 0, cut);
      Arrays.fill(first, (byte) '#');
      inTwo.feed(bytes, cut, bytes.length - cut);
      inTwo.end();
      assertThat(NaiveUsage.told(inTwo)).isEqualTo(whole);
      assertThat(NaiveUsage.told(inTwo.snapshot())).isEqualTo(whole);
    }
  }

  @Test
  void aCutBodyIsNeitherFinalNorUnreadable() {
    byte[] bytes = RICH.strip().getBytes(UTF_8);
    for (int length = 0; length < bytes.length; length++) {
      MessageBodyReader reader = new MessageBodyReader();
      reader.feed(bytes, 0, length);
      reader.end();
      assertThat(reader.isFinal()).as("after %d bytes", length).isFalse();
      assertThat(reader.unreadable()).as("after %d bytes", length).isFalse();
    }
  }

  @Test
  void textOfACutBodyIsEstimated() {
    // 5 of thinking with its escapes, 2 for the emoji, and of the input its names and texts.
    String cut = RICH.substring(RICH.indexOf("\"content\""), RICH.indexOf("{\"content\":"));
    MessageBodyReader reader = read("{" + cut);
    assertThat(reader.estimatedOutputTokens()).isEqualTo((7 + 4 + 3 + 1 + 5 + 3) / 4);
    assertThat(reader.hasOutput()).isTrue();
    assertThat(read("{\"content\":[{\"type\":\"text\",\"text\":\"Hello").estimatedOutputTokens())
        .isEqualTo(2);
    assertThat(read("{\"content\":[{\"type\":\"text\",\"text\":\"Hello").hasOutput()).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          {"type":"error","error":{"type":"overloaded_error","message":"x"},"request_id":"req"} | false
          {"error":{"type":"request_too_large","message":"x"}} | false
          {"input_tokens":2095} | false
          {"usage":{"input_tokens":1,"output_tokens":2},"type":"message_batch","id":"a","model":"b"} | false
          ["usage"] | false
          "usage" | false
          12 | false
          null | false
          {} | false
          {"usage":null} | false
          <html><body>Bad gateway</body></html> | true
          {"type":"message","usage":"none"} | true
          {"type":"message","usage":7} | true
          {"type":"message","usage":{"input_tokens":-1}} | true
          {"type":"message","usage":{"input_tokens":1.5}} | true
          {"type":"message","usage":{"input_tokens":99999999999999999999}} | true
          {"type":"message","usage":{"input_tokens":1}}} | true
          {"type":"message","usage":{"input_tokens":1}} x | true
          {"type":"message" "usage":{"input_tokens":1}} | true
          """)
  void whatIsNoMessageHasNoFinalUsage(String body, boolean unreadable) {
    MessageBodyReader reader = read(body);
    assertThat(reader.isFinal()).isFalse();
    assertThat(reader.unreadable()).isEqualTo(unreadable);
    if (!unreadable || !body.contains("{\"input_tokens\":1}}")) {
      assertThat(reader.usage()).isNull();
    }
  }

  @Test
  void usageBehindAnInputOfAnyDepthIsRead() {
    String deep = "[".repeat(5_000) + "]".repeat(5_000);
    MessageBodyReader reader = new MessageBodyReader();
    feed(
        reader,
        "{\"type\":\"message\",\"model\":\"m\",\"content\":[{\"type\":\"tool_use\",\"input\":{\"a\":"
            + deep
            + "}}],\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}");
    reader.end();
    assertThat(reader.isFinal()).isTrue();
    assertThat(requireNonNull(reader.usage()).outputTokens()).isEqualTo(6);
  }

  @Test
  void anEmptyBodyHasNothing() {
    assertThat(NaiveUsage.told(read("")))
        .isEqualTo(
            "model=null id=null stop=null final=false unreadable=false estimate=0 output=false\nnull");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          [] | false
          [{"type":"text","text":""}] | false
          [{"text":"","type":"text","citations":[]}] | false
          [{"type":"text","text":"x"}] | true
          [{"type":"thinking","thinking":"","signature":"x"}] | true
          [{"type":"redacted_thinking","data":"x"}] | true
          [{"type":"tool_use","input":{}}] | true
          [{"type":"compaction","content":null}] | false
          [{"type":"compaction","content":"x"}] | true
          [{"type":"fallback","to":{"model":"y"}}] | false
          null | false
          """)
  void contentIsOutputUnlessEmpty(String content, boolean output) {
    MessageBodyReader reader =
        read(
            "{\"type\":\"message\",\"stop_reason\":\"refusal\",\"content\":"
                + content
                + ",\"usage\":{\"input_tokens\":1,\"output_tokens\":0}}");
    assertThat(reader.isFinal()).isTrue();
    assertThat(reader.hasOutput()).isEqualTo(output);
    assertThat(reader.charged()).isEqualTo(output);
  }

  /** Nobody sends them, and whatever comes, nothing is thrown. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "[[\"x\"]]",
        "[[]]",
        "[[{}]]",
        "[[[\"x\"]]]",
        "[[\"x\",{\"type\":\"text\",\"text\":\"y\"}]]",
        "[{\"type\":\"text\",\"text\":\"\"},[\"x\",{}]]",
        "[\"x\",1,null,true]",
        "\"x\"",
        "{\"type\":\"text\",\"text\":[\"x\"]}",
        "[[]],\"content\":[[\"x\"]]"
      })
  void contentOfAnotherShapeIsPassedOver(String content) {
    String usage = ",\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}";
    MessageBodyReader reader = read("{\"type\":\"message\",\"content\":" + content + usage);
    assertThat(reader.isFinal()).isTrue();
    assertThat(reader.hasOutput()).isFalse();
    assertThat(reader.estimatedOutputTokens()).isEqualTo(2);
  }

  @Test
  void nothingIsThrownWhateverComes() {
    String[] pieces = {
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      "1",
      "null",
      "\"x\"",
      "\"type\":",
      "\"message\"",
      "\"content\":",
      "\"text\":",
      "\"text\"",
      "\"usage\":",
      "\"input\":",
      "\"iterations\":"
    };
    Random random = new Random(20261129);
    for (int round = 0; round < 50_000; round++) {
      StringBuilder body = new StringBuilder(random.nextBoolean() ? "{\"content\":[" : "");
      for (int i = random.nextInt(12); i >= 0; i--) {
        body.append(pieces[random.nextInt(pieces.length)]);
      }
      assertThatCode(() -> read(body.toString())).as("%s", body).doesNotThrowAnyException();
    }
  }

  @Test
  void longStringsAreReadInLittleMemory() {
    for (String filling : List.of("x", "ü", "👋", "\\n", "\\ud83d", "\\ud83d\\udc4b")) {
      byte[] piece = filling.repeat(8192).getBytes(UTF_8);
      MessageBodyReader reader = new MessageBodyReader();
      feed(reader, "{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"");
      long before = allocated();
      int pieces = 30_000_000 / piece.length;
      for (int i = 0; i < pieces; i++) {
        reader.feed(piece, 0, piece.length);
      }
      long grown = allocated() - before;
      feed(reader, "\"}],\"model\":\"m\",\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}");
      reader.end();
      assertThat(grown).as(filling).isLessThan(2_000_000);
      assertThat(reader.isFinal()).as(filling).isTrue();
      assertThat(reader.model()).isEqualTo("m");
      long characters = pieces * 8192L * (filling.length() > 6 || filling.equals("👋") ? 2 : 1);
      assertThat(reader.estimatedOutputTokens()).as(filling).isEqualTo((characters + 3) / 4);
    }
  }

  @Test
  void manyLongNamesAreReadInLittleMemory() {
    MessageBodyReader reader = new MessageBodyReader();
    feed(reader, "{\"content\":[{\"type\":\"tool_use\",\"input\":{");
    long before = allocated();
    for (int i = 0; i < 10_000; i++) {
      feed(reader, "\"" + i + "n".repeat(2000) + "\":1,");
    }
    assertThat(allocated() - before).as("mostly the test's own strings").isLessThan(150_000_000);
    feed(reader, "\"last\":1}}],\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}");
    assertThat(reader.isFinal()).isTrue();
  }

  /** However the place where they are cut lies in their characters. */
  @Test
  void longNamesOfAnyCharactersAreRead() {
    for (String filling : List.of("x", "é", "界", "👋", "\\n", "\\u00e9", "\\ud83d\\udc4b")) {
      for (int before = 0; before < 12; before++) {
        MessageBodyReader reader = new MessageBodyReader();
        feed(reader, "{\"content\":[{\"type\":\"tool_use\",\"input\":{\"" + "n".repeat(before));
        feed(reader, filling.repeat(1300));
        feed(reader, "\":1}}],\"usage\":{\"input_tokens\":3,\"output_tokens\":1}}");
        reader.end();
        assertThat(reader.isFinal()).as("%s behind %d others", filling, before).isTrue();
      }
    }
  }

  @Test
  void anEndlessNumberEndsTheReading() {
    MessageBodyReader reader = new MessageBodyReader();
    feed(reader, "{\"a\":" + "9".repeat(1000));
    assertThat(reader.unreadable()).isTrue();
    feed(reader, ",\"usage\":{\"input_tokens\":3}}");
    reader.end();
    assertThat(reader.usage()).isNull();
  }

  @Test
  void anEndlessUsageEndsTheReading() {
    MessageBodyReader reader = new MessageBodyReader();
    feed(reader, "{\"usage\":{\"new\":[");
    for (int i = 0; i < 50_000 && !reader.unreadable(); i++) {
      feed(reader, "1,");
    }
    assertThat(reader.unreadable()).isTrue();
  }

  @Test
  void nothingCountsAfterTheEnd() {
    MessageBodyReader reader = read(PLAIN);
    String told = NaiveUsage.told(reader);
    feed(reader, RICH);
    reader.end();
    assertThat(NaiveUsage.told(reader)).isEqualTo(told);
  }

  @Test
  void illFormedUtf8InAStringDoesNotMatterOrIsUnreadable() {
    byte[] bytes = PLAIN.replace("Hi.", "\u00c3(").getBytes(ISO_8859_1);
    MessageBodyReader reader = new MessageBodyReader();
    reader.feed(bytes, 0, bytes.length);
    reader.end();
    assertThat(reader.isFinal()).isNotEqualTo(reader.unreadable());
  }

  @Test
  void aRangeOutsideTheArrayIsRefused() {
    assertThatThrownBy(() -> new MessageBodyReader().feed(new byte[3], 2, 2))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  private static void feed(MessageBodyReader reader, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    reader.feed(bytes, 0, bytes.length);
  }

  private static long allocated() {
    return requireNonNull((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
        .getCurrentThreadAllocatedBytes();
  }
}
