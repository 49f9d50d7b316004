package dev.headrace.usage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.headrace.spi.UsageRecord;
import dev.headrace.usage.ScriptedSink.Mode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class SpooledSinkTest {

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  @TempDir Path temp;
  private Path folder;
  private final ScriptedSink sink = new ScriptedSink();
  private final List<SpooledSink> opened = new ArrayList<>();
  private final LogLines log = new LogLines("dev.headrace.usage");

  @BeforeEach
  void folder() {
    folder = temp.resolve("spool");
  }

  @AfterEach
  void nothingRemains() {
    opened.forEach(each -> each.close(PATIENCE));
    log.close();
    assertThat(SinkThreadNames.alive()).isEmpty();
  }

  private SpooledSink open() {
    return open(folder, sink, 1 << 20, 100_000);
  }

  private SpooledSink open(Path where, ScriptedSink to, long maxBytes, int capacity) {
    SpooledSink spooled = SpooledSink.open("books", to, () -> {}, where, maxBytes, capacity);
    opened.add(spooled);
    return spooled;
  }

  /** What a process finds that starts after this one was killed now. */
  private Path killedNow() throws IOException {
    Path copy = Files.createDirectory(temp.resolve("copy" + System.nanoTime()));
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        try {
          Files.copy(file, copy.resolve(file.getFileName().toString()));
        } catch (NoSuchFileException e) {
          // acknowledged and deleted meanwhile
        }
      }
    }
    return copy;
  }

  private static void offer(SpooledSink spooled, int from, int to) {
    Records.numbered(from, to).forEach(spooled::offer);
  }

  private static List<String> ids(int from, int to) {
    return Records.ids(Records.numbered(from, to));
  }

  private static void awaitInJournal(SpooledSink spooled, int waiting) {
    await()
        .untilAsserted(
            () -> {
              assertThat(spooled.figures().spooledBytes()).isPositive();
              assertThat(spooled.figures().waiting()).isEqualTo(waiting);
            });
  }

  @Test
  void recordsReachTheSinkInOrderAndLeaveAnEmptyFolder() throws IOException {
    SpooledSink spooled = open();
    offer(spooled, 0, 1_500);
    await().until(() -> spooled.figures().kept() == 1_500);
    assertThat(sink.offered).isEqualTo(ids(0, 1_500));
    assertThat(spooled.figures()).isEqualTo(new SinkFigures("books", 1_500, 0, 0, 0));
    spooled.close(PATIENCE);
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder("lock", "checkpoint");
    }
  }

  @Test
  void sinkThatLeavesItsThreadInterruptedIsAskedAgain() {
    SpooledSink spooled =
        SpooledSink.open("books", sink.interrupting(), () -> {}, folder, 1 << 20, 100);
    opened.add(spooled);
    offer(spooled, 0, 3);
    await().until(() -> spooled.figures().kept() == 3);
    offer(spooled, 3, 6);
    await().until(() -> spooled.figures().kept() == 6);
    assertThat(sink.offered).isEqualTo(ids(0, 6));
  }

  @Test
  void sinkThatFailsGetsEverythingOnceItIsBackAndTheLogSaysSoTwice() {
    SpooledSink spooled = open();
    sink.now(Mode.FAILS);
    offer(spooled, 0, 300);
    await().until(() -> sink.calls.get() >= 3);
    offer(spooled, 300, 400);
    sink.now(Mode.TAKES);
    await().until(() -> sink.kept().size() == 400);
    assertThat(sink.offered).isEqualTo(ids(0, 400));
    await().until(() -> !log.containing("is back").isEmpty());
    assertThat(log.all())
        .hasSize(2)
        .first()
        .isEqualTo(
            "WARN Usage sink books fails, its records wait until it is back:"
                + " java.lang.IllegalStateException: the books are closed");
    assertThat(log.all().get(1)).startsWith("INFO Usage sink books is back after ");
  }

  @Test
  void spoolThatCannotBeReadForAWhileIsDeliveredAfterwards() throws IOException {
    sink.now(Mode.FAILS);
    SpooledSink spooled = open();
    offer(spooled, 0, 10);
    await().until(() -> sink.calls.get() > 0); // these at most have been read
    offer(spooled, 10, 600);
    awaitInJournal(spooled, 600);
    Path aside = Files.createDirectory(temp.resolve("aside"));
    for (Path segment : segments(folder)) {
      Files.move(segment, aside.resolve(segment.getFileName()));
      Files.createSymbolicLink(segment, segment); // is there, and cannot be opened
    }
    sink.now(Mode.TAKES);
    await().until(() -> !log.containing("cannot be read; its records wait there").isEmpty());
    for (Path segment : segments(aside)) {
      Files.move(segment, folder.resolve(segment.getFileName()), StandardCopyOption.ATOMIC_MOVE);
    }
    await().until(() -> spooled.figures().kept() == 600);
    assertThat(sink.offered).isEqualTo(ids(0, 600));
    assertThat(spooled.figures().dropped()).isZero();
    assertThat(log.containing("can be read again")).isNotEmpty();
  }

  private static List<Path> segments(Path where) throws IOException {
    try (Stream<Path> files = Files.list(where)) {
      return files.filter(file -> file.toString().endsWith(".usage")).sorted().toList();
    }
  }

  @Test
  void sinkThatHangsKeepsNothingOutOfTheJournal() throws IOException {
    sink.now(Mode.HANGS);
    SpooledSink spooled = open();
    offer(spooled, 0, 1);
    await().until(() -> sink.calls.get() == 1);
    offer(spooled, 1, 800);
    awaitInJournal(spooled, 800);

    ScriptedSink next = new ScriptedSink();
    SpooledSink restarted = open(killedNow(), next, 1 << 20, 100);
    await().until(() -> restarted.figures().waiting() == 0 && next.kept().size() == 800);
    assertThat(next.kept()).isEqualTo(ids(0, 800));
  }

  @Test
  void killBetweenTheSinkAndTheCheckpointOffersAgainAndNothingIsThereTwice() throws IOException {
    sink.now(Mode.TAKES_AND_FAILS);
    try (Journal journal = Journal.open("books", folder, 1 << 20)) {
      journal.append(Records.numbered(0, 50)); // so that they are one batch
    }
    SpooledSink spooled = open();
    await().until(() -> sink.kept().size() == 50);
    Path left = killedNow();
    sink.now(Mode.TAKES);
    await().until(() -> spooled.figures().waiting() == 0);

    SpooledSink restarted = open(left, sink, 1 << 20, 100);
    await().until(() -> restarted.figures().kept() == 50);
    assertThat(sink.offered).hasSizeGreaterThanOrEqualTo(150);
    assertThat(sink.kept()).isEqualTo(ids(0, 50));
  }

  @Test
  void replayDoneTwiceOffersTheSecondTimeNothing() {
    sink.now(Mode.FAILS);
    SpooledSink first = open();
    offer(first, 0, 50);
    awaitInJournal(first, 50);
    first.close(PATIENCE);
    sink.now(Mode.TAKES);
    for (int i = 0; i < 2; i++) {
      SpooledSink again = open();
      await().until(() -> again.figures().waiting() == 0 && sink.offered.size() == 50);
      again.close(PATIENCE);
    }
    assertThat(sink.offered).isEqualTo(ids(0, 50));
  }

  @Test
  void closingDeliversWhatWaits() {
    SpooledSink spooled = open(folder, sink, 64 << 20, 100_000);
    offer(spooled, 0, 5_000);
    spooled.close(PATIENCE);
    assertThat(sink.kept()).isEqualTo(ids(0, 5_000));
  }

  @Test
  void closingLeavesWhatAFailingSinkDoesNotTakeForTheNextStart() {
    sink.now(Mode.FAILS);
    SpooledSink spooled = open();
    offer(spooled, 0, 700);
    await().until(() -> sink.calls.get() > 0);
    long before = System.nanoTime();
    spooled.close(PATIENCE);
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(2));
    assertThat(spooled.figures().waiting()).isEqualTo(700);
    assertThat(spooled.figures().dropped()).isZero();

    sink.now(Mode.TAKES);
    SpooledSink restarted = open();
    await().until(() -> restarted.figures().kept() == 700);
    assertThat(sink.kept()).isEqualTo(ids(0, 700));
  }

  @Test
  void closingEndsASinkThatHangsAndItsRecordsStay() {
    sink.now(Mode.HANGS);
    AtomicBoolean aborted = new AtomicBoolean();
    SpooledSink spooled =
        SpooledSink.open("books", sink, () -> aborted.set(true), folder, 1 << 20, 100);
    offer(spooled, 0, 20);
    await().until(() -> sink.calls.get() == 1);
    spooled.close(Duration.ofMillis(200));
    assertThat(aborted).isTrue();
    assertThat(SinkThreadNames.alive()).isEmpty();

    sink.now(Mode.TAKES);
    SpooledSink restarted = open();
    await().until(() -> restarted.figures().kept() == 20);
  }

  @Test
  void recordAfterTheCloseIsCountedAsDroppedAndStartsNothing() {
    SpooledSink spooled = open();
    spooled.close(PATIENCE);
    offer(spooled, 0, 1);
    assertThat(spooled.figures().dropped()).isEqualTo(1);
  }

  @Test
  void fullSpoolDropsTheNewestAndSaysWhich() {
    sink.now(Mode.FAILS);
    SpooledSink spooled = open();
    offer(spooled, 0, 6_000);
    await().until(() -> spooled.figures().dropped() > 0);
    await().until(() -> spooled.figures().waiting() + spooled.figures().dropped() == 6_000);
    await().until(() -> !log.containing("usage.spool-max").isEmpty());
    int dropped = (int) spooled.figures().dropped();
    assertThat(log.containing("usage.spool-max").get(0))
        .startsWith("WARN Usage sink books: ")
        .contains("from " + ids(6_000 - dropped, 6_001 - dropped).get(0) + " of 2026-11-22T12");

    sink.now(Mode.TAKES);
    await().until(() -> spooled.figures().waiting() == 0);
    assertThat(sink.kept()).isEqualTo(ids(0, 6_000 - dropped));
    offer(spooled, 7_000, 7_010);
    await().until(() -> sink.kept().size() == 6_010 - dropped);
  }

  @Test
  void whoIsRefusedOftenLeavesRoomForOthers() {
    sink.now(Mode.FAILS);
    SpooledSink spooled = open(folder, sink, 4 << 20, 100_000);
    Records.refused(0, 9_000).forEach(spooled::offer);
    offer(spooled, 9_000, 9_050);
    await().until(() -> !log.containing("usage.spool-max").isEmpty());
    await().until(() -> spooled.figures().waiting() + spooled.figures().dropped() == 9_050);

    sink.now(Mode.TAKES);
    await().until(() -> spooled.figures().waiting() == 0);
    assertThat(sink.kept()).containsAll(ids(9_000, 9_050));
    assertThat(sink.kept().size() + spooled.figures().dropped()).isEqualTo(9_050);
  }

  @Test
  void whoIsRefusedOftenLeavesRoomForOthersAlsoWhileTheDiskFails() throws IOException {
    sink.now(Mode.FAILS);
    SpooledSink spooled = open(folder, sink, 1 << 20, 100);
    breakFolder();
    for (int i = 0; i < 300; i += 10) {
      Records.refused(i, i + 10).forEach(spooled::offer);
      int count = i + 10;
      await()
          .pollInterval(Duration.ofMillis(1))
          .until(() -> spooled.figures().waiting() + spooled.figures().dropped() == count);
    }
    for (int i = 300; i < 340; i++) {
      offer(spooled, i, i + 1);
    }
    await().until(() -> spooled.figures().waiting() + spooled.figures().dropped() == 340);

    sink.now(Mode.TAKES);
    await().until(() -> spooled.figures().waiting() == 0);
    assertThat(sink.kept()).containsAll(ids(300, 340));
  }

  @Test
  void diskThatFailsIsToldOnceAndRecordsGoToTheSinkFromMemory() throws IOException {
    SpooledSink spooled = open();
    breakFolder();
    for (int i = 0; i < 50; i++) {
      offer(spooled, i, i + 1);
      int count = i + 1;
      await().pollInterval(Duration.ofMillis(1)).until(() -> sink.kept().size() == count);
    }
    assertThat(log.containing("cannot be written")).hasSize(1);
    assertThat(spooled.figures().dropped()).isZero();
  }

  @Test
  void diskThatIsFullIsTriedOnceASecondAndTheOrderStays() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.isWritable(full), "no /dev/full here");
    SpooledSink spooled = open();
    int tries = 60; // each takes one of these away, which are the next segments
    for (int i = 1; i <= tries; i++) {
      Files.createSymbolicLink(folder.resolve(String.format("%08d.usage", i)), full);
    }
    long before = System.nanoTime();
    for (int i = 0; i < 50; i++) {
      offer(spooled, i, i + 1);
      int count = i + 1;
      await().pollInterval(Duration.ofMillis(1)).until(() -> sink.kept().size() == count);
    }
    long seconds = Duration.ofNanos(System.nanoTime() - before).toSeconds();
    List<Path> untried = segments(folder);
    for (Path link : untried) {
      Files.delete(link);
    }
    assertThat(tries - untried.size()).isBetween(1, 1 + (int) seconds);
    assertThat(sink.offered).isEqualTo(ids(0, 50));
    await().until(() -> spooled.figures().waiting() == 0);
    assertThat(spooled.figures().dropped()).isZero();
  }

  @Test
  void closingWithAFullDiskDropsWhatTheSinkDoesNotTakeAndSaysSo() throws IOException {
    sink.now(Mode.FAILS);
    SpooledSink spooled = open();
    breakFolder();
    offer(spooled, 0, 20);
    await().until(() -> !log.containing("its records wait until it is back").isEmpty());
    await().until(() -> spooled.figures().waiting() == 20);
    spooled.close(PATIENCE);
    assertThat(spooled.figures().dropped()).isEqualTo(20);
    assertThat(spooled.figures().waiting()).isZero();
    assertThat(log.containing("20 records were dropped because the spool cannot be written"))
        .hasSize(1);
  }

  @Test
  void lineThatCannotBeReadIsNotWaitedFor() throws IOException {
    Files.createDirectories(folder);
    byte[] broken = Journal.line(Records.numbered(1, 2).get(0));
    broken[20] ^= 1;
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    lines.writeBytes(broken);
    Records.numbered(0, 10).forEach(usage -> lines.writeBytes(Journal.line(usage)));
    Files.write(folder.resolve("00000001.usage"), lines.toByteArray());
    SpooledSink spooled = open();
    await().until(() -> spooled.figures().kept() == 10);
    spooled.close(PATIENCE);
    assertThat(spooled.figures().waiting()).isZero();
    assertThat(log.containing("stay in the spool")).isEmpty();
  }

  @Test
  void whatWaitedInMemoryGoesIntoTheJournalOnceTheDiskIsBack() throws IOException {
    sink.now(Mode.FAILS);
    SpooledSink spooled = open(folder, sink, 1 << 20, 100);
    breakFolder();
    for (int i = 0; i < 150; i++) { // more than there is room for
      offer(spooled, i, i + 1);
      int count = i + 1;
      await()
          .pollInterval(Duration.ofMillis(1))
          .until(() -> spooled.figures().waiting() + spooled.figures().dropped() == count);
    }
    await().until(() -> !log.containing("cannot be written and usage.queue is full").isEmpty());
    long dropped = spooled.figures().dropped();
    assertThat(dropped).isBetween(40L, 50L);

    Files.delete(folder);
    await().until(() -> !log.containing("can be written again").isEmpty());
    sink.now(Mode.TAKES);
    await().until(() -> spooled.figures().waiting() == 0);
    assertThat(sink.kept()).hasSize(150 - (int) dropped);
  }

  /** Nobody can write below a file, not even root. */
  private void breakFolder() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
    Files.writeString(folder, "");
  }

  @Test
  void secondGatewayDoesNotGetTheFolder() {
    open();
    assertThatIllegalArgumentException()
        .isThrownBy(this::open)
        .withMessageContaining("is in use by another gateway");
  }

  @Test
  void eachThreadsRecordsStayInOrderUnderLoad() throws InterruptedException {
    SpooledSink spooled = open(folder, sink, 64 << 20, 100_000);
    List<Thread> threads =
        IntStream.range(0, 4)
            .mapToObj(
                t -> new Thread(() -> offer(spooled, t * 2_500, (t + 1) * 2_500), "load-" + t))
            .toList();
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    await().until(() -> spooled.figures().kept() == 10_000);
    for (int t = 0; t < 4; t++) {
      String digit = ids(t * 2_500, t * 2_500 + 1).get(0);
      String end = ids((t + 1) * 2_500 - 1, (t + 1) * 2_500).get(0);
      assertThat(sink.offered.stream().filter(id -> between(id, digit, end)).toList())
          .isEqualTo(ids(t * 2_500, (t + 1) * 2_500));
    }
  }

  private static boolean between(String id, String from, String to) {
    return id.compareTo(from) >= 0 && id.compareTo(to) <= 0;
  }

  @Test
  @Timeout(30)
  void gatheringEndsWithAFullBatchOrTheQueue() throws Exception {
    RecordQueue queue = new RecordQueue(10);
    Records.numbered(0, 3).forEach(queue::offer);
    assertThat(queue.take(3, 0, 60_000)).hasSize(3);
    assertThat(queue.take(3, 0, 60_000)).as("nothing to wait behind").isEmpty();

    Records.numbered(3, 5).forEach(queue::offer);
    CompletableFuture<Void> last =
        CompletableFuture.runAsync(() -> Records.numbered(5, 6).forEach(queue::offer));
    assertThat(Records.ids(queue.take(3, 0, 60_000))).containsExactly("0003", "0004", "0005");
    last.get();

    Records.numbered(6, 7).forEach(queue::offer);
    CompletableFuture<Void> closed = CompletableFuture.runAsync(queue::close);
    assertThat(queue.take(3, 0, 60_000)).hasSize(1);
    closed.get();
  }

  @Test
  @Timeout(30)
  void gatheringLeavesRoomForMore() throws Exception {
    RecordQueue queue = new RecordQueue(10);
    Records.numbered(0, 5).forEach(queue::offer);
    assertThat(queue.take(500, 0, 60_000)).hasSize(5);
  }

  @Test
  void halfOfAQueueIsForRequestsThatMayHaveCostSomething() {
    RecordQueue queue = new RecordQueue(4);
    assertThat(Records.refused(0, 3).stream().map(queue::offer)).containsExactly(true, true, false);
    assertThat(Records.numbered(3, 6).stream().map(queue::offer))
        .containsExactly(true, true, false);
  }

  @Test
  void queueThatIsFullDropsAndCounts() throws InterruptedException {
    RecordQueue queue = new RecordQueue(3);
    List<UsageRecord> records = Records.numbered(0, 4);
    assertThat(records.stream().map(queue::offer)).containsExactly(true, true, true, false);
    assertThat(Records.ids(queue.take(2, 0))).containsExactly("0000", "0001");
    queue.close();
    assertThat(queue.offer(records.get(0))).isFalse();
    assertThat(queue.isAtEnd()).isFalse();
    assertThat(queue.take(5, 10_000)).hasSize(1);
    assertThat(queue.take(5, 10_000)).isEmpty();
    assertThat(queue.isAtEnd()).isTrue();
  }
}
