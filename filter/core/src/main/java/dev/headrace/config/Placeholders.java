package dev.headrace.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Puts environment variables and system properties in the place of <code>${NAME}</code>. <code>
 * ${NAME:-text}</code> gives the text when the variable is absent or empty, as in a shell; <code>
 * $${
 * </code> stands for <code>${</code> itself. What has been put in is not searched again, so that
 * the value of a variable cannot name another one.
 */
final class Placeholders {
  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_.-]*)(:-([^}]*))?}");

  /** Variables that are likely to hold a secret; their content is not shown in any error text. */
  private static final Pattern SECRET_NAME =
      Pattern.compile("key|token|secret|passw|credential|auth", Pattern.CASE_INSENSITIVE);

  /**
   * Text with its placeholders filled.
   *
   * @param value the text to read a value from
   * @param showable the same for error texts: as it stands in the file if a variable that looks
   *     secret was used, else the value
   */
  record Filled(String value, String showable) {}

  /** A placeholder without a value. Not a {@link BadValue}: nothing is wrong with the file. */
  static final class MissingVariable extends Exception {
    private static final long serialVersionUID = 1L;

    private final String name;

    private MissingVariable(String name) {
      super(name, null, false, false);
      this.name = name;
    }

    String variableName() {
      return name;
    }
  }

  private Placeholders() {}

  static Filled fill(String text, Environment environment) throws BadValue, MissingVariable {
    if (!text.contains("${")) {
      return new Filled(text, text);
    }
    Matcher placeholder = PLACEHOLDER.matcher(text);
    StringBuilder value = new StringBuilder();
    boolean secret = false;
    int done = 0;
    for (int at = text.indexOf("${"); at >= 0; at = text.indexOf("${", done)) {
      if (at > done && text.charAt(at - 1) == '$') {
        value.append(text, done, at - 1).append("${");
        done = at + 2;
        continue;
      }
      if (!placeholder.region(at, text.length()).lookingAt()) {
        throw BadValue.expected(
            "a placeholder such as ${NAME} or ${NAME:-default}; write $${ for a plain ${");
      }
      String name = placeholder.group(1);
      secret |= SECRET_NAME.matcher(name).find();
      value.append(text, done, at).append(lookUp(name, placeholder.group(3), environment));
      done = placeholder.end();
    }
    value.append(text, done, text.length());
    return new Filled(value.toString(), secret ? text : value.toString());
  }

  private static String lookUp(String name, @Nullable String fallback, Environment environment)
      throws MissingVariable {
    String found = environment.variable(name);
    if (found == null) {
      found = environment.property(name);
    }
    if (fallback != null && (found == null || found.isEmpty())) {
      return fallback;
    }
    if (found == null) {
      throw new MissingVariable(name);
    }
    return found;
  }
}
