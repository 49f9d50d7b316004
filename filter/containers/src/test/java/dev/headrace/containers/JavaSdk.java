package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.anthropic.client.AnthropicClient;
import com.anthropic.client.okhttp.AnthropicOkHttpClient;
import com.anthropic.core.Sleeper;
import com.anthropic.core.http.StreamResponse;
import com.anthropic.errors.AnthropicException;
import com.anthropic.helpers.MessageAccumulator;
import com.anthropic.models.messages.ContentBlock;
import com.anthropic.models.messages.Message;
import com.anthropic.models.messages.MessageCreateParams;
import com.anthropic.models.messages.RawMessageStreamEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What tests with the official Java SDK share. */
public final class JavaSdk {

  private JavaSdk() {}

  /** A client that sends this header with each request and retries nothing by itself. */
  static AnthropicClient client(GatewayUnderTest headrace, String header, String value) {
    return AnthropicOkHttpClient.builder()
        .baseUrl(headrace.baseUrl().toString())
        .apiKey("sk-test-client")
        .putHeader(header, value)
        .maxRetries(0)
        .build();
  }

  /** A short question. */
  public static MessageCreateParams hello() {
    return MessageCreateParams.builder()
        .model("claude-sonnet-5-5")
        .maxTokens(100)
        .addUserMessage("Hello?")
        .build();
  }

  /** The message that a stream adds up to. */
  public static Message accumulate(AnthropicClient from, MessageCreateParams params) {
    try (StreamResponse<RawMessageStreamEvent> stream = from.messages().createStreaming(params)) {
      return accumulate(stream);
    }
  }

  /** The message that a stream adds up to. */
  static Message accumulate(StreamResponse<RawMessageStreamEvent> stream) {
    MessageAccumulator accumulator = MessageAccumulator.create();
    stream.stream().forEach(accumulator::accumulate);
    return accumulator.message();
  }

  /** What a call fails with, which must be of this class. */
  static <T extends AnthropicException> T failure(Class<T> expected, ThrowingCallable call) {
    T thrown = catchThrowableOfType(expected, call);
    assertThat(thrown).isInstanceOf(expected); // also when nothing was thrown
    return thrown;
  }

  static Message withoutId(Message message) {
    return message.toBuilder().id("msg").build();
  }

  public static String text(Message message) {
    return String.join(
        "",
        message.content().stream()
            .filter(ContentBlock::isText)
            .map(block -> block.asText().text())
            .toList());
  }

  /** The SDK's clients have a close method but are not closeable. */
  public record Closing(AnthropicClient client) implements AutoCloseable {
    @Override
    public void close() {
      client.close();
    }
  }

  /** Notes how long the SDK wants to sleep before a retry, and does not sleep. */
  static final class RecordingSleeper implements Sleeper {
    private final List<Duration> slept = new ArrayList<>();

    List<Duration> slept() {
      return slept;
    }

    @Override
    public void sleep(Duration duration) {
      slept.add(duration);
    }

    @Override
    public CompletableFuture<Void> sleepAsync(Duration duration) {
      throw new UnsupportedOperationException("the tests use the blocking client");
    }

    @Override
    public void close() {}
  }
}
