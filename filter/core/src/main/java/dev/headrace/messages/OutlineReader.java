package dev.headrace.messages;

import dev.headrace.messages.RequestHead.TokenRange;
import dev.headrace.messages.RequestOutline.Field;
import dev.headrace.messages.RequestOutline.Kind;
import dev.headrace.messages.RequestOutline.ServerTool;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * The part of a pass over a request body that collects a {@link RequestOutline}: consumes each
 * top-level value. Not thread-safe: one instance per body.
 */
final class OutlineReader {
  /** Their values decide on the price, so a policy compares them. */
  private static final Set<String> WORDS = Set.of("speed", "service_tier", "inference_geo");

  private final byte[] body;
  private final int length;
  private final JsonParser parser;
  private final Utf8Offsets offsets;
  private final BodyFaults faults;
  private final NamedModels fallbackModels;
  private final NamedModels toolModels;
  private final References references;
  private final boolean conversation;

  private final List<Field> fields = new ArrayList<>();
  private int tools;
  private boolean messagesSeen;
  private @Nullable ServerTool serverTool;
  private final Set<String> oddToolModels = new LinkedHashSet<>(); // no strings
  private @Nullable TokenRange userId;

  /**
   * @param conversation whether the rules of {@link RequestOutline#readConversation} hold
   */
  OutlineReader(
      byte[] body,
      int length,
      JsonParser parser,
      Utf8Offsets offsets,
      BodyFaults faults,
      NamedModels fallbackModels,
      NamedModels toolModels,
      References references,
      boolean conversation) {
    this.body = body;
    this.length = length;
    this.parser = parser;
    this.offsets = offsets;
    this.faults = faults;
    this.fallbackModels = fallbackModels;
    this.toolModels = toolModels;
    this.references = references;
    this.conversation = conversation;
  }

  /** Where the value at which the parser stands begins. */
  int start() {
    return offsets.byteOffset(parser.currentTokenLocation().getCharOffset());
  }

  /** The place behind the value that the parser has just consumed. */
  private int end(JsonToken value, int start) {
    // The parser has not read a string yet, and would hold all of it if asked for its end.
    return value == JsonToken.VALUE_STRING
        ? StringToken.end(body, start, length)
        : offsets.byteOffset(parser.currentLocation().getCharOffset());
  }

  /** Consumes the value of a field that is not a head field. */
  void readField(String name, JsonToken value) throws InvalidBodyException {
    int start = start();
    String word = null;
    switch (name) {
      case "tools" -> readTools(value);
      case "fallbacks" -> fallbackModels.read(value, parser, faults);
      case "metadata" -> readMetadata(value);
      case "messages" -> {
        messagesSeen = true;
        if (conversation) {
          readMessages(value);
        } else {
          references.skip(value, parser);
        }
      }
      default -> {
        consume(value);
        if (WORDS.contains(name) && value == JsonToken.VALUE_STRING) {
          word = faults.shortText();
        }
      }
    }
    add(name, value, start, word);
  }

  /** Adds a field whose value has been consumed. */
  void add(String name, JsonToken value, int start, @Nullable String word)
      throws InvalidBodyException {
    if (fields.size() == RequestOutline.MAX_FIELDS) {
      throw faults.at(
          "field \"" + Printable.name(name) + "\" is one too many",
          "at most " + RequestOutline.MAX_FIELDS + " fields");
    }
    fields.add(new Field(name, kindOf(value), new TokenRange(start, end(value, start)), word));
  }

  RequestOutline outline(RequestHead head) throws InvalidBodyException {
    if (conversation && !messagesSeen) {
      throw new InvalidBodyException(
          "body: field \"messages\" is missing (expected: an array of messages)");
    }
    Set<String> models = new LinkedHashSet<>(toolModels.all());
    models.addAll(oddToolModels);
    return new RequestOutline(head, fields, tools, serverTool, models, userId);
  }

  // ---- fields of interest

  private void readTools(JsonToken value) throws InvalidBodyException {
    if (value == JsonToken.VALUE_NULL) {
      return;
    }
    if (value != JsonToken.START_ARRAY) {
      throw faults.wrongType(value, "an array");
    }
    JsonToken tool;
    while ((tool = parser.nextToken()) != JsonToken.END_ARRAY) {
      String type = tool == JsonToken.START_OBJECT ? serverType() : BodyFaults.nameOf(tool);
      if (tool != JsonToken.START_OBJECT) {
        consume(tool);
      }
      if (type != null && serverTool == null) {
        serverTool = new ServerTool(tools, type);
      }
      tools++;
    }
  }

