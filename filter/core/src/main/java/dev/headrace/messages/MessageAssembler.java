package dev.headrace.messages;

import dev.headrace.messages.JsonFields.Detail;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Puts a message together from its events: what a call without {@code "stream": true} would have
 * returned (API reference, "Reassembling the final message", as of 2026-11-22). Not thread-safe:
 * one instance per stream.
 *
 * <p>No input makes it throw. Unknown events, blocks and deltas are ignored or kept as they came;
 * what contradicts the protocol ends the assembly as {@link State#BROKEN}. Values come through
 * unchanged, number literals included; only half surrogate pairs in texts become U+FFFD (in names
 * they are no JSON), of members given twice the last one counts, and a tool's input that is no JSON
 * object within the limits of {@link JsonInput} becomes {@code {}} with its text kept aside.
 *
 * <p>Memory: about twice the bytes of the events; of events that are nothing but tiny fields some
 * 25 times that.
 */
public final class MessageAssembler {
  /** How far the assembly has come. */
  public enum State {
    /** No {@code message_start} yet. */
    EMPTY,
    /** Begun; incomplete if nothing follows. */
    OPEN,
    /** {@code message_stop} has come. */
    COMPLETE,
    /** The API's {@code error} event has come; the content so far is kept. */
    ERROR,
    /** An event was no JSON or out of place; the content so far is kept. */
    BROKEN,
    /** More than the limit has come; nothing is kept. */
    TOO_LARGE
  }

  /**
   * The input of a tool call that was cut or malformed: in the message it is {@code {}}.
   *
   * @param index the block's index
   * @param raw the text as it came, with U+FFFD for half surrogate pairs
   */
  public record InvalidToolInput(int index, String raw) {}

  /** A content block; open until its {@code content_block_stop}. */
  private static final class Block {
    final JsonFields fields;
    @Nullable StringBuilder input;
    boolean open = true;

    Block(JsonFields fields) {
      this.fields = fields;
    }
  }

  private final long maxBytes;
  private long bytes;
  private State state = State.EMPTY;
  private @Nullable JsonFields message;
  private boolean outputTokensTold;
  private final List<Block> blocks = new ArrayList<>();
  private final List<InvalidToolInput> invalidToolInputs = new ArrayList<>();
  private @Nullable String errorType;

  /**
   * @param maxBytes the most bytes of event data taken in; with one more the assembly is given up
   * @throws IllegalArgumentException if {@code maxBytes} is negative
   */
  public MessageAssembler(long maxBytes) {
    if (maxBytes < 0) {
      throw new IllegalArgumentException("maxBytes: " + maxBytes + " (expected: 0 or more)");
    }
    this.maxBytes = maxBytes;
  }

  /**
   * Takes the JSON data of the next event, whatever event it is. The array is not kept. After an
   * error, a break or too many bytes nothing more is taken; after {@code message_stop} only a
   * second {@code message_start} counts, as a break.
   *
   * @throws IndexOutOfBoundsException if the range is not inside the array
   */
  public void event(byte[] data, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, data.length);
    if (state != State.EMPTY && state != State.OPEN && state != State.COMPLETE) {
      return;
    }
    if (state != State.COMPLETE) {
      bytes += length;
      if (bytes > maxBytes) {
        giveUp();
        return;
      }
    }
    JsonFields event = JsonFields.read(data, offset, length, Detail.ALL);
    if (!take(event)) {
      state = State.BROKEN;
    }
  }

  private void giveUp() {
    state = State.TOO_LARGE;
    message = null;
    blocks.clear();
    invalidToolInputs.clear();
  }

  /** False when the event is broken or out of place. */
  private boolean take(JsonFields event) {
    String type = event.text("type");
    if (state == State.COMPLETE) {
      return !"message_start".equals(type);
    }
    if (type == null) {
      return false;
    }
    return switch (type) {
      case "message_start" -> event.isWhole() && messageStart(event);
      case "content_block_start" -> event.isWhole() && blockStart(event);
      case "content_block_delta" -> event.isWhole() && blockDelta(event);
      case "content_block_stop" -> event.isWhole() && blockStop(event);
      case "message_delta" -> event.isWhole() && messageDelta(event);
      case "message_stop" -> event.isWhole() && messageStop();
      case "error" -> {
        JsonFields error = event.object("error");
        String named = error == null ? null : error.text("type");
        errorType = named == null ? null : WellFormed.repair(named);
        state = State.ERROR;
        yield true;
      }
      default -> true; // ping, and what this version does not know, also when it is cut
    };
  }

  private boolean messageStart(JsonFields event) {
    JsonFields started = event.object("message");
    if (message != null || started == null) {
      return false;
    }
    message = started;
    state = State.OPEN;
    return true;
  }

  private boolean blockStart(JsonFields event) {
    JsonFields fields = event.object("content_block");
    if (message == null || fields == null || event.index("index") != blocks.size()) {
      return false;
    }
    blocks.add(new Block(fields));
    JsonFields to = fields.object("to");
    if ("fallback".equals(fields.text("type")) && to != null) {
      message.takeNonNull(model(to), "model");
    }
    return true;
  }

  /** Only a name can take the place of the model. */
  private static JsonFields model(JsonFields to) {
    return to.text("model") == null ? new JsonFields() : to;
  }

  private boolean blockDelta(JsonFields event) {
    Block block = openBlock(event);
    JsonFields delta = event.object("delta");
    if (block == null || delta == null) {
      return false;
    }
    String type = delta.text("type");
    return switch (type == null ? "" : type) {
      case "text_delta" -> append(block, "text", delta);
      case "thinking_delta" -> append(block, "thinking", delta);
      case "signature_delta" -> {
        block.fields.take(delta, "signature");
        yield true;
      }
      case "citations_delta" -> {
        Object citation = delta.get("citation");
        yield citation != null && block.fields.add("citations", citation);
      }
      case "input_json_delta" -> {
        String json = delta.text("partial_json");
        if (json != null) {
          block.input = block.input == null ? new StringBuilder() : block.input;
          block.input.append(json);
        }
        yield json != null;
      }
      case "compaction_delta" -> {
        block.fields.take(delta, "content");
        block.fields.take(delta, "encrypted_content");
        yield true;
      }
      default -> true;
    };
  }

  private static boolean append(Block block, String name, JsonFields delta) {
    String more = delta.text(name);
    return more != null && block.fields.append(name, more);
  }

  private boolean blockStop(JsonFields event) {
    Block block = openBlock(event);
    if (block != null) {
      stop(block, event.index("index"));
    }
    return block != null;
  }

  private @Nullable Block openBlock(JsonFields event) {
    int index = event.index("index");
    return index >= 0 && index < blocks.size() && blocks.get(index).open ? blocks.get(index) : null;
  }

  private void stop(Block block, int index) {
    block.open = false;
    if (block.input == null) {
      return;
    }
    String raw = block.input.toString();
    block.input = null;
    String compact = JsonFields.compactObject(raw);
    if (compact == null) {
      invalidToolInputs.add(new InvalidToolInput(index, WellFormed.repair(raw)));
    }
    block.fields.putJson("input", compact == null ? "{}" : compact);
  }

  private boolean messageDelta(JsonFields event) {
    if (message == null) {
      return false;
    }
    JsonFields delta = event.object("delta");
    if (delta != null) {
      for (String name : delta.names()) {
        if (name.equals("stop_reason")
            || name.equals("stop_sequence")
            || name.equals("stop_details")) {
          message.take(delta, name);
        } else if (!name.equals("content") && !name.equals("usage")) {
          message.takeNonNull(delta, name);
        }
      }
    }
    message.takeNonNull(event, "context_management");
    message.takeNonNull(event, "input_transformations");
    JsonFields usage = event.object("usage");
    if (usage != null) {
      mergeUsage(message, usage);
    }
    return true;
  }

  /** Totals of the whole message: a later one replaces an earlier one, nothing is ever added up. */
  private void mergeUsage(JsonFields target, JsonFields usage) {
    JsonFields known = target.object("usage");
    if (known == null) {
      known = new JsonFields();
      target.put("usage", known);
    }
    for (String name : usage.names()) {
      known.takeNonNull(usage, name);
    }
    outputTokensTold |= !usage.isNullOrMissing("output_tokens");
  }

  private boolean messageStop() {
    if (message == null) {
      return false;
    }
    for (int index = 0; index < blocks.size(); index++) {
      if (blocks.get(index).open) {
        stop(blocks.get(index), index); // nothing that came is lost
      }
    }
    state = State.COMPLETE;
    return true;
  }

  /** How far the assembly has come. */
  public State state() {
    return state;
  }

  /** Whether {@code message_stop} has come and nothing was wrong. */
  public boolean isComplete() {
    return state == State.COMPLETE;
  }

  /**
   * The message object as compact JSON, its fields in the order of {@code message_start}: complete
   * or as far as it came; null without {@code message_start} and after too many bytes. As long as
   * no {@code message_delta} has told {@code output_tokens} it is null there, because the figure of
   * {@code message_start} is a placeholder. The input of a tool whose block has not ended is as it
   * was at its start.
   */
  public @Nullable String json() {
    if (message == null) {
      return null;
    }
    JsonFields result = message.copy();
    StringBuilder content = new StringBuilder("[");
    for (Block block : blocks) {
      content.append(content.length() > 1 ? "," : "");
      block.fields.writeTo(content);
    }
    result.putJson("content", content.append(']').toString());
    JsonFields usage = message.object("usage");
    if (usage != null && !outputTokensTold) {
      JsonFields begun = usage.copy();
      begun.putNull("output_tokens");
      result.put("usage", begun);
    }
    return result.json();
  }

  /** The texts of all {@code text} blocks, one behind the other. */
  public String text() {
    StringBuilder text = new StringBuilder();
    for (Block block : blocks) {
      String part = block.fields.text("text");
      if (part != null && "text".equals(block.fields.text("type"))) {
        text.append(WellFormed.repair(part));
      }
    }
    return text.toString();
  }

  /** The API's id of the message; null when it has not told one. */
  public @Nullable String id() {
    return field("id");
  }

  /** The model that answers, after a fallback the one fallen back to; null when not told. */
  public @Nullable String model() {
    return field("model");
  }

  /** Such as {@code end_turn}; null when not told yet. */
  public @Nullable String stopReason() {
    return field("stop_reason");
  }

  private @Nullable String field(String name) {
    String text = message == null ? null : message.text(name);
    return text == null ? null : WellFormed.repair(text);
  }

  /** The type of the API's {@code error} event; null when there was none or it named none. */
  public @Nullable String errorType() {
    return errorType;
  }

  /** The inputs of ended tool calls that were no valid JSON object, in the order of their ends. */
  public List<InvalidToolInput> invalidToolInputs() {
    return List.copyOf(invalidToolInputs);
  }
}
