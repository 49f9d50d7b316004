package dev.headrace.identity;

import dev.headrace.config.IdentitySource;
import dev.headrace.config.Origins;
import dev.headrace.messages.ApiError;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Keeps pages of other sites from calling in their visitors' names, and lets the listed ones do so.
 *
 * <p>Whoever is known by what a browser sends by itself (login, session, address, the cookie of a
 * proxy that adds an identity header) may only be called for by pages of this site: a request that
 * changes something needs {@code Content-Type: application/json}, which no form can send and for
 * which a script of another site must ask first; then {@code Sec-Fetch-Site} (Fetch Metadata) or,
 * in browsers without it, {@code Origin} (RFC 6454) must fit. Programs send neither and pass.
 * Callers with a gateway key are not checked: no browser adds a key by itself.
 *
 * <p>Where the gateway identifies nobody, the application's own login may stand in front. Then JSON
 * passes from anywhere, since a browser asks before it sends that to another origin, and the
 * application may have answered it; anything else passes only without a login, session and cookie,
 * and not from a page of another site.
 *
 * <p>CORS (WHATWG Fetch, 3.3) is off unless origins are listed. Immutable; only looks at headers.
 */
public final class CrossSite {
  /** The setting that the refusals name. */
  static final String SETTING = "cross-site.origins";

  private static final Set<String> SAFE_METHODS = Set.of("GET", "HEAD", "OPTIONS");
  private static final String ALLOWED_METHODS = "POST";

  private static final List<String> ALLOWED_HEADERS =
      List.of(
          "content-type",
          "anthropic-version",
          "anthropic-beta",
          "x-csrf-token",
          "x-xsrf-token",
          "authorization",
          "x-api-key",
          "user-agent"); // set by SDKs; Firefox and Safari ask for it, Chrome leaves it out

  /** SDKs in browsers send a dozen of these; each must be allowed by its name. */
  private static final List<String> ALLOWED_PREFIXES = List.of("anthropic-", "x-stainless-");

  private static final int MAX_REQUESTED_HEADERS = 64;

  private static final String EXPOSED_HEADERS =
      String.join(
          ", ",
          List.of(
              "request-id",
              "headrace-exchange-id",
              "retry-after",
              "retry-after-ms",
              "x-should-retry",
              "anthropic-ratelimit-requests-limit",
              "anthropic-ratelimit-requests-remaining",
              "anthropic-ratelimit-requests-reset",
              "anthropic-ratelimit-input-tokens-limit",
              "anthropic-ratelimit-input-tokens-remaining",
              "anthropic-ratelimit-input-tokens-reset",
              "anthropic-ratelimit-output-tokens-limit",
              "anthropic-ratelimit-output-tokens-remaining",
              "anthropic-ratelimit-output-tokens-reset"));

  /** Seconds; browsers keep it for two hours at most. */
  private static final String MAX_AGE = "7200";

  /**
   * The answer to a preflight.
   *
   * @param status 204, or 403 for an origin that is not listed
   * @param headers to be set, in this order
   */
  public record Preflight(int status, Map<String, String> headers) {}

  private final Set<String> origins;
  private final boolean sameSite;

  /**
   * Makes the guard.
   *
   * @param origins such as {@code https://shop.example.com}: may call and read; may be empty
   * @param sameSite whether pages of other hosts of the same site (sibling subdomains) may call
   * @throws IllegalArgumentException if an origin is none; {@code *} and {@code null} are none,
   *     because they would let every page call in its visitors' names
   */
  public CrossSite(Set<String> origins, boolean sameSite) {
    this.origins = origins.stream().map(CrossSite::listed).collect(Collectors.toUnmodifiableSet());
    this.sameSite = sameSite;
  }

  private static String listed(String origin) {
    String normal = Origins.normal(origin);
    if (normal == null) {
      throw new IllegalArgumentException(
          origin + " (expected: an origin such as https://shop.example.com)");
    }
    return normal;
  }

  /**
   * Answers a preflight, which comes without any credential and so before the caller is identified.
   *
   * @return null if the request is none, or if no origins are listed
   */
  public @Nullable Preflight preflight(HttpServletRequest request) {
    if (origins.isEmpty()
        || !"OPTIONS".equals(request.getMethod())
        || request.getHeader("Origin") == null
        || request.getHeader("Access-Control-Request-Method") == null) {
      return null;
    }
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
    String origin = listedOriginOf(request);
    if (origin == null) {
      return new Preflight(403, Collections.unmodifiableMap(headers));
    }
    headers.put("Access-Control-Allow-Origin", origin);
    headers.put("Access-Control-Allow-Credentials", "true");
    headers.put("Access-Control-Allow-Methods", ALLOWED_METHODS);
    headers.put("Access-Control-Allow-Headers", allowedHeaders(request));
    headers.put("Access-Control-Max-Age", MAX_AGE);
    return new Preflight(204, Collections.unmodifiableMap(headers));
  }

