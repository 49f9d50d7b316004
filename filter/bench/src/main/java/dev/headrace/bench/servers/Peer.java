package dev.headrace.bench.servers;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A server that is compared. Thread-safe. */
public interface Peer {

  /** As it stands in tables and is named on the command line. */
  String name();

  /** Null if it can run here; else what is missing. */
  default @Nullable String missing() {
    return null;
  }

  /** Whether it runs on a JVM, and so has a JIT compiler. */
  default boolean onJvm() {
    return false;
  }

  /** Name and version of what is compared; empty if it cannot be told. */
  default String version() {
    return "";
  }

  /** The path at which it passes on {@code /v1/messages}. */
  default String path() {
    return "/v1/messages";
  }

  /** Request headers that it demands, each ended by CR LF. */
  default String headers() {
    return "";
  }

  /**
   * Starts it.
   *
   * @param upstreamPort on 127.0.0.1
   * @param directory for its files; empty
   */
  ServerProcess start(int upstreamPort, Path directory) throws IOException;
}
