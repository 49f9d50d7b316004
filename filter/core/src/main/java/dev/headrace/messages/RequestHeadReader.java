package dev.headrace.messages;

import dev.headrace.messages.RequestHead.TokenRange;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonParser.NumberType;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.JacksonIOException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.UnexpectedEndOfInputException;

/**
 * One pass over one request body; see {@link RequestHead#read}. Not thread-safe: one instance per
 * body.
 */
final class RequestHeadReader {
  private static final int SHOWN_NAME_LENGTH = 64;

  private final byte[] body;
  private final int length;
  private final JsonParser parser;
  private final Utf8Offsets offsets;

  private @Nullable String model;
  private boolean stream;
  private @Nullable Long maxTokens;
  private @Nullable TokenRange modelToken;
  private @Nullable TokenRange maxTokensToken;
  private boolean objectEnded;

  private RequestHeadReader(byte[] body, int length, JsonParser parser) {
    this.body = body;
    this.length = length;
    this.parser = parser;
    this.offsets = new Utf8Offsets(body);
  }

  static RequestHead read(byte[] body, int length) throws InvalidBodyException {
    checkEncoding(body, length);
    try (JsonParser parser = JsonInput.request(body, length)) {
      return new RequestHeadReader(body, length, parser).read();
    }
  }

  /**
   * RFC 8259, 8.1: UTF-8 without a byte order mark. Anything else would fail below, too, but with a
   * text that helps nobody.
   */
  private static void checkEncoding(byte[] body, int length) throws InvalidBodyException {
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
      throw explain(e);
    }
    return new RequestHead(model, stream, maxTokens, modelToken, maxTokensToken);
  }

  private void readBody() throws InvalidBodyException {
    JsonToken first = parser.nextToken();
    if (first == null) {
      throw new InvalidBodyException("body: empty (expected: one JSON object)");
    }
    if (first != JsonToken.START_OBJECT) {
      throw invalid(nameOf(first), parser.currentTokenLocation(), "one JSON object");
    }
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (name) {
        case "model" -> readModel(value);
        case "stream" -> readStream(value);
        case "max_tokens" -> readMaxTokens(value);
        default -> parser.skipChildren();
      }
    }
    objectEnded = true;
    if (parser.nextToken() != null) {
      throw trailing(parser.currentTokenLocation());
    }
  }

  private void readModel(JsonToken value) throws InvalidBodyException {
    if (value != JsonToken.VALUE_STRING) {
      throw wrongType("model", value, "a string");
    }
    TokenStreamLocation location = parser.currentTokenLocation();
    int start = offsets.byteOffset(location.getCharOffset());
    try {
      model = parser.getString();
    } catch (StreamConstraintsException e) {
      throw invalid(
          "field \"model\" is too long",
          location,
          "at most " + JsonInput.MAX_STRING_LENGTH + " characters");
    }
    if (!WellFormed.isWellFormed(model)) {
      // RFC 8259, 8.2: half a surrogate pair cannot be written out again, so nobody could log or
      // compare it.
      throw invalid("field \"model\" holds half a surrogate pair", location, "Unicode text");
    }
    modelToken =
        new TokenRange(start, offsets.byteOffset(parser.currentLocation().getCharOffset()));
  }

  private void readStream(JsonToken value) throws InvalidBodyException {
    if (value != JsonToken.VALUE_TRUE && value != JsonToken.VALUE_FALSE) {
      throw wrongType("stream", value, "true or false");
    }
    stream = value == JsonToken.VALUE_TRUE;
  }

  private void readMaxTokens(JsonToken value) throws InvalidBodyException {
    if (value != JsonToken.VALUE_NUMBER_INT) {
      throw wrongType("max_tokens", value, "an integer");
    }
    TokenStreamLocation location = parser.currentTokenLocation();
    int start = offsets.byteOffset(location.getCharOffset());
    if (parser.getNumberType() == NumberType.BIG_INTEGER) {
      throw invalid("field \"max_tokens\" is out of range", location, "an integer of 64 bits");
    }
    maxTokens = parser.getLongValue();
    maxTokensToken =
        new TokenRange(start, offsets.byteOffset(parser.currentLocation().getCharOffset()));
  }

  /**
   * Jackson's own texts quote the body, so only the kind of the exception is used, and of a
   * duplicate the beginning of the text.
   */
  private InvalidBodyException explain(JacksonException e) {
    TokenStreamLocation here = parser.currentLocation();
    if (objectEnded) {
      return trailing(here);
    }
    if (e instanceof StreamConstraintsException) {
      return invalid(
          "too deep, too long or too many",
          here,
          String.format(
              Locale.ROOT,
              "depth up to %d, field names up to %d characters, numbers up to %d characters,"
                  + " %d JSON tokens",
              JsonInput.MAX_DEPTH,
              JsonInput.MAX_NAME_LENGTH,
              JsonInput.MAX_NUMBER_LENGTH,
              JsonInput.MAX_TOKENS));
    }
    if (e instanceof UnexpectedEndOfInputException) {
      return invalid("ends too early", here, "one complete JSON object");
    }
    String name = parser.streamReadContext().currentName();
    if (name != null && e.getOriginalMessage().startsWith("Duplicate")) {
      return invalid("duplicate field \"" + printable(name) + "\"", here, "each field once");
    }
    return invalid("not valid JSON", here, "one JSON object");
  }

  private InvalidBodyException trailing(TokenStreamLocation location) {
    return invalid("something follows the JSON object", location, "nothing");
  }

  private InvalidBodyException wrongType(String name, JsonToken found, String expected) {
    return invalid(
        "field \"" + name + "\" is " + nameOf(found), parser.currentTokenLocation(), expected);
  }

  private static InvalidBodyException invalid(
      String what, TokenStreamLocation where, String expected) {
    return new InvalidBodyException(
        "body: "
            + what
            + " at line "
            + where.getLineNr()
            + ", column "
            + where.getColumnNr()
            + " (expected: "
            + expected
            + ")");
  }

  private static String nameOf(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "an object";
      case START_ARRAY -> "an array";
      case VALUE_STRING -> "a string";
      case VALUE_NUMBER_INT -> "an integer";
      case VALUE_NUMBER_FLOAT -> "a number with a fraction or exponent";
      case VALUE_TRUE, VALUE_FALSE -> "a boolean";
      case VALUE_NULL -> "null";
      default -> "something else";
    };
  }

  /** Keeps a name from forging log lines or the message itself. */
  private static String printable(String name) {
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < Math.min(name.length(), SHOWN_NAME_LENGTH); i++) {
      char c = name.charAt(i);
      shown.append(c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : c);
    }
    return shown.append(name.length() > SHOWN_NAME_LENGTH ? "..." : "").toString();
  }
}
