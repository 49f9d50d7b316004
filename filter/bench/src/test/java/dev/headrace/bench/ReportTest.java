package dev.headrace.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.headrace.bench.load.LoadResult;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

class ReportTest {

  private static final long MIB = 1 << 20;

  /** One second with 1,000 events and 10 answers. */
  private static Measurement measured(
      double cpuMicrosPerEvent, long delayMicros, double jitShare, Map<String, Integer> lost) {
    Histogram first = new Histogram(3);
    first.recordValue(2 * delayMicros * 1000);
    Histogram delay = new Histogram(3);
    delay.recordValue(delayMicros * 1000);
    long cpu = (long) (cpuMicrosPerEvent * 1000 * 1000);
    return new Measurement(
        new LoadResult(first, delay, 1000, 10, 1_000_000_000L, 20, lost),
        new ServerUse(
            cpu,
            2 * cpu,
            jitShare < 0 ? ServerUse.NO_JIT : (long) (cpu * jitShare),
            200 * MIB,
            100 * MIB,
            7));
  }

  private static Row row(String server, boolean onJvm, double... cpuMicrosPerEvent) {
    return new Row(
        server,
        onJvm,
        2,
        true,
        Arrays.stream(cpuMicrosPerEvent)
            .mapToObj(cpu -> measured(cpu, 100, onJvm ? 0.02 : -1, Map.of()))
            .toList(),
        null);
  }

  private static Row withDelay(String server, long micros, Map<String, Integer> lost) {
    return new Row(server, true, 10, false, List.of(measured(1, micros, 0.1, lost)), null);
  }

  private static Row nativeWithDelay(String server, long micros) {
    return new Row(server, false, 1, true, List.of(measured(1, micros, -1, Map.of())), null);
  }

  private static List<List<String>> lines(Report report, String server) {
    return report
        .markdown()
        .lines()
        .filter(line -> line.startsWith("| " + server + " |"))
        .map(line -> Arrays.stream(line.split("\\|", -1)).map(String::strip).toList())
        .toList();
  }

  private static @Nullable String cell(Report report, String server, String title) {
    List<String> text = report.markdown().lines().toList();
    for (int i = 0; i < text.size(); i++) {
      if (text.get(i).startsWith("| server |")) {
        List<String> titles =
            Arrays.stream(text.get(i).split("\\|", -1)).map(String::strip).toList();
        for (int j = i + 2; j < text.size() && text.get(j).startsWith("|"); j++) {
          List<String> cells =
              Arrays.stream(text.get(j).split("\\|", -1)).map(String::strip).toList();
          if (cells.get(1).equals(server) && titles.contains(title)) {
            return cells.get(titles.indexOf(title));
          }
        }
      }
    }
    return null;
  }

  private static Report report(Row... rows) {
    Report report = new Report(List.of("the machine"));
    for (Row row : rows) {
      report.add(Scenario.PACED, row);
    }
    return report;
  }

  @Test
  void figuresOfARoundFollowFromWhatWasCounted() {
    Measurement one = measured(30, 100, 0.02, Map.of());
    assertThat(one.cpuMicrosPerEvent()).isEqualTo(30, offset(1e-9));
    assertThat(one.cpuMicrosPerRequest()).isEqualTo(2 * 30 * 1000 / 20.0, offset(1e-9));
    assertThat(one.eventsPerSecond()).isEqualTo(1000);
    assertThat(one.answersPerSecond()).isEqualTo(10);
    assertThat(one.delayMicros(50)).isEqualTo(100, offset(0.2));
    assertThat(one.firstEventMicros(99)).isEqualTo(200, offset(0.4));
    assertThat(one.jitShare()).isEqualTo(0.02, offset(1e-6));
    assertThat(one.grownKibPerStream(100)).isEqualTo(1024);
    assertThat(one.residentKibPerStream(100)).isEqualTo(2048);
  }

  @Test
  void whatCouldNotBeMeasuredIsNoNumber() {
    Measurement silent =
        new Measurement(
            new LoadResult(new Histogram(3), new Histogram(3), 0, 0, 1, 0, Map.of()),
            new ServerUse(1000, 1000, ServerUse.NO_JIT, 0, 0, 1));
    assertThat(silent.cpuMicrosPerEvent()).isNaN();
    assertThat(silent.cpuMicrosPerRequest()).isNaN();
    assertThat(silent.delayMicros(50)).isNaN();
    assertThat(silent.firstEventMicros(50)).isNaN();
    assertThat(silent.jitShare()).isNaN();
    Report report = report(new Row("nginx", false, 1, true, List.of(silent), null));
    assertThat(cell(report, "nginx", "CPU µs/event")).isEqualTo("–");
    assertThat(cell(report, "nginx", "delay p50 µs")).isEqualTo("–");
  }

