package dev.headrace.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
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

  private record Compared(
      String title, String format, Better better, ToDoubleFunction<Row> value) {}

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
    for (Compared figure : figures()) {
      Row peer = bestPeer(figure);
      if (nginx == null && haproxy == null && peer == null) {
        continue;
      }
      for (Row own : rows.stream().filter(Row::isHeadrace).toList()) {
        lines.add(
            List.of(
                figure.title() + ", " + own.server(),
                value(own, figure),
                value(nginx, figure),
                value(haproxy, figure),
                peer == null ? "–" : value(peer, figure) + " (" + peer.server() + ")",
                ratio(own, nginx, figure),
                ratio(own, haproxy, figure),
                ratio(own, peer, figure)));
      }
    }
    return lines;
  }

  private List<Compared> figures() {
    Figure lead = scenario.lead();
    Compared cost =
        new Compared(lead.title(), lead.format(), Better.LESS, row -> row.median(lead.value()));
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
    return new Compared(title, "%.0f", Better.LESS, row -> row.median(value) - without);
  }

  private static Compared rate(String title, ToDoubleFunction<Measurement> value) {
    return new Compared(title, "%.0f", Better.MORE, row -> row.median(value));
  }

  private @Nullable Row bestPeer(Compared figure) {
    Comparator<Row> order = Comparator.comparingDouble(figure.value());
    Stream<Row> peers = Report.javaPeers(scenario, rows, figure.value());
    return (figure.better() == Better.LESS ? peers.min(order) : peers.max(order)).orElse(null);
  }

  private static String value(@Nullable Row row, Compared figure) {
    return row == null ? "–" : Figure.format(figure.format(), figure.value().applyAsDouble(row));
  }

  /** No number where one of them is not above zero: noise may put an added time below it. */
  private static String ratio(Row own, @Nullable Row other, Compared figure) {
    if (other == null) {
      return "–";
    }
    double mine = figure.value().applyAsDouble(own);
    double theirs = figure.value().applyAsDouble(other);
    return mine > 0 && theirs > 0 ? String.format(Locale.ROOT, "%.2f", mine / theirs) : "–";
  }
}
