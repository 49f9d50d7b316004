package dev.headrace.bench;

/**
 * What a server process used of the machine in one round.
 *
 * @param cpuNanos while it was measured
 * @param runCpuNanos in the whole run, with its beginning and its end
 * @param jitNanos of {@code cpuNanos}, what the JIT compiler's threads used; {@link #NO_JIT} for a
 *     server that has none
 * @param residentBytes in the middle of the load
 * @param idleBytes resident before the load
 * @param threads in the middle of the load
 */
record ServerUse(
    long cpuNanos,
    long runCpuNanos,
    long jitNanos,
    long residentBytes,
    long idleBytes,
    long threads) {

  static final long NO_JIT = -1;

  /** Of what runs without a server between. */
  static final ServerUse NONE = new ServerUse(0, 0, NO_JIT, 0, 0, 0);
}
