package dev.headrace.config;

import java.io.Serial;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Settings that cannot be used. Carries every problem that was found, not only the first, so that
 * they can be mended in one go. No problem text contains a secret.
 */
public final class SettingsException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** More would bury the first, which is usually the cause of the others. */
  private static final int MAX_SHOWN = 50;

  private final transient List<Problem> problems;

  SettingsException(List<Problem> problems) {
    this(problems, null);
  }

  /**
   * @param source which file was read, in words; null for settings made in code
   */
  SettingsException(List<Problem> problems, @Nullable String source) {
    super(message(problems, source));
    this.problems = List.copyOf(problems);
  }

  /**
   * Returns an exception for a file that somebody else than the settings' reader has looked into.
   *
   * @param key of the setting that names the file
   * @param problems what is wrong in it, one sentence each, with file and line
   */
  public static SettingsException inFile(String key, List<String> problems) {
    return new SettingsException(
        problems.stream().map(problem -> Problem.of(key, key + ": " + problem, null)).toList());
  }

  /** Returns the problems, one sentence each, in the order of their discovery. */
  public List<String> problems() {
    return problems.stream().map(Problem::toString).toList();
  }

  List<Problem> details() {
    return problems;
  }

  private static String message(List<Problem> problems, @Nullable String source) {
    String lines =
        problems.stream()
            .limit(MAX_SHOWN)
            .map(problem -> "\n  - " + problem)
            .collect(Collectors.joining());
    int hidden = problems.size() - MAX_SHOWN;
    return (problems.size() == 1 ? "1 problem" : problems.size() + " problems")
        + " in the settings"
        + (source == null ? ":" : " from " + source + ":")
        + lines
        + (hidden > 0 ? "\n  - and " + hidden + " more" : "");
  }
}
