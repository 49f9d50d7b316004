package dev.headrace.admission;

import dev.headrace.messages.InvalidBodyException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The content of a small file, read again when the file has changed: another size, time or inode,
 * or another content of the same size in the seconds before its time is another. A version that is
 * broken or missing leaves the last good one in force and is logged once. Thread-safe; one caller a
 * second looks at the file, the others get what is there.
 *
 * @param <T> what the content means
 */
final class WatchedFile<T> {
  private static final Logger LOG = LoggerFactory.getLogger(WatchedFile.class);
  private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final int MAX_BYTES = 1024 * 1024;
  private static final byte[] NONE = {};

  /**
   * A file changed so recently may change again without a new time of change, because that of some
   * file systems counts in seconds: it is read again until it is older.
   */
  private static final Duration SETTLED = Duration.ofSeconds(3);

  /** Makes something of a file's content. */
  interface Parser<T> {

    /**
     * Makes it.
     *
     * @throws InvalidBodyException if the content cannot be used; the message says why
     */
    T parse(byte[] content) throws InvalidBodyException;
  }

  private final String setting;
  private final Path file;
  private final Parser<T> parser;
  private final LongSupplier nanoTime;
  private final ReentrantLock checking = new ReentrantLock();

  private volatile T content;
  private volatile long nextCheckNanos;

  private byte[] goodDigest; // of the version behind the content. Under the lock, as the next ones

  // The version that was looked at last, whether good or not.
  private Version seen;
  private byte[] seenDigest;
  private boolean settled;
  private boolean unreadable;

  /**
   * @param setting named in messages, such as {@code presets.support.system}
   * @throws PresetFileException if the file cannot be used as it is now
   */
  WatchedFile(String setting, Path file, Parser<T> parser, LongSupplier nanoTime)
      throws PresetFileException {
    this.setting = setting;
    this.file = file.toAbsolutePath(); // as messages show it
    this.parser = parser;
    this.nanoTime = nanoTime;
    this.nextCheckNanos = nanoTime.getAsLong() + INTERVAL_NANOS;
    this.seen = Version.of(file);
    this.settled = isSettled(seen);
    try {
      byte[] bytes = bytes(seen);
      this.goodDigest = Sha256.of(bytes);
      this.seenDigest = goodDigest;
      this.content = parse(bytes);
    } catch (Unusable e) {
      throw new PresetFileException(
          setting + ": file:" + file + " " + e.getMessage() + " (expected: a readable file)");
    }
  }

  /** The last content that could be used. */
  T content() {
    if (nanoTime.getAsLong() - nextCheckNanos >= 0 && checking.tryLock()) {
      try {
        nextCheckNanos = nanoTime.getAsLong() + INTERVAL_NANOS;
        check();
      } finally {
        checking.unlock();
      }
    }
    return content;
  }

  private void check() {
    // Taken before reading: what is written meanwhile is another version, and read next time.
    Version now = Version.of(file);
    boolean same = now.is(seen);
    if (same && settled) {
      return;
    }
    boolean told = same && unreadable;
    seen = now;
    settled = false; // until it has been read: no memory, or no file handle, may be for now only
    unreadable = true;
    try {
      byte[] bytes = bytes(now);
      unreadable = false;
      see(bytes);
      settled = isSettled(now);
    } catch (Unusable e) {
      seenDigest = NONE;
      if (!told) {
        tellOfUseless(e);
      }
    }
  }

  private void see(byte[] bytes) {
    byte[] digest = Sha256.of(bytes);
    if (MessageDigest.isEqual(digest, seenDigest)) {
      return;
    }
    if (!MessageDigest.isEqual(digest, goodDigest)) { // else it was moved away and back
      try {
        content = parse(bytes);
        goodDigest = digest;
        LOG.info("{}: read file:{} again, because it has changed", setting, file);
      } catch (Unusable e) {
        tellOfUseless(e);
      }
    }
    seenDigest = digest;
  }

  private void tellOfUseless(Unusable e) {
    LOG.warn(
        "{}: file:{} {}; the version read before stays in force", setting, file, e.getMessage());
  }

  /** Whether a change would show without reading the file. */
  private static boolean isSettled(Version version) {
    FileTime changed = version.changed;
    return changed == null || changed.toInstant().isBefore(Instant.now().minus(SETTLED));
  }

  private byte[] bytes(Version version) throws Unusable {
    if (version.fault != null) {
      throw new Unusable(version.fault);
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new Unusable("is larger than 1MiB");
      }
      return bytes;
    } catch (IOException e) {
      throw new Unusable("cannot be read");
    }
  }

  private T parse(byte[] bytes) throws Unusable {
    try {
      return parser.parse(bytes);
    } catch (InvalidBodyException e) {
      throw new Unusable(String.valueOf(e.getMessage()));
    }
  }

  /** Why a version is of no use. */
  private static final class Unusable extends Exception {
    private static final long serialVersionUID = 1L;

    Unusable(String message) {
      super(message, null, false, false);
    }
  }

  /** What tells one version of a file from another without reading it. */
  private static final class Version {
    private final long size;
    private final @Nullable FileTime changed;
    private final @Nullable Object key;
    private final @Nullable String fault;

    private Version(
        long size, @Nullable FileTime changed, @Nullable Object key, @Nullable String fault) {
      this.size = size;
      this.changed = changed;
      this.key = key;
      this.fault = fault;
    }

    static Version of(Path file) {
      try {
        BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
        return found.isRegularFile() // reading a pipe would wait
            ? new Version(found.size(), found.lastModifiedTime(), found.fileKey(), null)
            : new Version(0, null, null, found.isDirectory() ? "is a folder" : "is no plain file");
      } catch (NoSuchFileException e) {
        return new Version(0, null, null, "does not exist");
      } catch (IOException e) {
        return new Version(0, null, null, "cannot be read");
      }
    }

    boolean is(Version other) {
      return size == other.size
          && Objects.equals(changed, other.changed)
          && Objects.equals(key, other.key)
          && Objects.equals(fault, other.fault);
    }
  }
}
