package dev.headrace.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Origins of web pages (RFC 6454), as {@code Origin} headers have them. */
public final class Origins {
  static final String EXPECTED =
      "an origin such as https://shop.example.com or http://localhost:5173";

  /** Names with an underscore, which {@link URI#getHost} does not know, are used in intranets. */
  private static final Pattern AUTHORITY =
      Pattern.compile(
          "(?<host>\\[[0-9A-Fa-f:.]+]|[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?)(?::(?<port>[0-9]{1,5}))?");

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

  /**
   * Returns scheme, host and port in lower case, without the port that the scheme implies; null for
   * what is no origin.
   */
  public static @Nullable String normal(String text) {
    URI uri;
    try {
      uri = new URI(text);
    } catch (URISyntaxException e) {
      return null;
    }
    String scheme = uri.getScheme();
    if (scheme == null || uri.getRawAuthority() == null) {
      return null;
    }
    Matcher authority = AUTHORITY.matcher(uri.getRawAuthority());
    if (!authority.matches()
        || !uri.getRawPath().isEmpty()
        || uri.getRawQuery() != null
        || uri.getRawFragment() != null) {
      return null;
    }
    String name = (scheme + "://" + authority.group("host")).toLowerCase(Locale.ROOT);
    if (authority.group("port") == null) {
      return name;
    }
    int port = Integer.parseInt(authority.group("port"));
    int implied = name.startsWith("https:") ? 443 : name.startsWith("http:") ? 80 : -1;
    if (port == 0 || port > 65_535) {
      return null;
    }
    return port == implied ? name : name + ":" + port;
  }
}
