package dev.headrace.output;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import dev.headrace.messages.ApiError;
import dev.headrace.messages.JsonFields;
import dev.headrace.output.Block.Kind;
import java.math.BigDecimal;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A small vocabulary of events for pages. Not thread-safe.
 *
 * <table>
 *   <caption>Events and their data</caption>
 *   <tr><td>{@code start}<td>{@code {"id","model"}}
 *   <tr><td>{@code text}<td>{@code {"text"}}
 *   <tr><td>{@code thinking}<td>{@code {"text"}}, if asked for
 *   <tr><td>{@code tool}<td>{@code {"id","name","input"}}, whole; if the input is no JSON object
 *       {@code {"id","name","input_text"}}
 *   <tr><td>{@code usage}<td>{@code {"input_tokens","output_tokens","cache_read_tokens",
 *       "cache_write_tokens","cost_usd"}}, if known
 *   <tr><td>{@code error}<td>{@code {"type","message","request_id","retryable"}}
 *   <tr><td>{@code done}<td>{@code {"stop_reason"}}, and {@code "model"} if another one than {@code
 *       start} has told went on with the answer
 * </table>
 *
 * <p>Exactly one of {@code error} and {@code done} ends a stream, and nothing follows it. What the
 * API has not told is null.
 */
public final class SimpleTranslation extends Translation {
  /** Whether a client sees what the model thinks. */
  public enum Thinking {
    SHOWN,
    HIDDEN
  }

  /**
   * What an answer has used and cost.
   *
   * @param input uncached input tokens
   * @param output output tokens, thinking included
   * @param cacheRead input tokens read from the prompt cache
   * @param cacheWrite input tokens written to it
   * @param costUsd null when the price is unknown
   */
  public record Figures(
      long input, long output, long cacheRead, long cacheWrite, @Nullable BigDecimal costUsd) {}

  private static final byte[] START = ascii("event: start\ndata: {\"id\":");
  private static final byte[] MODEL = ascii(",\"model\":");
  private static final byte[] TEXT = ascii("event: text\ndata: {\"text\":");
  private static final byte[] THINKING = ascii("event: thinking\ndata: {\"text\":");
  private static final byte[] TOOL = ascii("event: tool\ndata: {\"id\":");
  private static final byte[] NAME = ascii(",\"name\":");
  private static final byte[] INPUT = ascii(",\"input\":");
  private static final byte[] INPUT_TEXT = ascii(",\"input_text\":");
  private static final byte[] ERROR = ascii("event: error\ndata: {\"type\":");
  private static final byte[] MESSAGE = ascii(",\"message\":");
  private static final byte[] REQUEST_ID = ascii(",\"request_id\":");
  private static final byte[] RETRYABLE = ascii(",\"retryable\":");
  private static final byte[] DONE = ascii("event: done\ndata: {\"stop_reason\":");
  private static final byte[] END = ascii("}\n\n");
  private static final byte[] NULL = ascii("null");
  private static final byte[] NOTHING = {};

  private final Thinking thinking;
  private final Supplier<@Nullable Figures> figures;
  private @Nullable String stopReason;
  private @Nullable String otherModel;

  /**
   * For one attempt.
   *
   * @param thinking whether to show it
   * @param maxToolInputBytes the most input of open tool calls that is held together, in bytes of
   *     UTF-8; with one more this fails
   * @param figures asked once, at {@code message_stop}; null means unknown: there is no {@code
   *     usage} event then
   * @throws IllegalArgumentException if {@code maxToolInputBytes} is negative
   */
  public SimpleTranslation(
      Thinking thinking, long maxToolInputBytes, Supplier<@Nullable Figures> figures) {
    super(maxToolInputBytes);
    if (maxToolInputBytes < 0) {
      throw new IllegalArgumentException(
          "maxToolInputBytes: " + maxToolInputBytes + " (expected: 0 or more)");
    }
    this.thinking = requireNonNull(thinking, "thinking");
    this.figures = requireNonNull(figures, "figures");
  }

