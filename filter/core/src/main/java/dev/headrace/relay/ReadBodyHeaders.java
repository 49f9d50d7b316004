package dev.headrace.relay;

import dev.headrace.messages.Printable;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the headers that say how a body is meant, for bodies that the gateway reads itself: what
 * it has judged as JSON in UTF-8 must not be read in another way elsewhere. Stateless.
 */
final class ReadBodyHeaders {

  static final String CONTENT_TYPE = "content-type";
  static final String VERSION = "anthropic-version";

  private static final Set<String> UTF_8_NAMES = Set.of("utf-8", "utf8");

  private ReadBodyHeaders() {}

  /** What is wrong with these headers, for the client; null if nothing is. */
  static @Nullable String fault(HttpServletRequest request) {
    List<String> types = Collections.list(request.getHeaders(CONTENT_TYPE));
    if (types.size() > 1) {
      return "The request says more than once what its body is: send one Content-Type.";
    }
    String charset = types.isEmpty() ? null : otherCharset(types.get(0));
    if (charset != null) {
      return "content-type: the charset \""
          + Printable.name(charset)
          + "\" is not taken; the gateway reads this body as UTF-8.";
    }
    List<String> lines = Collections.list(request.getHeaders(VERSION));
    if (lines.size() <= 1 && (lines.isEmpty() || lines.get(0).indexOf(',') < 0)) {
      return null; // nearly always
    }
    Set<String> versions = new HashSet<>(); // RFC 9110, 5.3: two lines may arrive as one
    for (String line : lines) {
      for (String version : line.split(",", -1)) {
        versions.add(version.strip());
      }
    }
    return versions.size() > 1
        ? "The request names more than one " + VERSION + ": send one of them."
        : null;
  }

  /** The first charset of a media type that is not UTF-8; null if there is none. */
  private static @Nullable String otherCharset(String type) {
    if (type.indexOf(';') < 0) {
      return null;
    }
    for (String parameter : type.split(";", -1)) { // a quoted semicolon is in no charset's name
      int equals = parameter.indexOf('=');
      if (equals >= 0 && parameter.substring(0, equals).strip().equalsIgnoreCase("charset")) {
        String charset = unquoted(parameter.substring(equals + 1).strip());
        if (!UTF_8_NAMES.contains(charset.toLowerCase(Locale.ROOT))) {
          return charset;
        }
      }
    }
    return null;
  }

  /** RFC 9110, 5.6.4, without its backslashes: nobody needs one here. */
  private static String unquoted(String value) {
    boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
    return quoted ? value.substring(1, value.length() - 1) : value;
  }
}
