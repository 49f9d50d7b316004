package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * One IP address or a block of them in the notation of RFC 4632, 3.1, and RFC 4291, 2.3: {@code
 * 192.0.2.1}, {@code 10.0.0.0/8}, {@code fd00::/8}. An IPv6 block holds no IPv4 address, so {@code
 * ::/0} is all of IPv6 alone. Immutable.
 */
public final class AddressBlock {
  static final String EXPECTED = "an IP address or a block such as 10.0.0.0/8 or fd00::/8";

  /** Bits in front of an IPv4 address that is written in IPv6. */
  private static final int MAPPED_BITS = 96;

  private final IpAddress first;
  private final int prefix;

  private AddressBlock(IpAddress first, int prefix) {
    this.first = first;
    this.prefix = prefix;
  }

  /**
   * Reads a block as it stands in the settings file.
   *
   * @throws IllegalArgumentException if the text is no block, or bits behind the prefix are set
   */
  public static AddressBlock parse(String text) {
    try {
      return read(requireNonNull(text, "text"));
    } catch (BadValue e) {
      throw new IllegalArgumentException(e.sentence(Shown.text(text)), e);
    }
  }

  static AddressBlock read(String text) throws BadValue {
    int slash = text.indexOf('/');
    String addressText = slash < 0 ? text : text.substring(0, slash);
    IpAddress address = IpAddress.parseBare(addressText);
    if (address == null) {
      throw BadValue.expected(EXPECTED);
    }
    if (slash < 0) {
      return new AddressBlock(address, address.bits());
    }
    String prefixText = text.substring(slash + 1);
    if (!prefixText.matches("0|[1-9][0-9]{0,2}")) {
      throw BadValue.expected(EXPECTED);
    }
    boolean mapped = address.isV4() && addressText.indexOf(':') >= 0;
    int prefix = Integer.parseInt(prefixText) - (mapped ? MAPPED_BITS : 0);
    if (prefix < 0 || prefix > address.bits()) {
      throw BadValue.expected(EXPECTED);
    }
    if (!address.equals(address.first(prefix))) {
      // Either number may be the mistake, and the wrong guess would trust too many.
      throw BadValue.noted(
          "has bits set behind the first " + prefix,
          address.first(prefix) + "/" + prefix + ", or " + address + " alone");
    }
    return new AddressBlock(address, prefix);
  }

  /** Whether the address is in this block; false for null, which is no address. */
  public boolean contains(@Nullable IpAddress address) {
    return address != null && first.sharesPrefix(address, prefix);
  }

  /** Whether the address is in one of the blocks; false for null. */
  public static boolean anyContains(Collection<AddressBlock> blocks, @Nullable IpAddress address) {
    for (AddressBlock block : blocks) {
      if (block.contains(address)) {
        return true;
      }
    }
    return false;
  }

  /** Returns the block in the notation of the file. */
  @Override
  public String toString() {
    return prefix == first.bits() ? first.toString() : first + "/" + prefix;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof AddressBlock that && first.equals(that.first) && prefix == that.prefix;
  }

  @Override
  public int hashCode() {
    return 31 * first.hashCode() + prefix;
  }
}
