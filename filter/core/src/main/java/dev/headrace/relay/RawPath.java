package dev.headrace.relay;

import static java.nio.charset.StandardCharsets.UTF_8;

import jakarta.servlet.http.HttpServletRequest;
import java.net.URLDecoder;

/** Tells the raw path of requests, for decoded paths differ between containers. Stateless. */
public final class RawPath {

  private RawPath() {}

  /**
   * The path as the client has written it, but that it begins as the container names the context:
   * Undertow decodes {@code /my%20app} there (seen in 2.3.26), the others do not.
   */
  public static String of(HttpServletRequest request) {
    String raw = request.getRequestURI();
    String context = request.getContextPath();
    if (raw.startsWith(context)) {
      return raw;
    }
    int end = 0;
    for (long slashes = context.chars().filter(c -> c == '/').count(); slashes > 0; slashes--) {
      end = raw.indexOf('/', end + 1);
      if (end < 0) {
        end = raw.length();
        break;
      }
    }
    return isWritten(raw.substring(0, end), context) ? context + raw.substring(end) : raw;
  }

  private static boolean isWritten(String raw, String decoded) {
    try {
      return URLDecoder.decode(raw.replace("+", "%2B"), UTF_8).equals(decoded);
    } catch (IllegalArgumentException e) { // a percent sign without two digits
      return false;
    }
  }
}
