package dev.headrace.admission;

import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A server-side recipe for requests, so that a browser may send only what a user types. Immutable.
 *
 * @param name as in the URL and in {@code presets.<name>}
 * @param model the model or alias that is asked
 * @param system the system prompt; null for none
 * @param cacheSystem whether the system prompt is marked for prompt caching
 * @param tools a JSON array of tools; null for none
 * @param maxTokens the {@code max_tokens} of each request, and the most that a client may ask for
 *     where this field is open; above zero
 * @param format the output format, such as {@code simple}; null if the client chooses
 * @param roles who may use it; empty for everybody
 * @param open the body fields that a client may send besides {@code messages} and {@code stream}
 */
public record Preset(
    String name,
    String model,
    @Nullable PresetSource system,
    boolean cacheSystem,
    @Nullable PresetSource tools,
    long maxTokens,
    @Nullable String format,
    Set<String> roles,
    Set<String> open) {

  /** What a preset is there to fix, or would let a client around it. */
  private static final Set<String> NEVER_OPEN =
      Set.of(
          "model",
          "messages",
          "stream",
          "system",
          "tools",
          "mcp_servers",
          "container",
          "fallbacks");

  private static final Pattern FIELD = Pattern.compile("[a-z][a-z0-9_]{0,63}");

  /**
   * @throws IllegalArgumentException if model or {@code maxTokens} is missing, a field may not be
   *     opened, or a missing system prompt is to be cached; names the setting
   */
  public Preset {
    String key = "presets." + name + ".";
    if (model.isBlank()) {
      throw new IllegalArgumentException(key + "model: empty (expected: a model or an alias)");
    }
    if (maxTokens <= 0) {
      throw new IllegalArgumentException(
          key + "max-tokens: " + maxTokens + " (expected: above zero)");
    }
    if (cacheSystem && system == null) {
      throw new IllegalArgumentException(
          key + "cache-system: true (expected: together with " + key + "system)");
    }
    for (String field : open) {
      if (!mayOpen(field)) {
        throw new IllegalArgumentException(
            key
                + "open: "
                + field
                + " (expected: body fields other than those that a preset fixes,"
                + " such as max_tokens)");
      }
    }
    roles = Set.copyOf(roles);
    open = Collections.unmodifiableSet(new LinkedHashSet<>(open));
  }

  /** Whether a preset may leave a body field to its clients. */
  public static boolean mayOpen(String field) {
    return FIELD.matcher(field).matches() && !NEVER_OPEN.contains(field);
  }

  /** Its name: the rest holds prompts. */
  @Override
  public String toString() {
    return name;
  }
}
