package dev.headrace.matrix;

import dev.headrace.containers.WarFile;
import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;

/** The WAR under test with settings of a test in it. */
final class HeadraceWar {

  /** What Tomcat gives to running requests when it undeploys; half a minute in the WAR as it is. */
  private static final int UNLOAD_MILLIS = 4_000;

  private HeadraceWar() {}

  /** Copies it to this file. */
  static Path write(Path file, String settings) throws IOException {
    Files.copy(WarFile.get(), file, StandardCopyOption.REPLACE_EXISTING);
    try (FileSystem zip = FileSystems.newFileSystem(URI.create("jar:" + file.toUri()), Map.of())) {
      Files.writeString(zip.getPath("WEB-INF/headrace.yaml"), settings);
      Path tomcats = zip.getPath("META-INF/context.xml");
      String own = Files.readString(tomcats);
      Files.writeString(
          tomcats, own.replace("unloadDelay=\"30000\"", "unloadDelay=\"" + UNLOAD_MILLIS + "\""));
    }
    return file;
  }
}
