package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A part of a preset, given in the settings or in a file that they name: {@code file:} and its
 * path. Immutable. Exactly one of the two is present.
 *
 * @param text the part itself; null if it is in a file
 * @param file the file that contains it; null if it is here
 */
public record PresetText(@Nullable String text, @Nullable Path file) {
  static final String FILE_PREFIX = "file:";

  /**
   * Checks that exactly one is present.
   *
   * @throws IllegalArgumentException if there are both or neither
   */
  public PresetText {
    if ((text == null) == (file == null)) {
      throw new IllegalArgumentException("a text or a file, and not both");
    }
  }

  /** What the settings say themselves. */
  public static PresetText of(String text) {
    return new PresetText(requireNonNull(text, "text"), null);
  }

  /** What a file says. */
  public static PresetText ofFile(Path file) {
    return new PresetText(null, requireNonNull(file, "file"));
  }

  static PresetText read(String written) throws BadValue {
    if (!written.startsWith(FILE_PREFIX)) {
      return of(written);
    }
    String path = written.substring(FILE_PREFIX.length()).strip();
    try {
      if (!path.isEmpty()) {
        return ofFile(Path.of(path));
      }
    } catch (InvalidPathException e) {
      // Said below, without the message of the exception, which repeats the text.
    }
    throw BadValue.expected("the path of a file behind " + FILE_PREFIX);
  }

  /** Returns what {@link #read} gives back; not for people, since it holds prompts. */
  String write() {
    return text != null ? text : FILE_PREFIX + file;
  }

  /** Returns the file, or how long the text is: it may be a prompt. */
  @Override
  public String toString() {
    return show(write());
  }

  static String show(String written) {
    return written.startsWith(FILE_PREFIX)
        ? Shown.quoted(written)
        : written.length() + " characters";
  }
}
