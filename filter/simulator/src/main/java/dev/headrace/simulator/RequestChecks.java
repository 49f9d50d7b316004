package dev.headrace.simulator;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * What the API checks before it generates anything, with its messages (API reference, "Requests",
 * "Errors"). One instance per request.
 */
final class RequestChecks {
  private static final String NEWEST_VERSION = "2026-10-21";
  private static final Set<String> VERSIONS = Set.of("2023-06-01", NEWEST_VERSION);
  private static final int MOST_OUTPUT = 128_000;
  private static final int MOST_MESSAGES = 100_000;
  private static final Set<String> ROLES = Set.of("user", "assistant", "system");
  private static final Set<String> SAMPLING = Set.of("temperature", "top_p", "top_k");
  private static final Set<String> FIELDS =
      Set.of(
          "model",
          "max_tokens",
          "messages",
          "stream",
          "system",
          "tools",
          "tool_choice",
          "thinking",
          "stop_sequences",
          "metadata",
          "service_tier",
          "speed",
          "inference_geo",
          "container",
          "cache_control",
          "output_config",
          "diagnostics");
  // Claude up to 4.5 continues a partial answer; later models refuse it (API reference, "Long
  // requests").
  private static final Pattern ACCEPTS_PREFILL =
      Pattern.compile("claude-(3|2|instant).*|claude-(opus|sonnet|haiku)-4(-[0-5])?(-\\d{8})?");

  private final SimulatorSettings settings;
  private final SeenRequest request;

  RequestChecks(SimulatorSettings settings, SeenRequest request) {
    this.settings = settings;
    this.request = request;
  }

  /** Key, cross-origin rule and version; empty when all is well. */
  Optional<Answer> headers() {
    String key = presentedKey();
    if (key == null || (settings.apiKey() != null && !settings.apiKey().equals(key))) {
      return Optional.of(Answer.status(401));
    }
    if (request.header("origin").isPresent()
        && !request.header("anthropic-dangerous-direct-browser-access").orElse("").equals("true")) {
      return Optional.of(
          Answer.error(
              401,
              "authentication_error",
              "CORS requests must set 'anthropic-dangerous-direct-browser-access' header"));
    }
    Optional<String> version = request.header("anthropic-version");
    if (version.isEmpty()) {
      return invalid("anthropic-version: header is required");
    }
    if (!VERSIONS.contains(version.get())) {
      return invalid("anthropic-version: \"" + version.get() + "\" is not a valid version");
    }
    return Optional.empty();
  }

  /** The body of {@code /v1/messages}. Without validation it is only read, not judged. */
  Optional<Answer> message(boolean validate) {
    return body(validate, true);
  }

  /** The body of {@code /v1/messages/count_tokens}. */
  Optional<Answer> countTokens(boolean validate) {
    return body(validate, false);
  }

  private Optional<Answer> body(boolean validate, boolean generates) {
    JsonNode body;
    try {
      body = Json.parse(request.bodyBytes());
    } catch (JacksonException e) {
      return validate ? invalid("The request body is not valid JSON") : Optional.empty();
    }
    request.understoodAs(
        body.path("model").asString(""),
        body.path("stream").asBoolean(false),
        generates && body.path("max_tokens").asInt(-1) == 0);
    if (!validate) {
      return Optional.empty();
    }
    if (!body.isObject()) {
      return invalid("Input should be an object");
    }
    return firstOf(
        contentType(),
        fields(body),
        required(body, generates),
        newestVersion(body),
        generates ? output(body) : null,
        conversation(body));
  }

  // Required (API reference, "Other request headers"); what the API says of one that is not JSON is
  // not known.
  private @Nullable String contentType() {
    return request.header("content-type").isPresent() ? null : "content-type: header is required";
  }

  private @Nullable String fields(JsonNode body) {
    // A beta field needs its header; which header goes with which field is not checked here.
    boolean beta = request.header("anthropic-beta").isPresent();
    for (String field : body.propertyNames()) {
      if (SAMPLING.contains(field)) {
        if (isNewest()) {
          return field + ": Extra inputs are not permitted";
        }
      } else if (!FIELDS.contains(field) && !beta) {
        return field + ": Extra inputs are not permitted";
      }
    }
    return null;
  }

  private static @Nullable String required(JsonNode body, boolean generates) {
    if (!body.has("model")) {
      return "model: Field required";
    }
    if (!body.path("model").isString()) {
      return "model: Input should be a valid string";
    }
    if (generates && !body.has("max_tokens")) {
      return "max_tokens: Field required";
    }
    if (!body.has("messages")) {
      return "messages: Field required";
    }
    if (!body.path("messages").isArray()) {
      return "messages: Input should be a valid list";
    }
    if (body.path("messages").isEmpty()) {
      return "messages: at least one message is required";
    }
    return null;
  }

