package dev.headrace.containers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** The WAR as the build of {@code filter/war} has made it. */
public final class WarFile {

  private static final Path FILE = Path.of("../war/target/headrace.war");

  private WarFile() {}

  /** Ends the test, as not applicable, in a build that makes no WAR. */
  public static Path get() {
    assumeThat(FILE).as("mvn test makes no WAR, mvn verify does").isRegularFile();
    return FILE.toAbsolutePath().normalize();
  }

  /** A copy that gives running requests less time when Tomcat stops it. */
  static Path withUnloadDelay(Path directory, long millis) throws IOException {
    Path copy = Files.copy(get(), directory.resolve("with-unload-delay.war"));
    try (FileSystem zip = FileSystems.newFileSystem(URI.create("jar:" + copy.toUri()), Map.of())) {
      Path context = zip.getPath("META-INF/context.xml");
      String own = Files.readString(context);
      String other = own.replace("unloadDelay=\"30000\"", "unloadDelay=\"" + millis + "\"");
      if (other.equals(own)) {
        throw new IOException("no unloadDelay in " + own);
      }
      Files.write(context, other.getBytes(UTF_8));
    }
    return copy;
  }
}
