package dev.headrace.admission;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.headrace.messages.JsonValues;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A part of a preset: given in the settings, or in a file that they name. Immutable. */
public final class PresetSource {
  private final @Nullable String text;
  private final @Nullable Path file;

  private PresetSource(@Nullable String text, @Nullable Path file) {
    this.text = text;
    this.file = file;
  }

  /**
   * What the settings say themselves: a system prompt, or tools as a JSON array.
   *
   * @throws IllegalArgumentException if the text holds half a surrogate pair
   */
  public static PresetSource text(String text) {
    if (!UTF_8.newEncoder().canEncode(text)) {
      throw new IllegalArgumentException("half a surrogate pair");
    }
    return new PresetSource(text, null);
  }

  /**
   * Tools as the settings list them.
   *
   * @param tools maps, lists, strings, numbers, booleans and nulls
   * @throws IllegalArgumentException if something is among them that JSON does not have
   */
  public static PresetSource tools(List<? extends Map<String, ?>> tools) {
    return text(new String(JsonValues.write(tools), UTF_8));
  }

  /** A file, which is read again when it has changed. */
  public static PresetSource file(Path file) {
    return new PresetSource(null, file);
  }

  @Nullable String text() {
    return text;
  }

  @Nullable Path file() {
    return file;
  }

  /** The file, or how long the text is: it may be a prompt. */
  @Override
  public String toString() {
    return text == null ? "file:" + file : text.length() + " characters";
  }
}
