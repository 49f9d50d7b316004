package dev.headrace.identity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import dev.headrace.config.AddressBlock;
import dev.headrace.config.GatewayKeyEntry;
import dev.headrace.config.GatewayKeyList;
import dev.headrace.config.IpAddress;
import dev.headrace.config.SettingsException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The gateway keys of one file, which is read again when it changes: a key that is taken out is
 * refused about a second later, and what it has started goes on. A new version with a mistake, or a
 * file that is gone, changes nothing but the log: the keys read before stay in force.
 *
 * <p>Thread-safe. Holds no thread: {@link #check} looks at the file's attributes once a second at
 * most and reads it, a few hundred kilobytes at worst, on the calling thread.
 */
public final class KeyFile {
  private static final Logger LOG = LoggerFactory.getLogger(KeyFile.class);

  /** A longer text is no key; what is behind that is not even hashed. */
  static final int MAX_OFFERED = 200;

  private static final long CHECK_NANOS = Duration.ofSeconds(1).toNanos();

  /**
   * A file changed so recently may change again without a new time of change, because that of some
   * file systems counts in seconds: it is read again until it is older.
   */
  private static final Duration SETTLED = Duration.ofSeconds(3);

  /** What an unknown key is compared with; nobody knows a text with this hash. */
  private static final byte[] NO_DIGEST = new byte[32];

  /** What came of an offered key. */
  public enum Verdict {
    /** In force. */
    VALID,
    /** In no entry, or without the form of a key. */
    UNKNOWN,
    /** Of an entry whose time is over. */
    EXPIRED,
    /** Of an entry that does not name the caller's address. */
    ELSEWHERE
  }

  /**
   * The answer to an offered key.
   *
   * @param verdict whether it is in force
   * @param key the entry that it is of; null for {@link Verdict#UNKNOWN}
   */
  public record Answer(Verdict verdict, @Nullable GatewayKeyEntry key) {}

  private static final class Entry {
    final byte[] digest;
    final GatewayKeyEntry key;

    Entry(GatewayKeyEntry key) {
      this.digest = HexFormat.of().parseHex(key.sha256());
      this.key = key;
    }
  }

  private static final class Stamp {
    final FileTime modified;
    final long size;
    final @Nullable Object fileKey;

    Stamp(BasicFileAttributes attributes) {
      modified = attributes.lastModifiedTime();
      size = attributes.size();
      fileKey = attributes.fileKey();
    }

    boolean isSame(@Nullable Stamp other) {
      return other != null
          && modified.equals(other.modified)
          && size == other.size
          && Objects.equals(fileKey, other.fileKey);
    }
  }

  private final Path file;
  private final LongSupplier nanoTime;
  private final InstantSource wall;
  private final UnaryOperator<byte[]> digest;
  private final AtomicLong nextCheckNanos;
  private final ReentrantLock reading = new ReentrantLock();

  // Under the lock: the version that was looked at last, whether good or not.
  private @Nullable Stamp seen;
  private byte[] seenDigest = NO_DIGEST;
  private boolean settled;

  /** By SHA-256 in hexadecimal. */
  private volatile Map<String, Entry> keys = Map.of();

  KeyFile(Path file, LongSupplier nanoTime, InstantSource wall, UnaryOperator<byte[]> digest) {
    this.file = requireNonNull(file, "file");
    this.nanoTime = nanoTime;
    this.wall = wall;
    this.digest = digest;
    this.nextCheckNanos = new AtomicLong(nanoTime.getAsLong() + CHECK_NANOS);
  }

  /**
   * Reads the file for the first time.
   *
   * @param nanoTime as {@link System#nanoTime}, for the second between two looks at the file
   * @param wall for the keys' expiry
   * @throws SettingsException with all mistakes of the file
   * @throws IOException if it cannot be read
   */
  public static KeyFile open(Path file, LongSupplier nanoTime, InstantSource wall)
      throws IOException {
    return open(file, nanoTime, wall, GatewayKey::digest);
  }

  /** For tests that count digests. */
  static KeyFile open(
      Path file, LongSupplier nanoTime, InstantSource wall, UnaryOperator<byte[]> digest)
      throws IOException {
    KeyFile keyFile = new KeyFile(file, nanoTime, wall, digest);
    keyFile.readFirst();
    return keyFile;
  }

  private void readFirst() throws IOException {
    reading.lock();
    try {
      Stamp stamp = stamp();
      byte[] content = content();
      see(stamp, content);
      keys = parse(content);
    } finally {
      reading.unlock();
    }
  }

  /** How many keys are in force or expired. */
  public int size() {
    return keys.size();
  }

  /**
   * Says what an offered key is worth. Right, wrong, expired and malformed ones take the same way:
   * the SHA-256 of what was offered, one look into a map by all of it, one comparison in constant
   * time. The look may take longer the more digits of the hash are those of a real key, but that
   * tells nothing worth knowing: who finds out the hash of a key still does not have the key, since
   * it is a preimage of 190 random bits.
   *
   * @param client from where it was offered; null if unknown
   */
  public Answer check(String offered, @Nullable IpAddress client) {
    refresh();
    String bounded =
        offered.length() > MAX_OFFERED ? offered.substring(0, MAX_OFFERED + 1) : offered;
    boolean wellFormed = GatewayKey.isWellFormed(bounded);
    byte[] hash = digest.apply(bounded.getBytes(UTF_8));
    Entry entry = keys.get(HexFormat.of().formatHex(hash));
    boolean equal = MessageDigest.isEqual(entry == null ? NO_DIGEST : entry.digest, hash);
    if (entry == null || !equal || !wellFormed) {
      return new Answer(Verdict.UNKNOWN, null);
    }
    Instant expires = entry.key.expires();
    if (expires != null && !wall.instant().isBefore(expires)) {
      return new Answer(Verdict.EXPIRED, entry.key);
    }
    List<AddressBlock> addresses = entry.key.addresses();
    if (!addresses.isEmpty() && !AddressBlock.anyContains(addresses, client)) {
      return new Answer(Verdict.ELSEWHERE, entry.key);
    }
    return new Answer(Verdict.VALID, entry.key);
  }

  /**
   * Reads the file again if it has changed; looks once a second at most and costs nothing in
   * between. Never throws for what is wrong with the file.
   */
  void refresh() {
    long now = nanoTime.getAsLong();
    long due = nextCheckNanos.get();
    if (now - due < 0 || !nextCheckNanos.compareAndSet(due, now + CHECK_NANOS)) {
      return;
    }
    if (reading.tryLock()) { // else another thread is still at it, on a slow file system
      try {
        readIfChanged();
      } finally {
        reading.unlock();
      }
    }
  }

  private void readIfChanged() {
    try {
      Stamp stamp = stamp();
      if (settled && stamp.isSame(seen)) {
        return;
      }
      byte[] content = content();
      if (!see(stamp, content)) {
        return;
      }
      Map<String, Entry> changed = parse(content);
      keys = changed;
      LOG.info("{} was read again: {} gateway keys are in force", file, changed.size());
    } catch (SettingsException e) {
      LOG.warn(
          "{} has changed and cannot be used; the {} gateway keys read before stay in force. {}",
          file,
          keys.size(),
          e.getMessage());
    } catch (IOException e) {
      if (seen != null) {
        LOG.warn(
            "{} cannot be read any more ({}); the {} gateway keys read before stay in force",
            file,
            e.getClass().getSimpleName(),
            keys.size());
      }
      forget();
    } catch (RuntimeException | Error e) { // such as no memory just now: it counts as not seen
      forget();
      throw e;
    }
  }

  private void forget() {
    seen = null;
    seenDigest = NO_DIGEST;
    settled = false;
  }

  /** Remembers a version; returns false if its content is that of the version before. */
  private boolean see(Stamp stamp, byte[] content) {
    byte[] contentDigest = GatewayKey.digest(content);
    boolean changed = !MessageDigest.isEqual(contentDigest, seenDigest);
    seen = stamp;
    seenDigest = contentDigest;
    settled = stamp.modified.toInstant().isBefore(wall.instant().minus(SETTLED));
    return changed;
  }

  private Stamp stamp() throws IOException {
    return new Stamp(Files.readAttributes(file, BasicFileAttributes.class));
  }

  private byte[] content() throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return in.readNBytes(GatewayKeyList.bytesToRead());
    }
  }

  private Map<String, Entry> parse(byte[] content) {
    Map<String, Entry> entries = new HashMap<>();
    for (GatewayKeyEntry key : GatewayKeyList.read(content, file)) {
      entries.put(key.sha256(), new Entry(key));
    }
    return entries;
  }
}
