package dev.headrace.bench.parsers;

import dev.headrace.bench.upstream.StreamBytes;
import java.util.ArrayList;
import java.util.List;

/** An answer as the upstream of the benchmark sends it. */
final class SampleAnswer {

  static final int DELTAS = 1_000;

  /** All events of it, so that figures come out per event. */
  static final int EVENTS = DELTAS + StreamBytes.OTHER_EVENTS;

  private SampleAnswer() {}

  static byte[] bytes() {
    return StreamBytes.answer(DELTAS, 1_700_000_000_000_000_000L);
  }

  /** Where its events end. */
  static int[] eventEnds(byte[] answer) {
    List<Integer> ends = new ArrayList<>();
    for (int i = 1; i < answer.length; i++) {
      if (answer[i] == '\n' && answer[i - 1] == '\n') {
        ends.add(i + 1);
      }
    }
    return ends.stream().mapToInt(Integer::intValue).toArray();
  }
}
