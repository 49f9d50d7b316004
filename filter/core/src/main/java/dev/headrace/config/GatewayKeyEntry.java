package dev.headrace.config;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One gateway key as the key file has it: not the key, only its hash. Immutable.
 *
 * @param name what logs, metrics and usage call the key; 1 to 40 letters, digits, dots, dashes and
 *     underscores
 * @param sha256 SHA-256 of the key, 64 lower-case hexadecimal digits
 * @param group the group whose limits and rights it has; same form as the name
 * @param expires from when on it is refused; null for never
 * @param addresses from where it may be used; empty for everywhere
 */
public record GatewayKeyEntry(
    String name,
    String sha256,
    String group,
    @Nullable Instant expires,
    List<AddressBlock> addresses) {

  /** Copies the list. */
  public GatewayKeyEntry {
    addresses = List.copyOf(addresses);
  }
}
