package dev.headrace.bench;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * All rounds of one server in one scenario. Immutable.
 *
 * @param server its name
 * @param onJvm whether it has a JIT compiler
 * @param warmUps rounds before the first measured one
 * @param settled whether the last of them was as warm as was wanted
 * @param measurements in their order; empty if there were none
 * @param failure why there are none, or not all; null if nothing went wrong
 * @param lostBefore streams that were lost in the warm-ups, by what was wrong with them
 */
record Row(
    String server,
    boolean onJvm,
    int warmUps,
    boolean settled,
    List<Measurement> measurements,
    @Nullable String failure,
    Map<String, Integer> lostBefore) {

  private static final double LONG_DELAY_MICROS = 100_000;
  private static final double LONG_WAIT_MICROS = 1_000_000;

  Row {
    measurements = List.copyOf(measurements);
    lostBefore = Map.copyOf(lostBefore);
  }

  /** With no stream lost in the warm-ups. */
  Row(
      String server,
      boolean onJvm,
      int warmUps,
      boolean settled,
      List<Measurement> measurements,
      @Nullable String failure) {
    this(server, onJvm, warmUps, settled, measurements, failure, Map.of());
  }

  /** Of the rounds in which it could be measured; NaN if it never could. */
  double median(ToDoubleFunction<Measurement> value) {
    double[] sorted =
        measurements.stream()
            .mapToDouble(value)
            .filter(each -> !Double.isNaN(each))
            .sorted()
            .toArray();
    int middle = sorted.length / 2;
    if (sorted.length == 0) {
      return Double.NaN;
    }
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** The distance from the lowest round to the highest, as a share of the median. */
  double spread(ToDoubleFunction<Measurement> value) {
    double median = median(value);
    double most = measurements.stream().mapToDouble(value).max().orElse(Double.NaN);
    double least = measurements.stream().mapToDouble(value).min().orElse(Double.NaN);
    return (most - least) / median;
  }

  int complete() {
    return measurements.stream().mapToInt(each -> each.load().complete()).sum();
  }

  int lost() {
    return losses().values().stream().mapToInt(Integer::intValue).sum();
  }

  /** Lost streams by what was wrong with them, those of the warm-ups included. */
  Map<String, Integer> losses() {
    Map<String, Integer> all = new TreeMap<>(lostBefore);
    measurements.forEach(
        each -> each.load().lost().forEach((how, count) -> all.merge(how, count, Integer::sum)));
    return all;
  }

  boolean isHeadrace() {
    return server.startsWith("headrace");
  }

  /** Whether it is a proxy that one could use in the place of ours. */
  boolean isPeer() {
    return !isHeadrace() && !server.startsWith("bare-");
  }

  /** Whether it loses nothing and passes events on as they come, so that it can be compared. */
  boolean streams(Scenario scenario) {
    return failure == null && lost() == 0 && !measurements.isEmpty() && !holdsBack(scenario);
  }

  /** Whether events that are sent at a pace come long after they were sent. */
  boolean holdsBack(Scenario scenario) {
    if (!scenario.isPaced()) {
      return false; // queues are full: what waits there is late without being held back
    }
    double delay = median(each -> each.delayMicros(50));
    double firstEvent = median(each -> each.firstEventMicros(50));
    // All at the end of the answer: then none comes while it is measured.
    return delay > LONG_DELAY_MICROS || (Double.isNaN(delay) && firstEvent > LONG_WAIT_MICROS);
  }
}
