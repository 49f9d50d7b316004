package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.util.regex.Pattern;

/**
 * An endpoint of the API that the gateway opens besides the built-in ones, such as {@code GET
 * /v1/files/{id}}. Immutable.
 *
 * @param method {@code GET}, {@code POST} or {@code DELETE}
 * @param path begins with {@code /v1/}; each segment is fixed text ({@code [A-Za-z0-9._-]+}) or a
 *     variable such as <code>{id}</code>, which stands for exactly one segment
 */
public record EndpointTemplate(String method, String path) {
  private static final Pattern METHOD = Pattern.compile("GET|POST|DELETE");
  private static final Pattern PATH =
      Pattern.compile("/v1(/([A-Za-z0-9._-]+|\\{[A-Za-z][A-Za-z0-9_-]*}))+");
  private static final Pattern DOT_SEGMENT = Pattern.compile(".*/\\.\\.?(/.*|$)");
  private static final String EXPECTED =
      "a method and a path such as GET /v1/files/{id}; methods are GET, POST and DELETE, the path begins"
          + " with /v1/, a segment consists of letters, digits, dot, dash and underscore or is a"
          + " {name}";

  /**
   * Checks method and path.
   *
   * @throws SettingsException if one of them is not as described above
   */
  public EndpointTemplate {
    requireNonNull(method, "method");
    requireNonNull(path, "path");
    try {
      check(method, path);
    } catch (BadValue e) {
      throw Problems.only(
          SettingTable.REQUEST_EXTRA_ENDPOINTS.key(), e, Shown.text(method + " " + path));
    }
  }

  /**
   * Reads an endpoint as it stands in the settings file, such as {@code DELETE /v1/files/{id}}.
   *
   * @throws SettingsException if the text is something else
   */
  public static EndpointTemplate parse(String text) {
    try {
      return read(requireNonNull(text, "text"));
    } catch (BadValue e) {
      throw Problems.only(SettingTable.REQUEST_EXTRA_ENDPOINTS.key(), e, Shown.text(text));
    }
  }

  static EndpointTemplate read(String text) throws BadValue {
    int space = text.indexOf(' ');
    if (space < 0) {
      throw BadValue.expected(EXPECTED);
    }
    String method = text.substring(0, space);
    String path = text.substring(space + 1);
    check(method, path);
    return new EndpointTemplate(method, path);
  }

  private static void check(String method, String path) throws BadValue {
    if (!METHOD.matcher(method).matches()
        || !PATH.matcher(path).matches()
        || DOT_SEGMENT.matcher(path).matches()) {
      throw BadValue.expected(EXPECTED);
    }
  }

  /** Returns the endpoint as {@link #parse} reads it. */
  @Override
  public String toString() {
    return method + " " + path;
  }
}
