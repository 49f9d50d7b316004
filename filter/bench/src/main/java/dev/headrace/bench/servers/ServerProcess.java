package dev.headrace.bench.servers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A server as a process of its own, on 127.0.0.1, with what it and its children use of the machine
 * (Linux, {@code /proc}). Ends with {@link #close} and with this JVM.
 */
public final class ServerProcess implements AutoCloseable {

  private static final long TICK_NANOS = 10_000_000; // USER_HZ is 100 on every Linux
  private static final Duration START_LIMIT = Duration.ofSeconds(60);

  /** The kernel keeps 15 characters of a name such as "C2 CompilerThread0". */
  private static final Pattern JIT = Pattern.compile("\\((?:C1|C2|JVMCI) Compiler");

  private final Process process;
  private final int port;
  private final Path log;
  private final Thread atExit;

  private ServerProcess(Process process, int port, Path log) {
    this.process = process;
    this.port = port;
    this.log = log;
    atExit = new Thread(() -> killAll(process));
    Runtime.getRuntime().addShutdownHook(atExit);
  }

  /**
   * Starts a command and waits until it accepts connections.
   *
   * @throws IOException if it ends or does not listen within a minute; with the end of its log
   */
  static ServerProcess start(List<String> command, int port, Path log) throws IOException {
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    ServerProcess server;
    try {
      server = new ServerProcess(process, port, log);
    } catch (IllegalStateException e) {
      process.destroyForcibly(); // this JVM is ending, and no hook would do so
      throw new IOException("interrupted", e);
    }
    try {
      server.awaitPort();
      return server;
    } catch (IOException e) {
      server.close();
      throw e;
    }
  }

  private void awaitPort() throws IOException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (true) {
      try {
        new Socket(InetAddress.getLoopbackAddress(), port).close();
        return;
      } catch (IOException e) {
        if (!process.isAlive() || System.nanoTime() - deadline > 0) {
          throw new IOException("not listening on port " + port + ":\n" + endOfLog(), e);
        }
      }
      try {
        TimeUnit.MILLISECONDS.sleep(50);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }

  private String endOfLog() throws IOException {
    String text = Files.readString(log, StandardCharsets.UTF_8);
    return text.substring(Math.max(0, text.length() - 3000));
  }

  /** The first line that a command prints; empty if it cannot be run. */
  public static String firstLineOf(String... command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      try (BufferedReader output =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
        String line = output.readLine();
        return line == null ? "" : line.strip();
      } finally {
        process.destroy();
      }
    } catch (IOException e) {
      return "";
    }
  }

  /** A port that is free now. */
  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  public int port() {
    return port;
  }

  public long pid() {
    return process.pid();
  }

  /** CPU time so far, in steps of 10 ms. */
  public long cpuNanos() throws IOException {
    long ticks = 0;
    for (long pid : pids()) {
      ticks += ticks(Files.readString(Path.of("/proc/" + pid + "/stat")));
    }
    return ticks * TICK_NANOS;
  }

  /**
   * CPU time so far of the threads that HotSpot's JIT compiler runs on, in steps of 10 ms. Exact
   * only as long as none of them ends.
   */
  public long jitNanos() throws IOException {
    long ticks = 0;
    try (DirectoryStream<Path> tasks =
        Files.newDirectoryStream(Path.of("/proc/" + process.pid() + "/task"))) {
      for (Path task : tasks) {
        ticks += jitTicks(task);
      }
    }
    return ticks * TICK_NANOS;
  }

  private static long jitTicks(Path task) throws IOException {
    try {
      String stat = Files.readString(task.resolve("stat"));
      return JIT.matcher(stat).find() ? ticks(stat) : 0;
    } catch (NoSuchFileException e) {
      return 0; // the thread has ended meanwhile
    }
  }

  /** User and system time of a line of {@code stat} (proc(5): fields 14 and 15). */
  private static long ticks(String stat) {
    // Behind the name, which may have blanks: fields 3 and following.
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
  }

  /** Resident memory in bytes. */
  public long residentBytes() throws IOException {
    return sum("VmRSS:") * 1024;
  }

  public long threads() throws IOException {
    return sum("Threads:");
  }

  private long sum(String field) throws IOException {
    long sum = 0;
    for (long pid : pids()) {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
        if (line.startsWith(field)) {
          sum += Long.parseLong(line.substring(field.length()).replace("kB", "").strip());
        }
      }
    }
    return sum;
  }

  private List<Long> pids() {
    List<Long> pids = new ArrayList<>();
    pids.add(process.pid());
    try (Stream<ProcessHandle> children = process.descendants()) {
      children.forEach(child -> pids.add(child.pid()));
    }
    return pids;
  }

  @Override
  public void close() {
    killAll(process);
    try {
      process.waitFor(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      return; // the hook is running
    }
  }

  /**
   * First gently: a master process would start its workers anew, and a JVM writes its recording.
   */
  private static void killAll(Process process) {
    List<ProcessHandle> children = process.descendants().toList();
    process.destroy();
    try {
      process.waitFor(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    process.destroyForcibly();
    children.forEach(ProcessHandle::destroyForcibly);
  }
}
