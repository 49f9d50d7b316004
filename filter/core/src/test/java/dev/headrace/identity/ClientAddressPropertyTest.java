package dev.headrace.identity;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.headrace.config.AddressBlock;
import dev.headrace.config.IpAddress;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** Whatever a client writes into X-Forwarded-For, it does not get another address by it. */
class ClientAddressPropertyTest {
  private static final List<AddressBlock> PROXIES = List.of(AddressBlock.parse("10.0.0.0/8"));
  private static final String CLIENT = "203.0.113.9";

  private static String find(int hops, String peer, List<String> lines) {
    FakeRequest request = FakeRequest.post().from(peer);
    lines.forEach(line -> request.header("x-forwarded-for", line));
    IpAddress found = new ClientAddress(PROXIES, hops).of(request.request());
    return requireNonNull(found).toString();
  }

  @Property(tries = 2000)
  void fromAnAddressThatIsNotListedTheHeaderIsIgnored(
      @ForAll("lines") List<String> lines, @ForAll @IntRange(max = 4) int hops) {
    assertThat(find(hops, CLIENT, lines)).isEqualTo(CLIENT);
  }

  @Property(tries = 2000)
  void behindProxiesItIsWhatTheOutermostOfThemSawWhateverTheClientHadWritten(
      @ForAll("lines") List<String> written,
      @ForAll @IntRange(min = 1, max = 4) int hops,
      @ForAll boolean oneLine) {
    List<String> added = new ArrayList<>(List.of(CLIENT));
    for (int i = 1; i < hops; i++) {
      added.add("10.0.0." + i);
    }
    List<String> lines = new ArrayList<>(written);
    if (oneLine && !lines.isEmpty()) {
      int last = lines.size() - 1;
      lines.set(last, lines.get(last) + ", " + String.join(", ", added));
    } else {
      lines.addAll(added);
    }
    assertThat(find(hops, "10.1.2.3", lines)).isEqualTo(CLIENT);
  }

  @Property(tries = 500)
  void withoutHopsItIsThePeer(@ForAll("lines") List<String> lines) {
    assertThat(find(0, "10.1.2.3", lines)).isEqualTo("10.1.2.3");
  }

  @Example
  void aRequestThatHasNotPassedAllProxiesIsThatOfTheLastEntry() {
    assertThat(find(3, "10.1.2.3", List.of("1.1.1.1, " + CLIENT))).isEqualTo(CLIENT);
    assertThat(find(1, "10.1.2.3", List.of())).isEqualTo("10.1.2.3");
  }

  @Example
  void anEntryThatIsNoAddressIsThePeer() {
    assertThat(find(1, "10.1.2.3", List.of("1.1.1.1, unknown"))).isEqualTo("10.1.2.3");
    assertThat(find(1, "10.1.2.3", List.of("1.1.1.1,"))).isEqualTo("10.1.2.3");
    assertThat(find(1, "10.1.2.3", List.of("1.1.1.1, " + CLIENT + ":4711"))).isEqualTo(CLIENT);
  }

  @Example
  void aPeerInIpv6FormIsTheListedIpv4Address() {
    assertThat(find(1, "::ffff:10.1.2.3", List.of(CLIENT))).isEqualTo(CLIENT);
    assertThat(find(1, "[::ffff:10.1.2.3]", List.of(CLIENT))).isEqualTo(CLIENT);
  }

  @Example
  void aPeerWithoutAnAddressIsNobody() {
    FakeRequest request = FakeRequest.post().from(null).header("X-Forwarded-For", CLIENT);
    assertThat(new ClientAddress(PROXIES, 1).of(request.request())).isNull();
  }

  @Provide
  Arbitrary<List<String>> lines() {
    Arbitrary<String> entries =
        Arbitraries.of("1.1.1.1", "10.0.0.1", "::1", "unknown", "", "203.0.113.8:80", "[::1]:1")
            .list()
            .ofMaxSize(5)
            .map(list -> String.join(", ", list));
    return Arbitraries.oneOf(entries, Arbitraries.strings().ofMaxLength(30)).list().ofMaxSize(4);
  }
}
