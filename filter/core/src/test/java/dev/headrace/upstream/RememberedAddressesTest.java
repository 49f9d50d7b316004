package dev.headrace.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import org.apache.hc.client5.http.DnsResolver;
import org.junit.jupiter.api.Test;

class RememberedAddressesTest {

  /** Finds another address each time, until it fails. */
  private static final class Names implements DnsResolver {

    private int asked;
    private boolean down;

    @Override
    public InetAddress[] resolve(String host) throws UnknownHostException {
      asked++;
      if (down) {
        throw new UnknownHostException(host);
      }
      return new InetAddress[] {
        InetAddress.getByAddress(host, new byte[] {127, 0, 0, (byte) asked})
      };
    }

    @Override
    public String resolveCanonicalHostname(String host) {
      return host;
    }
  }

  private final Names names = new Names();
  private final RememberedAddresses addresses = new RememberedAddresses(names);

  private static <T> T onPatientThread(Callable<T> task) throws Exception {
    FutureTask<T> result = new FutureTask<>(task);
    new RememberedAddresses.Patient(result, "patient").start();
    return result.get();
  }

  @Test
  void threadsThatMayWaitAlwaysLookUp() throws Exception {
    onPatientThread(() -> addresses.resolve("api.example"));
    InetAddress[] second = onPatientThread(() -> addresses.resolve("api.example"));
    assertThat(second[0].getAddress()[3]).isEqualTo((byte) 2);
    assertThat(names.asked).isEqualTo(2);
  }

  @Test
  void otherThreadsGetWhatWasFoundLastAlsoWhenNoNameServerAnswers() throws Exception {
    InetAddress[] found = onPatientThread(() -> addresses.resolve("api.example"));
    names.down = true;
    assertThat(addresses.resolve("api.example")).containsExactly(found);
    assertThat(names.asked).isEqualTo(1);
  }

  @Test
  void whatWasNeverFoundIsLookedUpByAnyThread() throws Exception {
    addresses.resolve("api.example");
    assertThat(names.asked).isEqualTo(1);
    addresses.resolve("other.example");
    assertThat(names.asked).isEqualTo(2);
  }

  @Test
  void failuresAreNotRemembered() throws Exception {
    names.down = true;
    assertThatThrownBy(() -> addresses.resolve("api.example"))
        .isInstanceOf(UnknownHostException.class);
    names.down = false;
    assertThat(addresses.resolve("api.example")).hasSize(1);
  }

  @Test
  void whatACallerDoesWithItsArrayChangesNothing() throws Exception {
    InetAddress first = addresses.resolve("api.example")[0];
    addresses.resolve("api.example")[0] = InetAddress.getByName("127.0.0.9");
    assertThat(addresses.resolve("api.example")).containsExactly(first);
  }
}
