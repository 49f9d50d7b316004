package dev.headrace.messages;

import java.io.StringWriter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.async.ByteArrayFeeder;

/**
 * Reads the usage of one answer that is not streamed from its JSON, in the pieces in which it comes
 * (API reference, "Non-streaming and other endpoints", as of 2026-11-22). Nothing is thrown,
 * whatever comes: what is no message, such as an error or HTML, has no usage.
 *
 * <p>Memory is bounded by some hundred kilobytes, however large the answer is: long strings are cut
 * before they are parsed, and of the rest only id, model, stop reason and usage are kept. Bytes are
 * given by one thread; any thread may ask. One instance per answer; {@link #end} gives the parser's
 * buffers back, and without it they are left to the garbage collector.
 */
public final class MessageBodyReader implements UsageView {
  /** Most JSON tokens of {@code usage}: as many as the most iterations need, and some more. */
  private static final int MAX_USAGE_TOKENS = 40 * UsageFields.MAX_ITERATIONS;

  /** Depth of the fields of the message, of those of a content block, and the list between them. */
  private static final int MESSAGE = 1;

  private static final int CONTENT = 2;
  private static final int BLOCK = 3;

  // Of the thread that gives the bytes.
  private final JsonParser parser = JsonInput.answerInPieces();
  private final ByteArrayFeeder feeder = (ByteArrayFeeder) parser.nonBlockingInputFeeder();
  private final StringCutter cutter = new StringCutter(new ToParser());
  private final MessageHead message = new MessageHead();
  private boolean noMessage;
  private boolean whole;
  private boolean unreadable;
  private boolean closed;

  // Where the parser stands.
  private int depth;
  private String field = "";
  private String blockField = "";
  private boolean atValue;
  private boolean inContent;
  private @Nullable ContentBlock block; // null where something else stands in its place
  private @Nullable UsageCopy usage;
  private int usageTokens;

  // Written by that thread, read by any.
  private volatile MessageFacts facts = MessageFacts.NONE;
  private volatile long characters;
  private volatile boolean output;

  /**
   * Takes the next bytes of the body; ignored after {@link #end}.
   *
   * @throws IndexOutOfBoundsException if the range is not inside the array
   */
  public void feed(byte[] bytes, int offset, int length) {
    Objects.checkFromIndexSize(offset, length, bytes.length);
    if (closed) {
      return;
    }
    try {
      if (!cutter.feed(bytes, offset, length)) {
        fail();
      }
    } catch (JacksonException e) {
      fail();
    }
    publish();
  }

  /** The body has come to its end, whole or not. */
  public void end() {
    if (closed) {
      return;
    }
    try {
      feeder.endOfInput();
      readTokens();
    } catch (JacksonException e) {
      // Cut off, which is the same as not whole.
    }
    close();
    publish();
  }

  private void fail() {
    unreadable = true;
    close();
  }

  private void close() {
    closed = true;
    usage = null;
    parser.close();
  }

  /** Hands the bytes to the parser, and tells it which strings are output. */
  private final class ToParser implements StringCutter.Receiver {
    @Override
    public void take(byte[] bytes, int from, int to) {
      if (from < to) {
        feeder.feedInput(bytes, from, to);
        readTokens();
      }
    }

    @Override
    public boolean counts() {
      if (!inContent || depth < BLOCK) {
        return false;
      }
      return depth == BLOCK
          ? atValue && (blockField.equals("text") || blockField.equals("thinking"))
          : blockField.equals("input");
    }
  }

  private void readTokens() {
    JsonToken token = parser.nextToken();
    while (token != null && token != JsonToken.NOT_AVAILABLE) {
      read(token);
      token = parser.nextToken();
    }
  }

  private void read(JsonToken token) {
    if (token.isStructEnd()) {
      depth--;
    }
    if (depth == 0 && token != JsonToken.END_OBJECT) {
      noMessage |= token != JsonToken.START_OBJECT;
    }
    if (usage != null) {
      copyUsage(token, usage);
    } else if (depth == MESSAGE) {
      readField(token);
    } else if (inContent && depth == CONTENT) {
      readBlock(token);
    } else if (inContent && depth == BLOCK) {
      readBlockField(token);
    }
    whole |= depth == 0 && token == JsonToken.END_OBJECT;
    atValue = token == JsonToken.PROPERTY_NAME;
    if (token.isStructStart()) {
      depth++;
    }
  }

