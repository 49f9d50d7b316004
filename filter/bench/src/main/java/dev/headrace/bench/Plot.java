package dev.headrace.bench;

import java.util.List;
import java.util.Locale;

/**
 * Bar charts as SVG, one panel under another; Headrace's bars stand out. A bar many times as long
 * as most is cut, so that the others can still be told apart; one of zero or less is a line.
 */
final class Plot {

  record Bar(String label, double value) {}

  record Panel(String title, List<Bar> bars) {}

  private static final int WIDTH = 800;
  private static final int LABELS = 200;
  private static final int LONGEST = WIDTH - LABELS - 100;
  private static final int BAR = 18;
  private static final int STEP = 24;

  /** Bars above so many medians are cut. */
  private static final int CUT = 6;

  private Plot() {}

  static String of(List<Panel> panels) {
    StringBuilder body = new StringBuilder();
    int y = 12;
    for (Panel panel : panels) {
      body.append(text(10, y + 16, "title", panel.title()));
      y += 30;
      double most = longest(panel.bars());
      for (Bar bar : panel.bars()) {
        draw(body, bar, y, most);
        y += STEP;
      }
      y += 20;
    }
    return String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\">%n",
            WIDTH,
            y,
            WIDTH,
            y)
        + "<style>text{font-family:sans-serif;fill:#222}.title{font-size:15px;font-weight:bold}"
        + ".label{font-size:13px}.own{fill:#c2602b}.other{fill:#8aa0b4}.cut{fill:#fff}</style>\n"
        + "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        + body
        + "</svg>\n";
  }

  private static double longest(List<Bar> bars) {
    double[] sorted = bars.stream().mapToDouble(Bar::value).filter(v -> v > 0).sorted().toArray();
    if (sorted.length == 0) {
      return 1;
    }
    double limit = CUT * sorted[sorted.length / 2];
    double longest = sorted[0];
    for (double value : sorted) {
      longest = value <= limit ? value : longest;
    }
    return longest;
  }

  private static void draw(StringBuilder body, Bar bar, int y, double most) {
    boolean cut = bar.value() > most;
    double width = cut ? LONGEST : Math.max(1, bar.value() / most * LONGEST);
    body.append(text(10, y + 14, "label", bar.label()));
    body.append(rectangle(LABELS, y, width, bar.label().startsWith("headrace") ? "own" : "other"));
    if (cut) {
      body.append(rectangle(LABELS + LONGEST - 24, y, 5, "cut"));
      body.append(rectangle(LABELS + LONGEST - 14, y, 5, "cut"));
    }
    body.append(text((int) (LABELS + width + 6), y + 14, "label", figure(bar.value())));
  }

  private static String figure(double value) {
    String format = value < 10 ? "%.2f" : value < 100 ? "%.1f" : "%,.0f";
    return String.format(Locale.ROOT, format, value);
  }

  private static String rectangle(double x, int y, double width, String style) {
    return String.format(
        Locale.ROOT,
        "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" class=\"%s\"/>%n",
        x,
        y,
        width,
        BAR,
        style);
  }

  private static String text(int x, int y, String style, String text) {
    String escaped = text.replace("&", "&amp;").replace("<", "&lt;");
    return String.format(
        Locale.ROOT, "<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>%n", x, y, style, escaped);
  }
}
