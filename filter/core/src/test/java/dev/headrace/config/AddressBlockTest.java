package dev.headrace.config;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressBlockTest {

  @ParameterizedTest
  @CsvSource({
    "192.0.2.1, 192.0.2.1",
    "192.0.2.1:8080, 192.0.2.1",
    "::ffff:192.0.2.1, 192.0.2.1",
    "::FFFF:c000:201, 192.0.2.1",
    "[::1], ::1",
    "[::1]:8080, ::1",
    "0:0:0:0:0:0:0:1, ::1",
    "0:0:0:0:0:0:0:0, ::",
    "fe80:0:0:0:0:0:0:1%eth0, fe80::1",
    "2001:DB8:0:0:1:0:0:1, 2001:db8::1:0:0:1",
    "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1",
  })
  void anAddressHasOneCanonicalForm(String text, String canonical) {
    assertThat(requireNonNull(IpAddress.parse(text))).hasToString(canonical);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "unknown",
        "_hidden",
        "localhost",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "01.2.3.4",
        "1.2.3.4 ",
        "1.2.3.4:",
        "1.2.3.4:x",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "::1::2",
        "1:2:3:4:5:6:7::8",
        "12345::",
        "[::1",
        "[::1]x",
        "[1.2.3.4]",
        ":1:2:3:4:5:6:7",
        "::1.2.3",
        "1.2.3.4::"
      })
  void otherTextIsNoAddress(String text) {
    assertThat(IpAddress.parse(text)).isNull();
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8, 10.255.0.1, true",
    "10.0.0.0/8, 11.0.0.1, false",
    "10.0.0.0/8, ::ffff:10.1.2.3, true",
    "::ffff:10.0.0.0/104, 10.1.2.3, true",
    "192.0.2.1, 192.0.2.1, true",
    "192.0.2.1, 192.0.2.2, false",
    "fd00::/8, fdff::1, true",
    "fd00::/8, fe00::1, false",
    "::1, 127.0.0.1, false",
    "0.0.0.0/0, ::1, false",
  })
  void aBlockContainsItsAddresses(String block, String address, boolean contained) {
    assertThat(AddressBlock.parse(block).contains(IpAddress.parse(address))).isEqualTo(contained);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/08",
        "10.0.0.0/",
        "10.0.0.1/8",
        "::/129",
        "[::1]",
        "::1%lo",
        "10.0.0.0:80",
        "localhost",
        "*",
        "::ffff:10.0.0.0/8"
      })
  void aBlockThatIsNoneIsRefused(String text) {
    assertThatThrownBy(() -> AddressBlock.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected: ");
  }

  @ParameterizedTest
  @CsvSource({"10.0.0.1/8, 10.0.0.0/8, 10.0.0.1", "fd00::1/16, fd00::/16, fd00::1"})
  void bitsBehindThePrefixAreNotGuessedAway(String text, String block, String address) {
    assertThatThrownBy(() -> AddressBlock.parse(text))
        .hasMessageContaining("expected: " + block + ", or " + address + " alone");
  }
}
