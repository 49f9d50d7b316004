package dev.headrace.containers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.headrace.GatewayServlet;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The jars that an application gets with the gateway: its own and those that it needs. */
public final class RuntimeJars {

  /** Written by the build of {@code filter/core}. */
  private static final Path LIST = Path.of("../core/target/runtime-jars.txt");

  private RuntimeJars() {}

  /** All of them; ends the test, as not applicable, in a build that makes no jars. */
  public static List<Path> all() throws IOException {
    Path core = of(GatewayServlet.class);
    assumeThat(core).as("mvn test makes no jar, mvn verify does").isRegularFile();
    assertThat(LIST).as("written by mvn verify in filter/core").exists();
    return Stream.concat(
            Stream.of(core),
            Stream.of(Files.readString(LIST).strip().split(File.pathSeparator, -1)).map(Path::of))
        .toList();
  }

  /**
   * Puts them into an application, but for that of SLF4J: with the container's, there is a log to
   * write to.
   */
  public static void install(Path application) throws IOException {
    Path lib = Files.createDirectories(application.resolve("WEB-INF/lib"));
    for (Path jar : all()) {
      String name = jar.getFileName().toString();
      if (!name.startsWith("slf4j-api")) {
        Files.copy(jar, lib.resolve(name));
      }
    }
  }

  /** Puts SLF4J and Logback there, as applications in servers of their own have them. */
  static void installLogback(Path application) throws IOException {
    Path lib = application.resolve("WEB-INF/lib");
    for (Class<?> type :
        List.of(
            org.slf4j.Logger.class,
            ch.qos.logback.classic.Logger.class,
            ch.qos.logback.core.Appender.class)) {
      Path jar = of(type);
      Files.copy(jar, lib.resolve(jar.getFileName()));
    }
  }

  /** The jar or folder that a class comes from. */
  public static Path of(Class<?> type) {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
