package dev.headrace.usage;

import java.util.List;

/** The threads of this package that live now. */
final class SinkThreadNames {

  private SinkThreadNames() {}

  static List<String> alive() {
    return Thread.getAllStackTraces().keySet().stream()
        .map(Thread::getName)
        .filter(name -> name.startsWith("headrace-usage"))
        .sorted()
        .toList();
  }
}
