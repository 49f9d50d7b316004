package dev.headrace.admission;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class PresetFilesTest {
  @TempDir Path folder;

  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5); // it may overflow
  private final ListAppender<ILoggingEvent> logged = new ListAppender<>();
  private long fileTime = 1_000_000_000_000L;

  @BeforeEach
  void listen() {
    logged.start();
    logger().setLevel(Level.INFO);
    logger().addAppender(logged);
  }

  @AfterEach
  void stopListening() {
    logger().detachAppender(logged);
    logger().setLevel(null); // that of the others
  }

  private static Logger logger() {
    return (Logger) LoggerFactory.getLogger(WatchedFile.class);
  }

  private List<String> warnings() {
    return logged.list.stream()
        .filter(event -> event.getLevel() == Level.WARN)
        .map(ILoggingEvent::getFormattedMessage)
        .toList();
  }

  private Path prompt() {
    return folder.resolve("support.md");
  }

  private Path tools() {
    return folder.resolve("tools.json");
  }

  /** Each version has a time of its own, also where the clock of the file system is coarse. */
  private void write(Path file, String text) throws IOException {
    Files.writeString(file, text);
    fileTime += 1000;
    Files.setLastModifiedTime(file, FileTime.fromMillis(fileTime));
  }

  private PresetBodies open() throws PresetFileException {
    Preset preset =
        new Preset(
            "support",
            "m",
            PresetSource.file(prompt()),
            false,
            Files.exists(tools()) ? PresetSource.file(tools()) : null,
            9,
            null,
            Set.of(),
            Set.of());
    return new PresetBodies(preset, Map.of(), nanos::get);
  }

  private static String built(PresetBodies bodies) throws Exception {
    byte[] body = "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}".getBytes(UTF_8);
    UpstreamBody upstream = bodies.body(body, body.length, RequestPolicy.of("plans.any").build());
    return new String(upstream.bytes(), 0, upstream.length(), UTF_8);
  }

  private void aSecondPasses() {
    nanos.addAndGet(Duration.ofSeconds(1).toNanos());
  }

  @Test
  void readsAChangedFileAgainAfterASecond() throws Exception {
    write(prompt(), "One");
    PresetBodies bodies = open();
    assertThat(built(bodies)).contains("\"text\":\"One\"");
    write(prompt(), "Two"); // of the same size
    assertThat(built(bodies)).contains("\"text\":\"One\"");
    aSecondPasses();
    assertThat(built(bodies)).contains("\"text\":\"Two\"");
    aSecondPasses();
    assertThat(built(bodies)).contains("\"text\":\"Two\"");
    assertThat(logged.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly(
            "presets.support.system: read file:" + prompt() + " again, because it has changed");
  }

  /** As on a file system whose times are whole seconds. */
  @Test
  void noticesAChangeOfTheSameSizeAtTheSameTimeWhileThatIsNew() throws Exception {
    FileTime now = FileTime.from(Instant.now());
    write(prompt(), "One");
    Files.setLastModifiedTime(prompt(), now);
    PresetBodies bodies = open();
    Files.writeString(prompt(), "Two");
    Files.setLastModifiedTime(prompt(), now);
    aSecondPasses();
    assertThat(built(bodies)).contains("\"text\":\"Two\"");
    Files.write(prompt(), new byte[] {'b', (byte) 0xC3, 'd'});
    Files.setLastModifiedTime(prompt(), now);
    for (int i = 0; i < 3; i++) {
      aSecondPasses();
      assertThat(built(bodies)).contains("\"text\":\"Two\"");
    }
    assertThat(logged.list)
        .extracting(ILoggingEvent::getLevel)
        .containsExactly(Level.INFO, Level.WARN);
  }

  @Test
  void noticesAFileThatWasReplacedBesideItsTimeAndSize() throws Exception {
    write(prompt(), "One");
    PresetBodies bodies = open();
    Path other = folder.resolve("other.md");
    Files.writeString(other, "Two");
    Files.setLastModifiedTime(other, FileTime.fromMillis(fileTime));
    Files.move(
        other, prompt(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    aSecondPasses();
    assertThat(built(bodies)).contains("\"text\":\"Two\"");
  }

  @Test
  void aBrokenVersionKeepsTheOldOneAndIsLoggedOnce() throws Exception {
    write(prompt(), "One");
    write(tools(), "[{\"name\":\"a\"}]");
    PresetBodies bodies = open();
    String before = built(bodies);
    write(tools(), "[{\"secret\":");
    Files.write(prompt(), new byte[] {'a', (byte) 0xC3, 'b'});
    for (int i = 0; i < 5; i++) {
      aSecondPasses();
      assertThat(built(bodies)).isEqualTo(before);
    }
    assertThat(warnings())
        .containsExactlyInAnyOrder(
            "presets.support.tools: file:"
                + tools()
                + " is not valid JSON at line 1, column 12; the version read before stays in force",
            "presets.support.system: file:"
                + prompt()
                + " is not well-formed UTF-8 at byte 1; the version read before stays in force");
    write(tools(), "[{\"name\":\"bb\"}]");
    write(prompt(), "Two");
    aSecondPasses();
    assertThat(built(bodies)).contains("\"bb\"").contains("\"Two\"");
    assertThat(warnings()).hasSize(2);
  }

  @Test
  void aMissingFileKeepsTheOldVersionAndMayComeBack() throws Exception {
    write(prompt(), "One");
    PresetBodies bodies = open();
    Path away = folder.resolve("away.md");
    for (int i = 0; i < 2; i++) {
      Files.move(prompt(), away);
      aSecondPasses();
      assertThat(built(bodies)).contains("\"One\"");
      aSecondPasses();
      assertThat(built(bodies)).contains("\"One\"");
      Files.move(away, prompt());
      aSecondPasses();
      assertThat(built(bodies)).contains("\"One\"");
    }
    assertThat(warnings()) // once for each time that it went
        .hasSize(2)
        .allMatch(
            text ->
                text.equals(
                    "presets.support.system: file:"
                        + prompt()
                        + " does not exist; the version read before stays in force"));
  }

  @Test
  void aFileThatCannotBeUsedAtTheStartIsNamed() throws Exception {
    assertFault("does not exist");
    Files.createDirectory(prompt());
    assertFault("is a folder");
    Files.delete(prompt());
    write(prompt(), " \n");
    assertFault("is empty");
    write(prompt(), "\uFEFFHello");
    assertFault("begins with a byte order mark");
    write(prompt(), "a\u0000");
    assertFault("holds the character NUL");
    write(prompt(), "x".repeat(1024 * 1024 + 1));
    assertFault("is larger than 1MiB");
    write(prompt(), "x".repeat(1024 * 1024));
    assertThat(built(open())).hasSizeGreaterThan(1024 * 1024);
  }

  private void assertFault(String fault) {
    assertThatThrownBy(this::open)
        .isInstanceOf(PresetFileException.class)
        .hasMessage(
            "presets.support.system: file:"
                + prompt()
                + " "
                + fault
                + " (expected: a readable file)");
  }

  @Test
  void toolsMustBeAnArrayOfObjects() throws Exception {
    write(prompt(), "One");
    for (String broken :
        List.of("[]", "{}", "[1]", "\"a\"", "[{}] x", "[{}][{}]", "", "[{\"a\":1,\"a\":2}]")) {
      write(tools(), broken);
      assertThatThrownBy(this::open)
          .as(broken)
          .isInstanceOf(PresetFileException.class)
          .hasMessageStartingWith("presets.support.tools: file:" + tools() + " is not ");
    }
    write(tools(), "\n [ {\"description\" : \"" + "d\u00FC".repeat(500) + " ]\"} ] \n");
    assertThat(built(open()))
        .contains(
            ",\"tools\":[ {\"description\" : \"" + "d\u00FC".repeat(500) + " ]\"} ],\"stream\"");
  }
}
