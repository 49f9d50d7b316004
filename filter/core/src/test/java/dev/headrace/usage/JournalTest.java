package dev.headrace.usage;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.headrace.spi.UsageRecord;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {

  private static final long MAX = 1 << 20;

  @TempDir Path folder;

  private Journal open() {
    return Journal.open("test", folder, MAX);
  }

  /** Everything that is offered, acknowledged batch by batch. */
  private static List<String> drain(Journal journal) throws IOException {
    List<String> ids = new ArrayList<>();
    for (Journal.Batch batch = journal.next(7); batch != null; batch = journal.next(7)) {
      ids.addAll(Records.ids(batch.records()));
      journal.acknowledge(batch);
    }
    return ids;
  }

  private static Journal.Batch batch(Journal journal, int max) throws IOException {
    return requireNonNull(journal.next(max));
  }

  private List<String> drainNew() throws IOException {
    try (Journal journal = open()) {
      return drain(journal);
    }
  }

  private List<Path> segments() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".usage")).sorted().toList();
    }
  }

  private static byte[] lines(List<UsageRecord> records) {
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    records.forEach(usage -> lines.writeBytes(Journal.line(usage)));
    return lines.toByteArray();
  }

  @Test
  void recordsComeOutInOrderAndAreGoneOnceAcknowledged() throws IOException {
    try (Journal journal = open()) {
      assertThat(journal.append(Records.numbered(0, 20))).isEqualTo(20);
      assertThat(journal.append(Records.numbered(20, 30))).isEqualTo(10);
      assertThat(journal.waitingBytes()).isPositive();
      assertThat(drain(journal)).isEqualTo(Records.ids(Records.numbered(0, 30)));
      assertThat(journal.waitingBytes()).isZero();
    }
    assertThat(segments()).isEmpty();
    assertThat(drainNew()).isEmpty();
  }

  @Test
  void whatCannotBeOpenedNowIsNotTakenForDeletedAndIsReadLater() throws IOException {
    try (Journal journal = open()) {
      journal.append(Records.numbered(0, 10));
      Path segment = segments().get(0);
      Path aside = folder.resolve("aside");
      Files.move(segment, aside);
      Files.createDirectory(segment); // is there, and cannot be opened as a file
      assertThatIOException().isThrownBy(() -> journal.next(7));
      Files.delete(segment);
      Files.move(aside, segment);
      assertThat(drain(journal)).isEqualTo(Records.ids(Records.numbered(0, 10)));
    }
  }

  @Test
  void whatWasNotAcknowledgedIsOfferedAgainNowAndAfterARestart() throws IOException {
    try (Journal journal = open()) {
      journal.append(Records.numbered(0, 10));
      journal.acknowledge(batch(journal, 4));
      assertThat(Records.ids(batch(journal, 2).records())).containsExactly("0004", "0005");
      assertThat(Records.ids(batch(journal, 2).records())).containsExactly("0004", "0005");
    }
    try (Journal journal = open()) {
      assertThat(journal.countWaiting()).isEqualTo(6);
      journal.append(Records.numbered(10, 12));
      assertThat(drain(journal)).isEqualTo(Records.ids(Records.numbered(4, 12)));
    }
    assertThat(drainNew()).isEmpty();
  }

  @Test
  void lineThatWasCutAtAnyByteIsIgnoredAndAllBeforeItAreThere() throws IOException {
    byte[] before = lines(Records.numbered(0, 3));
    byte[] last = Journal.line(Records.full("last"));
    for (int cut = 0; cut <= last.length; cut++) {
      ByteArrayOutputStream file = new ByteArrayOutputStream();
      file.writeBytes(before);
      file.write(last, 0, cut);
      Files.deleteIfExists(folder.resolve("checkpoint"));
      Files.write(folder.resolve("00000001.usage"), file.toByteArray());
      List<String> expected = new ArrayList<>(Records.ids(Records.numbered(0, 3)));
      if (cut >= last.length - 1) { // only the line break is missing: the checksum says it is whole
        expected.add("last");
      }
      assertThat(drainNew()).as("cut at " + cut).isEqualTo(expected);
      assertThat(folder.resolve("broken.txt")).doesNotExist();
    }
  }

  @Test
  void newRecordsNeverFollowALineThatWasCut() throws IOException {
    byte[] lines = lines(Records.numbered(0, 2));
    Files.write(folder.resolve("00000007.usage"), Arrays.copyOf(lines, lines.length - 9));
    try (Journal journal = open()) {
      journal.append(Records.numbered(5, 6));
      assertThat(drain(journal)).containsExactly("0000", "0005");
    }
  }

  @Test
  void anyBrokenByteOfAMiddleLineCostsThatLineOnlyWhichIsKeptAside() throws IOException {
    byte[] first = lines(Records.numbered(0, 1));
    byte[] middle = Journal.line(Records.numbered(1, 2).get(0));
    byte[] end = lines(Records.numbered(2, 4));
    for (int at = 0; at < middle.length - 1; at++) {
      byte[] broken = middle.clone();
      broken[at] ^= 1;
      if (broken[at] == '\n') {
        continue; // then it is two broken lines
      }
      ByteArrayOutputStream file = new ByteArrayOutputStream();
      file.writeBytes(first);
      file.writeBytes(broken);
      file.writeBytes(end);
      Files.deleteIfExists(folder.resolve("checkpoint"));
      Files.deleteIfExists(folder.resolve("broken.txt"));
      Files.write(folder.resolve("00000001.usage"), file.toByteArray());
      assertThat(drainNew()).as("broken at " + at).containsExactly("0000", "0002", "0003");
      assertThat(Files.readAllBytes(folder.resolve("broken.txt"))).isEqualTo(broken);
    }
  }

  @Test
  void brokenLineThatCannotBeKeptAsideDoesNotHoldUpTheOthers() throws IOException {
    writeSegmentWithABrokenLine();
    Files.createDirectory(folder.resolve("broken.txt")); // cannot be written to
    try (LogLines log = new LogLines("dev.headrace.usage")) {
      assertThat(drainNew()).containsExactly("0000", "0002", "0003");
      assertThat(log.containing("cannot be read; it is skipped and cannot be kept in "))
          .singleElement()
          .asString()
          .contains("byte " + Journal.line(Records.numbered(0, 1).get(0)).length + " of ");
    }
  }

  @Test
  void batchSaysHowManyOfTheLinesThatWereCountedItIs() throws IOException {
    writeSegmentWithABrokenLine();
    Path segment = folder.resolve("00000001.usage");
    Files.write(segment, "cut when".getBytes(US_ASCII), StandardOpenOption.APPEND);
    try (Journal journal = open()) {
      assertThat(journal.countWaiting()).isEqualTo(4);
      Journal.Batch first = batch(journal, 2);
      assertThat(Records.ids(first.records())).containsExactly("0000", "0002");
      assertThat(first.lines()).isEqualTo(3);
      journal.acknowledge(first);
      assertThat(batch(journal, 2).lines()).isEqualTo(1);
    }
  }

  /** Four lines, of which the second one is broken. */
  private void writeSegmentWithABrokenLine() throws IOException {
    byte[] broken = Journal.line(Records.numbered(1, 2).get(0));
    broken[20] ^= 1;
    ByteArrayOutputStream file = new ByteArrayOutputStream();
    file.writeBytes(lines(Records.numbered(0, 1)));
    file.writeBytes(broken);
    file.writeBytes(lines(Records.numbered(2, 4)));
    Files.write(folder.resolve("00000001.usage"), file.toByteArray());
  }

  @Test
  void diskThatIsFullGathersNoEmptySegments() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.isWritable(full), "no /dev/full here");
    try (Journal journal = open()) {
      for (int i = 1; i <= 3; i++) {
        Files.createSymbolicLink(folder.resolve("0000000" + i + ".usage"), full);
        assertThatIOException().isThrownBy(() -> journal.append(Records.numbered(0, 5)));
        assertThat(segments()).isEmpty();
      }
      journal.append(Records.numbered(5, 10));
      assertThat(segments()).containsExactly(folder.resolve("00000004.usage"));
      assertThat(drain(journal)).isEqualTo(Records.ids(Records.numbered(5, 10)));
    }
  }

  @Test
  void brokenCheckpointOnlyOffersRecordsAgain() throws IOException {
    try (Journal journal = open()) {
      journal.append(Records.numbered(0, 10));
      journal.acknowledge(batch(journal, 4));
    }
    byte[] checkpoint = Files.readAllBytes(folder.resolve("checkpoint"));
    for (int at = 0; at < checkpoint.length - 1; at += 3) {
      byte[] broken = checkpoint.clone();
      broken[at] ^= 1;
      Files.write(folder.resolve("checkpoint"), broken);
      try (Journal journal = open()) {
        assertThat(Records.ids(batch(journal, 1).records())).containsExactly("0000");
      }
    }
    Files.write(folder.resolve("checkpoint"), new byte[0]);
    assertThat(drainNew()).isEqualTo(Records.ids(Records.numbered(0, 10)));
  }

  @Test
  void segmentsAreDeletedAsSoonAsTheyAreAcknowledged() throws IOException {
    try (Journal journal = open()) {
      for (int i = 0; i < 900; i += 90) {
        assertThat(journal.append(Records.numbered(i, i + 90))).isEqualTo(90);
      }
      assertThat(segments()).hasSizeGreaterThan(5);
      assertThat(drain(journal)).isEqualTo(Records.ids(Records.numbered(0, 900)));
      assertThat(segments()).hasSize(1);
    }
    assertThat(segments()).isEmpty();
  }

  @Test
  void fullJournalTakesWhatFitsAndMoreOnceThereIsRoom() throws IOException {
    try (Journal journal = open()) {
      int taken = 0;
      int count;
      do {
        count = journal.append(Records.numbered(taken, taken + 100));
        taken += count;
      } while (count == 100);
      assertThat(journal.storedBytes()).isBetween(MAX - 1_000, MAX);
      assertThat(journal.append(Records.numbered(0, 1))).isZero();
      assertThat(drain(journal)).isEqualTo(Records.ids(Records.numbered(0, taken)));
      assertThat(journal.append(Records.numbered(0, 100))).isEqualTo(100);
    }
  }

  @Test
  void lineLongerThanTheReadBufferIsRead() throws IOException {
    UsageRecord longOne = Records.of("long", "2026-11-22T00:00:00Z", "u".repeat(700_000), "m", "1");
    try (Journal journal = Journal.open("test", folder, 8 * MAX)) {
      journal.append(Records.numbered(0, 1));
      journal.append(List.of(longOne));
      journal.append(Records.numbered(1, 2));
      assertThat(drain(journal)).containsExactly("0000", "long", "0001");
    }
  }

  @Test
  void secondGatewayIsTurnedAwayUntilTheFirstHasClosed() {
    Journal first = open();
    assertThatIllegalArgumentException()
        .isThrownBy(this::open)
        .withMessage(
            "usage.spool: "
                + folder
                + " is in use by another gateway (expected: a folder for each gateway)");
    first.close();
    open().close();
  }

  @Test
  void folderThatCannotBeMadeIsAnErrorThatNamesTheSetting() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Journal.open("test", file.resolve("below"), MAX))
        .withMessageStartingWith("usage.spool: ")
        .withMessageEndingWith(" cannot be used (expected: a folder to write to)");
  }

  @Test
  void segmentThatSomebodyDeletesDoesNotStopTheOthers() throws IOException {
    try (Journal journal = open()) {
      for (int i = 0; i < 300; i += 100) {
        journal.append(Records.numbered(i, i + 100));
      }
      Files.delete(segments().get(0));
      Files.delete(segments().get(segments().size() - 1)); // the one that is written to
      List<String> rest = drain(journal);
      assertThat(rest).isNotEmpty().doesNotContain("0000", "0299");
      journal.append(Records.numbered(500, 510));
      assertThat(drain(journal)).isEqualTo(Records.ids(Records.numbered(500, 510)));
    }
  }
}