  /**
   * The headers to add to every answer but that to a preflight, also to refusals, which a page
   * could not read otherwise. Empty when no origins are listed. {@code Vary} is to be added, not
   * set.
   */
  public Map<String, String> answerHeaders(HttpServletRequest request) {
    if (origins.isEmpty()) {
      return Map.of();
    }
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Vary", "Origin");
    String origin = listedOriginOf(request);
    if (origin != null) {
      headers.put("Access-Control-Allow-Origin", origin);
      headers.put("Access-Control-Allow-Credentials", "true");
      headers.put("Access-Control-Expose-Headers", EXPOSED_HEADERS);
    }
    return Collections.unmodifiableMap(headers);
  }

  /**
   * Checks a request.
   *
   * @param source how the caller was identified; null if the gateway identifies nobody
   * @return the refusal, 415 or 403; null if the request may go on
   */
  public @Nullable ApiError check(HttpServletRequest request, @Nullable IdentitySource source) {
    if (source == IdentitySource.KEY || SAFE_METHODS.contains(request.getMethod())) {
      return null;
    }
    boolean json = isJson(request.getContentType());
    if (json && source == null) {
      return null;
    }
    if ("POST".equals(request.getMethod())
        && !json
        && (source != null || hasWhatABrowserSends(request))) {
      return new ApiError(
          415,
          "invalid_request_error",
          source != null
              ? "A request that is not made with a gateway key needs Content-Type: application/json."
              : "A request with a login, session or cookie needs Content-Type: application/json.",
          null);
    }
    return comesFromHere(request)
        ? null
        : new ApiError(
            403,
            "permission_error",
            "This request comes from a page of another origin. If that page may call the gateway,"
                + " or if a proxy changes the host name or ends TLS, list its origin in "
                + SETTING
                + ".",
            null);
  }

  /** Whether the application may know the caller by what a browser sends by itself. */
  private static boolean hasWhatABrowserSends(HttpServletRequest request) {
    return request.getRemoteUser() != null
        || request.getHeader("Cookie") != null
        || request.getSession(false) != null;
  }

  private static boolean isJson(@Nullable String contentType) {
    if (contentType == null) {
      return false;
    }
    int end = contentType.indexOf(';');
    String type = end < 0 ? contentType : contentType.substring(0, end);
    return type.strip().equalsIgnoreCase("application/json");
  }

  private boolean comesFromHere(HttpServletRequest request) {
    List<String> sites = Collections.list(request.getHeaders("Sec-Fetch-Site"));
    List<String> given = Collections.list(request.getHeaders("Origin"));
    if (sites.size() > 1 || given.size() > 1) {
      return false;
    }
    if (listedOriginOf(request) != null) {
      return true;
    }
    if (!sites.isEmpty()) {
      // The browser says so, and compares what stands in its address bar: right behind any proxy.
      return switch (sites.get(0).strip()) {
        case "same-origin", "none" -> true;
        case "same-site" -> sameSite;
        default -> false;
      };
    }
    if (given.isEmpty()) {
      return true; // no browser, or one that saw no other origin
    }
    String origin = Origins.normal(given.get(0).strip());
    return origin != null && origin.equals(ownOrigin(request));
  }

  private @Nullable String listedOriginOf(HttpServletRequest request) {
    String given = request.getHeader("Origin");
    String origin = given == null ? null : Origins.normal(given.strip());
    return origin != null && origins.contains(origin) ? origin : null;
  }

  private static @Nullable String ownOrigin(HttpServletRequest request) {
    String host = request.getServerName();
    if (host.indexOf(':') >= 0 && !host.startsWith("[")) {
      host = "[" + host + "]"; // Undertow takes the brackets off
    }
    return Origins.normal(request.getScheme() + "://" + host + ":" + request.getServerPort());
  }

  private static String allowedHeaders(HttpServletRequest request) {
    Set<String> allowed = new LinkedHashSet<>(ALLOWED_HEADERS);
    for (String line : Collections.list(request.getHeaders("Access-Control-Request-Headers"))) {
      for (String part : line.split(",", -1)) {
        String name = part.strip().toLowerCase(Locale.ROOT);
        if (allowed.size() < MAX_REQUESTED_HEADERS
            && name.matches("[a-z0-9-]{1,60}")
            && ALLOWED_PREFIXES.stream().anyMatch(name::startsWith)) {
          allowed.add(name);
        }
      }
    }
    return String.join(", ", allowed);
  }
}
