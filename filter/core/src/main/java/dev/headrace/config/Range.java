package dev.headrace.config;

import java.net.URI;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which of the well-formed values a setting takes. Immutable.
 *
 * @param text in words, for the error texts and the settings reference; empty if every value will
 *     do
 * @param check throws if the value is not in the range
 * @param minimum the smallest value in the notation of the file, null without one
 * @param maximum the largest value in the notation of the file, null without one
 */
record Range<T>(String text, Check<T> check, @Nullable String minimum, @Nullable String maximum) {

  /** Says whether a value is in the range, and by its exception, what was expected instead. */
  @FunctionalInterface
  interface Check<T> {
    void check(T value) throws BadValue;
  }

  /**
   * The end of all durations. It keeps every one of them, in milliseconds and in nanoseconds, far
   * within a long, so that nobody who adds one to a clock has to think of overflow.
   */
  static final Duration LONGEST = Duration.ofDays(365);

  private static final Set<String> CREDENTIALS =
      Set.of("authorization", "proxy-authorization", "cookie", "x-api-key");

  private static final Pattern MOUNT = Pattern.compile("/|(/[A-Za-z0-9._~-]+)+");
  private static final Pattern DOT_SEGMENT = Pattern.compile(".*/\\.\\.?(/.*|$)");
  private static final Pattern BASE_PATH = Pattern.compile("(/[A-Za-z0-9._~-]+)*/*");
  private static final Pattern KEY = Pattern.compile("[\\x21-\\x7e]+");

  static <T> Range<T> any() {
    return new Range<>("", value -> {}, null, null);
  }

  /** For the settings reference: what the type of the value checks itself. */
  static <T> Range<T> checkedByType(String text) {
    return new Range<>(text, value -> {}, null, null);
  }

  static Range<Integer> between(int minimum, int maximum) {
    String text = minimum + " to " + maximum;
    return new Range<>(
        text,
        value -> {
          if (value < minimum || value > maximum) {
            throw BadValue.expected(text);
          }
        },
        Integer.toString(minimum),
        Integer.toString(maximum));
  }

  static Range<Long> between(long minimum, long maximum) {
    String text = minimum + " to " + maximum;
    return new Range<>(
        text,
        value -> {
          if (value < minimum || value > maximum) {
            throw BadValue.expected(text);
          }
        },
        Long.toString(minimum),
        Long.toString(maximum));
  }

  static Range<ByteSize> between(ByteSize minimum, ByteSize maximum) {
    String text = minimum + " to " + maximum;
    return new Range<>(
        text,
        value -> {
          if (value.compareTo(minimum) < 0 || value.compareTo(maximum) > 0) {
            throw BadValue.expected(text);
          }
        },
        minimum.toString(),
        maximum.toString());
  }

  /** Durations above zero. */
  static Range<Duration> aboveZero(String example) {
    return durations("above 0 and up to 365d", Duration.ofMillis(1), false, "such as " + example);
  }

  /** Durations of zero or more; the words say what zero means. */
  static Range<Duration> zeroOrMore(String zeroMeans) {
    return durations("0 (" + zeroMeans + ") or up to 365d", Duration.ZERO, true, "");
  }

  /** Durations of zero or at least a minimum; the words say what zero means. */
  static Range<Duration> zeroOrAtLeast(Duration minimum, String zeroMeans) {
    String text = "0 or off (" + zeroMeans + "), or " + Durations.format(minimum) + " to 365d";
    return durations(text, minimum, true, "");
  }

  private static Range<Duration> durations(
      String text, Duration minimum, boolean orZero, String example) {
    String expected = example.isEmpty() ? text : text + ", " + example;
    return new Range<>(
        text,
        value -> {
          boolean zero = orZero && value.isZero();
          if (!zero && (value.compareTo(minimum) < 0 || value.compareTo(LONGEST) > 0)) {
            throw BadValue.expected(expected);
          }
          if (value.toNanosPart() % 1_000_000 != 0) {
            throw BadValue.expected("whole milliseconds");
          }
        },
        null,
        null);
  }

