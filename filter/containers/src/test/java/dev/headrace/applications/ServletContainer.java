package dev.headrace.applications;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A process that runs {@link ServletContainerMain}. For one thread. */
final class ServletContainer implements AutoCloseable {

  /** Which container; the name is the argument of the process. */
  enum Kind {
    TOMCAT("tomcat-.*|jakarta\\.annotation-api-.*"),
    JETTY("jetty-.*|jakarta\\..*|asm-.*|slf4j-api-.*");

    private final Pattern jars;

    Kind(String jars) {
      this.jars = Pattern.compile(jars);
    }

    /** The container's jars among those of this JVM, and a folder with the main class. */
    private String classPath(Path main) {
      return Stream.concat(
              Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                  .filter(jar -> jars.matcher(Path.of(jar).getFileName().toString()).matches()),
              Stream.of(main.toString()))
          .collect(Collectors.joining(File.pathSeparator));
    }
  }

  /** Stands behind the last line of the process. */
  private static final String END = "\0";

  private final Process process;
  private final BlockingQueue<String> unread = new LinkedBlockingQueue<>();
  private final List<String> lines = new CopyOnWriteArrayList<>();
  private final int port;

  private ServletContainer(Process process) throws IOException, InterruptedException {
    this.process = process;
    Thread reader = new Thread(this::read, "output-of-container");
    reader.setDaemon(true);
    reader.start();
    port = Integer.parseInt(after("port "));
  }

  /** Starts a process with this application and waits until it answers. */
  static ServletContainer start(Kind kind, Path application)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                // Jackson 2 keeps buffers behind soft references of threads.
                "-XX:SoftRefLRUPolicyMSPerMB=0",
                "-cp",
                kind.classPath(copyMain(application.resolveSibling("main"))),
                ServletContainerMain.class.getName(),
                kind.name(),
                application.toString(),
                Files.createDirectories(application.resolveSibling("container")).toString())
            .redirectErrorStream(true)
            .start();
    return new ServletContainer(process);
  }

  /** Alone: an application would see all else that lies beside it, such as settings of Logback. */
  private static Path copyMain(Path to) throws IOException {
    Path classes = OneJar.of(ServletContainerMain.class);
    Path folder = Path.of(ServletContainerMain.class.getName().replace('.', '/')).getParent();
    Files.createDirectories(to.resolve(folder));
    try (Stream<Path> files = Files.list(classes.resolve(folder))) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.startsWith(ServletContainerMain.class.getSimpleName())) {
          Files.copy(file, to.resolve(folder).resolve(name));
        }
      }
    }
    return to;
  }

  private void read() {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        lines.add(line);
        unread.add(line);
      }
      unread.add(END);
    } catch (IOException e) {
      lines.add("the output cannot be read: " + e);
      unread.add(END);
    }
  }

  /** The rest of the next line that begins so. */
  private String after(String beginning) throws InterruptedException {
    long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (true) {
      String line = unread.poll(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
      if (line == null || line.equals(END)) {
        process.destroyForcibly();
        throw new AssertionError("no line begins with '" + beginning + "' but:\n" + output());
      }
      if (line.startsWith(beginning)) {
        return line.substring(beginning.length());
      }
    }
  }

  int port() {
    return port;
  }

  /** All that the process has written so far. */
  String output() {
    return String.join("\n", lines);
  }

  /** Takes the application out, and says whether its class loader is gone then. */
  boolean undeployAndCollect() throws IOException, InterruptedException {
    process.getOutputStream().write("undeploy\n".getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
    return Boolean.parseBoolean(after("collected "));
  }

  @Override
  public void close() throws IOException {
    process.getOutputStream().close();
    try {
      process.waitFor(20, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      process.destroyForcibly();
    }
  }
}
