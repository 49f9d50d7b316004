package dev.headrace.config;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Which request headers of a client may travel to the upstream when the settings ask for it. The
 * gateway builds the upstream's headers from a list of allowed ones; these are the ones that no
 * setting may add to it.
 */
final class ForwardableHeaders {
  /** A field name is a token (RFC 9110, 5.1 and 5.6.2). */
  private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

  private static final String CREDENTIALS =
      "it carries the client's credentials, and the gateway sends its own API key";
  private static final String SESSION = "it carries the client's session with your application";
  private static final String PRIVATE = "it tells the upstream about your users and your network";
  private static final String CONNECTION =
      "it belongs to one connection, and the gateway writes its own";
  private static final String ENCODING = "a compressed stream could not be followed event by event";

  private static final Map<String, String> REFUSED =
      Map.ofEntries(
          Map.entry("authorization", CREDENTIALS),
          Map.entry("x-api-key", CREDENTIALS),
          Map.entry("cookie", SESSION),
          Map.entry("origin", PRIVATE),
          Map.entry("referer", PRIVATE),
          Map.entry("forwarded", PRIVATE),
          Map.entry("host", CONNECTION),
          Map.entry("content-length", CONNECTION),
          Map.entry("transfer-encoding", CONNECTION),
          Map.entry("connection", CONNECTION),
          Map.entry("keep-alive", CONNECTION),
          Map.entry("te", CONNECTION),
          Map.entry("trailer", CONNECTION),
          Map.entry("upgrade", CONNECTION),
          Map.entry("expect", CONNECTION),
          Map.entry("accept-encoding", ENCODING));

  private static final Map<String, String> REFUSED_PREFIXES =
      Map.of("proxy-", CONNECTION, "x-forwarded-", PRIVATE, "sec-", PRIVATE);

  private ForwardableHeaders() {}

  static void check(String header) throws BadValue {
    if (!TOKEN.matcher(header).matches()) {
      throw BadValue.expected(
          "the name of a request header, such as x-tenant: letters, digits and"
              + " !#$%&'*+-.^_`|~ only");
    }
    String name = header.toLowerCase(Locale.ROOT);
    String reason = REFUSED.get(name);
    if (reason == null) {
      for (Map.Entry<String, String> prefix : REFUSED_PREFIXES.entrySet()) {
        if (name.startsWith(prefix.getKey())) {
          reason = prefix.getValue();
        }
      }
    }
    if (reason != null) {
      throw BadValue.noted("is never forwarded: " + reason, "another header, or none");
    }
  }
}
