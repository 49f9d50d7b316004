package dev.headrace.output;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One open content block as far as a format shows it. Not thread-safe. */
final class Block {
  /** What a block holds, by what formats can show. */
  enum Kind {
    TEXT("text_delta", "text"),
    THINKING("thinking_delta", "thinking"),
    TOOL("input_json_delta", "partial_json"),
    IGNORED("", "");

    /** The type of the deltas that carry the content. */
    final String deltaType;

    /** The member of such a delta, for text and thinking also of the block, that is the content. */
    final String member;

    Kind(String deltaType, String member) {
      this.deltaType = deltaType;
      this.member = member;
    }

    /** Whether deltas of this type carry what a format may show. */
    static boolean isContent(@Nullable String deltaType) {
      return deltaType != null
          && Arrays.stream(values())
              .anyMatch(kind -> kind != IGNORED && kind.deltaType.equals(deltaType));
    }

    static Kind of(@Nullable String blockType) {
      return switch (blockType == null ? "" : blockType) {
        case "text" -> TEXT;
        case "thinking" -> THINKING;
        case "tool_use" -> TOOL; // server_tool_use and mcp_tool_use are run by the API
        default -> IGNORED;
      };
    }
  }

  final Kind kind;

  /** It was too large for its type to be read: taken for one that is not shown. */
  boolean unread;

  /** First half of a surrogate pair whose other half comes with the next delta; 0: none. */
  private char half;

  // Of a tool.
  @Nullable String id;
  @Nullable String name;

  /** All deltas so far; null when none has come. */
  private @Nullable StringBuilder input;

  /** What the block started with, as JSON; stands unless deltas come. */
  private String inputAtStart = "{}";

  private long inputBytes;

  Block(Kind kind) {
    this.kind = kind;
  }

  /** The text to show now, given the next piece. */
  String take(String piece) {
    if (piece.isEmpty()) {
      return piece;
    }
    String text = half == 0 ? piece : half + piece;
    half = 0;
    int last = text.length() - 1;
    if (Character.isHighSurrogate(text.charAt(last))) {
      half = text.charAt(last);
      return text.substring(0, last);
    }
    return text;
  }

  /** The text to show at the end: half a pair that stayed alone, or nothing. */
  String rest() {
    return half == 0 ? "" : String.valueOf(half);
  }

  void startInput(String json) {
    inputAtStart = json;
    inputBytes += utf8Length(json);
  }

  void addInput(String piece) {
    input = input == null ? new StringBuilder() : input;
    input.append(piece);
    inputBytes += utf8Length(piece);
  }

  /** The input as it came; it may be no JSON. */
  String input() {
    return input == null ? inputAtStart : input.toString();
  }

  /** How much of the input is held, in bytes of UTF-8. */
  long inputBytes() {
    return inputBytes;
  }

  private static long utf8Length(String text) {
    long bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }
    return bytes;
  }
}
