package dev.headrace.simulator;

import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * What a chat answer depends on. Immutable.
 *
 * @param question the text of the last user message
 * @param toolResult the text of a tool result in the last user message; empty when there is none
 * @param tool the name of the request's first client tool; {@code get_weather} when there is none
 * @param attempt how often this very body has come, from 1
 */
record ChatTurn(String question, Optional<String> toolResult, String tool, int attempt) {
  static ChatTurn of(SeenRequest request, int attempt) {
    JsonNode body;
    try {
      body = Json.parse(request.bodyBytes());
    } catch (JacksonException e) {
      return new ChatTurn("", Optional.empty(), "get_weather", attempt);
    }
    JsonNode last = body.path("messages").path(body.path("messages").size() - 1).path("content");
    StringBuilder question = new StringBuilder(last.isString() ? last.asString() : "");
    Optional<String> toolResult = Optional.empty();
    for (JsonNode block : last) {
      String type = block.path("type").asString("");
      if (type.equals("text")) {
        question.append(question.isEmpty() ? "" : " ").append(block.path("text").asString(""));
      } else if (type.equals("tool_result")) {
        toolResult = Optional.of(text(block.path("content")));
      }
    }
    String tool = "get_weather";
    for (JsonNode offered : body.path("tools")) {
      if (offered.has("input_schema")) {
        tool = offered.path("name").asString(tool);
        break;
      }
    }
    return new ChatTurn(question.toString().strip(), toolResult, tool, attempt);
  }

  /**
   * Whether a fault that lasts for so many attempts meets this one. The attempt after them gets an
   * answer; when the same is asked again after that, the fault comes again.
   */
  boolean isAmongFirst(long attempts) {
    return (attempt - 1) % (attempts + 1) < attempts;
  }

  /** This text, token by token. */
  Answer spoken(String text) {
    return Answer.text(text).tokenwise();
  }

  Answer toolCall() {
    return Answer.text("Let me look that up.")
        .thenTool(tool, "{\"location\": \"Cologne, DE\", \"unit\": \"celsius\"}")
        .tokenwise();
  }

  private static String text(JsonNode content) {
    if (content.isString()) {
      return content.asString();
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode block : content) {
      text.append(block.path("text").asString(""));
    }
    return text.toString();
  }
}
