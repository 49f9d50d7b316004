package dev.headrace.simulator;

/** A deterministic guess at token counts: about four bytes each. */
final class TokenEstimate {
  private TokenEstimate() {}

  static long ofBody(SeenRequest request) {
    return Math.max(1, (request.bodyLength() + 3) / 4);
  }
}
