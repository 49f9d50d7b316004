package dev.headrace.upstream;

import static java.util.Objects.requireNonNull;

/**
 * One header line, safe to be written into a message: the name is a token and the value is visible
 * ASCII with inner blanks (RFC 9110, 5.5 and 5.6.2). Immutable.
 *
 * @param name the field name in the case in which it is to be sent
 * @param value the field value
 */
public record HeaderField(String name, String value) {

  /**
   * @throws IllegalArgumentException if the name is not a token or the value has a character that
   *     does not belong into a header; neither is repeated in the message
   */
  public HeaderField {
    requireNonNull(name, "name");
    requireNonNull(value, "value");
    if (!isToken(name)) {
      throw new IllegalArgumentException("header name is not a token (RFC 9110, 5.6.2)");
    }
    if (!isFieldValue(value)) {
      throw new IllegalArgumentException(
          "value of header " + name + " has a character that is not visible ASCII");
    }
  }

  /** Tells whether a name and a value would make a header field, without an exception. */
  public static boolean isValid(String name, String value) {
    return isToken(name) && isFieldValue(value);
  }

  /** Tells whether this field has the given name; case does not matter (RFC 9110, 5.1). */
  public boolean is(String otherName) {
    return name.equalsIgnoreCase(otherName);
  }

  private static boolean isToken(String text) {
    if (text.isEmpty()) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean alphanumeric =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
      if (!alphanumeric && c != '-' && "!#$%&'*+-.^_`|~".indexOf(c) < 0) {
        return false;
      }
    }
    return true;
  }

  private static boolean isFieldValue(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < ' ' && c != '\t') || c > '~') {
        return false;
      }
    }
    return true;
  }
}
