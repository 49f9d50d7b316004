package dev.headrace.simulator;

import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Puts the events of one message together, as a client does (API reference, "Reassembling the final
 * message"). So a JSON answer is what the same answer's stream comes to. Not thread-safe.
 */
final class MessageAssembler {
  private @Nullable ObjectNode message;
  private @Nullable String errorType;
  private @Nullable StringBuilder input;

  /** The message of these events; null when they begin no message. */
  static @Nullable ObjectNode assemble(List<WireEvent> events) {
    MessageAssembler assembler = new MessageAssembler();
    for (WireEvent event : events) {
      JsonNode json = event.json();
      if (json != null && json.isObject()) {
        assembler.add(json);
      }
    }
    return assembler.message;
  }

  /** The type of the first error event; null when there is none. */
  static @Nullable String errorType(List<WireEvent> events) {
    MessageAssembler assembler = new MessageAssembler();
    for (WireEvent event : events) {
      JsonNode json = event.json();
      if (json != null) {
        assembler.add(json);
      }
    }
    return assembler.errorType;
  }

  private void add(JsonNode event) {
    String type = event.path("type").asString("");
    if (type.equals("message_start") && event.path("message").isObject()) {
      message = (ObjectNode) event.path("message").deepCopy();
    } else if (type.equals("error")) {
      errorType = event.path("error").path("type").asString("api_error");
    }
    ObjectNode target = message;
    if (target == null) {
      return;
    }
    switch (type) {
      case "content_block_start" -> {
        JsonNode block = event.path("content_block");
        content(target).add(block.deepCopy());
        if (block.path("type").asString("").equals("fallback")) {
          target.set("model", block.path("to").path("model"));
        }
        input = null;
      }
      case "content_block_delta" -> delta(target, event);
      case "content_block_stop" -> stop(target, event);
      case "message_delta" -> messageDelta(target, event);
      default -> {}
    }
  }

  private void delta(ObjectNode target, JsonNode event) {
    ObjectNode block = block(target, event);
    JsonNode delta = event.path("delta");
    if (block == null) {
      return;
    }
    switch (delta.path("type").asString("")) {
      case "text_delta" -> append(block, "text", delta.path("text"));
      case "thinking_delta" -> append(block, "thinking", delta.path("thinking"));
      case "signature_delta" -> block.set("signature", delta.path("signature"));
      case "citations_delta" -> {
        ArrayNode citations =
            block.path("citations") instanceof ArrayNode known
                ? known
                : block.putArray("citations");
        citations.add(delta.path("citation"));
      }
      case "input_json_delta" -> {
        if (input == null) {
          input = new StringBuilder();
        }
        input.append(delta.path("partial_json").asString(""));
      }
      case "compaction_delta" -> {
        block.set("content", delta.path("content"));
        block.set("encrypted_content", delta.path("encrypted_content"));
      }
      default -> {}
    }
  }

  private void stop(ObjectNode target, JsonNode event) {
    ObjectNode block = block(target, event);
    if (block != null && input != null) {
      block.set("input", parsedInput(input.toString()));
    }
    input = null;
  }

  private static JsonNode parsedInput(String json) {
    try {
      return json.isEmpty() ? JsonNodeFactory.instance.objectNode() : Json.parse(json);
    } catch (tools.jackson.core.JacksonException e) {
      return JsonNodeFactory.instance.objectNode();
    }
  }

  private static void messageDelta(ObjectNode target, JsonNode event) {
    event.path("delta").forEachEntry((key, value) -> target.set(key, value));
    if (target.path("usage") instanceof ObjectNode usage) {
      event
          .path("usage")
          .forEachEntry(
              (key, value) -> {
                if (!value.isNull()) {
                  usage.set(key, value);
                }
              });
    }
  }

  private static void append(ObjectNode block, String field, JsonNode more) {
    block.put(field, block.path(field).asString("") + more.asString(""));
  }

  private static @Nullable ObjectNode block(ObjectNode target, JsonNode event) {
    return content(target).path(event.path("index").asInt(-1)) instanceof ObjectNode block
        ? block
        : null;
  }

  private static ArrayNode content(ObjectNode target) {
    return target.path("content") instanceof ArrayNode content
        ? content
        : target.putArray("content");
  }
}
