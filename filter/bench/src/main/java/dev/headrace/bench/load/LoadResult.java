package dev.headrace.bench.load;

import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What the load generator saw while it measured; ends and losses over the whole run.
 *
 * @param firstEvent nanoseconds from a request to its first event
 * @param delay nanoseconds from the upstream's writing a text delta to its arrival
 * @param events that came
 * @param answers that ended
 * @param nanos how long was measured
 * @param complete streams of the whole run with every byte and a proper end
 * @param lost all other streams of the whole run, counted by what was wrong
 */
public record LoadResult(
    Histogram firstEvent,
    Histogram delay,
    long events,
    long answers,
    long nanos,
    int complete,
    Map<String, Integer> lost) {

  public int lostStreams() {
    return lost.values().stream().mapToInt(Integer::intValue).sum();
  }
}
