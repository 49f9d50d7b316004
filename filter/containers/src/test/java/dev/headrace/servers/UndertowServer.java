package dev.headrace.servers;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Undertow's jars with {@link UndertowMain}. */
final class UndertowServer extends Distribution {

  @Override
  boolean offersH2c() {
    return true;
  }

  @Override
  Launch prepare(Start start) throws IOException {
    Path webapps = start.base().resolve("webapps");
    Applications.unpackAll(start.applications(), webapps);
    Path launcher = start.base().resolve("launcher");
    copyLauncher(launcher);
    List<String> classPath = new ArrayList<>();
    classPath.add(launcher.toString());
    try (Stream<Path> jars = Files.list(start.servers().resolve("undertow/lib"))) {
      jars.map(Path::toString).sorted().forEach(classPath::add);
    }
    return new Launch(
        List.of(
            "-Djava.io.tmpdir=" + Files.createDirectories(start.base().resolve("temp")),
            "-Dorg.jboss.logging.provider=jdk",
            "-classpath",
            String.join(File.pathSeparator, classPath),
            UndertowMain.class.getName()),
        List.of(Integer.toString(start.port()), webapps.toString(), start.idleMillis(0)),
        Map.of(),
        webapps);
  }

  /** Its classes alone, or the server would see all that the tests see. */
  private static void copyLauncher(Path into) throws IOException {
    Path classes;
    try {
      classes =
          Path.of(UndertowMain.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (java.net.URISyntaxException e) {
      throw new IOException(e);
    }
    Path folder = Path.of(UndertowMain.class.getPackageName().replace('.', '/'));
    Files.createDirectories(into.resolve(folder));
    try (Stream<Path> files = Files.list(classes.resolve(folder))) {
      for (Path file : (Iterable<Path>) files::iterator) {
        if (file.getFileName().toString().startsWith("Undertow")) {
          Files.copy(file, into.resolve(folder).resolve(file.getFileName()));
        }
      }
    }
  }
}
