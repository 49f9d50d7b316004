package dev.headrace.simulator;

import java.util.SplittableRandom;

/** Makes identifiers that look like the API's. Pure: the same random gives the same ids. */
final class Ids {
  private static final String ALPHABET =
      "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

  private Ids() {}

  /** For example {@code msg_01HqN7vW2bZk4sYtR9cXePfL} for the prefix {@code msg_01}. */
  static String next(String prefix, SplittableRandom random) {
    StringBuilder id = new StringBuilder(prefix.length() + 22).append(prefix);
    for (int i = 0; i < 22; i++) {
      id.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    }
    return id.toString();
  }
}
