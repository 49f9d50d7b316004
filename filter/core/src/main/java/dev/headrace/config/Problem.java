package dev.headrace.config;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing that is wrong with the settings.
 *
 * @param keys the settings it is about; more than one when they do not fit each other, the one to
 *     blame first
 * @param text one sentence without a secret
 * @param origin where it stands; null if the value was given by code
 * @param soft whether it only says that something is missing on this machine, a variable or a file:
 *     that does not matter while the gateway is switched off
 */
record Problem(List<String> keys, String text, @Nullable Origin origin, boolean soft) {
  static Problem of(String key, String text, @Nullable Origin origin) {
    return new Problem(List.of(key), text, origin, false);
  }

  static Problem missingHere(String key, String text, @Nullable Origin origin) {
    return new Problem(List.of(key), text, origin, true);
  }

  /** Settings that are fine by themselves and do not fit each other. */
  static Problem between(List<String> keys, String text) {
    return new Problem(List.copyOf(keys), text, null, false);
  }

  /** Two settings of which one is enough; the second is to blame. */
  static Problem bothSet(String first, String second) {
    return between(
        List.of(second, first), first + " and " + second + " are both set (expected: one of them)");
  }

  Problem from(Origin where) {
    return new Problem(keys, text, where, soft);
  }

  boolean isRelation() {
    return keys.size() > 1;
  }

  @Override
  public String toString() {
    if (origin == null) {
      return text;
    }
    return text.endsWith("?") || text.endsWith(".")
        ? text + " (" + origin.name() + ")"
        : text + " " + origin.place();
  }
}