  @Test
  void mediansAreShownAndNotMeans() {
    assertThat(cell(report(row("nginx", false, 20, 30, 1000)), "nginx", "CPU µs/event"))
        .isEqualTo("30.00");
    assertThat(cell(report(row("nginx", false, 20, 30)), "nginx", "CPU µs/event"))
        .isEqualTo("25.00");
  }

  @Test
  void ratiosAreToNginxHaproxyAndTheBestJavaPeer() {
    Report report =
        report(
            row("nginx", false, 20),
            row("haproxy", false, 25),
            row("headrace-jetty", true, 50),
            row("armeria", true, 80),
            row("undertow", true, 40));
    assertThat(cell(report, "headrace-jetty", "× nginx")).isEqualTo("2.50");
    assertThat(cell(report, "headrace-jetty", "× HAProxy")).isEqualTo("2.00");
    assertThat(cell(report, "headrace-jetty", "× best Java peer (undertow)")).isEqualTo("1.25");
    assertThat(cell(report, "undertow", "× best Java peer (undertow)")).isEqualTo("1.00");
  }

  @Test
  void peersThatLoseOrHoldBackAreShownButAreNotTheBest() {
    Report report =
        report(
            withDelay("jetty-proxy-servlet", 4_000_000, Map.of()),
            withDelay("smiley-tomcat", 100, Map.of("status 503", 3)),
            row("armeria", true, 80));
    assertThat(report.markdown())
        .contains("× best Java peer (armeria)")
        .contains("- jetty-proxy-servlet: holds events back")
        .contains("- smiley-tomcat: lost streams: {status 503=3}");
    assertThat(cell(report, "smiley-tomcat", "lost")).isEqualTo("3");
    assertThat(report.ownLostStreams()).isZero();
  }

  @Test
  void peerWhoseEventsAllComeAtTheEndHoldsThemBack() {
    Histogram first = new Histogram(3);
    first.recordValue(15_000_000_000L);
    Measurement late =
        new Measurement(
            new LoadResult(first, new Histogram(3), 0, 0, 1, 20, Map.of()),
            new ServerUse(1000, 1000, 0, 0, 0, 1));
    Report report =
        report(
            new Row("jetty-proxy-servlet", true, 1, true, List.of(late), null),
            row("undertow", true, 40));
    assertThat(report.markdown())
        .contains("- jetty-proxy-servlet: holds events back")
        .contains("best Java peer (undertow)")
        .doesNotContain("- undertow");
    assertThat(cell(report, "jetty-proxy-servlet", "first event p50 µs")).startsWith("150");
  }

  @Test
  void streamsThatHeadraceLostAreOurOwn() {
    assertThat(
            report(withDelay("headrace-tomcat", 100, Map.of("early", 2, "late", 1)))
                .ownLostStreams())
        .isEqualTo(3);
    assertThat(report(withDelay("direct", 100, Map.of("early", 2))).ownLostStreams()).isEqualTo(2);
  }

  @Test
  void addedIsWhatComesOnTopOfNoServerBetween() {
    Row direct = withDelay("direct", 40, Map.of());
    Report report = report(direct, row("nginx", false, 20));
    assertThat(cell(report, "nginx", "added delay p50 µs")).isEqualTo("60");
    assertThat(cell(report, "nginx", "added first event p50 µs")).isEqualTo("120");
    assertThat(cell(report, "direct", "added delay p50 µs")).isEmpty();
  }

  @Test
  void serverThatHadNotSettledIsMarked() {
    Report report = report(withDelay("armeria", 100, Map.of()), row("undertow", true, 40));
    assertThat(cell(report, "armeria", "warm-ups")).isEqualTo("10!");
    assertThat(cell(report, "armeria", "JIT %")).isEqualTo("10.0 (10.0)");
    assertThat(cell(report, "undertow", "warm-ups")).isEqualTo("2");
    assertThat(cell(report, "undertow", "JIT %")).isEqualTo("2.0 (2.0)");
  }

  @Test
  void serverThatFailedIsNamed() {
    Report report = report(new Row("armeria", true, 0, true, List.of(), "does not start"));
    assertThat(report.markdown()).contains("- armeria: not measured: does not start");
    assertThat(cell(report, "armeria", "CPU µs/event")).isEqualTo("–");
    assertThat(lines(report, "armeria")).hasSize(2);
  }

