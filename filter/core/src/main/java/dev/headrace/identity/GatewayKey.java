package dev.headrace.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.zip.CRC32;

/**
 * The form of a gateway key: {@code hr_}, 32 random characters and 6 of check sum, all out of
 * {@code 0-9A-Za-z}, 41 in all. The 32 carry 190 bits, so a plain SHA-256 without salt keeps them
 * safe; the prefix and the check sum (CRC-32 of what stands before it) let people, scanners for
 * leaked secrets and this gateway tell a key from other text, and a typing mistake from a key that
 * is unknown. Stateless; needs nothing but the JDK.
 */
public final class GatewayKey {
  static final String PREFIX = "hr_";
  static final int RANDOM_LENGTH = 32;
  static final int CHECK_LENGTH = 6;
  static final int LENGTH = PREFIX.length() + RANDOM_LENGTH + CHECK_LENGTH;

  private static final String ALPHABET =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

  private GatewayKey() {}

  /** Makes a new key. */
  public static String create(SecureRandom random) {
    StringBuilder key = new StringBuilder(LENGTH).append(PREFIX);
    for (int i = 0; i < RANDOM_LENGTH; i++) {
      key.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
    }
    return key.append(checkSum(key.toString())).toString();
  }

  /**
   * Whether a text has the form of a key and its check sum is right. Looks at all of it whatever is
   * wrong, so that the time tells nothing but its length.
   */
  public static boolean isWellFormed(String text) {
    int end = Math.max(0, text.length() - CHECK_LENGTH);
    boolean right = checkSum(text.substring(0, end)).equals(text.substring(end));
    right &= text.length() == LENGTH;
    right &= text.startsWith(PREFIX);
    for (int i = PREFIX.length(); i < text.length(); i++) {
      right &= ALPHABET.indexOf(text.charAt(i)) >= 0;
    }
    return right;
  }

  /** Returns the SHA-256 of a key in lower-case hexadecimal: what a key file has of it. */
  public static String sha256(String key) {
    return HexFormat.of().formatHex(digest(key.getBytes(UTF_8)));
  }

  static byte[] digest(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("each Java platform has SHA-256", e);
    }
  }

  private static String checkSum(String text) {
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(UTF_8));
    long rest = crc.getValue(); // below 2^32, and 62^6 is larger
    char[] sum = new char[CHECK_LENGTH];
    for (int i = CHECK_LENGTH - 1; i >= 0; i--) {
      sum[i] = ALPHABET.charAt((int) (rest % ALPHABET.length()));
      rest /= ALPHABET.length();
    }
    return new String(sum);
  }
}
