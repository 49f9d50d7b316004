package dev.headrace.databases;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.opentest4j.TestAbortedException;

/** What the servers have in common: a folder, another user when the tests run as root, signals. */
final class ServerProcess {

  private static final boolean ROOT = System.getProperty("user.name").equals("root");

  private final String systemUser;
  private final Path folder;
  private Process process;

  /**
   * @param systemUser who owns the folder and runs the server when the tests run as root, since
   *     the servers refuse to be root
   */
  ServerProcess(String systemUser, String prefix) throws IOException {
    this.systemUser = systemUser;
    this.folder = Files.createTempDirectory(prefix);
    giveAway(folder);
  }

  Path folder() {
    return folder;
  }

  void giveAway(Path file) throws IOException {
    if (ROOT) {
      Files.setOwner(
          file,
          FileSystems.getDefault()
              .getUserPrincipalLookupService()
              .lookupPrincipalByName(systemUser));
    }
  }

  /** Ends the test: as skipped, or as failed if the system property says that it must run. */
  static RuntimeException missing(String what, String property) {
    String message = what + " is not installed";
    if ("required".equals(System.getProperty(property))) {
      Assertions.fail(message + ", and -D" + property + "=required says that it must be");
    }
    return new TestAbortedException(message + ": this test is skipped");
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  /** Runs a command to its end. */
  void run(List<String> command) throws IOException, InterruptedException {
    Path log = folder.resolve("setup.log");
    Process setup = builder(command, log).start();
    if (!setup.waitFor(120, TimeUnit.SECONDS) || setup.exitValue() != 0) {
      setup.destroyForcibly();
      throw new IllegalStateException(command + " failed:\n" + Files.readString(log));
    }
  }

  void start(List<String> command) throws IOException {
    process = builder(command, folder.resolve("server.log")).start();
  }

  private ProcessBuilder builder(List<String> command, Path log) {
    List<String> all = new ArrayList<>();
    if (ROOT) { // unlike runuser, setpriv becomes the command, so that signals reach it
      all.addAll(
          List.of("setpriv", "--reuid=" + systemUser, "--regid=" + systemUser, "--clear-groups"));
    }
    all.addAll(command);
    return new ProcessBuilder(all)
        .directory(folder.toFile())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
  }

  boolean isAlive() {
    return process != null && process.isAlive();
  }

  /** Waits until somebody can log in; false if the server has ended instead. */
  boolean awaitLogin(String url, String user, String password)
      throws IOException, InterruptedException {
    SQLException last = null;
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (System.nanoTime() < end) {
      try {
        DriverManager.getConnection(url, user, password).close();
        return true;
      } catch (SQLException e) {
        last = e;
        if (!process.isAlive()) {
          return false;
        }
        Thread.sleep(50);
      }
    }
    throw new IllegalStateException(
        "no login within half a minute:\n" + Files.readString(folder.resolve("server.log")), last);
  }

  /** Sends a signal to the server and its own processes. */
  void signal(String signal) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("kill", "-" + signal));
    command.add(Long.toString(process.pid()));
    process.descendants().map(each -> Long.toString(each.pid())).forEach(command::add);
    new ProcessBuilder(command).start().waitFor();
  }

  /** Sends a signal to the server alone and waits for its end. */
  void end(String signal) throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      kill();
    }
  }

  /** Kills the server and its own processes without notice. */
  void kill() throws InterruptedException {
    List<ProcessHandle> all;
    try (Stream<ProcessHandle> children = process.descendants()) {
      all = new ArrayList<>(children.toList());
    }
    process.destroyForcibly();
    all.forEach(ProcessHandle::destroyForcibly);
    process.waitFor();
  }

  /** Kills what still runs and deletes the folder. */
  void close() {
    try {
      if (isAlive()) {
        kill();
      }
      Files.walkFileTree(
          folder,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.deleteIfExists(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
              return FileVisitResult.CONTINUE; // a process of the server was quicker
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, IOException e)
                throws IOException {
              Files.deleteIfExists(directory);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
