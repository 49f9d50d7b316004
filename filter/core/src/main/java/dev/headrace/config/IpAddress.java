package dev.headrace.config;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.StringJoiner;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An IP address, read from text without ever asking a name server. An IPv4 address written in IPv6
 * (RFC 4291, 2.5.5.2: {@code ::ffff:192.0.2.1}) is that IPv4 address, so that a machine has one
 * address whichever socket it comes through. Immutable.
 */
public final class IpAddress {
  /** Longer text is no address: eight groups, the last two as IPv4, and a zone. */
  private static final int MAX_LENGTH = 80;

  private static final Pattern OCTET = Pattern.compile("0|[1-9][0-9]{0,2}");
  private static final Pattern GROUP = Pattern.compile("[0-9A-Fa-f]{1,4}");
  private static final Pattern PORT = Pattern.compile(":[0-9]{1,5}");
  private static final Pattern V4_AND_PORT = Pattern.compile("[0-9.]*:[0-9]*");

  private static final int V4_BYTES = 4;
  private static final int V6_BYTES = 16;

  private final byte[] bytes;

  private IpAddress(byte[] bytes) {
    this.bytes = bytes;
  }

  /**
   * Reads an address as {@code getRemoteAddr} and {@code X-Forwarded-For} show it: in brackets,
   * with a zone or with a port behind it as well. IPv4 is four decimal numbers without leading
   * zeros, which some read as octal.
   *
   * @return null if this is no address
   */
  public static @Nullable IpAddress parse(@Nullable String text) {
    if (text == null || text.isEmpty() || text.length() > MAX_LENGTH) {
      return null;
    }
    if (text.charAt(0) == '[') {
      int end = text.indexOf(']');
      return end > 0 && isPortOrNothing(text.substring(end + 1))
          ? parseV6(text.substring(1, end))
          : null;
    }
    int colon = text.indexOf(':');
    if (colon < 0) {
      return ofV4(text);
    }
    if (colon == text.lastIndexOf(':') && text.indexOf('.') > 0) {
      return isPortOrNothing(text.substring(colon)) ? ofV4(text.substring(0, colon)) : null;
    }
    return parseV6(text);
  }

  /** Reads an address alone: no brackets, no zone, no port. */
  static @Nullable IpAddress parseBare(String text) {
    return text.indexOf('[') >= 0 || text.indexOf('%') >= 0 || V4_AND_PORT.matcher(text).matches()
        ? null
        : parse(text);
  }

  private static boolean isPortOrNothing(String text) {
    return text.isEmpty() || PORT.matcher(text).matches();
  }

  private static @Nullable IpAddress ofV4(String text) {
    byte[] bytes = v4(text);
    return bytes == null ? null : new IpAddress(bytes);
  }

  private static byte @Nullable [] v4(String text) {
    String[] parts = text.split("\\.", -1);
    if (parts.length != V4_BYTES) {
      return null;
    }
    byte[] bytes = new byte[V4_BYTES];
    for (int i = 0; i < V4_BYTES; i++) {
      if (!OCTET.matcher(parts[i]).matches() || Integer.parseInt(parts[i]) > 255) {
        return null;
      }
      bytes[i] = (byte) Integer.parseInt(parts[i]);
    }
    return bytes;
  }

  private static @Nullable IpAddress parseV6(String text) {
    int zone = text.indexOf('%');
    String address = zone < 0 ? text : text.substring(0, zone);
    int gap = address.indexOf("::");
    List<Integer> head = new ArrayList<>();
    List<Integer> tail = new ArrayList<>();
    if (gap < 0) {
      if (!addGroups(address, true, head) || head.size() != 8) {
        return null;
      }
    } else if (!addGroups(address.substring(0, gap), false, head)
        || !addGroups(address.substring(gap + 2), true, tail)
        || head.size() + tail.size() > 7) {
      return null;
    }
    byte[] bytes = new byte[V6_BYTES];
    for (int i = 0; i < head.size(); i++) {
      putGroup(bytes, i, head.get(i));
    }
    for (int i = 0; i < tail.size(); i++) {
      putGroup(bytes, 8 - tail.size() + i, tail.get(i));
    }
    return new IpAddress(isMappedV4(bytes) ? Arrays.copyOfRange(bytes, 12, V6_BYTES) : bytes);
  }

  private static boolean addGroups(String text, boolean mayEndInV4, List<Integer> groups) {
    if (text.isEmpty()) {
      return true;
    }
    String[] parts = text.split(":", -1);
    for (int i = 0; i < parts.length; i++) {
      if (mayEndInV4 && i == parts.length - 1 && parts[i].indexOf('.') >= 0) {
        byte[] v4 = v4(parts[i]);
        if (v4 == null) {
          return false;
        }
        groups.add((v4[0] & 0xff) << 8 | (v4[1] & 0xff));
        groups.add((v4[2] & 0xff) << 8 | (v4[3] & 0xff));
      } else if (GROUP.matcher(parts[i]).matches()) {
        groups.add(Integer.parseInt(parts[i], 16));
      } else {
        return false;
      }
    }
    return true;
  }

  private static void putGroup(byte[] bytes, int index, int group) {
    bytes[2 * index] = (byte) (group >> 8);
    bytes[2 * index + 1] = (byte) group;
  }

  private static boolean isMappedV4(byte[] bytes) {
    for (int i = 0; i < 10; i++) {
      if (bytes[i] != 0) {
        return false;
      }
    }
    return bytes[10] == (byte) 0xff && bytes[11] == (byte) 0xff;
  }

  /** Whether this is an IPv4 address. */
  public boolean isV4() {
    return bytes.length == V4_BYTES;
  }

  /** How many bits the address has: 32 or 128. */
  int bits() {
    return bytes.length * 8;
  }

  /** Whether the first bits are those of the other address, which is of the same kind. */
  boolean sharesPrefix(IpAddress other, int prefix) {
    return bytes.length == other.bytes.length
        && Arrays.equals(first(prefix).bytes, other.first(prefix).bytes);
  }

  /**
   * Returns the address with all bits behind the first ones zero.
   *
   * @param prefix how many bits stay; 0 to the number of bits
   */
  public IpAddress first(int prefix) {
    byte[] masked = bytes.clone();
    for (int bit = prefix; bit < bits(); bit++) {
      masked[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
    }
    return new IpAddress(masked);
  }

  /** Returns the address in its one canonical form; IPv6 as in RFC 5952, section 4. */
  @Override
  public String toString() {
    if (isV4()) {
      StringJoiner text = new StringJoiner(".");
      for (byte each : bytes) {
        text.add(Integer.toString(each & 0xff));
      }
      return text.toString();
    }
    int[] groups = new int[8];
    for (int i = 0; i < 8; i++) {
      groups[i] = (bytes[2 * i] & 0xff) << 8 | (bytes[2 * i + 1] & 0xff);
    }
    int gapStart = -1;
    int gapLength = 1; // a single group of zeros is written out
    for (int start = 0; start < 8; start++) {
      int length = 0;
      while (start + length < 8 && groups[start + length] == 0) {
        length++;
      }
      if (length > gapLength) {
        gapStart = start;
        gapLength = length;
      }
    }
    return gapStart < 0
        ? joined(groups, 0, 8)
        : joined(groups, 0, gapStart) + "::" + joined(groups, gapStart + gapLength, 8);
  }

  private static String joined(int[] groups, int from, int to) {
    StringJoiner text = new StringJoiner(":");
    for (int i = from; i < to; i++) {
      text.add(Integer.toHexString(groups[i]));
    }
    return text.toString();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof IpAddress that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }
}
