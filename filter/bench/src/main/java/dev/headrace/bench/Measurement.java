package dev.headrace.bench;

import dev.headrace.bench.load.LoadResult;

/**
 * One round of one scenario against one server.
 *
 * @param load as the load generator saw it
 * @param cpuNanos of the server while it was measured; 0 where there is none
 * @param residentBytes of the server in the middle of the load
 * @param idleBytes before the load
 * @param threads of the server in the middle of the load
 */
record Measurement(
    LoadResult load, long cpuNanos, long residentBytes, long idleBytes, long threads) {

  double cpuMicrosPerEvent() {
    return cpuNanos / 1e3 / Math.max(1, load.events());
  }

  double cpuMicrosPerAnswer() {
    return cpuNanos / 1e3 / Math.max(1, load.answers());
  }

  double eventsPerSecond() {
    return load.events() * 1e9 / load.nanos();
  }

  double answersPerSecond() {
    return load.answers() * 1e9 / load.nanos();
  }

  double firstEventMicros(double percentile) {
    return load.firstEvent().getValueAtPercentile(percentile) / 1e3;
  }

  double delayMicros(double percentile) {
    return load.delay().getValueAtPercentile(percentile) / 1e3;
  }
}
