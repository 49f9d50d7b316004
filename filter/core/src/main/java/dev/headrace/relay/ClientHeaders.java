package dev.headrace.relay;

import dev.headrace.upstream.HeaderField;
import dev.headrace.upstream.UpstreamResponseHead;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Chooses the response headers that a client gets: a fixed list of the upstream's and a few of
 * ours. Framing and hop-by-hop headers are the container's, cookies and security headers the
 * application's. Stateless.
 */
final class ClientHeaders {

  private static final Set<String> FORWARDED =
      Set.of(
          "content-type",
          "content-encoding",
          "cache-control",
          "request-id",
          "retry-after",
          "retry-after-ms",
          "x-should-retry");

  private static final List<String> FORWARDED_PREFIXES =
      List.of("anthropic-ratelimit-", "anthropic-priority-", "anthropic-fast-");

  private ClientHeaders() {}

  /** The headers of an answer that is passed on. */
  static List<HeaderField> of(UpstreamResponseHead upstreamHead, String exchangeId) {
    List<HeaderField> fields = new ArrayList<>();
    for (HeaderField field : upstreamHead.headers()) {
      String name = field.name().toLowerCase(Locale.ROOT);
      if (FORWARDED.contains(name) || FORWARDED_PREFIXES.stream().anyMatch(name::startsWith)) {
        fields.add(new HeaderField(name, field.value()));
      }
    }
    if (upstreamHead.isEventStream()) {
      fields.removeIf(field -> field.is("cache-control"));
      fields.add(new HeaderField("cache-control", "no-cache"));
      fields.add(new HeaderField("x-accel-buffering", "no")); // nginx would collect the events
    }
    addOurs(fields, exchangeId);
    return fields;
  }

  /** The headers of an answer that is passed on in one piece. */
  static List<HeaderField> ofWhole(
      UpstreamResponseHead upstreamHead, int contentLength, String exchangeId) {
    List<HeaderField> fields = of(upstreamHead, exchangeId);
    fields.add(new HeaderField("content-length", Integer.toString(contentLength)));
    return fields;
  }

  /**
   * The headers of a JSON answer that takes the place of a stream: its own, and what tells of the
   * request.
   */
  static List<HeaderField> ofJsonInstead(
      UpstreamResponseHead upstreamHead, int contentLength, String exchangeId) {
    List<HeaderField> fields = ofJson(contentLength, exchangeId);
    for (HeaderField field : of(upstreamHead, exchangeId)) {
      boolean ofTheStream = field.is("x-accel-buffering") || field.is("content-encoding");
      if (!ofTheStream && fields.stream().noneMatch(ours -> ours.is(field.name()))) {
        fields.add(field);
      }
    }
    return fields;
  }

  /** The headers of a JSON answer of our own. */
  static List<HeaderField> ofJson(int contentLength, String exchangeId) {
    List<HeaderField> fields = new ArrayList<>();
    fields.add(new HeaderField("content-type", "application/json"));
    fields.add(new HeaderField("cache-control", "no-store"));
    fields.add(new HeaderField("content-length", Integer.toString(contentLength)));
    addOurs(fields, exchangeId);
    return fields;
  }

  /** The headers of an event stream that is begun before the upstream has answered. */
  static List<HeaderField> ofEarlyEvents(String exchangeId) {
    List<HeaderField> fields = new ArrayList<>();
    fields.add(new HeaderField("content-type", "text/event-stream; charset=utf-8"));
    fields.add(new HeaderField("cache-control", "no-cache"));
    fields.add(new HeaderField("x-accel-buffering", "no"));
    addOurs(fields, exchangeId);
    return fields;
  }

  /** The same headers with one field, which takes the place of those of its name. */
  static List<HeaderField> with(List<HeaderField> headers, String name, String value) {
    List<HeaderField> fields = new ArrayList<>(headers);
    fields.removeIf(field -> field.is(name));
    fields.add(new HeaderField(name, value));
    return fields;
  }

  /** The same headers without those that tell of the organisation's limits. */
  static List<HeaderField> withoutRateLimits(List<HeaderField> headers) {
    List<HeaderField> fields = new ArrayList<>(headers);
    fields.removeIf(
        field ->
            FORWARDED_PREFIXES.stream()
                .anyMatch(field.name().toLowerCase(Locale.ROOT)::startsWith));
    return fields;
  }

  private static void addOurs(List<HeaderField> fields, String exchangeId) {
    fields.add(new HeaderField("x-content-type-options", "nosniff"));
    fields.add(new HeaderField("headrace-exchange-id", exchangeId));
  }
}
