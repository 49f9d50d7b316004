package dev.headrace.simulator;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Complete streams of the API, for tests of readers and relays: UTF-8, with the padding of real
 * traffic. The letters are those of the project's wire reference. Each call gives a fresh array.
 */
public final class Transcripts {
  private static final String[] NAMES = {
    "a-text",
    "b-thinking",
    "b-omitted-thinking",
    "b-redacted-thinking",
    "c-tool-use",
    "d-web-search",
    "e-error-in-midstream",
    "f-error-first",
    "g-refusal",
    "h-mcp",
    "i-compaction",
    "j-fallback"
  };

  private Transcripts() {}

  /** A: plain text with umlauts and an emoji. */
  public static byte[] text() {
    return read("a-text");
  }

  /** B: thinking, then text, with cache writes and reads in the usage. */
  public static byte[] thinking() {
    return read("b-thinking");
  }

  /** B without the thinking's text: start, signature, stop. */
  public static byte[] omittedThinking() {
    return read("b-omitted-thinking");
  }

  /** A redacted thinking block, then text. */
  public static byte[] redactedThinking() {
    return read("b-redacted-thinking");
  }

  /** C: a tool call whose arguments come in pieces. */
  public static byte[] toolUse() {
    return read("c-tool-use");
  }

  /** D: a web search with its result and a citation; the input grows. */
  public static byte[] webSearch() {
    return read("d-web-search");
  }

  /** E: an error in an open block; no {@code message_stop}. */
  public static byte[] errorInMidstream() {
    return read("e-error-in-midstream");
  }

  /** F: an error as the only event. */
  public static byte[] errorFirst() {
    return read("f-error-first");
  }

  /** G: a refusal. */
  public static byte[] refusal() {
    return read("g-refusal");
  }

  /** H: a call of an MCP server and its result (beta). */
  public static byte[] mcp() {
    return read("h-mcp");
  }

  /** I: a compaction block before the answer (beta). */
  public static byte[] compaction() {
    return read("i-compaction");
  }

  /** J: another model takes over (beta). */
  public static byte[] fallback() {
    return read("j-fallback");
  }

  /** All of them by name, such as {@code a-text}, in the order of the letters. */
  public static Map<String, byte[]> all() {
    Map<String, byte[]> all = new LinkedHashMap<>();
    for (String name : NAMES) {
      all.put(name, read(name));
    }
    return all;
  }

  private static byte[] read(String name) {
    try (InputStream in = Transcripts.class.getResourceAsStream("transcripts/" + name + ".sse")) {
      if (in == null) {
        throw new IllegalStateException("No transcript " + name + " in the simulator's jar");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