  static Range<String> mount() {
    String text =
        "/ or a path such as /claude: no slash at the end; letters, digits, dot, dash, underscore"
            + " and tilde only";
    return new Range<>(
        text,
        value -> {
          if (!MOUNT.matcher(value).matches() || DOT_SEGMENT.matcher(value).matches()) {
            throw BadValue.expected(text);
          }
        },
        null,
        null);
  }

  static Range<URI> baseUrl() {
    return new Range<>(
        "http or https, may have a path; no user, query or fragment, and no /v1 at the end",
        Range::checkBaseUrl,
        null,
        null);
  }

  private static void checkBaseUrl(URI url) throws BadValue {
    String scheme = url.getScheme();
    if (scheme == null || !(scheme.equalsIgnoreCase("https") || scheme.equalsIgnoreCase("http"))) {
      throw BadValue.expected(
          "a URL that begins with https:// or http://, such as https://api.anthropic.com");
    }
    if (url.getRawUserInfo() != null
        || (url.getRawAuthority() != null && url.getRawAuthority().contains("@"))) {
      throw BadValue.expected(
          "a URL without user and password; the API key has a setting of its own");
    }
    if (url.getHost() == null || url.getPort() == 0 || url.getPort() > 65_535) {
      throw BadValue.expected(
          "a URL with a host name and, if need be, a port, such as https://api.anthropic.com");
    }
    if (url.getRawQuery() != null || url.getRawFragment() != null) {
      throw BadValue.expected("a URL without query and fragment");
    }
    String path = url.getRawPath();
    if (path.replaceAll("/+$", "").endsWith("/v1")) {
      throw BadValue.expected(
          "the URL without /v1, because the gateway adds /v1/messages and its like itself");
    }
    if (!BASE_PATH.matcher(path).matches() || DOT_SEGMENT.matcher(path).matches()) {
      throw BadValue.expected(
          "a URL whose path, if any, has letters, digits, dot, dash, underscore and tilde only");
    }
  }

  static Range<Secret> apiKey() {
    return key(1, "visible ASCII characters, without spaces and line breaks");
  }

  static Range<Secret> reportKey() {
    return key(16, "at least 16 visible ASCII characters, without spaces and line breaks");
  }

  private static Range<Secret> key(int minLength, String text) {
    return new Range<>(
        text,
        value -> {
          String key = value.reveal();
          if (key.isEmpty()) {
            throw BadValue.empty(text);
          }
          // A line break in a header value would be the start of another header.
          if (key.length() < minLength || !KEY.matcher(key).matches()) {
            throw BadValue.expected(text);
          }
        },
        null,
        null);
  }

  static Range<List<String>> headers() {
    return new Range<>(
        "names of headers that neither carry credentials nor belong to one connection",
        value -> {
          for (String header : value) {
            ForwardableHeaders.check(header);
          }
          checkDistinct(value);
        },
        null,
        null);
  }

  static Range<List<EndpointTemplate>> endpoints() {
    return new Range<>(
        "GET, POST or DELETE and a path below /v1/", Range::checkDistinct, null, null);
  }

  /** Text with something in it. */
  static Range<String> notBlank(String what) {
    return new Range<>(
        "",
        value -> {
          if (value.isBlank()) {
            throw BadValue.expected(what);
          }
        },
        null,
        null);
  }

  /** Names of headers that a proxy may put the user or the groups into. */
  static Range<String> identityHeader() {
    return new Range<>(
        "not one that carries credentials",
        value -> {
          // Its content becomes the user's name, which logs and the books repeat.
          if (CREDENTIALS.contains(value)) {
            throw BadValue.noted(
                "carries credentials", "the header with the user's name or groups");
          }
        },
        null,
        null);
  }

  /** Sources of which the one that names everybody comes last. */
  static Range<List<IdentitySource>> identitySources() {
    String text = "each at most once, address last";
    return new Range<>(
        text,
        value -> {
          int address = value.indexOf(IdentitySource.ADDRESS);
          if (address >= 0 && address < value.size() - 1) {
            throw BadValue.expected(
                "address last, because it names everybody, so that no source behind it is asked");
          }
        },
        null,
        null);
  }

  private static void checkDistinct(List<?> value) throws BadValue {
    if (new HashSet<>(value).size() < value.size()) {
      throw BadValue.expected("each element once");
    }
  }
}
