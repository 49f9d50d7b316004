package dev.headrace.identity;

import static dev.headrace.identity.TestKeys.ALICE;
import static dev.headrace.identity.TestKeys.BOB;
import static dev.headrace.identity.TestKeys.entry;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.headrace.config.GatewayKeyEntry;
import dev.headrace.config.IpAddress;
import dev.headrace.config.SettingsException;
import dev.headrace.identity.KeyFile.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class KeyFileTest {
  private final TestKeys.Time time = new TestKeys.Time();
  private final AtomicInteger digests = new AtomicInteger();
  private final ListAppender<ILoggingEvent> log = new ListAppender<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(KeyFile.class);

  @TempDir private Path folder = Path.of("unused");

  @BeforeEach
  void listen() {
    log.start();
    logger.addAppender(log);
    logger.setAdditive(false);
    logger.setLevel(Level.TRACE);
  }

  @AfterEach
  void noKeyAndNoHashIsInTheLog() {
    logger.detachAppender(log);
    logger.setAdditive(true);
    assertThat(log.list.toString())
        .doesNotContain(ALICE, BOB, GatewayKey.sha256(ALICE), GatewayKey.sha256(BOB));
  }

  private Path file() {
    return folder.resolve("keys.yaml");
  }

  private KeyFile open() throws IOException {
    return KeyFile.open(
        file(),
        time,
        time,
        bytes -> {
          digests.incrementAndGet();
          return GatewayKey.digest(bytes);
        });
  }

  private static Verdict verdict(KeyFile keys, String offered) {
    return keys.check(offered, IpAddress.parse("198.51.100.7")).verdict();
  }

  private List<String> warnings() {
    return log.list.stream()
        .filter(event -> event.getLevel() == Level.WARN)
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  @Test
  void aKeyOfTheFileIsValidAndNoOther() throws IOException {
    TestKeys.write(file(), entry("alice", ALICE, ""));
    KeyFile keys = open();
    KeyFile.Answer answer = keys.check(ALICE, null);
    assertThat(answer.verdict()).isEqualTo(Verdict.VALID);
    GatewayKeyEntry key = requireNonNull(answer.key());
    assertThat(key.name()).isEqualTo("alice");
    assertThat(key.group()).isEqualTo("alice-group");
    for (String wrong :
        List.of(BOB, "", " ", ALICE + " ", ALICE.toLowerCase(java.util.Locale.ROOT), "hr_", "é")) {
      assertThat(verdict(keys, wrong)).isEqualTo(Verdict.UNKNOWN);
    }
    assertThat(verdict(keys, GatewayKey.sha256(ALICE))).isEqualTo(Verdict.UNKNOWN);
  }

  @Test
  void aPasswordIsNoKeyEvenIfSomebodyHasPutItsHashIntoTheFile() throws IOException {
    TestKeys.write(file(), entry("weak", "password", ""));
    assertThat(verdict(open(), "password")).isEqualTo(Verdict.UNKNOWN);
  }

  @Test
  void aKeyIsRefusedFromTheInstantOfItsExpiry() throws IOException {
    Instant end = time.instant().plusSeconds(10);
    TestKeys.write(file(), entry("alice", ALICE, ", expires: \"" + end + "\""));
    KeyFile keys = open();
    time.passSeconds(9);
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.VALID);
    time.passSeconds(1);
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.EXPIRED);
  }

  @Test
  void aKeyIsRefusedFromOtherAddressesThanItsOwn() throws IOException {
    TestKeys.write(file(), entry("alice", ALICE, ", addresses: [10.0.0.0/8, \"fd00::/8\"]"));
    KeyFile keys = open();
    for (String good : List.of("10.1.2.3", "::ffff:10.1.2.3", "fd00::1")) {
      assertThat(keys.check(ALICE, IpAddress.parse(good)).verdict()).isEqualTo(Verdict.VALID);
    }
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.ELSEWHERE);
    assertThat(keys.check(ALICE, null).verdict()).isEqualTo(Verdict.ELSEWHERE);
  }

  @Test
  void aRevokedKeyIsRefusedWithinASecondAndANewOneTaken() throws IOException {
    TestKeys.write(file(), entry("alice", ALICE, ""), entry("bob", BOB, ""));
    KeyFile keys = open();
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.VALID);
    TestKeys.write(file(), entry("bob", BOB, ""));
    time.passSeconds(1);
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.UNKNOWN);
    assertThat(verdict(keys, BOB)).isEqualTo(Verdict.VALID);

    Path next = folder.resolve("next"); // the other way to write: at once
    TestKeys.write(next, entry("alice", ALICE, ""));
    Files.move(next, file(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    time.passSeconds(1);
    keys.refresh(); // as the relay's housekeeping does
    assertThat(keys.size()).isEqualTo(1);
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.VALID);
    assertThat(verdict(keys, BOB)).isEqualTo(Verdict.UNKNOWN);
    assertThat(warnings()).isEmpty();
  }

  @Test
  void theFileIsLookedAtOncePerSecondAtMost() throws IOException {
    TestKeys.write(file(), entry("alice", ALICE, ""));
    KeyFile keys = open();
    TestKeys.write(file());
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.VALID);
    time.passSeconds(1);
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.UNKNOWN);
  }

  /** Two changes within the grain of the file system's clock, and of the same length. */
  @Test
  void aChangeThatLeavesTimeAndSizeAsTheyWereIsSeenWhileTheFileIsNew() throws IOException {
    FileTime stamp = FileTime.from(time.instant());
    TestKeys.write(file(), entry("alice", ALICE, ""));
    Files.setLastModifiedTime(file(), stamp);
    KeyFile keys = open();
    Files.writeString(
        file(), Files.readString(file()).replace(GatewayKey.sha256(ALICE), GatewayKey.sha256(BOB)));
    Files.setLastModifiedTime(file(), stamp);
    time.passSeconds(1);
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.UNKNOWN);
    assertThat(verdict(keys, BOB)).isEqualTo(Verdict.VALID);
  }

  @Test
  void aBrokenVersionChangesNothingAndIsReportedOnce() throws IOException {
    TestKeys.write(file(), entry("alice", ALICE, ""));
    KeyFile keys = open();
    for (String broken : List.of("", "keys:\n  - {name: alice, sha256: \"" + BOB + "\"}\n")) {
      TestKeys.overwrite(file(), broken);
      for (int i = 0; i < 5; i++) {
        time.passSeconds(1);
        assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.VALID);
      }
    }
    assertThat(warnings()).hasSize(2);
    assertThat(warnings().get(1)).contains("keys[0].sha256", "keys.yaml:2", "1 gateway keys");
    TestKeys.write(file(), entry("bob", BOB, ""));
    time.passSeconds(1);
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.UNKNOWN);
    assertThat(verdict(keys, BOB)).isEqualTo(Verdict.VALID);
  }

  @Test
  void aFileThatIsGoneChangesNothingAndIsReportedOnce() throws IOException {
    TestKeys.write(file(), entry("alice", ALICE, ""));
    KeyFile keys = open();
    Files.delete(file());
    for (int i = 0; i < 5; i++) {
      time.passSeconds(1);
      assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.VALID);
    }
    assertThat(warnings()).hasSize(1).first().asString().contains("NoSuchFileException");
    TestKeys.write(file(), entry("bob", BOB, ""));
    time.passSeconds(1);
    assertThat(verdict(keys, BOB)).isEqualTo(Verdict.VALID);
  }

  @Test
  void aFileThatCannotBeUsedStopsTheStart() throws IOException {
    assertThatExceptionOfType(NoSuchFileException.class).isThrownBy(this::open);
    TestKeys.overwrite(file(), "keys:\n  - {name: a b}\n");
    assertThatExceptionOfType(SettingsException.class)
        .isThrownBy(this::open)
        .satisfies(e -> assertThat(e.problems()).hasSize(1));
  }

  private Map<String, String> offers() {
    String malformed = ALICE.substring(0, 40) + (ALICE.endsWith("0") ? '1' : '0');
    Map<String, String> offers = new LinkedHashMap<>();
    offers.put("right", ALICE);
    offers.put("wrong", GatewayKey.create(new SecureRandom()));
    offers.put("mistyped", malformed);
    offers.put("foreign", "sk-ant-api03-" + "x".repeat(28));
    offers.put("expired", BOB);
    return offers;
  }

  private KeyFile withManyKeys() throws IOException {
    List<String> entries = new ArrayList<>();
    entries.add(entry("alice", ALICE, ""));
    entries.add(entry("bob", BOB, ", expires: 2020-01-01"));
    for (int i = 0; i < 200; i++) {
      entries.add(entry("k" + i, GatewayKey.create(new SecureRandom()), ""));
    }
    TestKeys.write(file(), entries.toArray(String[]::new));
    return open();
  }

  @Test
  void whateverIsOfferedIsHashedOnce() throws IOException {
    KeyFile keys = withManyKeys();
    for (String offered : offers().values()) {
      digests.set(0);
      keys.check(offered, null);
      assertThat(digests).hasValue(1);
    }
    digests.set(0);
    keys.check("x".repeat(1_000_000), null);
    assertThat(digests).hasValue(1);
  }

  /** The clock goes on by a second with each look, so that every check reads what is there. */
  @Test
  void aKeyThatIsInEveryVersionIsValidWhileTheFileChanges() throws Exception {
    TestKeys.write(file(), entry("alice", ALICE, ""), entry("bob", BOB, ""));
    AtomicLong seconds = new AtomicLong();
    KeyFile keys =
        KeyFile.open(
            file(), () -> seconds.incrementAndGet() * 1_000_000_000L, time, GatewayKey::digest);
    AtomicBoolean done = new AtomicBoolean();
    AtomicInteger checks = new AtomicInteger();
    Queue<String> faults = new ConcurrentLinkedQueue<>();
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Thread thread =
          new Thread(
              () -> {
                while (!done.get()) {
                  if (keys.check(BOB, null).verdict() != Verdict.VALID) {
                    faults.add("bob was refused");
                  }
                  keys.check(ALICE, null);
                  checks.incrementAndGet();
                }
              });
      threads.add(thread);
      thread.start();
    }
    try {
      for (int i = 0; i < 200; i++) {
        Path next = folder.resolve("next");
        if (i % 2 == 0) {
          TestKeys.write(next, entry("bob", BOB, ""));
        } else {
          TestKeys.write(next, entry("alice", ALICE, ""), entry("bob", BOB, ""));
        }
        Files.move(
            next, file(), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
      }
    } finally {
      done.set(true);
      for (Thread thread : threads) {
        thread.join();
      }
    }
    assertThat(faults).isEmpty();
    assertThat(checks.get()).isPositive();
    assertThat(warnings()).isEmpty();
    TestKeys.write(file(), entry("bob", BOB, ""));
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.UNKNOWN);
  }

  /** Figures to look at, not to assert: how long an answer takes is the machine's matter. */
  @Test
  void timesOfRightAndWrongKeysAreMeasured() throws IOException {
    KeyFile keys = withManyKeys();
    Map<String, String> offers = offers();
    int calls = 20_000;
    Map<String, long[]> nanos = new LinkedHashMap<>();
    offers.keySet().forEach(kind -> nanos.put(kind, new long[calls]));
    for (int i = -calls / 2; i < calls; i++) { // the first ones only warm up
      for (Map.Entry<String, String> offer : offers.entrySet()) {
        long start = System.nanoTime();
        keys.check(offer.getValue(), null);
        long took = System.nanoTime() - start;
        if (i >= 0) {
          requireNonNull(nanos.get(offer.getKey()))[i] = took;
        }
      }
    }
    nanos.forEach(
        (kind, each) -> {
          Arrays.sort(each);
          System.out.printf(
              "gateway key %-8s median %5d ns, p90 %5d ns%n",
              kind, each[calls / 2], each[calls * 9 / 10]);
        });
    assertThat(verdict(keys, ALICE)).isEqualTo(Verdict.VALID);
  }
}
