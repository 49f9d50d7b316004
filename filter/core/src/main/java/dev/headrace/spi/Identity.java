package dev.headrace.spi;

import static java.util.Objects.requireNonNull;

import java.util.Set;

/**
 * Who is calling, as the application tells it. Immutable.
 *
 * @param user the name that limits, logs and usage are kept under; not blank. The same person must
 *     always get the same one
 * @param groups the groups or roles that the settings may name; may be empty
 */
public record Identity(String user, Set<String> groups) {

  /**
   * Copies the set.
   *
   * @throws IllegalArgumentException if the user's name is blank
   */
  public Identity {
    if (requireNonNull(user, "user").isBlank()) {
      throw new IllegalArgumentException("user is blank");
    }
    groups = Set.copyOf(groups);
  }

  /** Somebody without groups. */
  public Identity(String user) {
    this(user, Set.of());
  }
}
