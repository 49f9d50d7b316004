package dev.headrace.war;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;

/**
 * The command of {@code java -jar headrace.war new-key --name alice}: makes a gateway key with
 * {@code dev.headrace.NewKey}. Stands at the root of the WAR, where Java finds it, and takes the
 * jar that it needs out of {@code WEB-INF/lib}, where Java finds nothing. Needs no other class of
 * ours.
 */
public final class WarMain {

  private static final String COMMAND = "java -jar headrace.war new-key";

  private WarMain() {}

  /** Makes a key; ends the process with 2 if the arguments are wrong. */
  public static void main(String[] arguments) throws Exception {
    int status;
    if (arguments.length > 0 && arguments[0].equals("new-key")) {
      status = newKey(arguments);
    } else {
      System.err.println(
          "This is a web application: put it into the folder webapps of Tomcat or Jetty.\n\n"
              + "To make a gateway key: "
              + COMMAND
              + " --name alice [--group users]");
      status = 2;
    }
    if (status != 0) {
      System.exit(status);
    }
  }

  private static int newKey(String[] arguments) throws Exception {
    String[] options = Arrays.copyOfRange(arguments, 1, arguments.length);
    Path core = Files.createTempFile("headrace-core", ".jar");
    try {
      extractCore(core);
      try (URLClassLoader loader =
          new URLClassLoader(new URL[] {core.toUri().toURL()}, WarMain.class.getClassLoader())) {
        return (int)
            loader
                .loadClass("dev.headrace.NewKey")
                .getMethod(
                    "run", String.class, String[].class, PrintStream.class, PrintStream.class)
                .invoke(null, COMMAND, options, System.out, System.err);
      }
    } finally {
      Files.deleteIfExists(core);
    }
  }

  private static void extractCore(Path target) throws IOException, URISyntaxException {
    Path war = Path.of(WarMain.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    try (JarFile jar = new JarFile(war.toFile())) {
      ZipEntry core =
          jar.stream()
              .filter(entry -> entry.getName().matches("WEB-INF/lib/headrace-core-[^/]*\\.jar"))
              .findFirst()
              .orElseThrow(() -> new IOException("no headrace-core in " + war));
      try (InputStream in = jar.getInputStream(core)) {
        Files.copy(in, target, StandardCopyOption.REPLACE_EXISTING);
      }
    }
  }
}
