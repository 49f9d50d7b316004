package dev.headrace.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Origins of web pages (RFC 6454), as {@code Origin} headers have them. */
final class Origins {
  static final String EXPECTED =
      "an origin such as https://shop.example.com or http://localhost:5173";

  private Origins() {}

  static String read(String text) throws BadValue {
    if (text.equals("*") || text.equals("null")) {
      throw BadValue.noted(
          "would let every page call in its visitors' names", "the origins, one by one");
    }
    String normal = normal(text);
    if (normal == null) {
      throw BadValue.expected(EXPECTED + ", with nothing behind the host or port");
    }
    return normal;
  }

  /** Returns the origin in its normal form, or what is none as it is. */
  static String normalOrSame(String text) {
    String normal = normal(text);
    return normal == null ? text : normal;
  }

  /** Returns scheme, host and port in lower case, without the port that the scheme implies. */
  private static @Nullable String normal(String text) {
    URI uri;
    try {
      uri = new URI(text);
    } catch (URISyntaxException e) {
      return null;
    }
    String scheme = uri.getScheme();
    String host = uri.getHost();
    int port = uri.getPort();
    if (scheme == null
        || host == null
        || port == 0
        || port > 65_535
        || uri.getRawUserInfo() != null
        || !uri.getRawPath().isEmpty()
        || uri.getRawQuery() != null
        || uri.getRawFragment() != null) {
      return null;
    }
    String name = scheme.toLowerCase(Locale.ROOT) + "://" + host.toLowerCase(Locale.ROOT);
    int implied = name.startsWith("https:") ? 443 : name.startsWith("http:") ? 80 : -1;
    return port < 0 || port == implied ? name : name + ":" + port;
  }
}
