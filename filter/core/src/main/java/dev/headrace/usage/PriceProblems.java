package dev.headrace.usage;

import java.util.ArrayList;
import java.util.List;

/** Gathers what is wrong with one price file. Not thread-safe. */
final class PriceProblems {
  private static final int MAX_SHOWN_LENGTH = 80;

  private final String sourceName;
  private final List<String> problems = new ArrayList<>();

  PriceProblems(String sourceName) {
    this.sourceName = sourceName;
  }

  void add(int line, String fault, String expected) {
    problems.add(fault + " (expected: " + expected + ") at " + sourceName + ":" + line);
  }

  /** Adds a problem of the whole file. */
  void addOfFile(String fault, String expected) {
    problems.add(sourceName + " " + fault + " (expected: " + expected + ")");
  }

  boolean isEmpty() {
    return problems.isEmpty();
  }

  PriceFileException exception() {
    return new PriceFileException(problems);
  }

  /** Text of the file, short and on one line. */
  static String shown(String text) {
    StringBuilder clean = new StringBuilder();
    for (int i = 0; i < Math.min(text.length(), MAX_SHOWN_LENGTH); i++) {
      char c = text.charAt(i);
      clean.append(Character.isISOControl(c) ? '?' : c);
    }
    return text.length() > MAX_SHOWN_LENGTH ? clean + "…" : clean.toString();
  }
}
