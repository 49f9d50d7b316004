package dev.headrace.messages;

import java.util.Locale;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Counts what messages hold whose size in tokens nobody can tell from the body: sources with a
 * {@code url} or a {@code file_id}, uploads to a container, and documents such as PDF files, a few
 * bytes of which may be many pages. What a tool was called with is text, whatever its fields are
 * called. Not thread-safe: one instance per body.
 */
final class References {

  private static final int NONE = -1;
  private static final byte SOURCE = 1;
  private static final byte FILE = 2;
  private static final byte UPLOAD = 4;

  /** Of each object that is open: whether it is a source, names a file, is an upload. */
  private final byte[] marks = new byte[JsonInput.MAX_DEPTH + 1];

  private int depth;
  private int input = NONE; // the depth within the outermost value that is named "input"
  private String name = ""; // of the value that comes next; empty within arrays
  private int count;

  int count() {
    return count;
  }

  /** Sees each token of a value, from its first to its last. */
  void see(JsonToken token, JsonParser parser) {
    if (token == JsonToken.PROPERTY_NAME) {
      name = parser.currentName();
      if (input == NONE) {
        seeName();
      }
      return;
    }
    if (token.isStructStart()) {
      marks[++depth] = name.equals("source") ? SOURCE : 0;
      if (input == NONE && name.equals("input")) {
        input = depth;
      }
    } else if (token.isStructEnd()) {
      if ((marks[depth] & (FILE | UPLOAD)) == (FILE | UPLOAD)) {
        count++;
      }
      input = depth == input ? NONE : input;
      depth--;
    } else if (input == NONE
        && name.equals("type")
        && token == JsonToken.VALUE_STRING
        && isUpload(parser)) {
      marks[depth] |= UPLOAD;
    } else if (name.equals("media_type")
        && (marks[depth] & SOURCE) != 0
        && input == NONE
        && token == JsonToken.VALUE_STRING
        && isDocument(parser)) {
      count++;
    }
    name = "";
  }

  private void seeName() {
    boolean isFile = name.equals("file_id");
    if ((marks[depth] & SOURCE) != 0 && (isFile || name.equals("url"))) {
      count++;
    } else if (isFile) {
      marks[depth] |= FILE;
    }
  }

  private static boolean isUpload(JsonParser parser) {
    String type = "container_upload";
    return parser.getStringLength() == type.length() && parser.getString().equals(type);
  }

  private static boolean isDocument(JsonParser parser) {
    return parser.getString().toLowerCase(Locale.ROOT).startsWith("application/");
  }

  /** Passes over a value: afterwards the parser stands at its last token. */
  void skip(JsonToken value, JsonParser parser) {
    JsonToken token = value;
    see(token, parser);
    while (depth > 0) {
      token = parser.nextToken(); // not null: an early end is an exception
      see(token, parser);
    }
  }
}