  /** Consumes a tool; null when it is the client's own. */
  private @Nullable String serverType() throws InvalidBodyException {
    String type = null;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      boolean isType = name.equals("type");
      checkName();
      JsonToken value = parser.nextToken();
      consume(value);
      if (name.equals("model") && value == JsonToken.VALUE_STRING) {
        toolModels.add(faults);
      } else if (name.equals("model") && value != JsonToken.VALUE_NULL) {
        oddToolModels.add(BodyFaults.nameOf(value));
      }
      if (isType && value != JsonToken.VALUE_NULL) {
        type = value == JsonToken.VALUE_STRING ? faults.shortText() : BodyFaults.nameOf(value);
      }
    }
    return type == null || type.equals("custom") ? null : Printable.name(type);
  }

  private void readMetadata(JsonToken value) throws InvalidBodyException {
    if (value != JsonToken.START_OBJECT) {
      consume(value);
      return;
    }
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      boolean isUserId = parser.currentName().equals("user_id");
      checkName();
      JsonToken inner = parser.nextToken();
      int start = isUserId ? start() : 0;
      consume(inner);
      if (isUserId) {
        userId = new TokenRange(start, end(inner, start));
      }
    }
  }

  private void readMessages(JsonToken value) throws InvalidBodyException {
    if (value != JsonToken.START_ARRAY) {
      throw faults.wrongType(value, "an array of messages");
    }
    JsonToken message = parser.nextToken();
    if (message == JsonToken.END_ARRAY) {
      throw faults.at("field \"messages\" is empty", "at least one message");
    }
    while (message != JsonToken.END_ARRAY) {
      if (message != JsonToken.START_OBJECT) {
        throw faults.wrongType(message, "an object with role and content");
      }
      readMessage();
      message = parser.nextToken();
    }
  }

  private void readMessage() throws InvalidBodyException {
    boolean role = false;
    boolean content = false;
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (name) {
        case "role" -> {
          readRole(value);
          role = true;
        }
        case "content" -> {
          readContent(value);
          content = true;
        }
        default ->
            throw faults.at(
                "field \"" + faults.path() + "\" is not allowed", "only role and content");
      }
    }
    if (!role || !content) {
      throw faults.at(
          "field \"" + faults.path() + (role ? ".content" : ".role") + "\" is missing",
          "an object with role and content");
    }
  }

  private void readRole(JsonToken value) throws InvalidBodyException {
    String expected = "user or assistant";
    if (value != JsonToken.VALUE_STRING) {
      throw faults.wrongType(value, expected);
    }
    String role = faults.shortText();
    if (!role.equals("user") && !role.equals("assistant")) {
      throw faults.at(
          "field \"" + faults.path() + "\" is \"" + Printable.name(role) + "\"", expected);
    }
  }

  private void readContent(JsonToken value) throws InvalidBodyException {
    if (value == JsonToken.VALUE_STRING) {
      checkText();
      return;
    }
    if (value != JsonToken.START_ARRAY) {
      throw faults.wrongType(value, "a string or an array of objects");
    }
    JsonToken block;
    while ((block = parser.nextToken()) != JsonToken.END_ARRAY) {
      if (block != JsonToken.START_OBJECT) {
        throw faults.wrongType(block, "an object");
      }
      consume(block);
    }
  }

  // ---- values

  /** Consumes a value: afterwards the parser stands at its last token. */
  void consume(JsonToken value) throws InvalidBodyException {
    if (!conversation) {
      parser.skipChildren();
      return;
    }
    int depth = 0;
    JsonToken token = value;
    while (true) {
      references.see(token, parser);
      if (token.isStructStart()) {
        depth++;
      } else if (token.isStructEnd()) {
        depth--;
      } else if (token == JsonToken.VALUE_STRING) {
        checkText();
      } else if (token == JsonToken.PROPERTY_NAME) {
        checkName();
      }
      if (depth == 0) {
        return;
      }
      token = parser.nextToken(); // not null: an early end is an exception
    }
  }

  /** Names with half a surrogate pair are refused by the parser. */
  void checkName() throws InvalidBodyException {
    if (conversation && parser.currentName().indexOf('\0') >= 0) {
      throw faults.at("field name \"" + faults.path() + "\" holds the character NUL", "text");
    }
  }

  private void checkText() throws InvalidBodyException {
    if (conversation) {
      String fault = StringToken.fault(body, start(), length);
      if (fault != null) {
        throw faults.at("field \"" + faults.path() + "\" " + fault, "Unicode text without NUL");
      }
    }
  }

  private static Kind kindOf(JsonToken value) {
    return switch (value) {
      case START_OBJECT -> Kind.OBJECT;
      case START_ARRAY -> Kind.ARRAY;
      case VALUE_STRING -> Kind.STRING;
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> Kind.NUMBER;
      case VALUE_TRUE, VALUE_FALSE -> Kind.BOOLEAN;
      default -> Kind.NULL;
    };
  }
}
