package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Collects the header lines of one response (API reference, "Response headers"). Not thread-safe.
 */
final class ResponseHead {
  static final String ORGANIZATION = "5f0c1a52-7d0e-4b5e-9a34-2f3b8d7c6e10";

  /** With two digits of the day (RFC 9110, 5.6.7); Java's own RFC 1123 format may have one. */
  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM uuuu HH:mm:ss 'GMT'", Locale.ENGLISH);

  private final List<Header> headers = new ArrayList<>();

  ResponseHead() {
    add("Date", DATE.format(ZonedDateTime.now(ZoneOffset.UTC)));
  }

  ResponseHead add(String name, String value) {
    headers.add(new Header(name, value));
    return this;
  }

  ResponseHead addUsual(String requestId) {
    add("request-id", requestId);
    add("anthropic-organization-id", ORGANIZATION);
    add("server", "cloudflare");
    add("cf-cache-status", "DYNAMIC");
    return add("x-robots-tag", "none");
  }

  ResponseHead addRateLimits() {
    Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    addRateLimit("requests", 50, 49, now.plusSeconds(1));
    addRateLimit("input-tokens", 30_000, 28_000, now.plusSeconds(4));
    addRateLimit("output-tokens", 8_000, 8_000, now);
    return addRateLimit("tokens", 38_000, 36_000, now);
  }

  private ResponseHead addRateLimit(String what, int limit, int remaining, Instant reset) {
    String prefix = "anthropic-ratelimit-" + what;
    add(prefix + "-limit", Integer.toString(limit));
    add(prefix + "-remaining", Integer.toString(remaining));
    return add(prefix + "-reset", reset.toString());
  }

  /** Applies what the script says of headers, which wins over everything added before. */
  ResponseHead scripted(AnswerSpec spec) {
    for (String removed : spec.removedHeaders) {
      headers.removeIf(h -> h.name().equalsIgnoreCase(removed));
    }
    for (Header scripted : spec.headers) {
      headers.removeIf(h -> h.name().equalsIgnoreCase(scripted.name()));
      headers.add(scripted);
    }
    return this;
  }

  byte[] bytes(int status) {
    StringBuilder head = new StringBuilder(1024);
    head.append("HTTP/1.1 ").append(status).append(' ').append(reason(status)).append("\r\n");
    for (Header header : headers) {
      head.append(header.name()).append(": ").append(header.value()).append("\r\n");
    }
    return head.append("\r\n").toString().getBytes(ISO_8859_1);
  }

  private static String reason(int status) {
    return switch (status) {
      case 200 -> "OK";
      case 400 -> "Bad Request";
      case 401 -> "Unauthorized";
      case 402 -> "Payment Required";
      case 403 -> "Forbidden";
      case 404 -> "Not Found";
      case 405 -> "Method Not Allowed";
      case 409 -> "Conflict";
      case 413 -> "Payload Too Large";
      case 429 -> "Too Many Requests";
      case 500 -> "Internal Server Error";
      case 502 -> "Bad Gateway";
      case 503 -> "Service Unavailable";
      case 504 -> "Gateway Timeout";
      default -> "";
    };
  }
}
