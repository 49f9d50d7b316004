package dev.headrace.simulator;

/**
 * How events are written when not as the real API does it.
 *
 * @param timestamps start each delta's text with {@code t=<System.nanoTime()>;}
 * @param crlf end lines with CRLF
 * @param comments put a comment line before every event
 */
record EventStyle(boolean timestamps, boolean crlf, boolean comments) {
  static final EventStyle PLAIN = new EventStyle(false, false, false);
}
