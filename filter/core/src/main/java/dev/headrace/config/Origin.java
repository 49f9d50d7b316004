package dev.headrace.config;

/**
 * Where a value came from.
 *
 * @param name as printed with the effective settings, such as {@code headrace.yaml:14}
 * @param place as added to an error text, such as {@code at headrace.yaml:14}
 */
record Origin(String name, String place) {
  static final Origin DEFAULT = new Origin("default", "in the defaults");
  static final Origin CODE = new Origin("code", "in the code of the application");

  static Origin file(String sourceName, int line) {
    String name = sourceName + ":" + line;
    return new Origin(name, "at " + name);
  }

  static Origin variable(String variable) {
    return new Origin(variable, "in the environment variable " + variable);
  }
}
