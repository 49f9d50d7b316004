package dev.headrace.identity;

import static java.util.Objects.requireNonNull;

import dev.headrace.config.IdentitySource;
import java.util.Set;

/**
 * Somebody who was identified. Immutable and without a reference to the request, so it may be used
 * on every thread and for as long as the exchange runs.
 */
public final class Caller {
  private final String user;
  private final IdentitySource source;
  private final Set<String> roles;

  /**
   * Describes a caller.
   *
   * @param user name for limits, logs and usage, fit for all of them
   * @param source by what the caller was identified
   * @param roles those of the roles in the settings that the caller has, or the group of the key
   */
  Caller(String user, IdentitySource source, Set<String> roles) {
    this.user = requireNonNull(user, "user");
    this.source = requireNonNull(source, "source");
    this.roles = Set.copyOf(roles);
  }

  /** The name for limits, logs and usage: at most 200 characters, none of them invisible. */
  public String user() {
    return user;
  }

  /** By what the caller was identified. */
  public IdentitySource source() {
    return source;
  }

  /** Those of the roles in the settings that the caller has; for a key, its group. */
  public Set<String> roles() {
    return roles;
  }

  /** Whether the caller has this role or belongs to this group. */
  public boolean hasRole(String role) {
    return roles.contains(role);
  }

  @Override
  public String toString() {
    return user;
  }
}
