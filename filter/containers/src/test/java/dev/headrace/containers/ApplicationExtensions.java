package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.headrace.spi.FinishedMessage;
import dev.headrace.spi.StreamListener;
import dev.headrace.spi.StreamStart;
import dev.headrace.spi.UsageRecord;
import dev.headrace.spi.UsageSink;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/**
 * A listener and a sink of an application, which has their classes and names in {@code
 * WEB-INF/classes}. They write what they are told to a file, since the test sees none of the
 * objects of the application's class loader.
 */
public final class ApplicationExtensions {

  private static final String NOTES = "notes-are-in.txt";

  private ApplicationExtensions() {}

  /** Puts them into an application. */
  static void install(Path application, Path notes) throws IOException {
    Path classes = application.resolve("WEB-INF/classes");
    Path from = RuntimeJars.of(ApplicationExtensions.class);
    String name = ApplicationExtensions.class.getName().replace('.', '/');
    Path folder = Path.of(name).getParent();
    Files.createDirectories(classes.resolve(folder));
    try (Stream<Path> compiled = Files.list(from.resolve(folder))) {
      for (Path file : compiled.toList()) {
        if (file.getFileName().toString().startsWith("ApplicationExtensions")) {
          Files.copy(file, classes.resolve(folder).resolve(file.getFileName()));
        }
      }
    }
    Path services = Files.createDirectories(classes.resolve("META-INF/services"));
    Files.writeString(
        services.resolve(StreamListener.class.getName()), Listener.class.getName() + "\n");
    Files.writeString(services.resolve(UsageSink.class.getName()), Sink.class.getName() + "\n");
    Files.writeString(notes, "");
    Files.writeString(classes.resolve(NOTES), notes.toAbsolutePath().toString());
  }

  private static void note(String text) {
    ClassLoader application = ApplicationExtensions.class.getClassLoader();
    try (InputStream notes = application.getResourceAsStream(NOTES)) {
      if (notes == null) {
        throw new IllegalStateException("loaded by " + application + ", not by the application");
      }
      Path file = Path.of(new String(notes.readAllBytes(), UTF_8));
      Files.writeString(file, text + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Notes the text of each message. */
  public static final class Listener implements StreamListener {
    /** For the service loader. */
    public Listener() {}

    @Override
    public void onMessage(StreamStart start, FinishedMessage message) {
      note("heard " + message.text());
    }
  }

  /** Notes the outcome of each exchange. */
  public static final class Sink implements UsageSink {
    /** For the service loader. */
    public Sink() {}

    @Override
    public void keep(List<UsageRecord> records) {
      for (UsageRecord usage : records) {
        if (usage.kind() == UsageRecord.Kind.EXCHANGE) {
          note("kept " + usage.outcome());
        }
      }
    }
  }
}
