package dev.headrace.messages;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.messages.MessageUsage.Iteration;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Usage from events: what counts, what overwrites, and what is said of events that cannot be read.
 */
class UsageReaderTest {
  private static final String START =
      "{\"input_tokens\":61,\"cache_creation_input_tokens\":1500,\"cache_read_input_tokens\":8200,"
          + "\"cache_creation\":{\"ephemeral_5m_input_tokens\":500,\"ephemeral_1h_input_tokens\":1000},"
          + "\"output_tokens\":3,\"service_tier\":\"standard\",\"inference_geo\":\"us\","
          + "\"speed\":\"fast\"}";

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          a-plain-text,         claude-sonnet-5-5, end_turn, true,  14,   12,  0,    0,    0,    0,  0, true,  12
          b-thinking,           claude-opus-5-5,   end_turn, true,  61,   58,  1500, 1000, 8200, 41, 0, true,  58
          b-omitted-thinking,   claude-opus-5-5,   end_turn, true,  61,   58,  1500, 1000, 8200, 41, 0, true,  58
          b-redacted-thinking,  claude-opus-5-5,   end_turn, true,  61,   58,  0,    0,    0,    0,  0, true,  58
          c-tool-use,           claude-sonnet-5-5, tool_use, true,  656,  74,  0,    0,    0,    0,  0, true,  74
          d-web-search,         claude-sonnet-5-5, end_turn, true,  9875, 118, 0,    0,    0,    0,  1, true,  118
          e-error-in-midstream, claude-sonnet-5-5, ,         false, 14,   1,   0,    0,    0,    0,  0, true,  5
          g-refusal,            claude-sonnet-5-5, refusal,  true,  31,   4,   0,    0,    0,    0,  0, false, 4
          h-mcp,                claude-opus-5-5,   end_turn, true,  640,  46,  0,    0,    0,    0,  0, true,  46
          i-compaction,         claude-opus-5-5,   end_turn, true,  9120, 52,  0,    0,    0,    0,  0, true,  52
          j-fallback,           claude-opus-5-5,   end_turn, true,  44,   21,  0,    0,    0,    0,  0, true,  21
          """)
  void readsTheTotalsOfEachTranscript(
      String name,
      String model,
      String stopReason,
      boolean isFinal,
      long input,
      long output,
      long writes,
      long writes1h,
      long reads,
      long thinking,
      long searches,
      boolean hasOutput,
      long estimate)
      throws IOException {
    byte[] stream = FedUsage.transcript(name);
    UsageReader reader = new FedUsage().feed(stream, 0, stream.length).reader;
    assertThat(reader.model()).isEqualTo(model);
    assertThat(reader.stopReason()).isEqualTo(stopReason);
    assertThat(reader.isFinal()).isEqualTo(isFinal);
    assertThat(reader.unreadable()).isFalse();
    assertThat(reader.hasOutput()).isEqualTo(hasOutput);
    assertThat(reader.charged()).isEqualTo(!"refusal".equals(stopReason));
    assertThat(reader.estimatedOutputTokens()).isEqualTo(estimate);
    assertThat(reader.messageId()).startsWith("msg_01");
    MessageUsage usage = requireNonNull(reader.usage());
    assertThat(usage.inputTokens()).isEqualTo(input);
    assertThat(usage.outputTokens()).isEqualTo(output);
    assertThat(usage.cacheWriteTokens()).isEqualTo(writes);
    assertThat(usage.cacheWrite1hTokens()).isEqualTo(writes1h);
    assertThat(usage.cacheReadTokens()).isEqualTo(reads);
    assertThat(usage.thinkingTokens()).isEqualTo(thinking);
    assertThat(usage.webSearches()).isEqualTo(searches);
    assertThat(usage.webFetches()).isZero();
    assertThat(usage.serviceTier()).isEqualTo("standard");
    assertThat(usage.inferenceGeo()).isEqualTo(writes > 0 ? "us" : "global");
    assertThat(usage.speed()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a-plain-text",
        "b-thinking",
        "b-omitted-thinking",
        "b-redacted-thinking",
        "c-tool-use",
        "d-web-search",
        "e-error-in-midstream",
        "f-error-first",
        "g-refusal",
        "h-mcp",
        "i-compaction",
        "j-fallback"
      })
  void tellsTheSameHoweverATranscriptIsSplit(String name) throws IOException {
    byte[] stream = FedUsage.transcript(name);
    String whole = FedUsage.oracle(stream).told();
    FedUsage byteByByte = new FedUsage();
    for (int i = 0; i < stream.length; i++) {
      byteByByte.feed(stream, i, i + 1);
      if (stream[i] == '\n' && i > 0 && stream[i - 1] == '\n') {
        String soFar = FedUsage.oracle(Arrays.copyOf(stream, i + 1)).told();
        assertThat(NaiveUsage.told(byteByByte.reader)).isEqualTo(soFar);
      }
    }
    assertThat(NaiveUsage.told(byteByByte.reader)).isEqualTo(whole);
    for (int cut = 0; cut <= stream.length; cut++) {
      FedUsage inTwo = new FedUsage().feed(stream, 0, cut).feed(stream, cut, stream.length);
      assertThat(NaiveUsage.told(inTwo.reader)).isEqualTo(whole);
      assertThat(NaiveUsage.told(inTwo.reader.snapshot())).isEqualTo(whole);
    }
  }

  @Test
  void nothingIsKnownBeforeTheFirstEventAndAfterAnErrorInItsPlace() throws IOException {
    FedUsage fed = new FedUsage();
    String nothing =
        "model=null id=null stop=null final=false unreadable=false estimate=0 output=false\nnull";
    assertThat(NaiveUsage.told(fed.reader)).isEqualTo(nothing);
    byte[] stream = FedUsage.transcript("f-error-first");
    assertThat(NaiveUsage.told(fed.feed(stream, 0, stream.length).reader)).isEqualTo(nothing);
    assertThat(fed.reader.charged()).isTrue();
  }

  @Test
  void laterTotalsOverwriteAndNeverAddUp() {
    UsageReader reader =
        new FedUsage()
            .start(START)
            .delta("null", "{\"output_tokens\":10,\"input_tokens\":70}")
            .delta("\"end_turn\"", "{\"output_tokens\":58,\"input_tokens\":90}")
            .reader;
    assertThat(reader.usage())
        .isEqualTo(
            new MessageUsage(
                90, 58, 1500, 1000, 8200, 0, 0, 0, "standard", "us", "fast", List.of()));
    assertThat(reader.isFinal()).isTrue();
  }

  @Test
  void nullAndMissingFieldsKeepWhatWasReported() {
    UsageReader reader =
        new FedUsage()
            .start(START)
            .delta(
                "\"end_turn\"",
                "{\"output_tokens\":58,\"input_tokens\":null,\"cache_creation_input_tokens\":null,"
                    + "\"cache_creation\":null,\"output_tokens_details\":null,\"iterations\":null,"
                    + "\"server_tool_use\":{\"web_search_requests\":null,\"new\":[{}]},"
                    + "\"service_tier\":null,\"something_new\":{\"a\":[1,2.5]}}")
            .delta("null", "null")
            .reader;
    assertThat(reader.usage())
        .isEqualTo(
            new MessageUsage(
                61, 58, 1500, 1000, 8200, 0, 0, 0, "standard", "us", "fast", List.of()));
    assertThat(reader.stopReason()).isEqualTo("end_turn");
    assertThat(reader.isFinal()).isTrue();
  }

  @Test
  void whatOnlyTheStartReportsIsOverwrittenOnceALaterEventReportsIt() {
    UsageReader reader =
        new FedUsage()
            .start(START)
            .delta(
                "\"end_turn\"",
                "{\"output_tokens\":58,\"cache_creation_input_tokens\":2000,"
                    + "\"cache_creation\":{\"ephemeral_1h_input_tokens\":1700},"
                    + "\"service_tier\":\"batch\",\"inference_geo\":\"global\",\"speed\":\"standard\"}")
            .reader;
    assertThat(reader.usage())
        .isEqualTo(
            new MessageUsage(
                61, 58, 2000, 1700, 8200, 0, 0, 0, "batch", "global", "standard", List.of()));
  }

  @Test
  void theHourPartOfTheCacheWritesIsNeverMoreThanAllOfThem() {
    UsageReader less =
        new FedUsage().start(START).delta("null", "{\"cache_creation_input_tokens\":7}").reader;
    assertThat(less.usage()).extracting(MessageUsage::cacheWrite1hTokens).isEqualTo(7L);
    UsageReader noTotal =
        new FedUsage()
            .start(
                "{\"input_tokens\":1,\"output_tokens\":1,\"cache_creation\":"
                    + "{\"ephemeral_5m_input_tokens\":5,\"ephemeral_1h_input_tokens\":6}}")
            .reader;
    assertThat(noTotal.usage()).extracting(MessageUsage::cacheWriteTokens).isEqualTo(11L);
    assertThat(noTotal.usage()).extracting(MessageUsage::cacheWrite1hTokens).isEqualTo(6L);
  }

  @Test
  void iterationsAreReadOneByOneAndOverwriteEarlierOnes() {
    UsageReader reader =
        new FedUsage()
            .start(
                "{\"input_tokens\":5,\"output_tokens\":1,\"iterations\":[{\"type\":\"message\"}]}")
            .delta(
                "\"end_turn\"",
                "{\"output_tokens\":9,\"iterations\":["
                    + "{\"type\":\"compaction\",\"input_tokens\":100,\"output_tokens\":20,\"x\":[1]},"
                    + "{\"type\":\"advisor_message\",\"model\":\"claude-opus-5-5\",\"input_tokens\":7,"
                    + "\"output_tokens\":8,\"cache_creation_input_tokens\":30,"
                    + "\"cache_creation\":{\"ephemeral_1h_input_tokens\":10},"
                    + "\"cache_read_input_tokens\":4},{\"model\":null,\"output_tokens\":null}]}")
            .reader;
    assertThat(requireNonNull(reader.usage()).iterations())
        .containsExactly(
            new Iteration("compaction", null, 100, 20, 0, 0, 0),
            new Iteration("advisor_message", "claude-opus-5-5", 7, 8, 30, 10, 4),
            new Iteration("unknown", null, 0, 0, 0, 0, 0));
  }

  @Test
  void searchesThatWereSeenCountUntilTheApiTellsItsOwnTotals() {
    String found = "{\"type\":\"web_search_tool_result\",\"tool_use_id\":\"s\",\"content\":[]}";
    String failed =
        "{\"type\":\"web_search_tool_result\",\"tool_use_id\":\"s\",\"content\":"
            + "{\"type\":\"web_search_tool_result_error\",\"error_code\":\"unavailable\"}}";
    String fetched = "{\"type\":\"web_fetch_tool_result\",\"tool_use_id\":\"s\",\"content\":[]}";
    FedUsage fed =
        new FedUsage().start(START).block(found).block(failed).block(fetched).block(found);
    assertThat(requireNonNull(fed.reader.usage()).webSearches()).isEqualTo(2);
    assertThat(fed.reader.isFinal()).isFalse();
    fed.delta(
        "\"end_turn\"", "{\"output_tokens\":5,\"server_tool_use\":{\"web_search_requests\":1}}");
    assertThat(requireNonNull(fed.reader.usage()).webSearches()).isEqualTo(1);
    for (String untold : List.of("", ",\"server_tool_use\":null", ",\"server_tool_use\":{}")) {
      fed = new FedUsage().start(START).block(found);
      fed.delta("\"end_turn\"", "{\"output_tokens\":5" + untold + "}");
      assertThat(requireNonNull(fed.reader.usage()).webSearches()).as(untold).isEqualTo(1);
    }
    fed = new FedUsage().start(START).block(found);
    fed.delta(
        "\"end_turn\"", "{\"output_tokens\":5,\"server_tool_use\":{\"web_search_requests\":0}}");
    assertThat(requireNonNull(fed.reader.usage()).webSearches()).isZero(); // told as exact
  }

  @Test
  void nothingBehindTheEndChangesAnything() {
    FedUsage fed = new FedUsage().start(START).delta("\"end_turn\"", "{\"output_tokens\":5}");
    fed.event("{\"type\":\"message_stop\"}");
    UsageView before = fed.reader.snapshot();
    fed.delta("\"max_tokens\"", "{\"output_tokens\":9999}").start(START);
    assertThat(fed.reader.snapshot()).isEqualTo(before);
  }

  @Test
  void totalsAreFinalWithAStopReasonOrWithTheEnd() {
    FedUsage fed = new FedUsage().start(START);
    assertThat(fed.reader.isFinal()).isFalse();
    fed.delta("null", "{\"output_tokens\":5}");
    assertThat(fed.reader.isFinal()).isFalse();
    fed.event("{\"type\":\"message_stop\"}");
    assertThat(fed.reader.isFinal()).isTrue();

    FedUsage noTotals = new FedUsage().start(START).delta("\"end_turn\"", "null");
    noTotals.event("{\"type\":\"message_stop\"}");
    assertThat(noTotals.reader.stopReason()).isEqualTo("end_turn");
    assertThat(noTotals.reader.isFinal()).isFalse();

    // What the start says of the output is a placeholder.
    FedUsage noOutput = new FedUsage().start(START).delta("\"end_turn\"", "{\"input_tokens\":30}");
    noOutput.event("{\"type\":\"message_stop\"}");
    assertThat(noOutput.reader.isFinal()).isFalse();
    assertThat(requireNonNull(noOutput.reader.usage()).inputTokens()).isEqualTo(30);

    FedUsage noStart = new FedUsage().delta("\"end_turn\"", "{\"output_tokens\":5}");
    assertThat(noStart.reader.usage()).isNull();
    assertThat(noStart.reader.isFinal()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_to",
        "{\"type\":\"message_delta\",\"delta\":{},\"usage\":{\"output_tokens\":1}} x",
        "{\"type\":\"message_delta\",\"delta\":\"x\",\"usage\":{\"output_tokens\":1}}",
        "{\"type\":\"message_delta\",\"delta\":{},\"usage\":[1]}",
        "[\"message_delta\"]",
        "null",
        "",
        "{\"usage\":{\"output_tokens\":-1}}",
        "{\"usage\":{\"output_tokens\":1.5}}",
        "{\"usage\":{\"output_tokens\":1e3}}",
        "{\"usage\":{\"output_tokens\":\"12\"}}",
        "{\"usage\":{\"output_tokens\":true}}",
        "{\"usage\":{\"output_tokens\":1000000000001}}",
        "{\"usage\":{\"output_tokens\":9223372036854775807}}",
        "{\"usage\":{\"output_tokens\":99999999999999999999999999}}",
        "{\"usage\":{\"output_tokens\":7,\"cache_creation\":3}}",
        "{\"usage\":{\"output_tokens\":7,\"iterations\":{}}}",
        "{\"usage\":{\"output_tokens\":7,\"iterations\":[3]}}"
      })
  void totalsThatMakeNoSenseAreUnreadableAndChangeNothing(String data) {
    FedUsage fed = new FedUsage().start(START);
    MessageUsage before = fed.reader.usage();
    fed.event("message_delta", data);
    assertThat(fed.reader.unreadable()).isTrue();
    assertThat(fed.reader.usage()).isEqualTo(before);
    assertThat(fed.reader.stopReason()).isNull();
    fed.delta("\"end_turn\"", "{\"output_tokens\":58}").event("{\"type\":\"message_stop\"}");
    assertThat(fed.reader.usage()).extracting(MessageUsage::outputTokens).isEqualTo(58L);
    assertThat(fed.reader.isFinal()).as("nothing exact can be said any more").isFalse();
    assertThat(fed.reader.unreadable()).isTrue();
  }

  @Test
  void theLargestCountIsRead() {
    UsageReader reader =
        new FedUsage().start(START).delta("null", "{\"output_tokens\":1000000000000}").reader;
    assertThat(reader.usage()).extracting(MessageUsage::outputTokens).isEqualTo(1_000_000_000_000L);
  }

  @Test
  void tooManyIterationsAreUnreadable() {
    String one = "{\"type\":\"message\"}";
    UsageReader most =
        new FedUsage()
            .start("{\"input_tokens\":1,\"iterations\":[" + (one + ",").repeat(999) + one + "]}")
            .reader;
    assertThat(most.unreadable()).isFalse();
    UsageReader more =
        new FedUsage()
            .start("{\"input_tokens\":1,\"iterations\":[" + (one + ",").repeat(1000) + one + "]}")
            .reader;
    assertThat(more.unreadable()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(strings = {"{\"type\":\"message_start\",\"mess", "{\"message\":null}", "{}", "[]"})
  void aStartThatCannotBeReadIsSaidSo(String data) {
    FedUsage fed = new FedUsage().event("message_start", data).text("Hello you");
    assertThat(fed.reader.unreadable()).isTrue();
    assertThat(fed.reader.usage()).isNull();
    assertThat(fed.reader.estimatedOutputTokens()).isEqualTo(3);
  }

  @Test
  void aSecondStartIsUnreadableAndChangesNothing() {
    FedUsage fed = new FedUsage().start(START);
    MessageUsage first = fed.reader.usage();
    fed.start("{\"input_tokens\":1}");
    assertThat(fed.reader.unreadable()).isTrue();
    assertThat(fed.reader.usage()).isEqualTo(first);
  }

  @Test
  void aStartWithoutUsageHasNoneUntilItsInputIsReported() {
    FedUsage fed = new FedUsage().start("null");
    assertThat(fed.reader.model()).isEqualTo("claude-opus-5-5");
    assertThat(fed.reader.usage()).isNull();
    fed.delta("\"end_turn\"", "{\"output_tokens\":5}");
    assertThat(fed.reader.usage()).isNull();
    assertThat(fed.reader.isFinal()).isFalse();
    fed.delta("\"end_turn\"", "{\"output_tokens\":6,\"input_tokens\":4}");
    assertThat(fed.reader.usage()).extracting(MessageUsage::inputTokens).isEqualTo(4L);
    assertThat(fed.reader.isFinal()).isTrue();
  }

  @Test
  void oversizedTotalsAreUnreadable() {
    FedUsage fed = new FedUsage(400).start("{\"input_tokens\":3,\"output_tokens\":1}");
    assertThat(fed.reader.unreadable()).isFalse();
    fed.delta("\"end_turn\"", "{\"output_tokens\":5,\"x\":\"" + "y".repeat(400) + "\"}");
    assertThat(fed.reader.unreadable()).isTrue();
    assertThat(fed.reader.isFinal()).isFalse();
  }

  @Test
  void oversizedOrBrokenContentDoesNotTouchTheTotals() {
    FedUsage fed = new FedUsage(400).start("{\"input_tokens\":3,\"output_tokens\":1}");
    fed.event(
        "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"web_search_tool_result\","
            + "\"content\":[\""
            + "r".repeat(1000)
            + "\"]}}");
    assertThat(fed.reader.hasOutput()).isTrue();
    fed.text("t".repeat(1000));
    assertThat(fed.reader.estimatedOutputTokens())
        .as("what the limit left of it")
        .isBetween(70L, 100L);
    fed.event("content_block_delta", "{\"delta\":{\"text\":").event("content_block_start", "{{{");
    fed.event("ping", "no").event("something_new", "<>");
    fed.delta("\"end_turn\"", "{\"output_tokens\":250}");
    assertThat(fed.reader.unreadable()).isFalse();
    assertThat(fed.reader.isFinal()).isTrue();
    assertThat(fed.reader.estimatedOutputTokens()).isEqualTo(250);
  }

  @Test
  void theEstimateRoundsUpAndIsNeverBelowWhatWasReported() {
    FedUsage fed = new FedUsage().start("{\"input_tokens\":3,\"output_tokens\":50}");
    assertThat(fed.reader.estimatedOutputTokens()).as("the placeholder is none").isZero();
    fed.text("");
    assertThat(fed.reader.estimatedOutputTokens()).isZero();
    assertThat(fed.reader.hasOutput()).isFalse();
    fed.text("a");
    assertThat(fed.reader.estimatedOutputTokens()).isEqualTo(1);
    fed.text("bcd");
    assertThat(fed.reader.estimatedOutputTokens()).isEqualTo(1);
    fed.text("e");
    assertThat(fed.reader.estimatedOutputTokens()).isEqualTo(2);
    fed.delta("null", "{\"output_tokens\":7}");
    assertThat(fed.reader.estimatedOutputTokens()).isEqualTo(7);
    fed.text("f".repeat(95));
    assertThat(fed.reader.estimatedOutputTokens()).isEqualTo(25);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          {"type":"text","text":""} | false
          {"type":"text","text":"H"} | true
          {"citations":[],"type":"text","text":""} | false
          {"type":"thinking","thinking":"","signature":""} | false
          {"type":"redacted_thinking","data":"x"} | true
          {"type":"tool_use","id":"t","name":"n","input":{}} | true
          {"type":"compaction","content":null} | false
          {"type":"fallback","from":{"model":"a"},"to":{"model":"b"}} | false
          {"type":"something_new"} | true
          """)
  void aBlockIsOutputUnlessItBeganEmpty(String block, boolean output) {
    FedUsage fed = new FedUsage().start(START);
    fed.event("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":" + block + "}");
    assertThat(fed.reader.hasOutput()).isEqualTo(output);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      textBlock =
          """
          {"type":"text_delta","text":""} | false
          {"type":"text_delta","text":"x"} | true
          {"type":"thinking_delta","thinking":""} | false
          {"type":"input_json_delta","partial_json":""} | false
          {"type":"input_json_delta","partial_json":"{"} | true
          {"type":"signature_delta","signature":"x"} | true
          {"type":"compaction_delta","content":"x"} | true
          {"type":"citations_delta","citation":{"text":"x"}} | true
          """)
  void aDeltaIsOutputUnlessItsTextIsEmpty(String delta, boolean output) {
    FedUsage fed = new FedUsage().start(START);
    fed.event("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":" + delta + "}");
    assertThat(fed.reader.hasOutput()).isEqualTo(output);
  }

  @Test
  void aRefusalIsChargedOnlyAfterOutput() {
    String usage = "{\"output_tokens\":4}";
    assertThat(new FedUsage().start(START).text("").delta("\"refusal\"", usage).reader.charged())
        .isFalse();
    assertThat(new FedUsage().start(START).text("x").delta("\"refusal\"", usage).reader.charged())
        .isTrue();
    assertThat(new FedUsage().start(START).delta("\"max_tokens\"", usage).reader.charged())
        .isTrue();
  }

  @Test
  void aFallbackWithoutAModelChangesNone() {
    FedUsage fed = new FedUsage().start(START);
    fed.event(
        "{\"type\":\"content_block_start\",\"content_block\":{\"type\":\"fallback\",\"to\":{\"model\":null}}}");
    assertThat(fed.reader.model()).isEqualTo("claude-opus-5-5");
  }

  @Test
  void textsThatNobodyCanStoreAreMendedOrLeftOut() {
    FedUsage fed = new FedUsage();
    fed.event(
        "{\"type\":\"message_start\",\"message\":{\"id\":\"a\\ud800b\",\"model\":\""
            + "m".repeat(257)
            + "\",\"usage\":{\"input_tokens\":1,\"speed\":{\"a\":1},\"service_tier\":[2]}}}");
    assertThat(fed.reader.messageId()).isEqualTo("a\uFFFDb");
    assertThat(fed.reader.model()).isNull();
    assertThat(fed.reader.usage())
        .isEqualTo(new MessageUsage(1, 0, 0, 0, 0, 0, 0, 0, null, null, null, List.of()));
  }

  @Test
  void aSnapshotStaysAsItWas() {
    FedUsage fed = new FedUsage().start(START).text("Hello");
    UsageView then = fed.reader.snapshot();
    String told = NaiveUsage.told(then);
    fed.text("more").delta("\"end_turn\"", "{\"output_tokens\":58}");
    assertThat(NaiveUsage.told(then)).isEqualTo(told);
    assertThat(then.snapshot()).isSameAs(then);
    assertThat(fed.reader.isFinal()).isTrue();
  }

  @Test
  void aSnapshotTakenByAnotherThreadNeverMixesTwoMoments() throws InterruptedException {
    for (int round = 0; round < 500; round++) {
      FedUsage fed = new FedUsage();
      AtomicReference<@Nullable String> fault = new AtomicReference<>();
      CountDownLatch watching = new CountDownLatch(1);
      Thread watcher =
          new Thread(
              () -> {
                UsageView now;
                do {
                  now = fed.reader.snapshot();
                  MessageUsage usage = now.usage();
                  boolean totals = usage != null && usage.outputTokens() == 58;
                  if (now.isFinal() != totals || totals != (now.stopReason() != null)) {
                    fault.set(NaiveUsage.told(now));
                  }
                  if (totals && (!now.hasOutput() || now.estimatedOutputTokens() != 58)) {
                    fault.set(NaiveUsage.told(now));
                  }
                  watching.countDown();
                } while (!now.isFinal() && fault.get() == null);
              });
      watcher.start();
      watching.await();
      fed.start(START).text("Hello").delta("\"end_turn\"", "{\"output_tokens\":58}");
      watcher.join(10_000);
      assertThat(watcher.isAlive()).isFalse();
      assertThat(fault.get()).isNull();
    }
  }
}
