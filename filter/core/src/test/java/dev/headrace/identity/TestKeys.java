package dev.headrace.identity;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.LongSupplier;

/** Gateway keys for tests, and a clock that the test moves. Not thread-safe. */
final class TestKeys {
  static final String ALICE = GatewayKey.create(new SecureRandom());
  static final String BOB = GatewayKey.create(new SecureRandom());

  /** A wall clock and a nano clock that go together. */
  static final class Time implements InstantSource, LongSupplier {
    private Instant now = Instant.now().plusSeconds(3600); // files of the test are old by now

    @Override
    public Instant instant() {
      return now;
    }

    @Override
    public long getAsLong() {
      return now.toEpochMilli() * 1_000_000;
    }

    void passSeconds(int seconds) {
      now = now.plusSeconds(seconds);
    }
  }

  private TestKeys() {}

  static String entry(String name, String key, String more) {
    return "  - {name: %s, sha256: \"%s\", group: %s-group%s}%n"
        .formatted(name, GatewayKey.sha256(key), name, more);
  }

  static void write(Path file, String... entries) throws IOException {
    overwrite(file, "keys:" + (entries.length == 0 ? " []\n" : "\n" + String.join("", entries)));
  }

  static void overwrite(Path file, String content) throws IOException {
    Files.writeString(file, content);
  }
}
