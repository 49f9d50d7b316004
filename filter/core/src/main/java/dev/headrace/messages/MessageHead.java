package dev.headrace.messages;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/** The fields of one message, or of a change to it, that usage needs. Not thread-safe. */
final class MessageHead {
  @Nullable String id;
  @Nullable String model;
  @Nullable String stopReason;
  @Nullable UsageFields usage;

  /** Reads the {@code message} of a {@code message_start}; the parser stands at its start. */
  void read(JsonParser parser) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (name) {
        case "id" -> id = UsageFields.text(parser, value);
        case "model" -> model = UsageFields.text(parser, value);
        case "stop_reason" -> stopReason = UsageFields.text(parser, value);
        case "usage" -> readUsage(parser, value);
        default -> parser.skipChildren();
      }
    }
  }

  /** Reads the {@code delta} of a {@code message_delta}; the parser stands at its start. */
  void readStopReason(JsonParser parser) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("stop_reason")) {
        stopReason = UsageFields.text(parser, value);
      } else {
        parser.skipChildren();
      }
    }
  }

  void readUsage(JsonParser parser, JsonToken value) {
    if (UsageFields.isObject(parser, value)) {
      usage = UsageFields.read(parser);
    }
  }
}
