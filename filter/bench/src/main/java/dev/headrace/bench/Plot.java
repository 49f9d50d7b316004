package dev.headrace.bench;

import java.util.List;
import java.util.Locale;

/** Bar charts as SVG, one panel under another; Headrace's bars stand out. */
final class Plot {

  record Bar(String label, double value) {}

  record Panel(String title, List<Bar> bars) {}

  private static final int WIDTH = 760;
  private static final int LABELS = 190;
  private static final int BAR = 18;
  private static final int STEP = 24;

  private Plot() {}

  static String of(List<Panel> panels) {
    StringBuilder body = new StringBuilder();
    int y = 10;
    for (Panel panel : panels) {
      body.append(text(10, y + 16, "title", panel.title()));
      y += 30;
      double most = panel.bars().stream().mapToDouble(Bar::value).max().orElse(1);
      for (Bar bar : panel.bars()) {
        double width = bar.value() / most * (WIDTH - LABELS - 110);
        body.append(text(10, y + 14, "label", bar.label()));
        body.append(
            String.format(
                Locale.ROOT,
                "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" class=\"%s\"/>%n",
                LABELS,
                y,
                Math.max(1, width),
                BAR,
                bar.label().startsWith("headrace") ? "own" : "other"));
        String figure =
            String.format(Locale.ROOT, bar.value() < 100 ? "%.1f" : "%,.0f", bar.value());
        body.append(text((int) (LABELS + width + 6), y + 14, "label", figure));
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
        + ".label{font-size:13px}.own{fill:#c2602b}.other{fill:#8aa0b4}</style>\n"
        + "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        + body
        + "</svg>\n";
  }

  private static String text(int x, int y, String style, String text) {
    return String.format(
        Locale.ROOT, "<text x=\"%d\" y=\"%d\" class=\"%s\">%s</text>%n", x, y, style, text);
  }
}