  private static byte[] ascii(String text) {
    return text.getBytes(US_ASCII);
  }

  @Override
  public byte[] lastEvent(ApiError error) {
    requireNonNull(error, "error");
    if (isEnded()) {
      return NOTHING;
    }
    end();
    return errorEvent(error);
  }

  /** The event that ends a stream with an error, also one of which nothing was sent yet. */
  public static byte[] errorEvent(ApiError error) {
    Utf8Output last = new Utf8Output();
    write(error, last);
    byte[] bytes = new byte[last.length()];
    System.arraycopy(last.bytes(), 0, bytes, 0, bytes.length);
    return bytes;
  }

  @Override
  boolean shows(Kind kind) {
    return kind != Kind.THINKING || thinking == Thinking.SHOWN;
  }

  @Override
  boolean started(JsonFields event) {
    JsonFields message = event.object("message");
    String id = message == null ? null : message.text("id");
    String model = message == null ? null : message.text("model");
    if (!event.isWhole() && (id == null || model == null)) {
      return false;
    }
    string(out.ascii(START), id);
    string(out.ascii(MODEL), model);
    out.ascii(END);
    return true;
  }

  @Override
  void text(String text) {
    text(TEXT, text);
  }

  @Override
  void thinking(String text) {
    text(THINKING, text);
  }

  private void text(byte[] head, String text) {
    if (!text.isEmpty()) {
      out.ascii(head).jsonString(text);
      out.ascii(END);
    }
  }

  @Override
  void tool(Block block) {
    string(out.ascii(TOOL), block.id);
    string(out.ascii(NAME), block.name);
    String input = block.input();
    if (JsonFields.isBlank(input)) {
      out.ascii(INPUT).text("{}");
    } else if (JsonFields.isObject(input)) {
      // Line ends in JSON stand between tokens only, and would end the data line.
      out.ascii(INPUT).text(input.replace('\n', ' ').replace('\r', ' '));
    } else {
      out.ascii(INPUT_TEXT).jsonString(input);
    }
    out.ascii(END);
  }

  @Override
  void answersNow(@Nullable String model) {
    otherModel = model == null ? otherModel : model;
  }

  /** Of several the last one counts, null or not. */
  @Override
  boolean changed(JsonFields event) {
    JsonFields delta = event.object("delta");
    if (delta != null && delta.has("stop_reason")) {
      stopReason = delta.text("stop_reason");
    }
    return event.isWhole();
  }

  @Override
  void stopped() {
    Figures known = figures.get();
    if (known != null) {
      usage(known);
    }
    string(out.ascii(DONE), stopReason);
    if (otherModel != null) {
      out.ascii(MODEL).jsonString(otherModel);
    }
    out.ascii(END);
  }

  private void usage(Figures used) {
    out.text(
        "event: usage\ndata: {\"input_tokens\":"
            + used.input()
            + ",\"output_tokens\":"
            + used.output()
            + ",\"cache_read_tokens\":"
            + used.cacheRead()
            + ",\"cache_write_tokens\":"
            + used.cacheWrite()
            + ",\"cost_usd\":"
            + cost(used.costUsd()));
    out.ascii(END);
  }

  private static String cost(@Nullable BigDecimal usd) {
    return usd == null ? "null" : usd.stripTrailingZeros().toPlainString();
  }

  @Override
  void failedUpstream(ApiError error) {
    write(error, out);
    end();
  }

  private static void write(ApiError error, Utf8Output to) {
    to.ascii(ERROR).jsonString(error.type());
    to.ascii(MESSAGE).jsonString(error.message());
    string(to.ascii(REQUEST_ID), error.requestId());
    to.ascii(RETRYABLE).text(error.isRetryable() ? "true" : "false");
    to.ascii(END);
  }

  private static void string(Utf8Output to, @Nullable String text) {
    if (text == null) {
      to.ascii(NULL);
    } else {
      to.jsonString(text);
    }
  }
}