  @Test
  void everythingOnIsComparedWithEverythingOff() {
    Report report = report(row("headrace-jetty", true, 60), row("headrace-jetty-off", true, 50));
    assertThat(report.markdown())
        .contains("Everything on")
        .contains(
            "| 100 streams, 50 events/s each | headrace-jetty | CPU µs/event | 60.00 | 50.00 | 1.20 |");
  }

  @Test
  void eachFigureIsComparedWithThePeerThatIsBestInIt() {
    Report report =
        report(
            nativeWithDelay("direct", 40),
            nativeWithDelay("nginx", 140),
            row("headrace-jetty", true, 50),
            withDelay("armeria", 70, Map.of()), // 1 µs of CPU
            new Row("undertow", true, 2, true, List.of(measured(0.5, 240, 0.02, Map.of())), null));
    assertThat(report.markdown())
        .contains(
            "| CPU µs/event, headrace-jetty | 50.00 | 1.00 | – | 0.50 (undertow) | 50.00 | – | 100.00 |")
        .contains(
            "| added delay p50 µs, headrace-jetty | 60 | 100 | – | 30 (armeria) | 0.60 | – | 2.00 |");
  }

  @Test
  void moreIsBetterOfRates() {
    Report report = new Report(List.of());
    for (String server : List.of("headrace-jetty", "undertow")) {
      report.add(Scenario.SHORT, row(server, true, 50));
    }
    Measurement twiceAsMany =
        new Measurement(
            new LoadResult(
                new Histogram(3), new Histogram(3), 2000, 20, 1_000_000_000L, 20, Map.of()),
            new ServerUse(90_000_000, 90_000_000, 0, 0, 0, 1));
    report.add(Scenario.SHORT, new Row("armeria", true, 1, true, List.of(twiceAsMany), null));
    assertThat(report.markdown())
        .contains("| answers/s, headrace-jetty | 10 | – | – | 20 (armeria) | – | – | 0.50 |");
  }

  @Test
  void noRatioIsShownToAnAddedTimeBelowZero() {
    Report report =
        report(
            nativeWithDelay("direct", 100),
            nativeWithDelay("nginx", 90),
            withDelay("headrace-jetty", 120, Map.of()));
    assertThat(report.markdown())
        .contains("| added delay p50 µs, headrace-jetty | 20 | -10 | – | – | – | – | – |");
  }

