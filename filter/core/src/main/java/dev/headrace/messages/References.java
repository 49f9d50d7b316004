package dev.headrace.messages;

import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Counts what messages refer to instead of bringing it: sources with a {@code url} or a {@code
 * file_id}, whose size nobody can tell from the body. Not thread-safe: one instance per body.
 */
final class References {

  private static final int NONE = -1;

  private int depth;
  private int source = NONE; // the depth within the innermost object that is named "source"
  private boolean sourceFollows;
  private int count;

  int count() {
    return count;
  }

  /** Sees each token of a value, from its first to its last. */
  void see(JsonToken token, JsonParser parser) {
    if (token == JsonToken.PROPERTY_NAME) {
      String name = parser.currentName();
      sourceFollows = name.equals("source");
      if (name.equals("file_id") || (depth == source && name.equals("url"))) {
        count++;
      }
      return;
    }
    if (token.isStructStart()) {
      depth++;
      source = sourceFollows ? depth : source;
    } else if (token.isStructEnd()) {
      source = depth == source ? NONE : source;
      depth--;
    }
    sourceFollows = false;
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
