package dev.headrace.config;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Addresses and blocks; the JDK's own parser and plain arithmetic are the oracles. */
class AddressPropertyTest {

  @Property(tries = 3000)
  void anAddressIsReadAsTheJdkReadsIt(@ForAll("addressBytes") byte[] bytes)
      throws UnknownHostException {
    InetAddress jdk = InetAddress.getByAddress(bytes);
    IpAddress address = requireNonNull(IpAddress.parse(jdk.getHostAddress()));
    assertThat(InetAddress.getByName(address.toString())).isEqualTo(jdk);
    assertThat(IpAddress.parse(address.toString())).isEqualTo(address);
  }

  @Property(tries = 3000)
  void aBlockContainsWhatSharesItsFirstBits(
      @ForAll("addressBytes") byte[] block,
      @ForAll @IntRange(max = 128) int anyPrefix,
      @ForAll @IntRange(max = 127) int changedBit)
      throws UnknownHostException {
    int bits = InetAddress.getByAddress(block).getAddress().length * 8;
    int prefix = anyPrefix % (bits + 1);
    IpAddress inside = parse(InetAddress.getByAddress(block));
    String text = inside.first(prefix) + "/" + prefix;
    AddressBlock read = AddressBlock.parse(text);
    assertThat(read.contains(inside)).as(text).isTrue();

    byte[] changed = InetAddress.getByAddress(block).getAddress();
    int bit = changedBit % bits;
    changed[bit / 8] ^= (byte) (0x80 >> (bit % 8));
    InetAddress other = InetAddress.getByAddress(changed);
    if (other.getAddress().length * 8 == bits) {
      boolean same =
          number(changed)
              .shiftRight(bits - prefix)
              .equals(
                  number(InetAddress.getByAddress(block).getAddress()).shiftRight(bits - prefix));
      assertThat(read.contains(parse(other))).as(text + " " + other).isEqualTo(same);
    }
    assertThat(AddressBlock.parse(read.toString())).isEqualTo(read);
  }

  @Property(tries = 5000)
  void anyTextIsReadOrRefused(@ForAll("almostAddresses") String text) {
    IpAddress address = IpAddress.parse(text);
    if (address != null) {
      assertThat(IpAddress.parse(address.toString())).isEqualTo(address);
    }
    try {
      AddressBlock block = AddressBlock.parse(text);
      assertThat(AddressBlock.parse(block.toString())).isEqualTo(block);
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageContaining("expected: ");
    }
  }

  @Property(tries = 1000)
  void noIpv4AddressIsInAnIpv6Block(@ForAll @Size(4) byte[] bytes) throws UnknownHostException {
    IpAddress address = parse(InetAddress.getByAddress(bytes));
    assertThat(AddressBlock.parse("::/0").contains(address)).isFalse();
    assertThat(AddressBlock.parse("0.0.0.0/0").contains(address)).isTrue();
  }

  @Provide
  Arbitrary<byte[]> addressBytes() {
    // Few different values, so that runs of zeros, mapped addresses and boundaries are common.
    Arbitrary<Byte> each =
        Arbitraries.frequencyOf(
            net.jqwik.api.Tuple.of(3, Arbitraries.of((byte) 0, (byte) 255, (byte) 1)),
            net.jqwik.api.Tuple.of(2, Arbitraries.bytes()));
    return Arbitraries.oneOf(
        each.array(byte[].class).ofSize(4), each.array(byte[].class).ofSize(16));
  }

  @Provide
  Arbitrary<String> almostAddresses() {
    return Arbitraries.oneOf(
        Arbitraries.strings().withChars("0123456789abcf.:/%[]x ").ofMaxLength(45),
        Arbitraries.strings().ofMaxLength(20));
  }

  private static IpAddress parse(InetAddress address) {
    return requireNonNull(IpAddress.parse(address.getHostAddress()), address.getHostAddress());
  }

  private static BigInteger number(byte[] bytes) {
    return new BigInteger(1, bytes);
  }
}
