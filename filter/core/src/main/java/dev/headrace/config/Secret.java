package dev.headrace.config;

import static java.util.Objects.requireNonNull;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import org.jspecify.annotations.Nullable;

/**
 * A text that must not be printed, such as the API key: {@link #toString()} gives asterisks, so
 * that a record, a log line or an exception with a secret in it stays harmless. Immutable.
 */
public final class Secret {
  /** What is printed in the place of any secret. */
  static final String MASK = "****";

  private final String value;

  private Secret(String value) {
    this.value = value;
  }

  /**
   * Wraps the text as it is, without trimming or checking it.
   *
   * @throws NullPointerException if there is none, as where a variable is not set
   */
  public static Secret of(String value) {
    return new Secret(
        requireNonNull(
            value, "No text for a secret, such as the API key: is its environment variable set?"));
  }

  /** Returns the text in clear. Call it where the text is put to use, and nowhere else. */
  public String reveal() {
    return value;
  }

  /** Compares in constant time, so that the time taken says nothing about the other secret. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Secret secret
        && MessageDigest.isEqual(
            value.getBytes(StandardCharsets.UTF_8), secret.value.getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  /** Returns {@code ****}, whatever the secret and its length. */
  @Override
  public String toString() {
    return MASK;
  }
}
