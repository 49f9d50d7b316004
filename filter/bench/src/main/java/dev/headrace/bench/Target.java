package dev.headrace.bench;

import dev.headrace.bench.load.LoadGenerator;
import dev.headrace.bench.load.LoadPlan;
import dev.headrace.bench.load.LoadResult;
import dev.headrace.bench.servers.Peer;
import dev.headrace.bench.servers.ServerProcess;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** What the load generator runs against: a server between it and the upstream, or the upstream. */
final class Target implements AutoCloseable {

  private final String name;
  private final int port;
  private final String path;
  private final String headers;
  private final boolean onJvm;
  private final @Nullable ServerProcess process;

  private Target(
      String name,
      int port,
      String path,
      String headers,
      boolean onJvm,
      @Nullable ServerProcess process) {
    this.name = name;
    this.port = port;
    this.path = path;
    this.headers = headers;
    this.onJvm = onJvm;
    this.process = process;
  }

  static Target direct(int upstreamPort) {
    return new Target(Report.DIRECT, upstreamPort, "/v1/messages", "", false, null);
  }

  static Target of(Peer peer, ServerProcess process) {
    return new Target(
        peer.name(), process.port(), peer.path(), peer.headers(), peer.onJvm(), process);
  }

  String name() {
    return name;
  }

  boolean onJvm() {
    return onJvm;
  }

  /** Runs a plan and measures the server meanwhile. */
  Measurement run(LoadPlan plan) throws IOException {
    LoadGenerator generator = new LoadGenerator(port, path, headers, plan);
    ServerProcess server = process;
    if (server == null) {
      return new Measurement(generator.run(LoadGenerator.Window.UNSEEN), ServerUse.NONE);
    }
    ProcessWindow window = new ProcessWindow(server);
    LoadResult load = generator.run(window);
    return new Measurement(load, window.use());
  }

  private final class ProcessWindow implements LoadGenerator.Window {
    private final ServerProcess server;
    private final long idleBytes;
    private final long cpuAtStart;
    private long cpuNanos;
    private long jitNanos;
    private long residentBytes;
    private long threads;

    ProcessWindow(ServerProcess server) throws IOException {
      this.server = server;
      idleBytes = server.residentBytes();
      cpuAtStart = server.cpuNanos();
    }

    @Override
    public void opens() throws IOException {
      cpuNanos = -server.cpuNanos();
      jitNanos = -server.jitNanos();
    }

    @Override
    public void closes() throws IOException {
      cpuNanos += server.cpuNanos();
      jitNanos += server.jitNanos();
      residentBytes = server.residentBytes();
      threads = server.threads();
    }

    ServerUse use() throws IOException {
      return new ServerUse(
          cpuNanos,
          server.cpuNanos() - cpuAtStart,
          onJvm ? jitNanos : ServerUse.NO_JIT,
          residentBytes,
          idleBytes,
          threads);
    }
  }

  @Override
  public void close() {
    if (process != null) {
      process.close();
    }
  }
}
