package dev.headrace.messages;

import dev.headrace.messages.MessageUsage.Iteration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads usage from whole events as trees, overwriting what is not null: the oracle of the tests.
 */
final class NaiveUsage {
  private static final JsonMapper MAPPER = new JsonMapper();
  private static final Set<String> COUNTED = Set.of("text", "thinking", "partial_json");

  private final ObjectNode usage = MAPPER.createObjectNode();
  private @Nullable String model;
  private @Nullable String id;
  private @Nullable String stopReason;
  private boolean started;
  private boolean totals;
  private boolean searchesTold;
  private boolean stopped;
  private boolean isFinal;
  private boolean unreadable;
  private boolean output;
  private long characters;
  private long searches;

  void event(String name, String data) {
    if (stopped) {
      return;
    }
    JsonNode event = MAPPER.readTree(data);
    switch (name) {
      case "message_start" -> start(event.path("message"));
      case "content_block_start" -> block(event.path("content_block"));
      case "content_block_delta" -> delta(event.path("delta"));
      case "message_delta" -> totals(event);
      case "message_stop" -> {
        isFinal |= totals;
        stopped = true;
      }
      default -> {}
    }
  }

  private void start(JsonNode message) {
    if (started) {
      unreadable = true;
      return;
    }
    started = true;
    model = message.path("model").asString(null);
    id = message.path("id").asString(null);
    stopReason = message.path("stop_reason").asString(null);
    overwrite(usage, message.path("usage"));
  }

  private void block(JsonNode block) {
    boolean filled = false;
    for (String field : List.of("text", "thinking", "signature", "content")) {
      JsonNode value = block.path(field);
      filled |= value.isContainer() || !value.asString("").isEmpty();
    }
    String type = block.path("type").asString("");
    output |=
        !type.equals("fallback")
            && (filled || !Set.of("text", "thinking", "compaction").contains(type));
    if (type.equals("web_search_tool_result") && block.path("content").isArray()) {
      searches++;
    }
    if (type.equals("fallback")) {
      model = block.path("to").path("model").asString(model);
    }
  }

  private void delta(JsonNode delta) {
    boolean counted = false;
    int length = 0;
    for (String field : COUNTED) {
      counted |= delta.path(field).isString();
      length += delta.path(field).asString("").length();
    }
    characters += length;
    output |= counted ? length > 0 : !delta.isEmpty();
  }

  private void totals(JsonNode event) {
    String reason = event.path("delta").path("stop_reason").asString(null);
    stopReason = reason == null ? stopReason : reason;
    if (event.path("usage").isObject()) {
      overwrite(usage, event.path("usage"));
      boolean told = event.path("usage").path("output_tokens").isNumber();
      totals |= told;
      isFinal |= told && reason != null;
      searchesTold |=
          event.path("usage").path("server_tool_use").path("web_search_requests").isNumber();
    }
  }

  private static void overwrite(ObjectNode target, JsonNode source) {
    source
        .properties()
        .forEach(
            entry -> {
              JsonNode value = entry.getValue();
              if (value.isObject() && target.path(entry.getKey()) instanceof ObjectNode inner) {
                overwrite(inner, value);
              } else if (!value.isNull()) {
                target.set(entry.getKey(), value);
              }
            });
  }

  /** All that the reader should tell by now. */
  String told() {
    MessageUsage read = started && usage.has("input_tokens") ? usage() : null;
    long reported = totals ? usage.path("output_tokens").asLong(0) : 0;
    return told(
        read,
        model,
        id,
        stopReason,
        isFinal && read != null && !unreadable,
        unreadable,
        Math.max((characters + 3) / 4, reported),
        output);
  }

  private MessageUsage usage() {
    List<Iteration> iterations = new ArrayList<>();
    for (JsonNode each : usage.path("iterations")) {
      long writes = writes(each);
      iterations.add(
          new Iteration(
              each.path("type").asString("unknown"),
              each.path("model").asString(null),
              each.path("input_tokens").asLong(0),
              each.path("output_tokens").asLong(0),
              writes,
              Math.min(oneHour(each), writes),
              each.path("cache_read_input_tokens").asLong(0)));
    }
    long writes = writes(usage);
    return new MessageUsage(
        usage.path("input_tokens").asLong(),
        usage.path("output_tokens").asLong(0),
        writes,
        Math.min(oneHour(usage), writes),
        usage.path("cache_read_input_tokens").asLong(0),
        usage.path("output_tokens_details").path("thinking_tokens").asLong(0),
        Math.max(
            searchesTold ? 0 : searches,
            usage.path("server_tool_use").path("web_search_requests").asLong(0)),
        usage.path("server_tool_use").path("web_fetch_requests").asLong(0),
        usage.path("service_tier").asString(null),
        usage.path("inference_geo").asString(null),
        usage.path("speed").asString(null),
        iterations);
  }

  private static long oneHour(JsonNode counts) {
    return counts.path("cache_creation").path("ephemeral_1h_input_tokens").asLong(0);
  }

  private static long writes(JsonNode counts) {
    long split =
        oneHour(counts) + counts.path("cache_creation").path("ephemeral_5m_input_tokens").asLong(0);
    return counts.path("cache_creation_input_tokens").asLong(split);
  }

  /** All that a reader tells, in one text. */
  static String told(UsageView view) {
    return told(
        view.usage(),
        view.model(),
        view.messageId(),
        view.stopReason(),
        view.isFinal(),
        view.unreadable(),
        view.estimatedOutputTokens(),
        view.hasOutput());
  }

  private static String told(
      @Nullable MessageUsage usage,
      @Nullable String model,
      @Nullable String id,
      @Nullable String stopReason,
      boolean isFinal,
      boolean unreadable,
      long estimate,
      boolean output) {
    return "model="
        + model
        + " id="
        + id
        + " stop="
        + stopReason
        + " final="
        + isFinal
        + " unreadable="
        + unreadable
        + " estimate="
        + estimate
        + " output="
        + output
        + "\n"
        + usage;
  }
}
