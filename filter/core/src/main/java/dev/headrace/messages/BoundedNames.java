package dev.headrace.messages;

import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.SerializableString;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.sym.PropertyNameMatcher;
import tools.jackson.core.util.JsonParserDelegate;

/**
 * A parser of which no more than {@link #MAX} names are open at the same time. Duplicate detection
 * remembers the names of every object that is open, some 100 bytes each: without a bound a body of
 * many tiny fields would need ten times its own size. Not thread-safe, as every parser.
 */
final class BoundedNames extends JsonParserDelegate {

  /** Far beyond what requests hold, and a megabyte or two. */
  static final int MAX = 10_000;

  private final int[] namesAt = new int[JsonInput.MAX_DEPTH + 1]; // of the object at each depth
  private int depth;
  private int open;

  BoundedNames(JsonParser parser) {
    super(parser);
  }

  @Override
  public JsonToken nextToken() {
    JsonToken token = delegate.nextToken();
    if (token == JsonToken.PROPERTY_NAME) {
      namesAt[depth]++;
      if (++open > MAX) {
        throw new StreamConstraintsException("Too many names", delegate.currentTokenLocation());
      }
    } else if (token != null && token.isStructStart()) {
      namesAt[++depth] = 0;
    } else if (token != null && token.isStructEnd()) {
      open -= namesAt[depth--];
    }
    return token;
  }

  @Override
  public JsonToken nextValue() {
    throw new UnsupportedOperationException("only nextToken counts");
  }

  @Override
  public String nextName() {
    throw new UnsupportedOperationException("only nextToken counts");
  }

  @Override
  public boolean nextName(SerializableString expected) {
    throw new UnsupportedOperationException("only nextToken counts");
  }

  @Override
  public int nextNameMatch(PropertyNameMatcher matcher) {
    throw new UnsupportedOperationException("only nextToken counts");
  }

  /** With {@link #nextToken}, since the other parser's own knows nothing of it. */
  @Override
  public JsonParser skipChildren() {
    JsonToken token = delegate.currentToken();
    if (token != null && token.isStructStart()) {
      int outer = depth - 1;
      while (depth > outer) {
        nextToken(); // not null: an early end is an exception
      }
    }
    return this;
  }
}
