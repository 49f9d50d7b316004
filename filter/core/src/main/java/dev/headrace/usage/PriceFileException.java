package dev.headrace.usage;

import java.io.Serial;
import java.util.List;

/**
 * A price file that cannot be used. Carries every problem that was found, not only the first, so
 * that they can be mended in one go.
 */
public final class PriceFileException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** More would bury the first, which is usually the cause of the others. */
  private static final int MAX_SHOWN = 50;

  private final transient List<String> problems;

  PriceFileException(List<String> problems) {
    super(message(problems));
    this.problems = List.copyOf(problems);
  }

  /** The problems, one sentence each, in the order of the file. */
  public List<String> problems() {
    return problems;
  }

  private static String message(List<String> problems) {
    int hidden = problems.size() - MAX_SHOWN;
    String lines = String.join("\n  - ", problems.subList(0, Math.min(problems.size(), MAX_SHOWN)));
    return (problems.size() == 1 ? "1 problem" : problems.size() + " problems")
        + " in the prices:\n  - "
        + lines
        + (hidden > 0 ? "\n  - and " + hidden + " more" : "");
  }
}
