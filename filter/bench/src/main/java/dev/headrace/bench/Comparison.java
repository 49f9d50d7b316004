package dev.headrace.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Headrace beside the others, figure by figure: nginx, HAProxy, and of the other proxies on the JVM
 * the one that is best in this figure. Immutable.
 */
final class Comparison {

  /** The titles of {@link #lines}. */
  static final List<String> TITLES =
      List.of(
          "figure",
          "Headrace",
          "nginx",
          "HAProxy",
          "best Java peer",
          "× nginx",
          "× HAProxy",
          "× best Java peer");

  private enum Better {
    LESS,
    MORE
  }

  private record Compared(Figure figure, Better better) {

    double value(Row row) {
      return row.median(figure.value());
    }
  }

  private final Scenario scenario;
  private final List<Row> rows;

  Comparison(Scenario scenario, List<Row> rows) {
    this.scenario = scenario;
    this.rows = List.copyOf(rows);
  }

  /** One line for each figure and each Headrace; empty if there is nobody to compare it with. */
  List<List<String>> lines() {
    List<List<String>> lines = new ArrayList<>();
    Row nginx = Report.named(rows, "nginx");
    Row haproxy = Report.named(rows, "haproxy");
    for (Compared compared : figures()) {
      Row peer = bestPeer(compared);
      if (nginx == null && haproxy == null && peer == null) {
        continue;
      }
      for (Row own : rows.stream().filter(Row::isHeadrace).toList()) {
        lines.add(
            List.of(
                compared.figure().title() + ", " + own.server(),
                value(own, compared),
                value(nginx, compared),
                value(haproxy, compared),
                peer == null ? "–" : value(peer, compared) + " (" + peer.server() + ")",
                compared.figure().ratio(own, nginx),
                compared.figure().ratio(own, haproxy),
                compared.figure().ratio(own, peer)));
      }
    }
    return lines;
  }

  private List<Compared> figures() {
    Compared cost = new Compared(scenario.lead(), Better.LESS);
    return switch (scenario) {
      case PACED ->
          List.of(
              cost,
              added("added first event p50 µs", each -> each.firstEventMicros(50)),
              added("added delay p50 µs", each -> each.delayMicros(50)),
              added("added delay p99 µs", each -> each.delayMicros(99)));
      case NEVER_READING -> List.of(cost, added("added delay p99 µs", m -> m.delayMicros(99)));
      case SATURATION -> List.of(cost, rate("events/s", Measurement::eventsPerSecond));
      case SHORT -> List.of(cost, rate("answers/s", Measurement::answersPerSecond));
      case HELD_2000, HELD_8000 -> List.of(cost);
    };
  }

  private Compared added(String title, ToDoubleFunction<Measurement> value) {
    Row direct = Report.named(rows, Report.DIRECT);
    double without = direct == null ? Double.NaN : direct.median(value);
    return new Compared(
        new Figure(title, "%.0f", each -> value.applyAsDouble(each) - without), Better.LESS);
  }

  private static Compared rate(String title, ToDoubleFunction<Measurement> value) {
    return new Compared(new Figure(title, "%.0f", value), Better.MORE);
  }

  private @Nullable Row bestPeer(Compared compared) {
    Comparator<Row> order = Comparator.comparingDouble(compared::value);
    Stream<Row> peers = Report.javaPeers(scenario, rows, compared::value);
    return (compared.better() == Better.LESS ? peers.min(order) : peers.max(order)).orElse(null);
  }

  private static String value(@Nullable Row row, Compared compared) {
    return row == null ? "–" : compared.figure().of(row);
  }
}
