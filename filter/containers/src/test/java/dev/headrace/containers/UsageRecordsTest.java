package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.SeenRequest;
import dev.headrace.simulator.Transcripts;
import dev.headrace.simulator.Usage;
import dev.headrace.spi.Accuracy;
import dev.headrace.spi.Tokens;
import dev.headrace.spi.UsageRecord;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** Every exchange is on the books, to the token, also when it was cut. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class UsageRecordsTest extends GatewayContract {

  private final RecordingSink sink = new RecordingSink();

  UsageRecordsTest(ContainerKind kind) {
    super(kind);
  }

  private GatewayUnderTest headrace() throws Exception {
    return startWith(
        ClaudeSimulator.builder().apiKey(KEY),
        settings -> settings.retryMaxAttempts(1),
        gateway -> gateway.sink("test", sink));
  }

  @Test
  void aStreamIsBookedWithItsTokensItsCostAndHowItEnded() throws Exception {
    GatewayUnderTest headrace = headrace();
    headrace.claude().answers(Answer.transcript(Transcripts.thinking()));

    RawClient.Reply reply = post(headrace, STREAMING);

    UsageRecord record = sink.awaitOne();
    assertThat(record.id()).isEqualTo(reply.header("headrace-exchange-id").orElseThrow());
    assertThat(record.kind()).isEqualTo(UsageRecord.Kind.EXCHANGE);
    assertThat(record.modelAsked()).isEqualTo("claude-sonnet-5-5");
    assertThat(record.modelServed()).isEqualTo("claude-opus-5-5");
    assertThat(record.tokens()).isEqualTo(new Tokens(61, 58, 8200, 500, 1000, 41, 0, 0));
    assertThat(record.costUsd()).isEqualByComparingTo("0.0148984"); // the API reference's example
    assertThat(record.accuracy()).isEqualTo(Accuracy.EXACT);
    assertThat(record.outcome()).isEqualTo("COMPLETED");
    assertThat(record.stopReason()).isEqualTo("end_turn");
    assertThat(record.status()).isEqualTo(200);
    assertThat(record.attempts()).isEqualTo(1);
    assertThat(record.inferenceGeo()).isEqualTo("us");
    assertThat(record.messageId()).isEqualTo("msg_01T4vJmQ7eNcGxLwR2ybHsKu");
    assertThat(record.upstreamRequestId()).isEqualTo(headrace.claude().lastRequest().requestId());
    assertThat(record.durationMillis()).isGreaterThanOrEqualTo(record.firstEventMillis());
    assertThat(record.user()).isNull();
  }

  @Test
  void everyTranscriptIsBookedAsTheApiCountsIt() throws Exception {
    GatewayUnderTest headrace = headrace();
    for (Map.Entry<String, byte[]> transcript : Transcripts.all().entrySet()) {
      headrace.claude().answers(Answer.transcript(transcript.getValue()));
      RawClient.Reply reply = post(headrace, STREAMING);
      String id = reply.header("headrace-exchange-id").orElseThrow();
      UsageRecord record = record(id);
      Usage account = headrace.claude().lastRequest().usageSent();
      if (record.accuracy() == Accuracy.EXACT && record.status() == 200) {
        assertThat(countsOf(record.tokens())).as(transcript.getKey()).isEqualTo(countsOf(account));
      } else {
        assertThat(record.tokens().input())
            .as(transcript.getKey())
            .isEqualTo(account.inputTokens());
      }
    }
  }

  private UsageRecord record(String id) {
    org.awaitility.Awaitility.await()
        .until(() -> sink.await(1).stream().anyMatch(each -> each.id().equals(id)));
    return sink.await(1).stream().filter(each -> each.id().equals(id)).findFirst().orElseThrow();
  }

  private static List<Long> countsOf(Tokens tokens) {
    return List.of(
        tokens.input(),
        tokens.output(),
        tokens.cacheRead(),
        tokens.cacheWrite5m() + tokens.cacheWrite1h(),
        tokens.webSearches());
  }

  private static List<Long> countsOf(Usage usage) {
    return List.of(
        usage.inputTokens(),
        usage.outputTokens(),
        usage.cacheReadInputTokens(),
        usage.cacheWriteInputTokens(),
        usage.webSearchRequests());
  }

  /** The API has written it and tells of no error, so that it may be billed. */
  @Test
  void whatTheGatewayCannotTranslateIsNotBookedAsFree() throws Exception {
    GatewayUnderTest headrace = headrace();
    String stream = new String(Transcripts.text(), UTF_8);
    String noStart = stream.substring(stream.indexOf("event: content_block_start"));
    headrace.claude().answers(Answer.transcript(noStart.getBytes(UTF_8)));
    try (RawClient client = RawClient.connect(headrace.port())) {
      client.post("/claude/v1/messages?format=simple", STREAMING).reply();
    }
    UsageRecord record = sink.awaitOne();
    assertThat(record.outcomeDetail()).isEqualTo("unreadable event");
    assertThat(record.accuracy()).isEqualTo(Accuracy.UNKNOWN);
    assertThat(record.costUsd()).isNull();
  }

  @Test
  void aJsonAnswerIsBookedToo() throws Exception {
    GatewayUnderTest headrace = headrace();
    headrace.claude().answers(Answer.text("Hi.").usage(17, 4));
    post(headrace, Requests.whole("Hello"));
    UsageRecord record = sink.awaitOne();
    assertThat(record.tokens().input()).isEqualTo(17);
    assertThat(record.tokens().output()).isEqualTo(4);
    assertThat(record.accuracy()).isEqualTo(Accuracy.EXACT);
  }

  @Test
  void aJsonAnswerThatIsTooLargeToHoldIsReadOnTheWayThrough() throws Exception {
    GatewayUnderTest headrace =
        startWith(
            ClaudeSimulator.builder().apiKey(KEY),
            s -> s.buffersHold(ByteSize.ofKibibytes(1)),
            gateway -> gateway.sink("test", sink));
    headrace.claude().answers(Answer.text("x".repeat(300_000)).usage(21, 75_000));
    assertThat(post(headrace, Requests.whole("Hello")).latin1()).hasSizeGreaterThan(300_000);
    UsageRecord record = sink.awaitOne();
    assertThat(record.tokens().input()).isEqualTo(21);
    assertThat(record.tokens().output()).isEqualTo(75_000);
    assertThat(record.accuracy()).isEqualTo(Accuracy.EXACT);
  }

  @Test
  void aCompressedStreamIsDecodedForTheBooks() throws Exception {
    GatewayUnderTest headrace = headrace();
    headrace.claude().answers(Answer.transcript(Transcripts.text()).forcedGzip());
    post(headrace, STREAMING);
    UsageRecord record = sink.awaitOne();
    assertThat(record.tokens().input()).isEqualTo(14);
    assertThat(record.tokens().output()).isEqualTo(12);
    assertThat(record.accuracy()).isEqualTo(Accuracy.EXACT);
  }

  @Test
  void aClientThatLeavesIsBookedWithItsInputAndAnEstimateOfTheOutput() throws Exception {
    GatewayUnderTest headrace = headrace();
    headrace
        .claude()
        .answers(Answer.text("a".repeat(400), "b".repeat(400)).usage(33, 900).stallAfterEvents(5));
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();
    client.readBodyUntil("bbbb");
    headrace
        .gateway()
        .cancel(dev.headrace.GatewayInside.runningIds(headrace.gateway()).iterator().next());

    UsageRecord record = sink.awaitOne();
    assertThat(record.outcome()).isEqualTo("CANCELLED");
    assertThat(record.accuracy()).isEqualTo(Accuracy.ESTIMATED);
    assertThat(record.tokens().input()).isEqualTo(33);
    assertThat(record.tokens().output()).isEqualTo(200); // 800 characters, 4 to a token
    assertThat(record.stopReason()).isNull();
  }

  @Test
  void aRefusalBeforeAnyOutputIsShownAndNotCharged() throws Exception {
    GatewayUnderTest headrace = headrace();
    headrace.claude().answers(Answer.refusal("cyber").usage(40, 9));
    post(headrace, STREAMING);
    UsageRecord record = sink.awaitOne();
    assertThat(record.stopReason()).isEqualTo("refusal");
    assertThat(record.tokens().input()).isEqualTo(40);
    assertThat(record.costUsd()).isEqualByComparingTo(BigDecimal.ZERO);
  }

  @Test
  void anUnknownModelHasTokensAndNoCost() throws Exception {
    GatewayUnderTest headrace = headrace();
    headrace.claude().answers(Answer.text("Hi").model("claude-of-tomorrow").usage(5, 2));
    post(headrace, STREAMING);
    UsageRecord record = sink.awaitOne();
    assertThat(record.tokens().input()).isEqualTo(5);
    assertThat(record.costUsd()).isNull();
    assertThat(record.accuracy()).isEqualTo(Accuracy.EXACT);
  }

  @Test
  void anErrorOfTheApiCostsNothing() throws Exception {
    GatewayUnderTest headrace = headrace();
    List<Answer> errors =
        List.of(
            Answer.error(400, "invalid_request_error", "no"),
            Answer.body(307, "text/plain", "elsewhere".getBytes(UTF_8)),
            Answer.body(307, "text/html", "<html>".repeat(20_000).getBytes(UTF_8)),
            Answer.body(503, "text/html", "<html>".repeat(20_000).getBytes(UTF_8)));
    for (String asked : List.of(STREAMING, Requests.whole("Hello"))) {
      for (Answer error : errors) {
        headrace.claude().answers(error);
        RawClient.Reply reply = post(headrace, asked);
        UsageRecord record = record(reply.header("headrace-exchange-id").orElseThrow());
        assertThat(record.tokens()).isEqualTo(Tokens.NONE);
        assertThat(record.costUsd()).isEqualByComparingTo(BigDecimal.ZERO);
        assertThat(record.accuracy()).isEqualTo(Accuracy.EXACT);
        assertThat(record.outcome()).isEqualTo("UPSTREAM_ERROR");
        assertThat(record.status()).isEqualTo(reply.status());
        assertThat(record.outcomeDetail()).isEqualTo("status " + reply.status());
        assertThat(record.modelAsked()).isEqualTo("claude-sonnet-5-5");
      }
    }
  }

  @Test
  void anAttemptThatWasGivenUpAfterItsMessageBeganIsBookedByItself() throws Exception {
    GatewayUnderTest headrace =
        startWith(
            ClaudeSimulator.builder().apiKey(KEY),
            s ->
                s.retryMaxAttempts(2)
                    .retryWaitDuration(Duration.ofMillis(10))
                    .retryHold(GatewaySettings.Hold.FIRST_CONTENT),
            gateway -> gateway.sink("test", sink));
    headrace
        .claude()
        .answers(Answer.text("no").usage(50, 7).errorAsSecondEvent("overloaded_error"));
    headrace.claude().answers(Answer.text("yes").usage(50, 3));

    RawClient.Reply reply = post(headrace, STREAMING);

    String id = reply.header("headrace-exchange-id").orElseThrow();
    Map<String, UsageRecord> records =
        sink.await(2).stream().collect(Collectors.toMap(UsageRecord::id, each -> each));
    assertThat(records.keySet()).containsExactlyInAnyOrder(id, id + ".1");
    UsageRecord dropped = requireNonNull(records.get(id + ".1"));
    assertThat(dropped.kind()).isEqualTo(UsageRecord.Kind.DROPPED_ATTEMPT);
    assertThat(dropped.accuracy()).isEqualTo(Accuracy.ESTIMATED);
    assertThat(dropped.tokens().input()).isEqualTo(50);
    UsageRecord answered = requireNonNull(records.get(id));
    assertThat(answered.tokens().output()).isEqualTo(3);
    assertThat(answered.attempts()).isEqualTo(2);
  }

  @Test
  void whatNobodyKnowsIsNotWrittenDownAsNothing() throws Exception {
    GatewayUnderTest headrace = headrace();
    headrace.claude().answers(Answer.text("never").stallBeforeHead());
    client(headrace).post(STREAMING);
    headrace.claude().awaitRequest(0, Duration.ofSeconds(5));
    headrace
        .gateway()
        .cancel(dev.headrace.GatewayInside.runningIds(headrace.gateway()).iterator().next());
    UsageRecord record = sink.awaitOne();
    assertThat(record.accuracy()).isEqualTo(Accuracy.UNKNOWN);
    assertThat(record.costUsd()).isNull();
  }

  @Test
  void streamsCutAtRandomBytesAreAllBookedOnceWithTheInputThatTheApiCounted() throws Exception {
    GatewayUnderTest headrace =
        startWith(
            ClaudeSimulator.builder().apiKey(KEY).rememberRequests(5000),
            s -> s.retryMaxAttempts(1).breakerEnabled(false),
            gateway -> gateway.sink("test", sink));
    byte[] bytes = Transcripts.thinking();
    Random random = new Random(20261123);
    int count = Load.count(300, 2000);
    headrace
        .claude()
        .answersBy(request -> Answer.transcript(bytes).cutAtByte(1 + random.nextInt(bytes.length)));
    for (int i = 0; i < count; i++) {
      post(headrace, STREAMING);
    }

    List<UsageRecord> records = sink.await(count);
    assertThat(records).hasSize(count);
    assertThat(records.stream().map(UsageRecord::id).distinct()).hasSize(count);
    long account =
        headrace.claude().requests().stream()
            .map(SeenRequest::usageSent)
            .mapToLong(Usage::inputTokens)
            .sum();
    assertThat(records.stream().mapToLong(each -> each.tokens().input()).sum()).isEqualTo(account);
    assertThat(account).isPositive();
    assertThat(records)
        .allSatisfy(
            record -> {
              assertThat(record.outcome()).isNotEmpty();
              if (record.outcome().equals("COMPLETED")) {
                assertThat(record.accuracy()).isEqualTo(Accuracy.EXACT);
              }
            });
    Map<Accuracy, Long> by =
        records.stream()
            .collect(Collectors.groupingBy(UsageRecord::accuracy, Collectors.counting()));
    assertThat(by).containsKeys(Accuracy.EXACT, Accuracy.ESTIMATED, Accuracy.UNKNOWN);
    Figures.note(
        kind(), "records of " + count + " streams cut at random bytes, by accuracy", by.toString());
  }
}
