package dev.headrace.matrix;

import dev.headrace.servers.ServerKind;
import java.util.ArrayList;
import java.util.List;

/** Where servers differ; each of these is asserted by {@link ServerContract}. */
enum Notes {
  /** Its quiesce period; the application hears of the end only after it. */
  SHUTDOWN_CUTS("asked to end, it waits 30 s for streams and cuts the others"),

  /** Nothing that a servlet can do makes it drop a connection. */
  CUT_IN_MID_EVENT_ENDS_THE_BODY(
      "an API that breaks off in mid-event shows by the missing `message_stop` alone"),

  /** Nothing undeploys what was given at the start. */
  NO_UNDEPLOY("undeploys nothing while it runs"),

  WRITERS("writes run on `blocking.writers`"),

  /** Only a longer drain than that of the settings is asserted. */
  GRACEFUL("with the module `graceful`, else a shutdown cuts streams");

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
        notes.add(SHUTDOWN_CUTS);
      }
      case JETTY_12_1, JETTY_12_0 -> notes.add(GRACEFUL);
      case PAYARA_MICRO -> notes.add(NO_UNDEPLOY);
      default -> {}
    }
    return notes;
  }

  static String words(ServerKind kind, Protocol protocol) {
    return String.join("; ", of(kind, protocol).stream().map(note -> note.words).toList());
  }
}
