package dev.headrace.servers;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Copies, unpacks and removes web applications and folders. */
final class Applications {

  private Applications() {}

  /** Puts WAR files, or unpacked applications, where a server looks for them. */
  static void copyAll(Map<String, Path> applications, Path webapps) throws IOException {
    Files.createDirectories(webapps);
    for (Map.Entry<String, Path> application : applications.entrySet()) {
      Path source = application.getValue();
      if (Files.isDirectory(source)) {
        copyFolder(source, webapps.resolve(application.getKey()));
      } else {
        Files.copy(source, webapps.resolve(application.getKey() + ".war"));
      }
    }
  }

  /** The same, with WAR files unpacked. */
  static void unpackAll(Map<String, Path> applications, Path webapps) throws IOException {
    Files.createDirectories(webapps);
    for (Map.Entry<String, Path> application : applications.entrySet()) {
      Path source = application.getValue();
      Path target = webapps.resolve(application.getKey());
      if (Files.isDirectory(source)) {
        copyFolder(source, target);
      } else {
        unpack(source, target);
      }
    }
  }

  private static void unpack(Path war, Path into) throws IOException {
    try (InputStream file = Files.newInputStream(war);
        ZipInputStream zip = new ZipInputStream(file)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        Path target = into.resolve(entry.getName()).normalize();
        if (!target.startsWith(into)) {
          throw new IOException(war + " has an entry outside: " + entry.getName());
        }
        if (entry.isDirectory()) {
          Files.createDirectories(target);
        } else {
          Files.createDirectories(target.getParent());
          Files.copy(zip, target);
        }
      }
    }
  }

  static void copyFolder(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path source : (Iterable<Path>) all::iterator) {
        Path target = to.resolve(from.relativize(source).toString());
        if (Files.isDirectory(source)) {
          Files.createDirectories(target);
        } else {
          Files.copy(source, target, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    }
  }

  /** Removes a folder with everything in it, as far as that can be. */
  static void delete(Path folder) throws IOException {
    if (!Files.exists(folder)) {
      return;
    }
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            Files.delete(file);
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(
              Path visited, @org.jspecify.annotations.Nullable IOException failure)
              throws IOException {
            if (failure != null) {
              throw failure;
            }
            Files.delete(visited);
            return FileVisitResult.CONTINUE;
          }
        });
  }
}
