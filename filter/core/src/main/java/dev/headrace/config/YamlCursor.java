package dev.headrace.config;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;

/**
 * Steps through a YAML document, one key, value or bracket after the other. Reads from the parser
 * below Jackson's YAML module, whose own weight lands in every application otherwise. Internal: may
 * change in any release. Not thread-safe.
 *
 * <p>Each step may throw a {@code YamlEngineException} of that parser when the text is no YAML.
 */
public final class YamlCursor {

  /** What the cursor stands at. */
  public enum Token {
    START_MAPPING,
    END_MAPPING,
    START_SEQUENCE,
    END_SEQUENCE,
    KEY,
    /** A value without anything, or {@code null}. */
    NOTHING,
    SCALAR,
    /** A key that is no single value, which no file of ours has. */
    NO_KEY
  }

  private final java.util.Iterator<Event> events;
  private final Deque<Token> open = new ArrayDeque<>();
  private boolean keyIsNext; // within a mapping
  private @Nullable Event event;

  public YamlCursor(String yaml) {
    this.events = new Parse(LoadSettings.builder().build()).parseString(yaml).iterator();
  }

  /** Goes on to the next token; null at the end of the text. */
  public @Nullable Token next() {
    while (events.hasNext()) {
      Event next = events.next();
      event = next;
      switch (next.getEventId()) {
        case MappingStart:
          return begin(Token.START_MAPPING);
        case SequenceStart:
          return begin(Token.START_SEQUENCE);
        case MappingEnd:
          return end(Token.END_MAPPING);
        case SequenceEnd:
          return end(Token.END_SEQUENCE);
        case Scalar:
        case Alias:
          return single(next);
        default: // the frame of stream and document, comments
      }
    }
    return null;
  }

  private Token begin(Token token) {
    if (keyIsNext) {
      return Token.NO_KEY;
    }
    open.push(token);
    keyIsNext = token == Token.START_MAPPING;
    return token;
  }

  private Token end(Token token) {
    open.pop();
    keyIsNext = open.peek() == Token.START_MAPPING;
    return token;
  }

  private Token single(Event single) {
    boolean key = keyIsNext;
    keyIsNext = !key && open.peek() == Token.START_MAPPING;
    if (key) {
      return Token.KEY;
    }
    boolean nothing =
        single instanceof ScalarEvent scalar
            && scalar.isPlain()
            && (scalar.getValue().isEmpty() || scalar.getValue().equals("null"));
    return nothing ? Token.NOTHING : Token.SCALAR;
  }

  /** The text of the key or value. */
  public String text() {
    return event instanceof ScalarEvent scalar ? scalar.getValue() : "";
  }

  /** The line on which the token begins, from 1. */
  public int line() {
    return event == null ? 1 : event.getStartMark().map(mark -> mark.getLine() + 1).orElse(1);
  }

  /** Whether this is {@code *name} instead of a key or value. */
  public boolean isAlias() {
    return event instanceof AliasEvent;
  }

  /** Whether a mapping or sequence has an {@code &name}; on a single value it does nothing. */
  public boolean isAnchored() {
    return event instanceof CollectionStartEvent start
        && ((NodeEvent) start).getAnchor().isPresent();
  }

  /** Whether the value has a {@code !tag}. */
  public boolean isTagged() {
    return (event instanceof ScalarEvent scalar && scalar.getTag().isPresent())
        || (event instanceof CollectionStartEvent start && start.getTag().isPresent());
  }
}
