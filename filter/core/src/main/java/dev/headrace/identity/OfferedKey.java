package dev.headrace.identity;

import jakarta.servlet.http.HttpServletRequest;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a request offers as a gateway key: official SDKs send {@code Authorization: Bearer}, older
 * ones and {@code curl} as in the API's documentation {@code x-api-key} (API reference,
 * "Authentication"). Other schemes of {@code Authorization} are the container's matter. Stateless.
 */
final class OfferedKey {
  /** A text that is no key and so never valid. */
  static final String SEVERAL = "several different keys";

  private static final String BEARER = "Bearer";

  private OfferedKey() {}

  /**
   * Returns the key; {@link #SEVERAL} if there are different ones, which is then as wrong as any
   * other wrong key. A header without a value counts as a key too, an empty one: whoever sends it
   * has forgotten to fill it in and is not to pass as nobody.
   *
   * @return null if there is none
   */
  static @Nullable String of(HttpServletRequest request) {
    Set<String> offered = new LinkedHashSet<>();
    for (String line : Collections.list(request.getHeaders("Authorization"))) {
      String credentials = line.strip();
      if (credentials.regionMatches(true, 0, BEARER, 0, BEARER.length())
          && (credentials.length() == BEARER.length()
              || Character.isWhitespace(credentials.charAt(BEARER.length())))) {
        offered.add(credentials.substring(BEARER.length()).strip());
      }
    }
    for (String line : Collections.list(request.getHeaders("x-api-key"))) {
      offered.add(line.strip());
    }
    if (offered.isEmpty()) {
      return null;
    }
    return offered.size() == 1 ? offered.iterator().next() : SEVERAL;
  }
}
