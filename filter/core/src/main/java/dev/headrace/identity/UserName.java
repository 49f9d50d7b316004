package dev.headrace.identity;

import dev.headrace.config.IpAddress;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Makes the names that users have in limits, logs, metrics and usage: at most 200 characters, no
 * control or invisible ones, no blank at either end. Two different names stay different.
 *
 * <p>Names that the application gives (principal, session, header, resolver) stay as they are and
 * share one space, since they name the users of one application: who comes by session and by header
 * is one user. Keys are {@code key:<name>}, addresses {@code address:<address>}, and nobody is
 * {@code anonymous:}; a name of the application that begins like those gets {@code user:} in front.
 * Stateless.
 */
final class UserName {
  static final int MAX_LENGTH = 200;

  private static final List<String> PREFIXES = List.of("key:", "address:", "anonymous:", "user:");

  /** An IPv6 client has a network of its own, in which it can make up addresses at will. */
  private static final int V6_NETWORK_BITS = 64;

  /** Marks a name that was mended, with half of its SHA-256: enough not to be met by search. */
  private static final Pattern MENDED = Pattern.compile("~[0-9a-f]{32}$");

  private UserName() {}

  /** The user behind a gateway key. */
  static String ofKey(String name) {
    return "key:" + name;
  }

  /** The user at an address: for IPv4 the address, for IPv6 its network of 64 bits. */
  static String ofAddress(IpAddress address) {
    return "address:"
        + (address.isV4() ? address : address.first(V6_NETWORK_BITS) + "/" + V6_NETWORK_BITS);
  }

  /** A user of the application; not blank. */
  static String ofApplication(String name) {
    boolean reserved =
        PREFIXES.stream()
            .anyMatch(prefix -> name.regionMatches(true, 0, prefix, 0, prefix.length()));
    return fit(reserved ? "user:" + name : name);
  }

  private static String fit(String name) {
    String visible = visible(name);
    boolean asItIs =
        visible.equals(name) && name.length() <= MAX_LENGTH && !MENDED.matcher(name).find();
    if (asItIs) {
      return name;
    }
    String hash = HexFormat.of().formatHex(GatewayKey.digest(bytes(name)), 0, 16);
    int end = Math.min(visible.length(), MAX_LENGTH - hash.length() - 1);
    if (end > 0 && Character.isHighSurrogate(visible.charAt(end - 1))) {
      end--;
    }
    return visible.substring(0, end) + "~" + hash;
  }

  /** All of the name: an encoder would make every broken surrogate the same question mark. */
  private static byte[] bytes(String name) {
    byte[] bytes = new byte[2 * name.length()];
    for (int i = 0; i < name.length(); i++) {
      bytes[2 * i] = (byte) (name.charAt(i) >> 8);
      bytes[2 * i + 1] = (byte) name.charAt(i);
    }
    return bytes;
  }

  private static String visible(String name) {
    int start = 0;
    int end = name.length();
    while (start < end && isBlank(name.charAt(start))) {
      start++;
    }
    while (start < end && isBlank(name.charAt(end - 1))) {
      end--;
    }
    StringBuilder visible = new StringBuilder();
    name.substring(start, end)
        .codePoints()
        .limit(MAX_LENGTH + 1L)
        .forEach(c -> visible.appendCodePoint(isVisible(c) ? c : '?'));
    return visible.toString();
  }

  /** No-break spaces, too, which are none to {@link String#strip}; none needs two chars. */
  private static boolean isBlank(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c);
  }

  private static boolean isVisible(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.UNASSIGNED ->
          false;
      default -> true;
    };
  }
}
