package dev.headrace.matrix;

import dev.headrace.servers.ServerKind;

/** Where servers differ; each of these is asserted by {@link ServerContract}. */
final class Notes {

  private Notes() {}

  static String of(ServerKind kind, Protocol protocol) {
    return "";
  }
}
