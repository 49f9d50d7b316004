package dev.headrace.output;

import dev.headrace.messages.ApiError;
import dev.headrace.messages.EventConsumer;
import dev.headrace.messages.JsonFields;
import dev.headrace.messages.JsonFields.Detail;
import dev.headrace.messages.MessageEvent;
import dev.headrace.output.Block.Kind;
import dev.headrace.sse.SseEvent;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Turns the events of one upstream attempt into another format. What an event comes to waits in
 * {@link #output} until {@link #clear}; nothing is held back for a later event except the first
 * half of a surrogate pair and the input of a tool. Not thread-safe: one instance per attempt, used
 * by one thread at a time.
 *
 * <p>Output is always well-formed UTF-8 and consists of whole pieces: an event that cannot be
 * translated adds nothing, and nothing follows it.
 */
public abstract sealed class Translation implements EventConsumer
    permits SimpleTranslation, TextTranslation {

  /** Blocks come one after another; nobody has ever seen two at a time. */
  private static final int MAX_OPEN_BLOCKS = 1_000;

  private static final String TOO_LARGE_START =
      "content_block_start is larger than the limit for an event";

  final Utf8Output out = new Utf8Output();

  private boolean begun;
  private int blocks;
  private final Map<Integer, Block> open = new HashMap<>();
  private final long maxToolInputBytes;
  private long toolInputBytes;
  private boolean ended;
  private @Nullable ApiError upstreamError;
  private @Nullable String failure;

  /**
   * @param maxToolInputBytes the most input of open tool calls that is held together, in bytes of
   *     UTF-8
   */
  Translation(long maxToolInputBytes) {
    this.maxToolInputBytes = maxToolInputBytes;
  }

  /**
   * The array that holds the output, {@link #length} bytes from its start; valid until the next
   * call.
   */
  public byte[] output() {
    return out.bytes();
  }

  /** How many bytes wait. */
  public int length() {
    return out.length();
  }

  /** Forgets the output, because it was written. */
  public void clear() {
    out.clear();
  }

  /** Whether the stream has its proper end: nothing more is ever put out. */
  public boolean isEnded() {
    return ended;
  }

  /**
   * Why this cannot go on: an event that it needs was too large, unreadable or out of place, or a
   * tool's input was too large. Quotes nothing of the answer. Null as long as all is well; after a
   * failure nothing more is put out.
   */
  public @Nullable String failure() {
    return failure;
  }

  /** The error by which the upstream has ended the answer; null as long as none has come. */
  public @Nullable ApiError upstreamError() {
    return upstreamError;
  }

  /**
   * The bytes that end the stream with an error of ours, to be written behind what waits; empty
   * when it has its end already.
   *
   * @return null when the format has no way to say it, so that the connection must be dropped
   */
  public abstract byte @Nullable [] lastEvent(ApiError error);

  @Override
  public final void onEvent(MessageEvent kind, SseEvent event) {
    if (ended || upstreamError != null || failure != null) {
      return;
    }
    int before = out.length();
    String fault = translate(kind, event);
    if (fault != null) {
      out.cutTo(before);
      failure = fault;
      open.clear();
    }
  }

  final void end() {
    ended = true;
    open.clear();
  }

  // What the formats differ in.

  abstract boolean shows(Kind kind);

  abstract void text(String text);

  void thinking(String text) {}

  /** A tool call with its whole input. */
  void tool(Block block) {}

  /** The data of {@code message_start}; returns false when it is not enough. */
  boolean started(JsonFields event) {
    return true;
  }

  /** The data of {@code message_delta}; returns false when it is not enough. */
  boolean changed(JsonFields event) {
    return true;
  }

  /** Another model goes on with the answer. */
  void answersNow(@Nullable String model) {}

  abstract void stopped();

  abstract void failedUpstream(ApiError error);

  // Each returns null, or what is wrong with the event.

  private @Nullable String translate(MessageEvent kind, SseEvent event) {
    return switch (kind) {
      case CONTENT_BLOCK_DELTA -> blockDelta(event);
      case CONTENT_BLOCK_START -> blockStart(event);
      case CONTENT_BLOCK_STOP -> blockStop(event);
      case MESSAGE_START -> messageStart(event);
      case MESSAGE_DELTA -> messageDelta(event);
      case MESSAGE_STOP -> messageStop();
      case ERROR -> error(event);
      case PING, OTHER -> null;
    };
  }

  private @Nullable String messageStart(SseEvent event) {
    if (begun) {
      return "message_start is out of place";
    }
    begun = true;
    return started(read(event, Detail.SCALARS)) ? null : unreadable("message_start", event);
  }

  private @Nullable String messageDelta(SseEvent event) {
    if (!begun) {
      return "message_delta is out of place";
    }
    return changed(read(event, Detail.SCALARS)) ? null : unreadable("message_delta", event);
  }

  private @Nullable String blockStart(SseEvent event) {
    JsonFields fields = read(event, Detail.SCALARS);
    int index = fields.index("index");
    JsonFields content = fields.object("content_block");
    String type = content == null ? null : content.text("type");
    Kind kind = Kind.of(type);
    if (!shows(kind)) {
      kind = Kind.IGNORED;
    }
    // A search result may be too large to be read whole, and then also what it is, if that stands
    // behind. Blocks that are shown begin small.
    boolean enough = fields.isWhole() || (kind == Kind.IGNORED && index >= 0);
    if (content == null || !enough) {
      return unreadable("content_block_start", event);
    }
    if (!begun || index != blocks || open.size() == MAX_OPEN_BLOCKS) {
      return "content_block_start is out of place";
    }
    Block block = new Block(kind);
    block.unread = type == null && !fields.isWhole();
    open.put(index, block);
    blocks++;
    if (kind == Kind.TOOL) {
      return toolStart(block, event);
    }
    if ("fallback".equals(type)) {
      JsonFields to = content.object("to");
      answersNow(to == null ? null : to.text("model"));
    }
    String first = kind == Kind.IGNORED ? null : content.text(kind.member);
    return first == null ? null : content(block, first);
  }

  /** Read anew, because an input that is there from the start may have any depth. */
  private @Nullable String toolStart(Block block, SseEvent event) {
    JsonFields content = read(event, Detail.ALL).object("content_block");
    JsonFields input = content == null ? null : content.object("input");
    block.id = content == null ? null : content.text("id");
    block.name = content == null ? null : content.text("name");
    if (input != null) {
      block.startInput(input.json());
      toolInputBytes += block.inputBytes();
    }
    return checkToolInput();
  }

  private @Nullable String blockDelta(SseEvent event) {
    JsonFields fields = read(event, Detail.SCALARS);
    Block block = open.get(fields.index("index"));
    if (block == null) {
      return misplaced("content_block_delta", fields, event);
    }
    JsonFields delta = fields.object("delta");
    String type = delta == null ? null : delta.text("type");
    if (block.kind == Kind.IGNORED) {
      return block.unread && Kind.isContent(type) ? TOO_LARGE_START : null;
    }
    if (type != null && !type.equals(block.kind.deltaType)) {
      return null; // a citation, a signature or something new
    }
    String more = delta == null ? null : delta.text(block.kind.member);
    return type == null || more == null || !fields.isWhole()
        ? unreadable("content_block_delta", event)
        : content(block, more);
  }

  private @Nullable String content(Block block, String more) {
    switch (block.kind) {
      case TEXT -> text(block.take(more));
      case THINKING -> thinking(block.take(more));
      case TOOL -> {
        toolInputBytes -= block.inputBytes();
        block.addInput(more);
        toolInputBytes += block.inputBytes();
        return checkToolInput();
      }
      case IGNORED -> {}
    }
    return null;
  }

  private @Nullable String checkToolInput() {
    return toolInputBytes > maxToolInputBytes
        ? "the input of tools is larger than the limit of " + maxToolInputBytes + " bytes"
        : null;
  }

  private @Nullable String blockStop(SseEvent event) {
    JsonFields fields = read(event, Detail.SCALARS);
    Block block = open.remove(fields.index("index"));
    if (block == null) {
      return misplaced("content_block_stop", fields, event);
    }
    finish(block);
    return null;
  }

  private void finish(Block block) {
    switch (block.kind) {
      case TEXT -> text(block.rest());
      case THINKING -> thinking(block.rest());
      case TOOL -> tool(block);
      case IGNORED -> {}
    }
    toolInputBytes -= block.inputBytes();
  }

  private @Nullable String messageStop() {
    if (!begun) {
      return "message_stop is out of place";
    }
    // Nothing that came is lost if a block was left open.
    open.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .map(Map.Entry::getValue)
        .forEach(this::finish);
    stopped();
    end();
    return null;
  }

  private @Nullable String error(SseEvent event) {
    ApiError error = ApiError.fromEventData(event.data(), event.dataOffset(), event.dataLength());
    if (error == null) {
      return unreadable("error", event);
    }
    upstreamError = error;
    open.clear();
    failedUpstream(error);
    return null;
  }

  /** Of data that was cut it holds what stood before the cut, and {@code isWhole} is false. */
  private static JsonFields read(SseEvent event, Detail detail) {
    return JsonFields.read(event.data(), event.dataOffset(), event.dataLength(), detail);
  }

  private static String misplaced(String name, JsonFields fields, SseEvent event) {
    return fields.isWhole() ? name + " is out of place" : unreadable(name, event);
  }

  private static String unreadable(String name, SseEvent event) {
    return name + (event.truncated() ? " is larger than the limit for an event" : " is unreadable");
  }
}
