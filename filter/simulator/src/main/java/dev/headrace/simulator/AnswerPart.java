package dev.headrace.simulator;

import java.util.List;

/** One piece of a scripted message, in the order in which the client receives it. */
sealed interface AnswerPart {
  /** Text deltas; they go on in the open text block, or open one. */
  record Text(List<String> deltas) implements AnswerPart {}

  /** A text block that cites a web page. */
  record CitedText(String text, SearchResult source) implements AnswerPart {}

  /** A thinking block; without deltas it is "omitted": start, signature, stop. */
  record Thinking(List<String> deltas) implements AnswerPart {}

  record RedactedThinking(String data) implements AnswerPart {}

  /** A call of one of the client's tools. */
  record Tool(String name, List<String> jsonPieces) implements AnswerPart {}

  /** A search made by the server, with its result. */
  record WebSearch(String query, List<SearchResult> results) implements AnswerPart {}

  /** A block with this JSON and no deltas, whatever it is. */
  record Block(String json) implements AnswerPart {}

  /** Silence. */
  record Pause(long nanos) implements AnswerPart {}

  /** One text delta of this many bytes. */
  record LargeDelta(int bytes) implements AnswerPart {}

  /** Text deltas offered until they come to this many bytes on the wire. */
  record Flood(long bytes) implements AnswerPart {}
}
