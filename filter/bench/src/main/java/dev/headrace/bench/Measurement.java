package dev.headrace.bench;

import dev.headrace.bench.load.LoadResult;

/**
 * One round of one scenario against one server.
 *
 * @param load as the load generator saw it
 * @param server what the server used meanwhile
 */
record Measurement(LoadResult load, ServerUse server) {

  /** NaN if there is no server, or no event came while it was measured. */
  double cpuMicrosPerEvent() {
    return perOne(server.cpuNanos() / 1e3, load.events());
  }

  /** Over the whole run, since in most scenarios no answer begins and ends within the window. */
  double cpuMicrosPerRequest() {
    return perOne(server.runCpuNanos() / 1e3, load.complete());
  }

  private double perOne(double sum, long count) {
    return count == 0 || server.equals(ServerUse.NONE) ? Double.NaN : sum / count;
  }

  /** The share of the server's CPU time that its JIT compiler used; NaN where there is none. */
  double jitShare() {
    return server.jitNanos() == ServerUse.NO_JIT
        ? Double.NaN
        : server.cpuNanos() == 0 ? 0 : (double) server.jitNanos() / server.cpuNanos();
  }

  double eventsPerSecond() {
    return load.events() * 1e9 / load.nanos();
  }

  double answersPerSecond() {
    return load.answers() * 1e9 / load.nanos();
  }

  double firstEventMicros(double percentile) {
    return load.firstEvent().getTotalCount() == 0
        ? Double.NaN
        : load.firstEvent().getValueAtPercentile(percentile) / 1e3;
  }

  double delayMicros(double percentile) {
    return load.delay().getTotalCount() == 0
        ? Double.NaN
        : load.delay().getValueAtPercentile(percentile) / 1e3;
  }

  double residentMib() {
    return server.residentBytes() / 1048576.0;
  }

  /** All of the server's memory, by open streams. */
  double residentKibPerStream(int streams) {
    return server.residentBytes() / 1024.0 / streams;
  }

  /** What the server's memory grew by under the load, by open streams. */
  double grownKibPerStream(int streams) {
    return (server.residentBytes() - server.idleBytes()) / 1024.0 / streams;
  }
}
