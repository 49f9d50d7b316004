package dev.headrace.relay;

import dev.headrace.messages.ApiError;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Finds the endpoint for a raw request path. The upstream path is built from the endpoint's
 * template and never copied from the request, because containers disagree about encoded slashes,
 * dot segments, path parameters and control characters. Immutable and thread-safe.
 */
final class Routes {

  private static final Pattern SEGMENT = Pattern.compile("[A-Za-z0-9._:-]+");
  private static final Pattern QUERY_VALUE = Pattern.compile("[ -~]{0,500}");

  private final List<Template> templates;

  private record Template(Endpoint endpoint, List<String> segments) {}

  /**
   * @param endpoints what is open
   */
  Routes(Collection<Endpoint> endpoints) {
    this.templates =
        endpoints.stream()
            .map(endpoint -> new Template(endpoint, List.of(endpoint.template().split("/", -1))))
            .toList();
  }

  /**
   * @param method the request's method
   * @param path the raw path behind the mount, such as {@code /v1/messages}; never decoded
   * @param query the raw query, or null
   */
  Route find(String method, String path, @Nullable String query) {
    if (path.equals("/api/hello") && (method.equals("HEAD") || method.equals("GET"))) {
      return new Route.Probe(); // asked by Claude Code before its first call
    }
    if (path.equals("/ops/ready") && (method.equals("HEAD") || method.equals("GET"))) {
      return new Route.Ready();
    }
    if (path.equals("/ops/streaming")) {
      return method.equals("GET")
          ? new Route.StreamingCheck()
          : refused(405, "This path takes GET.", "GET");
    }
    if (path.equals("/ops/usage")) {
      return method.equals("GET")
          ? new Route.Report()
          : refused(405, "This path takes GET.", "GET");
    }
    List<String> segments = List.of(path.split("/", -1));
    Set<String> otherMethods = new TreeSet<>();
    for (Template template : templates) {
      if (matches(template.segments, segments)) {
        if (template.endpoint.method().equals(method)) {
          return template.endpoint.isPreset()
              ? new Route.Upstream(
                  template.endpoint, Endpoint.MESSAGES_PATH, segments.get(segments.size() - 1))
              : new Route.Upstream(template.endpoint, path + forwardedQuery(template, query), null);
        }
        otherMethods.add(template.endpoint.method());
      }
    }
    if (!otherMethods.isEmpty()) {
      String allow = String.join(", ", otherMethods);
      return refused(405, "This path takes " + allow + ".", allow);
    }
    return refused(404, notFound(path), null);
  }

  /** A match leaves nothing of the client's own in the path but segments of harmless characters. */
  private static boolean matches(List<String> template, List<String> path) {
    if (template.size() != path.size()) {
      return false;
    }
    for (int i = 0; i < path.size(); i++) {
      boolean variable = template.get(i).startsWith("{");
      if (variable ? !isHarmless(path.get(i)) : !template.get(i).equals(path.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isHarmless(String segment) {
    return SEGMENT.matcher(segment).matches() && !segment.equals(".") && !segment.equals("..");
  }

  private static String forwardedQuery(Template template, @Nullable String query) {
    if (query == null || query.isEmpty()) {
      return "";
    }
    List<String> kept = new ArrayList<>();
    for (String pair : query.split("&", -1)) {
      int equals = pair.indexOf('=');
      String name = equals < 0 ? pair : pair.substring(0, equals);
      if (template.endpoint.query().contains(name)) {
        String value = decoded(equals < 0 ? "" : pair.substring(equals + 1));
        if (value != null && QUERY_VALUE.matcher(value).matches()) {
          kept.add(name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8));
        }
      }
    }
    return kept.isEmpty() ? "" : "?" + String.join("&", kept);
  }

  private static @Nullable String decoded(String value) {
    try {
      return URLDecoder.decode(value, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      return null; // a broken percent sequence
    }
  }

  private static String notFound(String path) {
    if (path.equals("/v1/v1") || path.startsWith("/v1/v1/")) {
      return "The base URL of this client ends in /v1, and the client adds /v1 by itself."
          + " Remove /v1 from the end of the base URL.";
    }
    if (path.startsWith("/v1/")) {
      return "This gateway does not forward this path. Open are POST /v1/messages, POST"
          + " /v1/messages/count_tokens, GET /v1/models, and what the operator lists in"
          + " request.extra-endpoints.";
    }
    return "Nothing is here. The API's paths begin with /v1/ right behind the gateway's own path,"
        + " such as /v1/messages.";
  }

  private static Route refused(int status, String message, @Nullable String allow) {
    String type = status == 404 ? "not_found_error" : "invalid_request_error";
    return new Route.Refused(new ApiError(status, type, message, null), allow);
  }
}
