package dev.headrace.messages;

import static java.util.Objects.requireNonNull;

import dev.headrace.messages.RequestHead.TokenRange;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonParser.NumberType;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.JacksonIOException;

/**
 * One pass over one request body; see {@link RequestHead#read}. Not thread-safe: one instance per
 * body.
 */
final class RequestHeadReader {
  private final byte[] body;
  private final int length;
  private final JsonParser parser;
  private final Utf8Offsets offsets;
  private final BodyFaults faults;
  private final @Nullable OutlineReader outline;

  private @Nullable String model;
  private boolean stream;
  private @Nullable Long maxTokens;
  private @Nullable TokenRange modelToken;
  private @Nullable TokenRange maxTokensToken;
  private @Nullable String speed;
  private @Nullable String inferenceGeo;
  private final NamedModels fallbackModels = new NamedModels();
  private final NamedModels toolModels = new NamedModels();
  private final References references = new References();
  private boolean objectEnded;

  /** The top-level field whose value is being read; known only where an outline is read. */
  private @Nullable String field;

  /** The top-level field whose value was read last. */
  private @Nullable String lastField;

  private RequestHeadReader(
      byte[] body, int length, JsonParser parser, boolean outlined, boolean conversation) {
    this.body = body;
    this.length = length;
    this.parser = parser;
    this.offsets = new Utf8Offsets(body);
    this.faults = new BodyFaults(parser);
    this.outline =
        outlined
            ? new OutlineReader(
                body,
                length,
                parser,
                offsets,
                faults,
                fallbackModels,
                toolModels,
                references,
                conversation)
            : null;
  }

  static RequestHead read(byte[] body, int length) throws InvalidBodyException {
    checkEncoding(body, length);
    try (JsonParser parser = JsonInput.request(body, length)) {
      return new RequestHeadReader(body, length, parser, false, false).read();
    }
  }

  /**
   * @param conversation whether the rules of {@link RequestOutline#readConversation} hold
   */
  static RequestOutline readOutline(byte[] body, int length, boolean conversation)
      throws InvalidBodyException {
    checkEncoding(body, length);
    try (JsonParser parser = JsonInput.request(body, length)) {
      RequestHeadReader reader = new RequestHeadReader(body, length, parser, true, conversation);
      RequestHead head = reader.read();
      return requireNonNull(reader.outline).outline(head);
    }
  }

  /**
   * RFC 8259, 8.1: UTF-8 without a byte order mark. Anything else would fail below, too, but with a
   * text that helps nobody.
   */
  static void checkEncoding(byte[] body, int length) throws InvalidBodyException {
    int first = length < 2 ? 0 : ((body[0] & 0xFF) << 8) | (body[1] & 0xFF);
    if (first == 0xEFBB && length > 2 && (body[2] & 0xFF) == 0xBF) {
      throw new InvalidBodyException(
          "body: begins with a byte order mark (expected: UTF-8 without one)");
    }
    boolean wide = first == 0xFEFF || first == 0xFFFE;
    for (int i = 0; i < Math.min(length, 4); i++) {
      // A JSON object has a zero byte here in UTF-16 and UTF-32, never in UTF-8.
      wide |= body[i] == 0;
    }
    if (wide) {
      throw new InvalidBodyException("body: looks like UTF-16 or UTF-32 (expected: UTF-8)");
    }
  }

  private RequestHead read() throws InvalidBodyException {
    try {
      readBody();
    } catch (JacksonIOException e) {
      throw new InvalidBodyException(
          "body: not well-formed UTF-8 at byte "
              + Utf8Offsets.firstIllFormed(body, length)
              + " (expected: UTF-8)");
    } catch (JacksonException e) {
      throw objectEnded
          ? faults.trailing(parser.currentLocation())
          : faults.explain(e, brokenField(), outline != null);
    }
    return new RequestHead(
        model,
        stream,
        maxTokens,
        modelToken,
        maxTokensToken,
        speed,
        inferenceGeo,
        fallbackModels.all(),
        toolModels.all(),
        references.count());
  }