  private @Nullable String newestVersion(JsonNode body) {
    if (!isNewest()) {
      return null;
    }
    int index = 0;
    for (JsonNode message : body.path("messages")) {
      String role = message.path("role").asString("");
      int part = 0;
      for (JsonNode block : message.path("content")) {
        String place = "messages." + index + ".content." + part;
        if (role.equals("assistant") && block.path("type").asString("").equals("document")) {
          return place + ": document blocks are not permitted in assistant messages";
        }
        if (role.equals("user") && isCited(block)) {
          return citationsAt(place);
        }
        String inSearchResult = citedInSearchResult(block, place);
        if (inSearchResult != null) {
          return inSearchResult;
        }
        part++;
      }
      index++;
    }
    return null;
  }

  // A search result stands in the message or in a tool's result.
  private static @Nullable String citedInSearchResult(JsonNode block, String place) {
    String type = block.path("type").asString("");
    boolean searchResult = type.equals("search_result");
    if (!searchResult && !type.equals("tool_result")) {
      return null;
    }
    int part = 0;
    for (JsonNode inner : block.path("content")) {
      String innerPlace = place + "." + type + ".content." + part;
      String problem =
          searchResult && isCited(inner)
              ? citationsAt(innerPlace)
              : citedInSearchResult(inner, innerPlace);
      if (problem != null) {
        return problem;
      }
      part++;
    }
    return null;
  }

  private static boolean isCited(JsonNode block) {
    return block.path("type").asString("").equals("text") && !block.path("citations").isEmpty();
  }

  private static String citationsAt(String place) {
    return place + ".text.citations: Extra inputs are not permitted";
  }

  private static @Nullable String output(JsonNode body) {
    JsonNode maxTokens = body.path("max_tokens");
    if (!maxTokens.isIntegralNumber()) {
      return "max_tokens: Input should be a valid integer";
    }
    if (maxTokens.asLong() < 0) {
      return "max_tokens: Input should be greater than or equal to 0";
    }
    if (maxTokens.asLong() == 0 && body.path("stream").asBoolean(false)) {
      return "max_tokens: 0 is not permitted with stream";
    }
    if (maxTokens.asLong() > MOST_OUTPUT) {
      return "max_tokens: "
          + maxTokens.asLong()
          + " > "
          + MOST_OUTPUT
          + ", which is the maximum allowed number of output tokens for "
          + body.path("model").asString("");
    }
    return null;
  }

  private static @Nullable String conversation(JsonNode body) {
    JsonNode messages = body.path("messages");
    if (messages.size() > MOST_MESSAGES) {
      return "messages: at most " + MOST_MESSAGES + " messages are permitted";
    }
    int index = 0;
    for (JsonNode message : messages) {
      String place = "messages." + index + ".role: ";
      if (!message.has("role")) {
        return place + "Field required";
      }
      if (!ROLES.contains(message.path("role").asString(""))) {
        return place + "Input should be 'user', 'assistant' or 'system'";
      }
      index++;
    }
    String model = body.path("model").asString("");
    boolean prefilled =
        messages.path(messages.size() - 1).path("role").asString("").equals("assistant");
    return prefilled && !ACCEPTS_PREFILL.matcher(model).matches()
        ? "This model does not support assistant message prefill. The conversation must end with a"
            + " user message."
        : null;
  }

  private Optional<Answer> firstOf(@Nullable String... problems) {
    for (String problem : problems) {
      if (problem != null) {
        return invalid(problem);
      }
    }
    return request.model().toLowerCase(Locale.ROOT).contains("nope")
        ? Optional.of(Answer.error(404, "not_found_error", "model: " + request.model()))
        : Optional.empty();
  }

  private @Nullable String presentedKey() {
    String key = request.header("x-api-key").orElse("").strip();
    if (!key.isEmpty()) {
      return key;
    }
    List<String> values = request.headers().getOrDefault("authorization", List.of());
    for (String value : values) {
      if (value.regionMatches(true, 0, "Bearer ", 0, 7) && !value.substring(7).isBlank()) {
        return value.substring(7).strip();
      }
    }
    return null;
  }

  private boolean isNewest() {
    return request.header("anthropic-version").orElse("").equals(NEWEST_VERSION);
  }

  private static Optional<Answer> invalid(String message) {
    return Optional.of(Answer.error(400, "invalid_request_error", message));
  }
}
