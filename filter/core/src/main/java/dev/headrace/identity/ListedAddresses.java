package dev.headrace.identity;

import dev.headrace.config.AddressBlock;
import dev.headrace.config.GatewaySettings;
import jakarta.servlet.http.HttpServletRequest;
import java.util.List;

/**
 * Admits requests from listed addresses. The client's address is found behind the listed proxies as
 * for {@code identity.sources: address}. A request that says itself that it has come through a
 * proxy, and no proxy is listed that could tell from where, is from nobody knows where: else
 * everybody would be this machine behind a proxy that runs on it. Immutable.
 */
public final class ListedAddresses {

  /** What a proxy adds, by RFC 9110, 7.6.3, RFC 7239 and custom. */
  private static final List<String> OF_PROXIES =
      List.of("Via", "Forwarded", "X-Forwarded-For", "X-Real-IP");

  private final List<AddressBlock> listed;
  private final ClientAddress clientAddress;
  private final boolean hasProxies;

  /**
   * @param listed who is admitted; none means nobody
   * @param identity has the proxies
   */
  public ListedAddresses(List<AddressBlock> listed, GatewaySettings.Identity identity) {
    this.listed = List.copyOf(listed);
    this.clientAddress = new ClientAddress(identity.trustedProxies(), identity.trustedHops());
    this.hasProxies = identity.trustedHops() > 0;
  }

  /** Whether the request comes from a listed address. */
  public boolean admit(HttpServletRequest request) {
    boolean known = hasProxies && clientAddress.isFromProxy(request);
    return (known || OF_PROXIES.stream().allMatch(name -> request.getHeader(name) == null))
        && AddressBlock.anyContains(listed, clientAddress.of(request));
  }
}
