package dev.headrace.matrix;

import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.core.Context;
import dev.headrace.containers.RuntimeJars;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.slf4j.LoggerFactory;

/** The WAR under test with settings of a test in it. */
final class HeadraceWar {

  private static final String LOGBACK =
      """
      <configuration>
        <appender name="CONSOLE" class="ch.qos.logback.core.ConsoleAppender">
          <encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{20} - %msg%n</pattern></encoder>
        </appender>
        <root level="WARN"><appender-ref ref="CONSOLE"/></root>
      </configuration>
      """;

  private HeadraceWar() {}

  /** Writes it to this file. */
  static Path write(Path file, String settings) throws IOException {
    try (OutputStream out = Files.newOutputStream(file);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.setLevel(java.util.zip.Deflater.NO_COMPRESSION);
      Set<Path> jars = new LinkedHashSet<>(RuntimeJars.all());
      jars.add(RuntimeJars.of(LoggerFactory.class));
      jars.add(RuntimeJars.of(LoggerContext.class));
      jars.add(RuntimeJars.of(Context.class));
      for (Path jar : jars) {
        add(zip, "WEB-INF/lib/" + jar.getFileName(), Files.readAllBytes(jar));
      }
      add(zip, "WEB-INF/classes/logback.xml", LOGBACK.getBytes(UTF_8));
      add(zip, "WEB-INF/headrace.yaml", settings.getBytes(UTF_8));
    }
    return file;
  }

  private static void add(ZipOutputStream zip, String name, byte[] content) throws IOException {
    zip.putNextEntry(new ZipEntry(name));
    zip.write(content);
    zip.closeEntry();
  }
}
