package dev.headrace.simulator;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * The {@code /v1/models} endpoints, with the ids of the API reference, "Non-streaming and other
 * endpoints".
 */
final class Models {
  private static final List<String> IDS =
      List.of(
          "claude-fable-5-2",
          "claude-mythos-5-2",
          "claude-haiku-5-5",
          "claude-sonnet-5-5",
          "claude-fable-5-1",
          "claude-opus-5-5",
          "claude-mythos-5-1",
          "claude-sonnet-5",
          "claude-fable-5",
          "claude-mythos-5",
          "claude-opus-5",
          "claude-opus-4-8",
          "claude-opus-4-7",
          "claude-opus-4-6",
          "claude-mythos-preview",
          "claude-sonnet-4-6",
          "claude-haiku-4-5-20251001",
          "claude-opus-4-5-20251101",
          "claude-sonnet-4-5-20250929");

  private Models() {}

  static Answer answer(SeenRequest request) {
    if (!request.method().equals("GET")) {
      return Answer.error(405, "invalid_request_error", "Method Not Allowed")
          .header("Allow", "GET");
    }
    String path = request.path();
    return path.equals("/v1/models")
        ? list(request.query())
        : single(path.substring("/v1/models/".length()));
  }

  private static Answer single(String id) {
    for (String known : IDS) {
      if (known.equals(id) || known.matches("\\Q" + id + "\\E-\\d{8}")) {
        return Answer.json(200, json(known));
      }
    }
    return Answer.error(404, "not_found_error", "model: " + id);
  }

  private static Answer list(String query) {
    int limit;
    try {
      limit = Integer.parseInt(parameter(query, "limit", "20"));
    } catch (NumberFormatException e) {
      limit = 0;
    }
    if (limit < 1 || limit > 1000) {
      return Answer.error(
          400, "invalid_request_error", "limit: Input should be between 1 and 1000");
    }
    int from = IDS.indexOf(parameter(query, "after_id", "")) + 1;
    int before = IDS.indexOf(parameter(query, "before_id", ""));
    int end = before < 0 ? IDS.size() : before;
    List<String> page = IDS.subList(Math.min(from, end), Math.min(from + limit, end));
    String data = page.stream().map(Models::json).collect(Collectors.joining(","));
    return Answer.json(
        200,
        "{\"data\":["
            + data
            + "],\"has_more\":"
            + (from + limit < end)
            + ",\"first_id\":"
            + (page.isEmpty() ? "null" : Json.quote(page.get(0)))
            + ",\"last_id\":"
            + (page.isEmpty() ? "null" : Json.quote(page.get(page.size() - 1)))
            + "}");
  }

  private static String parameter(String query, String name, String fallback) {
    for (String pair : query.split("&", -1)) {
      if (pair.startsWith(name + "=")) {
        return pair.substring(name.length() + 1);
      }
    }
    return fallback;
  }

  // Every model gets the limits that are documented for claude-opus-5-5.
  private static String json(String id) {
    return "{\"type\":\"model\",\"id\":"
        + Json.quote(id)
        + ",\"display_name\":"
        + Json.quote(displayName(id))
        + ",\"created_at\":\"2026-09-22T00:00:00Z\",\"lifecycle\":\"active\",\"line\":null,\"capabilities\":null,\"max_input_tokens\":1000000,\"max_tokens\":128000,\"deprecated_at\":null,\"retires_at\":null}";
  }

  private static String displayName(String id) {
    String[] words = id.replaceAll("-\\d{8}$", "").split("-", -1);
    StringBuilder name = new StringBuilder("Claude ");
    name.append(words[1].substring(0, 1).toUpperCase(Locale.ROOT)).append(words[1].substring(1));
    for (int i = 2; i < words.length; i++) {
      name.append(i == 2 ? ' ' : '.').append(words[i]);
    }
    return name.toString();
  }
}
