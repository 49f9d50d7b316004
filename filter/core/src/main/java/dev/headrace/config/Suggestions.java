package dev.headrace.config;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** Finds the name that somebody probably meant. */
final class Suggestions {
  /** Nobody misspells a name of a few words at such a length; comparing it would only take time. */
  private static final int MAX_LENGTH = 64;

  private Suggestions() {}

  /**
   * Returns the most similar name: upper and lower case, dashes and underscores do not count, and
   * one letter in three may be wrong, but three at most.
   */
  static Optional<String> closest(String word, Collection<String> names) {
    if (word.length() > MAX_LENGTH) {
      return Optional.empty();
    }
    String plainWord = plain(word);
    String best = null;
    int bestDistance = Math.min(3, plainWord.length() / 3) + 1;
    for (String name : names) {
      int distance = distance(plainWord, plain(name));
      if (distance < bestDistance) {
        best = name;
        bestDistance = distance;
      }
    }
    return Optional.ofNullable(best);
  }

  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[_-]", "");
  }

  /**
   * Counts the letters to insert, delete, replace or swap with their neighbour (optimal string
   * alignment): the four things that fingers do.
   */
  private static int distance(String a, String b) {
    int[][] steps = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          steps[i][j] = i + j;
          continue;
        }
        int same = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        int least =
            Math.min(steps[i - 1][j - 1] + same, Math.min(steps[i - 1][j], steps[i][j - 1]) + 1);
        boolean swapped =
            i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
        steps[i][j] = swapped ? Math.min(least, steps[i - 2][j - 2] + 1) : least;
      }
    }
    return steps[a.length()][b.length()];
  }
}
