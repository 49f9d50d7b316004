package dev.headrace.bench;

import dev.headrace.bench.load.LoadGenerator;
import dev.headrace.bench.load.LoadPlan;
import dev.headrace.bench.load.LoadResult;
import dev.headrace.bench.servers.Peer;
import dev.headrace.bench.servers.ServerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the load generator runs against: a server between it and the upstream, or the upstream. */
final class Target implements AutoCloseable {

  private final String name;
  private final int port;
  private final String path;
  private final String headers;
  private final @Nullable ServerProcess process;
  private final List<Measurement> measurements = new ArrayList<>();

  private Target(
      String name, int port, String path, String headers, @Nullable ServerProcess process) {
    this.name = name;
    this.port = port;
    this.path = path;
    this.headers = headers;
    this.process = process;
  }

  static Target direct(int upstreamPort) {
    return new Target("direct", upstreamPort, "/v1/messages", "", null);
  }

  static Target of(Peer peer, ServerProcess process) {
    return new Target(peer.name(), process.port(), peer.path(), peer.headers(), process);
  }

  String name() {
    return name;
  }

  List<Measurement> measurements() {
    return measurements;
  }

  /** Runs a plan and measures the server meanwhile. */
  Measurement run(LoadPlan plan) throws IOException {
    ProcessWindow window = new ProcessWindow();
    LoadResult load = new LoadGenerator(port, path, headers, plan).run(window);
    return new Measurement(
        load, window.cpuNanos, window.residentBytes, window.idleBytes, window.threads);
  }

  private final class ProcessWindow implements LoadGenerator.Window {
    private final long idleBytes;
    private long cpuNanos;
    private long residentBytes;
    private long threads;

    ProcessWindow() throws IOException {
      idleBytes = process == null ? 0 : process.residentBytes();
    }

    @Override
    public void opens() {
      if (process != null) {
        try {
          cpuNanos = -process.cpuNanos();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }

    @Override
    public void closes() {
      if (process != null) {
        try {
          cpuNanos += process.cpuNanos();
          residentBytes = process.residentBytes();
          threads = process.threads();
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
    }
  }

  @Override
  public void close() {
    if (process != null) {
      process.close();
    }
  }
}
