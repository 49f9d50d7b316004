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

  static final String EXCHANGE_ID = "headrace-exchange-id";

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

  private static final HeaderField NO_CACHE = new HeaderField("cache-control", "no-cache");

  /** Else nginx would collect the events. */
  private static final HeaderField NO_BUFFERING = new HeaderField("x-accel-buffering", "no");

  private static final HeaderField NO_SNIFFING =
      new HeaderField("x-content-type-options", "nosniff");

  private ClientHeaders() {}

  /** The headers of an answer that is passed on. */
  static List<HeaderField> of(UpstreamResponseHead upstreamHead, String exchangeId) {
    boolean events = upstreamHead.isEventStream();
    List<HeaderField> fields = new ArrayList<>();
    for (HeaderField field : upstreamHead.headers()) {
      String name = field.name().toLowerCase(Locale.ROOT);
      boolean replaced = events && field.is(NO_CACHE.name());
      if (!replaced && (FORWARDED.contains(name) || hasForwardedPrefix(name))) {
        fields.add(name.equals(field.name()) ? field : new HeaderField(name, field.value()));
      }
    }
    if (events) {
      fields.add(NO_CACHE);
      fields.add(NO_BUFFERING);
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
      if (!ofTheStream && !names(fields, field.name())) {
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
    fields.add(NO_CACHE);
    fields.add(NO_BUFFERING);
    addOurs(fields, exchangeId);
    return fields;
  }

  /** The same headers with one field, which takes the place of those of its name. */
  static List<HeaderField> with(List<HeaderField> headers, String name, String value) {
    return with(headers, List.of(new HeaderField(name, value)));
  }

  /** The same headers with others, which take the place of those of their names. */
  static List<HeaderField> with(List<HeaderField> headers, List<HeaderField> others) {
    List<HeaderField> fields = new ArrayList<>(headers.size() + others.size());
    for (HeaderField field : headers) {
      if (!names(others, field.name())) {
        fields.add(field);
      }
    }
    fields.addAll(others);
    return fields;
  }

  private static boolean names(List<HeaderField> fields, String name) {
    for (HeaderField field : fields) {
      if (field.is(name)) {
        return true;
      }
    }
    return false;
  }

  /** The same headers without those that tell of the organisation's limits. */
  static List<HeaderField> withoutRateLimits(List<HeaderField> headers) {
    List<HeaderField> fields = new ArrayList<>(headers);
    fields.removeIf(field -> hasForwardedPrefix(field.name().toLowerCase(Locale.ROOT)));
    return fields;
  }

  private static boolean hasForwardedPrefix(String name) {
    for (String prefix : FORWARDED_PREFIXES) {
      if (name.startsWith(prefix)) {
        return true;
      }
    }
    return false;
  }

  private static void addOurs(List<HeaderField> fields, String exchangeId) {
    fields.add(NO_SNIFFING);
    fields.add(new HeaderField(EXCHANGE_ID, exchangeId));
  }
}
