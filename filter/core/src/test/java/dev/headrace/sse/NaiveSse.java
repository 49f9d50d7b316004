package dev.headrace.sse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;

/**
 * The event-stream format once more, as plainly as String methods allow: the oracle of the reader's
 * tests. Works on ISO 8859-1 text, so that each char is one byte.
 */
record NaiveSse(List<Event> events, boolean boundary, boolean boundaryAtEnd) {
  record Event(String name, String data, boolean truncated) {}

  static NaiveSse read(byte[] stream, int length, int maxEventBytes) {
    String text = new String(stream, 0, length, ISO_8859_1);
    boolean endsInCr = text.endsWith("\r");
    if (text.startsWith("\u00EF\u00BB\u00BF")) {
      text = text.substring(3);
    }
    text = text.replace("\r\n", "\n").replace('\r', '\n');
    boolean boundaryAtEnd = length == 0 || text.equals("\n") || text.endsWith("\n\n");
    return new NaiveSse(events(text, maxEventBytes), boundaryAtEnd && !endsInCr, boundaryAtEnd);
  }

  private static List<Event> events(String text, int maxEventBytes) {
    List<Event> events = new ArrayList<>();
    String name = "";
    List<String> data = new ArrayList<>();
    String[] lines = text.split("\n", -1);
    for (int i = 0;
        i < lines.length - 1;
        i++) { // what stands after the last line end is no line yet
      String line = lines[i];
      if (line.isEmpty()) {
        if (!data.isEmpty()) {
          events.add(event(name, String.join("\n", data), maxEventBytes));
        }
        name = "";
        data.clear();
        continue;
      }
      int colon = line.indexOf(':');
      String field = colon < 0 ? line : line.substring(0, colon);
      String value = colon < 0 ? "" : line.substring(colon + 1);
      value = value.startsWith(" ") ? value.substring(1) : value;
      if (field.equals("event")) {
        name = value;
      } else if (field.equals("data")) {
        data.add(value);
      }
    }
    return events;
  }

  private static Event event(String name, String data, int maxEventBytes) {
    String shownName = name.isEmpty() ? "message" : name;
    String cutName = shownName.substring(0, Math.min(shownName.length(), SseReader.MAX_NAME_BYTES));
    return new Event(
        new String(cutName.getBytes(ISO_8859_1), UTF_8),
        data.substring(0, Math.min(data.length(), maxEventBytes)),
        data.length() > maxEventBytes);
  }
}
