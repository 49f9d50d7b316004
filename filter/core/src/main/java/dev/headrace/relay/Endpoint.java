package dev.headrace.relay;

import dev.headrace.config.EndpointTemplate;
import java.util.List;
import java.util.Set;

/**
 * One upstream endpoint that clients may reach, as a template from which the upstream path is
 * built. Immutable.
 *
 * @param method the HTTP method
 * @param template the path as in the API's documentation, such as {@code /v1/models/{id}}
 * @param kind what the gateway knows of it
 * @param query the names of the query parameters that are forwarded
 */
record Endpoint(String method, String template, Kind kind, Set<String> query) {

  /** What the gateway knows of an endpoint. */
  enum Kind {
    /** Answers with a message, as an event stream or as JSON. */
    MESSAGES,
    /** Takes a JSON body that names a model. */
    MODEL_REQUEST,
    /** Is forwarded without being looked into. */
    OPAQUE
  }

  private static final Set<String> BETA = Set.of("beta");
  private static final Set<String> PAGING =
      Set.of("beta", "limit", "after_id", "before_id", "page", "after", "order");

  /** Where all messages go. */
  static final String MESSAGES_PATH = "/v1/messages";

  /** A server-side recipe of ours, which leads to {@link #MESSAGES_PATH}. */
  static final Endpoint PRESET = new Endpoint("POST", "/chat/{preset}", Kind.MESSAGES, Set.of());

  /** The endpoints that are open without any setting. */
  static final List<Endpoint> STANDARD =
      List.of(
          new Endpoint("POST", MESSAGES_PATH, Kind.MESSAGES, BETA),
          new Endpoint("POST", "/v1/messages/count_tokens", Kind.MODEL_REQUEST, BETA),
          new Endpoint("GET", "/v1/models", Kind.OPAQUE, PAGING),
          new Endpoint("GET", "/v1/models/{id}", Kind.OPAQUE, BETA));

  /** An endpoint of {@code request.extra-endpoints}. */
  static Endpoint of(EndpointTemplate extra) {
    return new Endpoint(extra.method(), extra.path(), Kind.OPAQUE, PAGING);
  }

  /** Whether the upstream body is ours, made from what the client says. */
  boolean isPreset() {
    return template.equals(PRESET.template);
  }

  /** Whether it is one of {@code request.extra-endpoints}. */
  boolean isExtra() {
    return kind == Kind.OPAQUE && !STANDARD.contains(this);
  }

  /** Whether it does no harm if the upstream carries out a request twice. */
  boolean mayRunTwice() {
    return kind != Kind.OPAQUE || method.equals("GET");
  }

  /** Method and template, for logs. */
  @Override
  public String toString() {
    return method + " " + template;
  }
}