  @Test
  void everyRoundIsInTheRawFigures() {
    List<String> lines = report(row("nginx", false, 20, 30)).rounds().lines().toList();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0)).startsWith("scenario,server,round,cpu_us_per_event,");
    assertThat(lines.get(1)).startsWith("paced,nginx,1,20.000,");
    assertThat(lines.get(2)).startsWith("paced,nginx,2,30.000,");
    long commas = lines.get(0).chars().filter(c -> c == ',').count();
    assertThat(lines)
        .allSatisfy(line -> assertThat(line.chars().filter(c -> c == ',')).hasSize((int) commas));
  }

  @Test
  void filesAreWrittenAndThePlotIsWellFormed(@TempDir Path directory) throws Exception {
    Report report = report(row("nginx", false, 20), row("headrace-jetty", true, 50));
    report.add(Scenario.SATURATION, row("nginx", false, 0.344));
    report.write(directory);
    assertThat(directory.resolve("results.md")).content().contains("the machine");
    assertThat(directory.resolve("rounds.csv")).isNotEmptyFile();
    String plot = Files.readString(directory.resolve("results.svg"));
    DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(plot)));
    assertThat(plot).contains("s each: CPU time per event", "headrace-jetty", "class=\"own\"");
    assertThat(plot).contains(">50.0<", "at full speed: CPU time per event", ">0.34<");
  }

  @Test
  void whatTheTablesDoNotCompareIsMarkedInThePlot(@TempDir Path directory) throws Exception {
    Report report = report(row("nginx", false, 20), row("headrace-jetty", true, 50));
    report.add(Scenario.PACED, withDelay("undertow", 100, Map.of("short", 1)));
    report.add(Scenario.PACED, withDelay("jetty-proxy-servlet", 200_000, Map.of()));
    report.write(directory);
    assertThat(Files.readString(directory.resolve("results.svg")))
        .contains(">nginx<", ">headrace-jetty<", ">undertow (!)<", ">jetty-proxy-servlet (!)<")
        .doesNotContain(">undertow<", ">jetty-proxy-servlet<");
  }

  private static String plot(Plot.Bar... bars) {
    return Plot.of(List.of(new Plot.Panel("a < b", List.of(bars))));
  }

  @Test
  void barManyTimesAsLongAsTheOthersIsCut() {
    assertThat(
            plot(
                new Plot.Bar("nginx", 100),
                new Plot.Bar("undertow", 200),
                new Plot.Bar("jetty-proxy-servlet", 4_000_000)))
        .contains("class=\"cut\"", "4,000,000", "width=\"250.0\"", "a &lt; b");
  }

  @Test
  void memoryThatDidNotGrowIsALineWithItsFigure() {
    assertThat(plot(new Plot.Bar("undertow", -0.4), new Plot.Bar("nginx", 17)))
        .contains(">-0.40<", "width=\"1.0\"", ">17.0<", "width=\"500.0\"");
    assertThat(plot(new Plot.Bar("undertow", -0.4))).contains(">-0.40<", "width=\"1.0\"");
  }

  @Test
  void smallFiguresKeepTwoDecimals() {
    assertThat(
            plot(
                new Plot.Bar("nginx", 0.344),
                new Plot.Bar("haproxy", 9.87),
                new Plot.Bar("undertow", 16.56)))
        .contains(">0.34<", ">9.87<", ">16.6<");
  }

  @Test
  void streamsThatWereLostInTheWarmUpsCountAsLost() {
    Measurement good = measured(1, 240, 0.02, Map.of());
    Map<String, Integer> before = Map.of("connection ended early", 2);
    Report report =
        report(
            new Row("headrace-jetty", true, 3, true, List.of(good), null, before),
            new Row("undertow", true, 3, true, List.of(good), null, before),
            row("armeria", true, 9));
    assertThat(report.ownLostStreams()).isEqualTo(2);
    assertThat(cell(report, "undertow", "lost")).isEqualTo("2");
    assertThat(report.markdown())
        .contains("headrace-jetty: lost streams: {connection ended early=2}")
        .contains("× best Java peer (armeria)");
  }

  @Test
  void aServerThatCouldNotBeMeasuredIsNamedWithItsReasonAndIsNoLostStream() {
    Report report =
        report(
            new Row("headrace-tomcat", true, 3, true, List.of(), "the load never began"),
            new Row(
                "armeria",
                true,
                3,
                true,
                List.of(measured(1, 100, 0.02, Map.of())),
                "connection refused"));
    assertThat(report.ownLostStreams()).isZero();
    assertThat(report.lacksOwn()).isTrue();
    assertThat(report.failures())
        .containsExactly(
            "headrace-tomcat (paced): not measured: the load never began",
            "armeria (paced): not measured in all rounds: connection refused");
    assertThat(report.markdown())
        .contains("- headrace-tomcat: not measured: the load never began\n")
        .contains("- armeria: not measured in all rounds: connection refused\n");
  }

  @Test
  void anotherProxyThatCouldNotBeMeasuredIsNoFaultOfOurs() {
    Report report =
        report(
            row("headrace-jetty", true, 30),
            new Row("armeria", true, 0, true, List.of(), "does not start"));
    assertThat(report.lacksOwn()).isFalse();
    assertThat(report.failures()).hasSize(1);
  }

  @Test
  void aRatioToAFigureThatIsNoiseIsNotTold() {
    Report report = report(row("nginx", false, 0.1, 1, 3), row("headrace-jetty", true, 2, 2, 2));
    assertThat(cell(report, "headrace-jetty", "× nginx")).isEqualTo("–");
    assertThat(report.markdown())
        .contains("| CPU µs/event, headrace-jetty | 2.00 | 1.00 | – | – | – | – | – |");
  }

  @Test
  void norOneOfAFigureThatIsNoise() {
    Report report = report(row("nginx", false, 1), row("headrace-jetty", true, 1, 2, 5));
    assertThat(cell(report, "headrace-jetty", "CPU µs/event")).isEqualTo("2.00");
    assertThat(cell(report, "headrace-jetty", "× nginx")).isEqualTo("–");
  }

  @Test
  void aRatioToAnAddedTimeThatIsNoiseIsNotTold() {
    List<Measurement> rounds =
        Stream.of(138, 145, 152).map(delay -> measured(1, delay, -1, Map.of())).toList();
    Report report =
        report(
            nativeWithDelay("direct", 140),
            new Row("nginx", false, 1, true, rounds, null),
            nativeWithDelay("haproxy", 200),
            withDelay("headrace-jetty", 200, Map.of()));
    assertThat(report.markdown())
        .contains("| added delay p50 µs, headrace-jetty | 60 | 5 | 60 | – | – | 1.00 | – |");
  }
}
