package dev.headrace.messages;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamContext;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.exc.UnexpectedEndOfInputException;

/**
 * Says what is wrong with a request body, where, and what was expected; of the body it quotes at
 * most names. Not thread-safe: one instance per body.
 */
final class BodyFaults {
  private static final int MAX_PATH_LENGTH = 100;

  private final JsonParser parser;

  /**
   * @param parser the one that reads the body
   */
  BodyFaults(JsonParser parser) {
    this.parser = parser;
  }

  /** Something at the token where the parser stands. */
  InvalidBodyException at(String what, String expected) {
    return invalid(what, parser.currentTokenLocation(), expected);
  }

  /** A value of a kind that does not belong where the parser stands. */
  InvalidBodyException wrongType(JsonToken found, String expected) {
    return at("field \"" + path() + "\" is " + nameOf(found), expected);
  }

  InvalidBodyException trailing(TokenStreamLocation location) {
    return invalid("something follows the JSON object", location, "nothing");
  }

  /**
   * Jackson's own texts quote the body, so only the kind of the exception is used, and of a
   * duplicate the beginning of the text.
   *
   * @param field the top-level field that was being read, when it is known
   * @param named whether the message may name where in the body the fault is, besides the column
   */
  InvalidBodyException explain(JacksonException e, @Nullable String field, boolean named) {
    TokenStreamLocation here = parser.currentLocation();
    String name = parser.streamReadContext().currentName();
    String in = field == null ? "" : " in field \"" + Printable.name(field) + "\"";
    if (e instanceof StreamConstraintsException) {
      return invalid(
          "too deep, too long or too many" + in,
          here,
          String.format(
              Locale.ROOT,
              "depth up to %d, field names up to %d characters, %d of them in objects within each"
                  + " other, numbers up to %d characters, %d JSON tokens",
              JsonInput.MAX_DEPTH,
              JsonInput.MAX_NAME_LENGTH,
              BoundedNames.MAX,
              JsonInput.MAX_NUMBER_LENGTH,
              JsonInput.MAX_TOKENS));
    }
    if (e instanceof UnexpectedEndOfInputException) {
      return invalid("ends too early" + in, here, "one complete JSON object");
    }
    if (name != null && e.getOriginalMessage().startsWith("Duplicate")) {
      String shown = named ? path() : Printable.name(name);
      return invalid("duplicate field \"" + shown + "\"", here, "each field once");
    }
    return invalid("not valid JSON" + in, here, "one JSON object");
  }

  /** The string at which the parser stands, if it is as short as what we take out of a body. */
  String shortText() throws InvalidBodyException {
    @Nullable String text;
    try {
      text = parser.getString();
    } catch (StreamConstraintsException e) {
      text = null;
    }
    if (text == null || text.length() > JsonInput.MAX_STRING_LENGTH) {
      throw at(
          "field \"" + path() + "\" is too long",
          "at most " + JsonInput.MAX_STRING_LENGTH + " characters");
    }
    return text;
  }

  /** Where the parser stands, such as {@code messages[3].content[0].text}; shortened. */
  String path() {
    Deque<String> steps = new ArrayDeque<>();
    JsonToken token = parser.currentToken();
    TokenStreamContext at = parser.streamReadContext();
    if (token != null && token.isStructStart()) {
      at = at.getParent(); // an array or object that has just begun is itself the value
    }
    for (; at != null && !at.inRoot(); at = at.getParent()) {
      String name = at.currentName();
      steps.push(at.inArray() ? "[" + at.getCurrentIndex() + "]" : name == null ? "" : "." + name);
    }
    String path = String.join("", steps);
    return Printable.name(path.startsWith(".") ? path.substring(1) : path, MAX_PATH_LENGTH);
  }

  static InvalidBodyException invalid(String what, TokenStreamLocation where, String expected) {
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

  static String nameOf(JsonToken token) {
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
}
