package dev.headrace.simulator;

import java.util.List;

/** Complete streams of the API, as recorded or documented, for tests of readers and relays. */
public final class Transcripts {
  private Transcripts() {}

  /** The events of a stream; bytes after the last blank line are one more. */
  static List<WireEvent> split(byte[] sse) {
    return TranscriptSplitter.split(sse);
  }
}
