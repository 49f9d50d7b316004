package dev.headrace.applications;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.headrace.GatewayServlet;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** {@code headrace-core-<version>-all.jar}, as the build of {@code filter/core} has left it. */
final class OneJar {

  private static final Path FOLDER = Path.of("../core/target");

  private OneJar() {}

  /** Where it is; ends the test, as not applicable, in a build that makes no jars. */
  static Path path() throws IOException {
    assumeThat(of(GatewayServlet.class))
        .as("mvn test makes no jar, mvn verify does")
        .isRegularFile();
    try (Stream<Path> files = Files.list(FOLDER)) {
      List<Path> found =
          files
              .filter(file -> file.getFileName().toString().matches("headrace-core-.*-all\\.jar"))
              .toList();
      assertThat(found).hasSize(1);
      return found.get(0);
    }
  }

  /** The jar or folder that a class comes from. */
  static Path of(Class<?> type) {
    try {
      return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }
}
