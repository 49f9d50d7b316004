package dev.headrace.config;

import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns text from a settings file into something fit for an error message or a log: short, on one
 * line, and without secrets, also those that stand where no secret belongs.
 */
final class Shown {
  private static final int MAX_LENGTH = 80;
  private static final int MAX_SENTENCE = 200;
  private static final int MAX_PATH = 1000;
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9._:/+\\-*{}$]+");

  /** Keys of the Anthropic API and gateway keys begin so; people paste them anywhere. */
  private static final Pattern KEY = Pattern.compile("sk-ant-[A-Za-z0-9_\\-]*|hr_[A-Za-z0-9]{16,}");

  /** The user information of a URL; to the last "@", because a password may contain one. */
  private static final Pattern USER_INFO = Pattern.compile("//[^/?#]*@");

  private static final Pattern QUERY = Pattern.compile("[?#].*", Pattern.DOTALL);

  /** Greedy to the last "@", as above. */
  private static final Pattern JDBC_USER =
      Pattern.compile("^(jdbc:(?:[A-Za-z0-9]+:)*/*)(.*)@", Pattern.DOTALL);

  /** MySQL and MariaDB also take them in brackets, in the place of the host. */
  private static final Pattern JDBC_PARAMETERS =
      Pattern.compile("([?;#&(]|(?i:password|pwd|pass)[1-3]?=).*", Pattern.DOTALL);

  private Shown() {}

  /** Shows a value: as it is when it is one plain word, else in quotes. */
  static String text(String value) {
    return quotedUnlessPlain(clean(value));
  }

  /** Shows where a file was looked for: its absolute path, which is not cut short. */
  static String path(Path file) {
    return quotedUnlessPlain(clean(file.toAbsolutePath().toString(), MAX_PATH));
  }

  private static String quotedUnlessPlain(String clean) {
    return PLAIN.matcher(clean).matches() ? clean : '"' + clean + '"';
  }

  /** Shows a value in quotes. */
  static String quoted(String value) {
    return '"' + clean(value) + '"';
  }

  /** Shows a URL without the places where credentials travel: user information, query, fragment. */
  static String url(String value) {
    String anonymous = USER_INFO.matcher(value).replaceAll("//" + Secret.MASK + "@");
    return text(QUERY.matcher(anonymous).replaceFirst("?" + Secret.MASK));
  }

  /** Shows a JDBC URL in quotes, without its parameters and what could be a user and password. */
  static String jdbcUrl(String value) {
    Matcher user = JDBC_USER.matcher(value);
    if (!user.find()) {
      return quoted(withoutParameters(value));
    }
    String scheme = user.group(1) + Secret.MASK;
    // An "@" behind the first parameter may be a part of a password, and so may what follows it.
    return JDBC_PARAMETERS.matcher(user.group(2)).find()
        ? quoted(scheme)
        : quoted(scheme + "@" + withoutParameters(value.substring(user.end())));
  }

  private static String withoutParameters(String jdbcUrl) {
    return JDBC_PARAMETERS.matcher(jdbcUrl).replaceFirst("$1" + Secret.MASK);
  }

  /** Shows the name of a key, without quotes. */
  static String name(String key) {
    return clean(key);
  }

  /** Shows a sentence of the YAML library, which may quote a few characters of the file. */
  static String sentence(String text) {
    return clean(text, MAX_SENTENCE);
  }

  private static String clean(String value) {
    return clean(value, MAX_LENGTH);
  }

  private static String clean(String value, int maxLength) {
    String masked = KEY.matcher(value).replaceAll(Secret.MASK);
    StringBuilder clean = new StringBuilder();
    for (int i = 0; i < masked.length() && clean.length() < maxLength; i++) {
      char c = masked.charAt(i);
      switch (c) {
        case '\n' -> clean.append("\\n");
        case '\r' -> clean.append("\\r");
        case '\t' -> clean.append("\\t");
        case '"' -> clean.append("\\\"");
        default -> clean.append(Character.isISOControl(c) ? '?' : c);
      }
    }
    return masked.length() > maxLength ? clean + "…" : clean.toString();
  }
}
