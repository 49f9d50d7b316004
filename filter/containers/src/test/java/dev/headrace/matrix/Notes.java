package dev.headrace.matrix;

import dev.headrace.servers.ServerKind;
import java.util.ArrayList;
import java.util.List;

/** Where servers differ; each of these is asserted by {@link ServerContract}. */
enum Notes {
  /** The application hears of the end only when the connections are gone. */
  SHUTDOWN_CUTS("a server that is asked to end waits for its streams, and cuts what takes longer"),

  /** Those that would end by themselves in a moment, too, and the application hears of it after. */
  SHUTDOWN_CUTS_AT_ONCE(
      "a server that is asked to end cuts its streams at once: undeploy the application before"),

  /** It ends the body properly in any case, so the broken event is ended and an error follows. */
  ERROR_BEHIND_A_BROKEN_EVENT(
      "an API that breaks off in mid-event: the broken event is ended, and an `error` event follows"),

  /** What is queued when a stream is reset is dropped, now and then. */
  RESET_OVERTAKES(
      "an API that breaks off in mid-event: the reset may overtake the last bytes before it"),

  /** Nothing undeploys what was given at the start. */
  NO_UNDEPLOY("undeploys nothing while it runs"),

  /** Counts only what the client sends, and does not tell when it resets a stream. */
  IDLE_UNLESS_THE_CLIENT_SENDS(
      "ends a connection on which the client has sent nothing for the listener's `timeout-seconds`,"
          + " with its streams, and tells nothing of a reset before: keep to HTTP/1.1, or raise it"),

  /** Never calls a read listener whose body is already there. */
  READS_BLOCKING("bodies are read on a thread of the container"),

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
        notes.add(ERROR_BEHIND_A_BROKEN_EVENT);
        notes.add(SHUTDOWN_CUTS);
      }
      case TOMCAT_11, TOMCAT_10_1 -> {
        if (protocol == Protocol.H2C) {
          notes.add(WRITERS);
        }
      }
      case UNDERTOW, WILDFLY -> {
        if (protocol == Protocol.H2C) {
          notes.add(RESET_OVERTAKES);
        }
      }
      case JETTY_12_1, JETTY_12_0 -> notes.add(SHUTDOWN_CUTS);
      case PAYARA_MICRO -> {
        notes.add(READS_BLOCKING);
        notes.add(ERROR_BEHIND_A_BROKEN_EVENT);
        notes.add(NO_UNDEPLOY);
        if (protocol == Protocol.H2C) {
          notes.add(IDLE_UNLESS_THE_CLIENT_SENDS);
        }
      }
      case GLASSFISH -> {
        notes.add(READS_BLOCKING);
        notes.add(ERROR_BEHIND_A_BROKEN_EVENT);
        notes.add(SHUTDOWN_CUTS_AT_ONCE);
        if (protocol == Protocol.H2C) {
          notes.add(IDLE_UNLESS_THE_CLIENT_SENDS);
        }
      }
      default -> {}
    }
    return notes;
  }

  static String words(ServerKind kind, Protocol protocol) {
    return String.join("; ", of(kind, protocol).stream().map(note -> note.words).toList());
  }
}