  private void readField(JsonToken token) {
    switch (token) {
      case PROPERTY_NAME -> field = parser.currentName();
      case VALUE_STRING -> readText();
      case START_ARRAY -> inContent = field.equals("content");
      case END_ARRAY -> inContent = false;
      default -> {
        if (field.equals("usage") && !token.isStructEnd() && UsageFields.isObject(parser, token)) {
          usage = new UsageCopy();
          copyUsage(token, usage);
        }
      }
    }
  }

  private void readText() {
    switch (field) {
      case "type" ->
          noMessage |= !"message".equals(UsageFields.text(parser, JsonToken.VALUE_STRING));
      case "id" -> message.id = UsageFields.text(parser, JsonToken.VALUE_STRING);
      case "model" -> message.model = UsageFields.text(parser, JsonToken.VALUE_STRING);
      case "stop_reason" -> message.stopReason = UsageFields.text(parser, JsonToken.VALUE_STRING);
      case "usage" -> throw UsageFields.unreadable(parser, "usage is a string");
      default -> {}
    }
  }

  private void readBlock(JsonToken token) {
    if (token.isStructStart()) {
      block = token == JsonToken.START_OBJECT ? new ContentBlock() : null;
      blockField = "";
    } else if (token == JsonToken.END_OBJECT && block != null && block.isOutput()) {
      output = true;
    }
  }

  private void readBlockField(JsonToken token) {
    if (token == JsonToken.PROPERTY_NAME) {
      blockField = parser.currentName();
    } else if (block == null) {
      return;
    } else if (token == JsonToken.VALUE_STRING) {
      block.readText(blockField, parser);
    } else if (token.isStructStart()) {
      block.readStructure(blockField);
    }
  }

  private void copyUsage(JsonToken token, UsageCopy copy) {
    usageTokens++;
    if (usageTokens > MAX_USAGE_TOKENS) {
      throw UsageFields.unreadable(parser, "usage is too large");
    }
    copy.add(token, parser);
    if (depth == MESSAGE && token == JsonToken.END_OBJECT) {
      usage = null;
      usageTokens = 0;
      message.usage = copy.read();
    }
  }

  /**
   * Collects the usage, because its counts are read front to back and may come in pieces. It is
   * kept as text, since a list of tokens is a class of Jackson's databind, of 2 MB.
   */
  private static final class UsageCopy {
    private final StringWriter text = new StringWriter();
    private final JsonGenerator json =
        JsonInput.output().createGenerator(ObjectWriteContext.empty(), text);

    void add(JsonToken token, JsonParser from) {
      if (token.isNumeric()) {
        json.writeNumber(from.getString()); // as it was written: a double may not hold it
      } else {
        json.copyCurrentEvent(from);
      }
    }

    UsageFields read() {
      json.close();
      try (JsonParser replay = JsonInput.answer(text.toString())) {
        replay.nextToken();
        return UsageFields.read(replay);
      }
    }
  }

  private void publish() {
    characters = cutter.characters();
    if (characters > 0) {
      output = true;
    }
    if (noMessage) {
      facts = new MessageFacts(null, null, null, null, 0, false, unreadable);
      return;
    }
    UsageFields told = message.usage;
    MessageUsage read = told == null ? null : told.toUsage();
    facts =
        new MessageFacts(
            read,
            message.model,
            message.id,
            message.stopReason,
            read == null ? 0 : read.outputTokens(),
            whole && read != null && told != null && told.tellsOutput() && !unreadable,
            unreadable);
  }

  @Override
  public @Nullable MessageUsage usage() {
    return facts.usage();
  }

  @Override
  public @Nullable String model() {
    return facts.model();
  }

  @Override
  public @Nullable String messageId() {
    return facts.messageId();
  }

  @Override
  public @Nullable String stopReason() {
    return facts.stopReason();
  }

  /** Whether the whole body was read and it held a usage with its output. */
  @Override
  public boolean isFinal() {
    return facts.isFinal();
  }

  /** Whether the body is no JSON, or its usage makes no sense; not when it is only cut off. */
  @Override
  public boolean unreadable() {
    return facts.unreadable();
  }

  @Override
  public long estimatedOutputTokens() {
    return facts.estimatedOutputTokens(characters);
  }

  @Override
  public boolean hasOutput() {
    return output;
  }

  @Override
  public UsageView snapshot() {
    MessageFacts now = facts;
    return new UsageSnapshot(now, now.estimatedOutputTokens(characters), output);
  }
}
