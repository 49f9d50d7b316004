package dev.headrace.matrix;

import dev.headrace.servers.ServerKind;
import java.util.ArrayList;
import java.util.List;

/** Where servers differ; each of these is asserted by {@link ServerContract}. */
enum Notes {
  /** The application hears of the end only when the connections are gone. */
  SHUTDOWN_CUTS(
      "asked to end, it waits for streams (Open Liberty 30 s, Jetty `stopTimeout` with the module `graceful`), and cuts the others"),

  /** An exception out of a dispatch does not make it drop the connection. */
  CUT_IN_MID_EVENT_ENDS_THE_BODY(
      "an API that breaks off in mid-event shows only by the missing `message_stop`"),

  /** It even writes the exception's text into the stream. */
  ERROR_TEXT("behind an error text of the server's"),

  /** Nothing undeploys what was given at the start. */
  NO_UNDEPLOY("undeploys nothing while it runs"),

  WRITERS("writes run on `blocking.writers`");

  private final String words;

  Notes(String words) {
    this.words = words;
  }

  static List<Notes> of(ServerKind kind, Protocol protocol) {
    List<Notes> notes = new ArrayList<>();
    switch (kind) {
      case OPEN_LIBERTY -> {
        notes.add(WRITERS);
        notes.add(CUT_IN_MID_EVENT_ENDS_THE_BODY);
        notes.add(ERROR_TEXT);
        notes.add(SHUTDOWN_CUTS);
      }
      case JETTY_12_1, JETTY_12_0 -> notes.add(SHUTDOWN_CUTS);
      case UNDERTOW, WILDFLY -> notes.add(CUT_IN_MID_EVENT_ENDS_THE_BODY);
      case PAYARA_MICRO -> notes.add(NO_UNDEPLOY);
      default -> {}
    }
    return notes;
  }

  static String words(ServerKind kind, Protocol protocol) {
    return String.join("; ", of(kind, protocol).stream().map(note -> note.words).toList());
  }
}
