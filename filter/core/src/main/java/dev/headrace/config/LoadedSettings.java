package dev.headrace.config;

import java.util.List;
import java.util.Map;

/**
 * Settings that were read, and how that went. Immutable.
 *
 * @param settings what to use
 * @param source which file was read, in words for the log
 * @param origins for each key that is not at its default, where it was set: {@code
 *     headrace.yaml:14}, the name of an environment variable, or {@code code}
 * @param warnings what an operator should look at although the settings can be used, one sentence
 *     each; without secrets
 */
public record LoadedSettings(
    GatewaySettings settings, String source, Map<String, String> origins, List<String> warnings) {

  /** Copies the collections. */
  public LoadedSettings {
    origins = Map.copyOf(origins);
    warnings = List.copyOf(warnings);
  }
}
