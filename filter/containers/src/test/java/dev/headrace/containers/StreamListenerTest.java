package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.headrace.config.ByteSize;
import dev.headrace.config.GatewaySettings;
import dev.headrace.simulator.Answer;
import dev.headrace.simulator.ClaudeSimulator;
import dev.headrace.simulator.Transcripts;
import dev.headrace.spi.FinishedMessage;
import dev.headrace.spi.PartialMessage;
import dev.headrace.spi.StreamListener;
import dev.headrace.spi.StreamStart;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** An application reads along and gets whole messages, without slowing a stream. */
@ParameterizedClass
@EnumSource(ContainerKind.class)
final class StreamListenerTest extends GatewayContract {

  private static final class Recorder implements StreamListener {
    final List<String> calls = new CopyOnWriteArrayList<>();
    final List<FinishedMessage> messages = new CopyOnWriteArrayList<>();
    final List<PartialMessage> partials = new CopyOnWriteArrayList<>();
    final List<StreamStart> starts = new CopyOnWriteArrayList<>();
    final CountDownLatch open;

    Recorder(int blocked) {
      open = new CountDownLatch(blocked);
    }

    @Override
    public void onStart(StreamStart start) {
      starts.add(start);
      calls.add("start on " + Thread.currentThread().getName());
    }

    @Override
    public void onMessage(StreamStart start, FinishedMessage message) {
      try {
        open.await(20, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      messages.add(message);
    }

    @Override
    public void onAborted(StreamStart start, PartialMessage partial) {
      partials.add(partial);
    }
  }

  private final Recorder recorder = new Recorder(0);

  StreamListenerTest(ContainerKind kind) {
    super(kind);
  }

  private GatewayUnderTest headrace(Recorder listener) throws Exception {
    return startWith(
        ClaudeSimulator.builder().apiKey(KEY), s -> s, gateway -> gateway.listener(listener));
  }

  @Test
  void aStreamedMessageArrivesWholeOnAThreadOfTheListeners() throws Exception {
    GatewayUnderTest headrace = headrace(recorder);
    headrace.claude().answers(Answer.transcript(Transcripts.toolUse()));

    RawClient.Reply reply = post(headrace, STREAMING);

    await().until(() -> !recorder.messages.isEmpty());
    FinishedMessage message = recorder.messages.get(0);
    assertThat(message.json())
        .contains("\"input\":{\"location\":\"Lyon, FR\"}")
        .contains("\"stop_reason\":\"tool_use\"");
    assertThat(message.stopReason()).isEqualTo("tool_use");
    assertThat(message.usage().input()).isEqualTo(656);
    assertThat(message.delivered()).isTrue();
    assertThat(recorder.calls).containsExactly("start on headrace-listeners");
    StreamStart start = recorder.starts.get(0);
    assertThat(start.exchangeId()).isEqualTo(reply.header("headrace-exchange-id").orElseThrow());
    assertThat(start.modelAsked()).isEqualTo("claude-sonnet-5-5");
    assertThat(recorder.partials).isEmpty();
  }

  @Test
  void aListenerHearsTheSameWhateverFormatTheClientGets() throws Exception {
    GatewayUnderTest headrace = headrace(recorder);
    headrace.claude().answersAlways(Answer.transcript(Transcripts.text()));
    client(headrace).post("/claude/v1/messages?format=text", STREAMING).reply();
    client(headrace).post("/claude/v1/messages?format=simple", STREAMING).reply();
    post(headrace, STREAMING);
    await().until(() -> recorder.messages.size() == 3);
    assertThat(recorder.messages.stream().map(FinishedMessage::text).distinct())
        .containsExactly("Grüße aus Köln! 👋");
    assertThat(recorder.messages.stream().map(FinishedMessage::json).distinct()).hasSize(1);
  }

  @Test
  void aCutStreamIsToldWithWhatThereWas() throws Exception {
    GatewayUnderTest headrace = headrace(recorder);
    headrace.claude().answers(Answer.transcript(Transcripts.text()).cutAfterEvents(4));
    post(headrace, STREAMING);
    await().until(() -> !recorder.partials.isEmpty());
    PartialMessage partial = recorder.partials.get(0);
    assertThat(partial.text()).isEqualTo("Grüße");
    assertThat(partial.outcome()).isEqualTo("UPSTREAM_CUT");
    assertThat(partial.json()).contains("Grüße");
    assertThat(recorder.messages).isEmpty();
  }

  @Test
  void aMessageThatIsReadToItsEndAfterTheClientLeftIsWholeButNotDelivered() throws Exception {
    GatewayUnderTest headrace =
        startWith(
            ClaudeSimulator.builder().apiKey(KEY),
            s -> s.disconnectPolicy(GatewaySettings.DisconnectPolicy.DRAIN),
            gateway -> gateway.listener(recorder));
    String[] words = new String[100];
    java.util.Arrays.fill(words, "ab ");
    headrace.claude().answers(Answer.text("begin", words).paced(100));
    RawClient client = client(headrace).post(STREAMING);
    client.replyHead();
    client.readBodyUntil("begin");
    client.reset();

    await().atMost(java.time.Duration.ofSeconds(10)).until(() -> !recorder.messages.isEmpty());
    assertThat(recorder.messages.get(0).text()).isEqualTo("begin" + "ab ".repeat(100));
    assertThat(recorder.messages.get(0).delivered()).isFalse();
  }

  @Test
  void aSlowListenerDelaysNoStream() throws Exception {
    Recorder slow = new Recorder(1);
    GatewayUnderTest headrace = headrace(slow);
    headrace.claude().answersAlways(Answer.transcript(Transcripts.text()));
    for (int i = 0; i < 20; i++) {
      assertThat(post(headrace, STREAMING).end()).isEqualTo(RawClient.End.COMPLETE);
    }
    assertThat(slow.messages).isEmpty();
    slow.open.countDown();
    await().until(() -> slow.messages.size() == 20);
  }

  @Test
  void aListenerThatThrowsHarmsNobody() throws Exception {
    GatewayUnderTest headrace =
        startWith(
            ClaudeSimulator.builder().apiKey(KEY),
            s -> s,
            gateway ->
                gateway
                    .listener(
                        new StreamListener() {
                          @Override
                          public void onStart(StreamStart start) {
                            throw new IllegalStateException("broken");
                          }
                        })
                    .listener(recorder));
    headrace.claude().answers(Answer.transcript(Transcripts.text()));
    assertThat(post(headrace, STREAMING).end()).isEqualTo(RawClient.End.COMPLETE);
    await().until(() -> !recorder.messages.isEmpty());
  }

  @Test
  void aMessageBeyondTheLimitIsOnlyToldToHaveBeen() throws Exception {
    GatewayUnderTest headrace =
        startWith(
            ClaudeSimulator.builder().apiKey(KEY),
            s -> s.listenersMaxMessage(ByteSize.ofKibibytes(16)),
            gateway -> gateway.listener(recorder));
    headrace.claude().answers(Answer.text("x".repeat(40_000)));
    assertThat(post(headrace, STREAMING).end()).isEqualTo(RawClient.End.COMPLETE);
    await().until(() -> !recorder.partials.isEmpty());
    assertThat(recorder.partials.get(0).json()).isNull();
    assertThat(recorder.partials.get(0).outcome()).isEqualTo("COMPLETED");
  }
}
