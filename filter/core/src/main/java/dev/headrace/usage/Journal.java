package dev.headrace.usage;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.headrace.spi.UsageRecord;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder in which usage records wait for one sink, so that they survive the process: segments to
 * which lines are appended, and a checkpoint that says how far the sink has got.
 *
 * <pre>
 *   lock                     held while a gateway uses the folder
 *   00000001.usage           lines "CRC32C-in-hex space JSON", in the order of the records
 *   00000002.usage           the last one is written to
 *   checkpoint               the segment and the offset up to which the sink has everything
 *   broken.txt               lines whose checksum was wrong, for a person to look at
 * </pre>
 *
 * <p>A record is durable once {@link #append} has returned (one fsync for each call). The
 * checkpoint is not synced: after a power failure it may be old, and the sink is offered records
 * that it knows. A new process never appends to an old segment, so a line that was cut by the end
 * of the last one stays where it is.
 *
 * <p>{@link #append} belongs to one thread, {@link #next} and {@link #acknowledge} to another one;
 * the rest is thread-safe. Only the appending uses a channel, which an interrupt would close.
 */
final class Journal implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Journal.class);
  private static final Pattern SEGMENT = Pattern.compile("(\\d{8,18})\\.usage");
  private static final int CHECKSUM_LENGTH = 9; // eight digits and a space
  private static final int POSITION_LENGTH = 37; // two numbers of 18 digits
  private static final int READ_BYTES = 512 * 1024;
  private static final long LARGEST_SEGMENT = 16L << 20;

  private final String sink;
  private final Path folder;
  private final long maxBytes;
  private final long segmentBytes;
  private final FileChannel lockFile;

  /** Readable bytes by number; guarded by this. Only the last one can grow. */
  private final NavigableMap<Long, Long> segments = new TreeMap<>();

  private long activeSegment = -1; // guarded by this; -1 for none
  private volatile boolean activeIsGone;
  private long nextSegment; // of the appending thread
  private @Nullable FileChannel active; // of the appending thread

  private long readSegment; // written by the delivering thread, guarded by this
  private long readOffset; // written by the delivering thread, guarded by this
  private @Nullable RandomAccessFile checkpoint; // of the delivering thread

  /**
   * Records that were read together.
   *
   * @param records in order; empty if there was nothing but lines that cannot be read
   * @param lines how many lines they and those that cannot be read are, as {@link #countWaiting}
   *     counts them: without one that was cut
   * @param segment where they stood
   * @param end the offset behind the last of them
   */
  record Batch(List<UsageRecord> records, int lines, long segment, long end) {}

  private Journal(String sink, Path folder, long maxBytes, FileChannel lockFile) {
    this.sink = sink;
    this.folder = folder;
    this.maxBytes = maxBytes;
    this.segmentBytes = Math.min(LARGEST_SEGMENT, maxBytes / 16);
    this.lockFile = lockFile;
  }

  /**
   * Opens or makes the folder.
   *
   * @param sink its name, for the log
   * @param maxBytes most that may stand in the segments together
   * @throws IllegalArgumentException if the folder cannot be used or another gateway uses it; the
   *     message names the setting
   */
  static Journal open(String sink, Path folder, long maxBytes) {
    FileChannel lockFile = null;
    try {
      Files.createDirectories(folder);
      lockFile =
          FileChannel.open(
              folder.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      lock(lockFile, folder);
      Journal journal = new Journal(sink, folder, maxBytes, lockFile);
      journal.findSegments();
      return journal;
    } catch (IOException e) {
      closeQuietly(lockFile);
      throw new IllegalArgumentException(
          "usage.spool: " + folder + " cannot be used (expected: a folder to write to)", e);
    } catch (RuntimeException | Error e) {
      closeQuietly(lockFile);
      throw e;
    }
  }

  private static void lock(FileChannel file, Path folder) throws IOException {
    FileLock lock;
    try {
      lock = file.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null; // another gateway of this JVM
    }
    if (lock == null) {
      throw new IllegalArgumentException(
          "usage.spool: "
              + folder
              + " is in use by another gateway (expected: a folder for each gateway)");
    }
  }

  private void findSegments() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Matcher name = SEGMENT.matcher(file.getFileName().toString());
        if (name.matches()) {
          segments.put(Long.parseLong(name.group(1)), Files.size(file));
        }
      }
    }
    readCheckpoint();
    nextSegment = Math.max(segments.isEmpty() ? 0 : segments.lastKey(), readSegment) + 1;
    for (long old : List.copyOf(segments.headMap(readSegment).keySet())) {
      delete(old);
    }
  }

  private Path file(long segment) {
    return folder.resolve(String.format(Locale.ROOT, "%08d.usage", segment));
  }

  // ---- appending ----

  /**
   * Appends records, in one write and with one fsync: on return they are on the disk.
   *
   * @return how many of them; fewer than given, the first ones, if the journal is full
   * @throws IOException if they may not be on the disk, none of them
   */
  int append(List<UsageRecord> records) throws IOException {
    long room = maxBytes - storedBytes();
    ByteArrayOutputStream lines = new ByteArrayOutputStream(800 * records.size());
    int count = 0;
    for (UsageRecord usage : records) {
      byte[] line = line(usage);
      if (lines.size() + line.length > room) {
        break;
      }
      lines.writeBytes(line);
      count++;
    }
    if (count > 0) {
      write(lines.toByteArray());
    }
    return count;
  }

  static byte[] line(UsageRecord usage) {
    byte[] json = UsageRecordJson.write(usage).getBytes(US_ASCII);
    byte[] line = new byte[CHECKSUM_LENGTH + json.length + 1];
    byte[] checksum = checksum(json, 0, json.length).getBytes(US_ASCII);
    System.arraycopy(checksum, 0, line, 0, checksum.length);
    line[CHECKSUM_LENGTH - 1] = ' ';
    System.arraycopy(json, 0, line, CHECKSUM_LENGTH, json.length);
    line[line.length - 1] = '\n';
    return line;
  }

  private static String checksum(byte[] bytes, int from, int to) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, to - from);
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }

  private void write(byte[] lines) throws IOException {
    FileChannel file = active;
    if (file != null && (activeIsGone || file.position() + lines.length > segmentBytes)) {
      endSegment();
      file = null;
    }
    if (file == null) {
      file = beginSegment();
    }
    long before = file.position();
    try {
      ByteBuffer buffer = ByteBuffer.wrap(lines);
      while (buffer.hasRemaining()) {
        file.write(buffer);
      }
      file.force(false);
    } catch (IOException e) {
      // What a failed fsync leaves behind nobody knows, so the file is not written to again.
      giveUpSegment(file, before);
      throw e;
    }
    synchronized (this) {
      segments.computeIfPresent(activeSegment, (number, length) -> before + lines.length);
    }
  }

  private FileChannel beginSegment() throws IOException {
    long number = nextSegment;
    Files.createDirectories(folder); // somebody may have tidied up
    FileChannel file =
        FileChannel.open(
            file(number),
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING);
    nextSegment++;
    syncFolder();
    active = file;
    activeIsGone = false;
    synchronized (this) {
      segments.put(number, 0L);
      activeSegment = number;
    }
    return file;
  }

  /** So that the name of a new file is on the disk, too; not every system can do that. */
  private void syncFolder() {
    try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
      directory.force(true);
    } catch (IOException e) {
      LOG.debug("The folder {} cannot be synced", folder, e);
    }
  }

  private void giveUpSegment(FileChannel file, long length) {
    try {
      file.truncate(length);
    } catch (IOException e) {
      LOG.debug("What could not be written to {} remains there", folder, e);
    }
    endSegment();
  }

  /** Deletes it if nothing in it waits: on a full disk each try would leave an empty one behind. */
  private void endSegment() {
    closeQuietly(active);
    active = null;
    long ended;
    boolean done;
    synchronized (this) {
      ended = activeSegment;
      activeSegment = -1;
      long length = segments.getOrDefault(ended, 0L);
      done = length == 0 || readSegment > ended || (readSegment == ended && readOffset >= length);
    }
    if (done) {
      delete(ended);
    }
  }

  // ---- delivering ----

  /**
   * The records behind the last acknowledged one; the same ones again until they are acknowledged.
   *
   * @param max most records
   * @return null if there is nothing new
   */
  @Nullable Batch next(int max) throws IOException {
    while (true) {
      long segment;
      long offset;
      long end;
      boolean growing;
      synchronized (this) {
        Map.Entry<Long, Long> entry = segments.ceilingEntry(readSegment);
        if (entry == null) {
          return null;
        }
        segment = entry.getKey();
        end = entry.getValue();
        offset = segment == readSegment ? readOffset : 0;
        growing = segment == activeSegment;
      }
      if (offset < end) {
        Batch batch = read(segment, offset, end, max);
        if (batch != null) {
          return batch;
        }
      } else if (growing) {
        return null;
      }
      leave(segment);
    }
  }

  /** Null if the rest of the segment is gone. */
  private @Nullable Batch read(long segment, long offset, long end, int max) throws IOException {
    try (RandomAccessFile file = new RandomAccessFile(file(segment).toFile(), "r")) {
      int length = (int) Math.min(READ_BYTES, end - offset);
      while (true) {
        byte[] bytes = new byte[length];
        file.seek(offset);
        file.readFully(bytes);
        boolean toTheEnd = offset + length >= end;
        Batch batch = parse(bytes, segment, offset, toTheEnd, max);
        if (batch != null) {
          return batch;
        }
        length = (int) Math.min(2L * length, end - offset); // a line longer than that
      }
    } catch (FileNotFoundException | EOFException e) {
      if (e instanceof FileNotFoundException && !Files.notExists(file(segment))) {
        throw e; // it is there and cannot be opened now: no file descriptor is left, perhaps
      }
      LOG.warn(
          "Usage sink {}: {} was deleted or cut by somebody else; the records in it that were not"
              + " delivered yet are lost",
          sink,
          file(segment));
      activeIsGone = true;
      return null;
    }
  }

  /** Null if there is no whole line and the segment goes on. */
  private @Nullable Batch parse(
      byte[] bytes, long segment, long offset, boolean toTheEnd, int max) {
    List<UsageRecord> records = new ArrayList<>();
    int lines = 0;
    int from = 0;
    while (from < bytes.length && records.size() < max) {
      int to = from;
      while (to < bytes.length && bytes[to] != '\n') {
        to++;
      }
      boolean whole = to < bytes.length;
      if (!whole && !toTheEnd) {
        break;
      }
      UsageRecord usage = parseLine(bytes, from, to);
      if (usage != null) {
        records.add(usage);
      } else if (whole) {
        keepBroken(segment, offset + from, bytes, from, to);
      } else {
        LOG.warn(
            "Usage sink {}: the last line of {} was cut when the gateway was killed; it is ignored",
            sink,
            file(segment));
      }
      lines += whole ? 1 : 0;
      from = whole ? to + 1 : to;
    }
    return from == 0 ? null : new Batch(records, lines, segment, offset + from);
  }

  private static @Nullable UsageRecord parseLine(byte[] bytes, int from, int to) {
    int json = from + CHECKSUM_LENGTH;
    if (to <= json || bytes[json - 1] != ' ') {
      return null;
    }
    String expected = new String(bytes, from, CHECKSUM_LENGTH - 1, US_ASCII);
    if (!checksum(bytes, json, to).equals(expected)) {
      return null;
    }
    try {
      return UsageRecordJson.read(new String(bytes, json, to - json, US_ASCII));
    } catch (IllegalArgumentException e) {
      return null; // of a newer version, perhaps
    }
  }

  /** Never throws: one bad line on a full disk must not hold up the good ones behind it. */
  private void keepBroken(long segment, long at, byte[] bytes, int from, int to) {
    Path broken = folder.resolve("broken.txt");
    String kept = " and kept in " + broken;
    try (OutputStream out =
        Files.newOutputStream(broken, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      out.write(bytes, from, to - from);
      out.write('\n');
    } catch (IOException e) {
      kept = " and cannot be kept in " + broken + ": " + Delivery.describe(e);
    }
    LOG.warn(
        "Usage sink {}: the line at byte {} of {} cannot be read; it is skipped{}",
        sink,
        at,
        file(segment),
        kept);
  }

  /** The sink has these records and all before them. */
  void acknowledge(Batch batch) {
    synchronized (this) {
      readSegment = batch.segment();
      readOffset = batch.end();
    }
    writeCheckpoint(batch.segment(), batch.end());
  }

  /** The sink has the whole segment. */
  private void leave(long segment) {
    synchronized (this) {
      readSegment = segment + 1;
      readOffset = 0;
    }
    writeCheckpoint(segment + 1, 0);
    delete(segment);
  }

  private void delete(long segment) {
    synchronized (this) {
      segments.remove(segment);
    }
    try {
      Files.deleteIfExists(file(segment));
    } catch (IOException e) {
      LOG.warn("Usage sink {}: {} cannot be deleted", sink, file(segment), e);
    }
  }

  private void writeCheckpoint(long segment, long offset) {
    String position = String.format(Locale.ROOT, "%018d %018d", segment, offset);
    byte[] bytes = position.getBytes(US_ASCII);
    String line = checksum(bytes, 0, bytes.length) + " " + position + "\n";
    try {
      RandomAccessFile file = checkpoint;
      if (file == null) {
        file = new RandomAccessFile(folder.resolve("checkpoint").toFile(), "rw");
        checkpoint = file;
      }
      file.seek(0);
      file.write(line.getBytes(US_ASCII));
    } catch (IOException e) {
      // Then the sink is offered records that it knows, and ignores them.
      LOG.debug("Usage sink {}: the checkpoint cannot be written", sink, e);
    }
  }

  private void readCheckpoint() throws IOException {
    Path file = folder.resolve("checkpoint");
    if (!Files.exists(file)) {
      return;
    }
    byte[] bytes = Files.readAllBytes(file);
    if (bytes.length < CHECKSUM_LENGTH + POSITION_LENGTH || !hasChecksum(bytes)) {
      LOG.warn("Usage sink {}: {} cannot be read; records are offered again", sink, file);
      return;
    }
    String[] position = new String(bytes, CHECKSUM_LENGTH, POSITION_LENGTH, US_ASCII).split(" ", 2);
    readSegment = Long.parseLong(position[0]);
    readOffset = Long.parseLong(position[1]);
  }

  private static boolean hasChecksum(byte[] checkpoint) {
    String expected = new String(checkpoint, 0, CHECKSUM_LENGTH - 1, US_ASCII);
    return checksum(checkpoint, CHECKSUM_LENGTH, CHECKSUM_LENGTH + POSITION_LENGTH)
        .equals(expected);
  }

  /** Counts the lines that wait. Reads them all, so it is meant for the start. */
  long countWaiting() {
    long count = 0;
    List<Map.Entry<Long, Long>> old;
    long offset;
    synchronized (this) {
      old =
          segments.tailMap(readSegment).entrySet().stream()
              .filter(entry -> entry.getKey() != activeSegment)
              .map(entry -> Map.entry(entry.getKey(), entry.getValue()))
              .toList();
      offset = readOffset;
    }
    byte[] buffer = new byte[64 * 1024];
    for (Map.Entry<Long, Long> segment : old) {
      try (RandomAccessFile file = new RandomAccessFile(file(segment.getKey()).toFile(), "r")) {
        if (segment.getKey() == readSegment) {
          file.seek(offset);
        }
        for (int n = file.read(buffer); n > 0; n = file.read(buffer)) {
          for (int i = 0; i < n; i++) {
            if (buffer[i] == '\n') {
              count++;
            }
          }
        }
      } catch (IOException e) {
        LOG.debug("{} cannot be counted", file(segment.getKey()), e);
      }
    }
    return count;
  }

  boolean isHalfFull() {
    return storedBytes() >= maxBytes / 2;
  }

  /** Bytes on the disk, what is delivered but not deleted yet included. */
  synchronized long storedBytes() {
    return segments.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Bytes that the sink has not got yet. */
  synchronized long waitingBytes() {
    long bytes = segments.tailMap(readSegment).values().stream().mapToLong(Long::longValue).sum();
    return segments.containsKey(readSegment) ? Math.max(0, bytes - readOffset) : bytes;
  }

  /** Closes the files and gives the folder free. Only when both threads have ended. */
  @Override
  public void close() {
    if (active != null) {
      endSegment();
    }
    closeQuietly(checkpoint);
    checkpoint = null;
    closeQuietly(lockFile);
  }

  private static void closeQuietly(@Nullable Closeable file) {
    if (file != null) {
      try {
        file.close();
      } catch (IOException e) {
        LOG.debug("Not closed", e);
      }
    }
  }
}
