package dev.headrace.messages;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/** What usage needs to know of one content block. Not thread-safe. */
final class ContentBlock {
  private @Nullable String type;
  private boolean filled;
  private boolean listed;
  private @Nullable String fallbackModel;

  /** Notes a field whose value is a string. */
  void readText(String name, JsonParser parser) {
    switch (name) {
      case "type" -> type = UsageFields.text(parser, JsonToken.VALUE_STRING);
      case "text", "thinking", "signature", "content" -> filled |= parser.getStringLength() > 0;
      default -> {}
    }
  }

  /** Notes a field whose value is an object or a list. */
  void readStructure(String name) {
    filled |= name.equals("content");
  }

  /** Reads the block of a {@code content_block_start}; the parser stands at its start. */
  void read(JsonParser parser) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (value == JsonToken.VALUE_STRING) {
        readText(name, parser);
      } else if (name.equals("to") && value == JsonToken.START_OBJECT) {
        readFallbackTarget(parser);
      } else if (value.isStructStart()) {
        readStructure(name);
        listed |= name.equals("content") && value == JsonToken.START_ARRAY;
        parser.skipChildren();
      }
    }
  }

  private void readFallbackTarget(JsonParser parser) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("model")) {
        fallbackModel = UsageFields.text(parser, value);
      } else {
        parser.skipChildren();
      }
    }
  }

  /**
   * Whether the block is output of the model: text, thinking and compaction once they hold
   * something, every other and every unknown block at once, but never the mark of a fallback.
   */
  boolean isOutput() {
    if (type == null) {
      return true;
    }
    return switch (type) {
      case "text", "thinking", "compaction" -> filled;
      case "fallback" -> false;
      default -> true;
    };
  }

  /** Whether it holds what a web search has found; an error in its place is an object. */
  boolean isWebSearch() {
    return listed && "web_search_tool_result".equals(type);
  }

  /** The model that answers from here on, if the block says so (beta). */
  @Nullable String fallbackModel() {
    return "fallback".equals(type) ? fallbackModel : null;
  }
}
