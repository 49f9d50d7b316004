package dev.headrace.config;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The environment variables and system properties that the settings may use. An interface, so that
 * tests and applications with a configuration of their own can give others than those of the
 * process.
 */
public interface Environment {
  /** Returns the environment variable, or null if there is none of that name. */
  @Nullable String variable(String name);

  /** Returns the system property, or null if there is none of that name. */
  @Nullable String property(String name);

  /** Returns the names of all environment variables; used to find misspelt ones. */
  Set<String> variableNames();

  /** Returns what the running process has. */
  static Environment ofProcess() {
    return new Environment() {
      @Override
      public @Nullable String variable(String name) {
        return System.getenv(name);
      }

      @Override
      public @Nullable String property(String name) {
        return System.getProperty(name);
      }

      @Override
      public Set<String> variableNames() {
        return System.getenv().keySet();
      }
    };
  }

  /** Returns an environment that consists of copies of these two maps. */
  static Environment of(Map<String, String> variables, Map<String, String> properties) {
    Map<String, String> fixedVariables = Map.copyOf(variables);
    Map<String, String> fixedProperties = Map.copyOf(properties);
    return new Environment() {
      @Override
      public @Nullable String variable(String name) {
        return fixedVariables.get(name);
      }

      @Override
      public @Nullable String property(String name) {
        return fixedProperties.get(name);
      }

      @Override
      public Set<String> variableNames() {
        return fixedVariables.keySet();
      }
    };
  }
}
