package dev.headrace.identity;

import dev.headrace.config.AddressBlock;
import dev.headrace.config.IdentitySource;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How callers are identified. Immutable.
 *
 * @param order the sources to ask, one after the other; the address, which names everybody, may
 *     only be the last
 * @param sessionAttribute the session attribute with the user; null without that source
 * @param userHeader the request header with the user; null without that source
 * @param groupsHeader the request header with the user's groups, separated by commas; null for none
 * @param trustedProxies the addresses from which these headers and {@code X-Forwarded-For} count
 * @param trustedHops how many of our own proxies a request passes; zero means that {@code
 *     X-Forwarded-For} is not looked at
 * @param roles all roles and groups that plans and presets name at the start: no others are asked
 *     for
 */
public record IdentityRules(
    List<IdentitySource> order,
    @Nullable String sessionAttribute,
    @Nullable String userHeader,
    @Nullable String groupsHeader,
    List<AddressBlock> trustedProxies,
    int trustedHops,
    Set<String> roles) {

  /**
   * Copies the lists and checks that they fit each other.
   *
   * @throws IllegalArgumentException if a source is named twice or without what it needs, if the
   *     address is not the last, or if the number of hops is below zero
   */
  public IdentityRules {
    order = List.copyOf(order);
    trustedProxies = List.copyOf(trustedProxies);
    roles = Set.copyOf(roles);
    check(new HashSet<>(order).size() == order.size(), "a source is named twice");
    check(
        !order.contains(IdentitySource.SESSION) || sessionAttribute != null,
        "the session needs the name of an attribute");
    check(
        !order.contains(IdentitySource.HEADER) || (userHeader != null && !trustedProxies.isEmpty()),
        "the header needs a name and the addresses of the proxies that may send it");
    int address = order.indexOf(IdentitySource.ADDRESS);
    check(
        address < 0 || address == order.size() - 1,
        "the address names everybody, so that no source behind it would be asked");
    check(trustedHops >= 0, "the number of hops is below zero");
  }

  private static void check(boolean good, String fault) {
    if (!good) {
      throw new IllegalArgumentException(fault);
    }
  }
}
