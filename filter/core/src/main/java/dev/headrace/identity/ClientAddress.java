package dev.headrace.identity;

import dev.headrace.config.AddressBlock;
import dev.headrace.config.IpAddress;
import jakarta.servlet.http.HttpServletRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the client's address behind proxies: the entry of {@code X-Forwarded-For} that the
 * outermost of our own proxies has written, counted from the right, because everything left of it
 * may be made up by the client. Only if the peer is a listed proxy; else the peer is the client.
 * Immutable.
 */
final class ClientAddress {
  private static final String HEADER = "X-Forwarded-For";

  private final List<AddressBlock> trustedProxies;
  private final int trustedHops;

  /**
   * Describes the proxies.
   *
   * @param trustedHops how many of our proxies are in front, each of which adds one entry; zero
   *     means that the header is not looked at
   */
  ClientAddress(List<AddressBlock> trustedProxies, int trustedHops) {
    this.trustedProxies = List.copyOf(trustedProxies);
    this.trustedHops = trustedHops;
  }

  /** The other end of the connection; null if it has no address, such as a Unix socket. */
  @Nullable IpAddress peerOf(HttpServletRequest request) {
    return IpAddress.parse(request.getRemoteAddr());
  }

  /** Whether the other end of the connection is a listed proxy. */
  boolean isFromProxy(HttpServletRequest request) {
    return AddressBlock.anyContains(trustedProxies, peerOf(request));
  }

  /**
   * The client's address. A request with fewer entries than proxies has not passed all of them:
   * then it is the last entry, which the peer itself has written. If the entry is no address, it is
   * the peer.
   *
   * @return null if not even the peer has an address
   */
  @Nullable IpAddress of(HttpServletRequest request) {
    IpAddress peer = peerOf(request);
    if (trustedHops == 0 || !AddressBlock.anyContains(trustedProxies, peer)) {
      return peer;
    }
    List<String> entries = entries(request);
    if (entries.isEmpty()) {
      return peer;
    }
    int place = entries.size() - trustedHops;
    IpAddress client = IpAddress.parse(entries.get(place < 0 ? entries.size() - 1 : place));
    return client == null ? peer : client;
  }

  /** Several lines of a field are one list (RFC 9110, 5.3); an empty element counts as one. */
  private static List<String> entries(HttpServletRequest request) {
    List<String> entries = new ArrayList<>();
    for (String line : Collections.list(request.getHeaders(HEADER))) {
      for (String entry : line.split(",", -1)) {
        entries.add(entry.strip());
      }
    }
    return entries;
  }
}
