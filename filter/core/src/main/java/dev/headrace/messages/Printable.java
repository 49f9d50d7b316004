package dev.headrace.messages;

/**
 * Words of a client in a message of ours: short and in printable ASCII, so that they forge neither
 * log lines nor the message itself. Thread-safe.
 */
public final class Printable {
  private static final int MAX_LENGTH = 64;

  private Printable() {}

  /** At most 64 characters of a name, with {@code ?} for what is not plain ASCII. */
  public static String name(String name) {
    return name(name, MAX_LENGTH);
  }

  static String name(String name, int maxLength) {
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < Math.min(name.length(), maxLength); i++) {
      char c = name.charAt(i);
      shown.append(c < ' ' || c > '~' || c == '"' || c == '\\' ? '?' : c);
    }
    return shown.append(name.length() > maxLength ? "..." : "").toString();
  }
}
