package dev.headrace.bench;

import dev.headrace.bench.load.LoadPlan;
import dev.headrace.bench.upstream.Ask;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What is measured. */
enum Scenario {
  /** 100 streams with 50 events a second each. */
  PACED("100 streams, 50 events/s each") {
    @Override
    LoadPlan plan(double scale) {
      return paced(100, 0, seconds(3, scale), scale);
    }
  },
  /** 32 connections with streams that come as fast as they are taken. */
  SATURATION("32 streams at full speed") {
    @Override
    LoadPlan plan(double scale) {
      return new LoadPlan(
          32, new Ask(2000, 0, 0), true, 0, 1000, seconds(3, scale), seconds(8, scale));
    }
  },
  /** 32 connections with one answer of five events after another. */
  SHORT("answers of 5 events, 32 connections") {
    @Override
    LoadPlan plan(double scale) {
      // Four events come with every answer besides the text.
      return new LoadPlan(
          32, new Ask(0, 0, 0), true, 0, 1000, seconds(3, scale), seconds(8, scale));
    }
  },
  HELD_2000("2,000 silent streams") {
    @Override
    LoadPlan plan(double scale) {
      return held(2000);
    }
  },
  HELD_8000("8,000 silent streams") {
    @Override
    LoadPlan plan(double scale) {
      return held(8000);
    }
  },
  /** As PACED, beside a tenth of connections that ask for much and read nothing. */
  NEVER_READING("90 paced streams, 10 that never read") {
    @Override
    LoadPlan plan(double scale) {
      // First the queues towards those who do not read fill up, and the upstream is busy with that.
      return paced(90, 10, seconds(6, scale), scale);
    }
  };

  private static final int PACE = 50;
  private static final Duration SPARE = Duration.ofSeconds(4);
  private final String title;

  Scenario(String title) {
    this.title = title;
  }

  String title() {
    return title;
  }

  /** Connections that are open at the same time. */
  int streams() {
    LoadPlan plan = plan(1);
    return plan.streams() + plan.neverReading();
  }

  /** What servers are compared by. */
  Figure lead() {
    if (isHeld()) {
      return Figure.grownPerStream(streams());
    }
    return this == SHORT ? Figure.CPU_PER_REQUEST : Figure.CPU_PER_EVENT;
  }

  /** Whether events are sent at a pace that every server can keep up with. */
  boolean isPaced() {
    return this == PACED || this == NEVER_READING;
  }

  /** Whether memory is what is measured, so that each round needs a fresh process. */
  boolean isHeld() {
    return this == HELD_2000 || this == HELD_8000;
  }

  /**
   * @param scale of the times; 1 for figures that are to be believed
   */
  abstract LoadPlan plan(double scale);

  private static LoadPlan paced(int streams, int neverReading, Duration settle, double scale) {
    Duration measure = seconds(10, scale);
    // With time to spare for a server that begins some streams late: none may end before the others
    // have been measured.
    long events = settle.plus(measure).plus(SPARE).toMillis() * PACE / 1000;
    return new LoadPlan(
        streams,
        new Ask((int) events, 1_000_000 / PACE, 0),
        false,
        neverReading,
        200,
        settle,
        measure);
  }

  private static LoadPlan held(int streams) {
    int perSecond = 500; // as many as a server that is still cold can take
    long hold = Duration.ofSeconds(streams / perSecond + 15L).toMillis();
    return new LoadPlan(
        streams,
        new Ask(20, 0, hold),
        false,
        0,
        perSecond,
        Duration.ofSeconds(3),
        Duration.ofSeconds(1));
  }

  private static Duration seconds(int seconds, double scale) {
    return Duration.ofMillis((long) (seconds * 1000 * scale));
  }

  static List<String> names() {
    return Arrays.stream(values()).map(Scenario::argument).toList();
  }

  /** As it is named on the command line. */
  String argument() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
