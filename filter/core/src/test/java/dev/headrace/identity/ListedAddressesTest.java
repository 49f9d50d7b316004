package dev.headrace.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.AddressBlock;
import dev.headrace.config.GatewaySettings;
import dev.headrace.config.Secret;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ListedAddressesTest {

  private static GatewaySettings settings(String proxy, int hops) {
    return GatewaySettings.builder()
        .upstreamApiKey(Secret.of("k"))
        .identityTrustedProxies(proxy.isEmpty() ? List.of() : List.of(AddressBlock.parse(proxy)))
        .identityTrustedHops(hops)
        .build();
  }

  /** The addresses that may read metrics by default. */
  private static ListedAddresses byDefault(String proxy, int hops) {
    GatewaySettings settings = settings(proxy, hops);
    return new ListedAddresses(settings.metrics().addresses(), settings.identity());
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, true", "127.9.9.9, true", "::1, true", "0:0:0:0:0:0:0:1, true",
    "::ffff:127.0.0.1, true", "10.0.0.1, false", "203.0.113.9, false", "::2, false"
  })
  void byDefaultOnlyThisMachineIsListed(String peer, boolean admitted) {
    assertThat(byDefault("", 0).admit(FakeRequest.post().from(peer).request())).isEqualTo(admitted);
  }

  @ParameterizedTest
  @ValueSource(strings = {"x-forwarded-for", "forwarded", "via", "x-real-ip"})
  void behindAProxyOfThisMachineThatIsNotListedNobodyIsThisMachine(String header) {
    FakeRequest request = FakeRequest.post().from("127.0.0.1").header(header, "127.0.0.1");
    assertThat(byDefault("", 0).admit(request.request())).isFalse();
    assertThat(byDefault("127.0.0.1", 0).admit(request.request()))
        .as("a listed proxy whose hops are not counted")
        .isFalse();
    assertThat(byDefault("10.0.0.1", 1).admit(request.request()))
        .as("another proxy is listed")
        .isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, true",
    "203.0.113.9, false",
    "'127.0.0.1, 203.0.113.9', false",
    "'203.0.113.9, 127.0.0.1', true"
  })
  void behindAListedProxyTheAddressThatItSawCounts(String forwardedFor, boolean admitted) {
    FakeRequest request =
        FakeRequest.post().from("10.0.0.1").header("x-forwarded-for", forwardedFor);
    assertThat(byDefault("10.0.0.1", 1).admit(request.request())).isEqualTo(admitted);
  }

  @Test
  void anEmptyListAdmitsNobody() {
    ListedAddresses nobody = new ListedAddresses(List.of(), settings("", 0).identity());
    assertThat(
            Stream.of("127.0.0.1", "::1", "10.0.0.1")
                .filter(peer -> nobody.admit(FakeRequest.post().from(peer).request())))
        .isEmpty();
  }
}