  private void readBody() throws InvalidBodyException {
    JsonToken first = parser.nextToken();
    if (first == null) {
      throw new InvalidBodyException("body: empty (expected: one JSON object)");
    }
    if (first != JsonToken.START_OBJECT) {
      throw faults.at(BodyFaults.nameOf(first), "one JSON object");
    }
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      if (outline == null) {
        JsonToken value = parser.nextToken();
        switch (name) {
          case "messages" -> references.skip(value, parser);
          case "tools" -> toolModels.read(value, parser, faults);
          case "fallbacks" -> fallbackModels.read(value, parser, faults);
          default -> {
            if (!readHeadField(name, value)) {
              parser.skipChildren();
            }
          }
        }
      } else {
        readOutlined(name, outline);
      }
    }
    objectEnded = true;
    if (parser.nextToken() != null) {
      throw faults.trailing(parser.currentTokenLocation());
    }
  }

  private void readOutlined(String name, OutlineReader outline) throws InvalidBodyException {
    field = name;
    outline.checkName();
    JsonToken value = parser.nextToken();
    int start = outline.start();
    if (readHeadField(name, value)) {
      outline.add(name, value, start, null);
    } else {
      outline.readField(name, value);
    }
    field = null;
    lastField = name;
  }

  /** The top-level field that the parser was reading when it failed, where that is known. */
  private @Nullable String brokenField() {
    if (outline == null || field != null) {
      return field;
    }
    // The parser reads a number together with the name before it, so it knows the name first.
    String name = parser.streamReadContext().currentName();
    return name == null || name.equals(lastField) ? null : name;
  }

  /** Whether this is a head field, whose value is consumed then. */
  private boolean readHeadField(String name, JsonToken value) throws InvalidBodyException {
    switch (name) {
      case "model" -> readModel(value);
      case "stream" -> readStream(value);
      case "max_tokens" -> readMaxTokens(value);
      default -> {
        if (value == JsonToken.VALUE_STRING) {
          readWord(name);
        }
        return false;
      }
    }
    return true;
  }

  /** What makes the same tokens dearer; as another type than a string the API will refuse it. */
  private void readWord(String name) throws InvalidBodyException {
    if (name.equals("speed")) {
      speed = faults.shortText();
    } else if (name.equals("inference_geo")) {
      inferenceGeo = faults.shortText();
    }
  }

  private void readModel(JsonToken value) throws InvalidBodyException {
    if (value != JsonToken.VALUE_STRING) {
      throw faults.wrongType(value, "a string");
    }
    TokenStreamLocation location = parser.currentTokenLocation();
    int start = offsets.byteOffset(location.getCharOffset());
    model = faults.shortText();
    if (!WellFormed.isWellFormed(model)) {
      // RFC 8259, 8.2: half a surrogate pair cannot be written out again, so nobody could log or
      // compare it.
      throw BodyFaults.invalid(
          "field \"model\" holds half a surrogate pair", location, "Unicode text");
    }
    modelToken =
        new TokenRange(start, offsets.byteOffset(parser.currentLocation().getCharOffset()));
  }

  private void readStream(JsonToken value) throws InvalidBodyException {
    if (value != JsonToken.VALUE_TRUE && value != JsonToken.VALUE_FALSE) {
      throw faults.wrongType(value, "true or false");
    }
    stream = value == JsonToken.VALUE_TRUE;
  }

  private void readMaxTokens(JsonToken value) throws InvalidBodyException {
    if (value != JsonToken.VALUE_NUMBER_INT) {
      throw faults.wrongType(value, "an integer");
    }
    TokenStreamLocation location = parser.currentTokenLocation();
    int start = offsets.byteOffset(location.getCharOffset());
    if (parser.getNumberType() == NumberType.BIG_INTEGER) {
      throw BodyFaults.invalid(
          "field \"max_tokens\" is out of range", location, "an integer of 64 bits");
    }
    maxTokens = parser.getLongValue();
    maxTokensToken =
        new TokenRange(start, offsets.byteOffset(parser.currentLocation().getCharOffset()));
  }
}
