package dev.headrace.upstream;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;

/**
 * Looks names up on threads that may wait for it, those that start attempts. Any other thread gets
 * what was found last: it begins only when an idle connection is at hand, so something was found;
 * when another one was faster and took that connection, a new one goes to the address that was good
 * a moment ago. Thread-safe.
 */
final class RememberedAddresses implements DnsResolver {

  /** A thread that may wait for a name server. It inherits nothing of the request that made it. */
  static final class Patient extends Thread {

    Patient(Runnable task, String name) {
      super(null, task, name, 0, false);
    }
  }

  private final DnsResolver system;
  private final Map<String, InetAddress[]> found = new ConcurrentHashMap<>();

  RememberedAddresses() {
    this(SystemDefaultDnsResolver.INSTANCE);
  }

  RememberedAddresses(DnsResolver system) {
    this.system = system;
  }

  @Override
  public InetAddress[] resolve(String host) throws UnknownHostException {
    InetAddress[] last = found.get(host);
    if (last != null && !(Thread.currentThread() instanceof Patient)) {
      return last.clone();
    }
    InetAddress[] addresses = system.resolve(host);
    found.put(host, addresses.clone());
    return addresses;
  }

  @Override
  public String resolveCanonicalHostname(String host) throws UnknownHostException {
    return system.resolveCanonicalHostname(host);
  }
}
