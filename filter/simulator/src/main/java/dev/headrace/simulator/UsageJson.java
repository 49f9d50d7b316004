package dev.headrace.simulator;

import tools.jackson.databind.JsonNode;

/** The two shapes of the API's {@code usage} object, and the way back from JSON. */
final class UsageJson {
  private UsageJson() {}

  /** As in {@code message_start} and in a JSON answer: with the cache split, tier and geography. */
  static String full(Usage usage, String extra) {
    return "{\"input_tokens\":"
        + usage.inputTokens()
        + ",\"cache_creation_input_tokens\":"
        + usage.cacheWriteInputTokens()
        + ",\"cache_read_input_tokens\":"
        + usage.cacheReadInputTokens()
        + ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":"
        + usage.cacheWrite5mInputTokens()
        + ",\"ephemeral_1h_input_tokens\":"
        + usage.cacheWrite1hInputTokens()
        + "},\"output_tokens\":"
        + usage.outputTokens()
        + ",\"service_tier\":\"standard\",\"inference_geo\":\"global\""
        + extra
        + "}";
  }

  /** As in {@code message_delta}: running totals, without what only the start carries. */
  static String totals(Usage usage, String extra) {
    return "{\"input_tokens\":"
        + usage.inputTokens()
        + ",\"cache_creation_input_tokens\":"
        + usage.cacheWriteInputTokens()
        + ",\"cache_read_input_tokens\":"
        + usage.cacheReadInputTokens()
        + ",\"output_tokens\":"
        + usage.outputTokens()
        + ",\"output_tokens_details\":{\"thinking_tokens\":"
        + usage.thinkingTokens()
        + "}"
        + (usage.webSearchRequests() == 0
            ? ""
            : ",\"server_tool_use\":{\"web_search_requests\":"
                + usage.webSearchRequests()
                + ",\"web_fetch_requests\":0}")
        + extra
        + "}";
  }

  /** What is known after this {@code usage} object; keys that it lacks keep their old value. */
  static Usage update(Usage before, JsonNode usage) {
    JsonNode split = usage.path("cache_creation");
    return new Usage(
        count(usage, "input_tokens", before.inputTokens()),
        count(usage, "output_tokens", before.outputTokens()),
        count(usage, "cache_read_input_tokens", before.cacheReadInputTokens()),
        count(split, "ephemeral_5m_input_tokens", before.cacheWrite5mInputTokens()),
        count(split, "ephemeral_1h_input_tokens", before.cacheWrite1hInputTokens()),
        count(usage.path("output_tokens_details"), "thinking_tokens", before.thinkingTokens()),
        count(usage.path("server_tool_use"), "web_search_requests", before.webSearchRequests()));
  }

  private static long count(JsonNode object, String key, long fallback) {
    JsonNode value = object.path(key);
    return value.isNumber() ? value.asLong() : fallback;
  }
}
