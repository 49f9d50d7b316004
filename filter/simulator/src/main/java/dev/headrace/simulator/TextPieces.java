package dev.headrace.simulator;

import java.util.ArrayList;
import java.util.List;

/** Cuts text into pieces without ever cutting a character in two. Pure. */
final class TextPieces {
  private static final int LONGEST_TOKEN = 9;

  private TextPieces() {}

  /** Pieces of this many characters; the last may be shorter. */
  static List<String> ofLength(String text, int length) {
    List<String> pieces = new ArrayList<>();
    int start = 0;
    while (start < text.length()) {
      int end = wholeCharacters(text, Math.min(start + length, text.length()));
      pieces.add(text.substring(start, end));
      start = end;
    }
    return pieces;
  }

  /** Pieces of about one token: a word with the space before it, long words in several. */
  static List<String> tokens(String text) {
    List<String> tokens = new ArrayList<>();
    int start = 0;
    while (start < text.length()) {
      int end = start + 1;
      while (end < text.length()
          && end - start < LONGEST_TOKEN
          && !startsToken(text.charAt(end), text.charAt(end - 1))) {
        end++;
      }
      end = wholeCharacters(text, end);
      tokens.add(text.substring(start, end));
      start = end;
    }
    return tokens;
  }

  private static boolean startsToken(char next, char before) {
    return Character.isWhitespace(next)
        ? next == '\n' ? before != '\n' : true
        : !Character.isLetterOrDigit(next) && Character.isLetterOrDigit(before);
  }

  private static int wholeCharacters(String text, int end) {
    return end < text.length()
            && Character.isLowSurrogate(text.charAt(end))
            && Character.isHighSurrogate(text.charAt(end - 1))
        ? end + 1
        : end;
  }
}
