package dev.headrace.simulator;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** Cuts a raw stream into its events without changing a byte. Pure. */
final class TranscriptSplitter {
  private TranscriptSplitter() {}

  static List<WireEvent> split(byte[] sse) {
    List<WireEvent> events = new ArrayList<>();
    Usage usage = Usage.NONE;
    int start = 0;
    while (start < sse.length) {
      int end = endOfEvent(sse, start);
      byte[] bytes = Arrays.copyOfRange(sse, start, end);
      String name = name(bytes);
      WireEvent event = WireEvent.verbatim(name, bytes, null);
      if (name.equals("message_start") || name.equals("message_delta")) {
        JsonNode json = event.json();
        if (json != null) {
          JsonNode stated = json.path(name.equals("message_start") ? "message" : "");
          usage = UsageJson.update(usage, (stated.isObject() ? stated : json).path("usage"));
          event = WireEvent.verbatim(name, bytes, usage);
        }
      }
      events.add(event);
      start = end;
    }
    return events;
  }

  // A blank line ends an event; lines end in LF, CRLF or CR.
  private static int endOfEvent(byte[] sse, int start) {
    boolean lineIsEmpty = true;
    boolean any = false;
    int i = start;
    while (i < sse.length) {
      byte b = sse[i];
      if (b == '\n' || b == '\r') {
        i += b == '\r' && i + 1 < sse.length && sse[i + 1] == '\n' ? 2 : 1;
        if (lineIsEmpty && any) {
          return i;
        }
        lineIsEmpty = true;
      } else {
        lineIsEmpty = false;
        any = true;
        i++;
      }
    }
    return sse.length;
  }

  private static String name(byte[] event) {
    return new String(event, UTF_8)
        .lines()
        .filter(line -> line.startsWith("event:"))
        .map(line -> line.substring("event:".length()).strip())
        .findFirst()
        .orElse("message");
  }
}
