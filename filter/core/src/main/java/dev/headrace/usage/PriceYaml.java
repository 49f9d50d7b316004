package dev.headrace.usage;

import dev.headrace.config.YamlCursor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Reads a small YAML document into nodes that know their lines. Refused are aliases, anchors and
 * tags (which is where "billion laughs" and object creation come from), a key given twice, a second
 * document and deep nesting. Not thread-safe: one instance per document.
 */
final class PriceYaml {
  /** Prices nest four deep. */
  private static final int MAX_DEPTH = 8;

  private final PriceProblems problems;

  private PriceYaml(PriceProblems problems) {
    this.problems = problems;
  }

  /** A piece of the document with the line, counted from 1, on which it begins. */
  sealed interface Node {
    int line();
  }

  /** One value, always as text; empty for a key with nothing behind it. */
  record Scalar(String text, int line) implements Node {}

  /** A list. */
  record Sequence(List<Node> items, int line) implements Node {}

  /** Keys and values in the order of the file. */
  record Mapping(Map<String, Node> entries, int line) implements Node {}

  /** Ends the reading; the problem is noted already. */
  private static final class Unreadable extends Exception {
    private static final long serialVersionUID = 1L;

    private Unreadable() {
      super(null, null, false, false);
    }
  }

  /** The root of the document, or null when it is empty or not to be understood. */
  static @Nullable Node read(String yaml, PriceProblems problems) {
    PriceYaml reading = new PriceYaml(problems);
    try {
      YamlCursor parser = new YamlCursor(yaml);
      YamlCursor.@Nullable Token first = parser.next();
      if (first == null) {
        return null;
      }
      Node root = reading.readNode(parser, first, 0);
      if (parser.next() != null) {
        problems.add(line(parser), "a second YAML document", "one document, without a --- between");
        return null;
      }
      return root;
    } catch (Unreadable e) {
      return null;
    } catch (YamlEngineException e) {
      problems.add(lineOf(e), "YAML syntax: " + faultOf(e), "keys and values such as input: 2.50");
      return null;
    }
  }

  private Node readNode(YamlCursor parser, YamlCursor.@Nullable Token token, int depth)
      throws Unreadable {
    int line = line(parser);
    refuseReferences(parser, line);
    if (depth > MAX_DEPTH) {
      throw unreadable(line, "more than " + MAX_DEPTH + " levels of nesting", "a price file");
    }
    if (token == null) {
      throw notUnderstood(line);
    }
    switch (token) {
      case START_MAPPING:
        return new Mapping(readEntries(parser, depth), line);
      case START_SEQUENCE:
        List<Node> items = new ArrayList<>();
        for (YamlCursor.@Nullable Token next = parser.next();
            next != YamlCursor.Token.END_SEQUENCE;
            next = parser.next()) {
          items.add(readNode(parser, next, depth + 1));
        }
        return new Sequence(items, line);
      case NOTHING:
        return new Scalar("", line);
      default:
        return new Scalar(parser.text(), line);
    }
  }

  private Map<String, Node> readEntries(YamlCursor parser, int depth) throws Unreadable {
    Map<String, Node> entries = new LinkedHashMap<>();
    for (YamlCursor.@Nullable Token token = parser.next();
        token != YamlCursor.Token.END_MAPPING;
        token = parser.next()) {
      int line = line(parser);
      refuseReferences(parser, line);
      if (token != YamlCursor.Token.KEY) {
        throw notUnderstood(line);
      }
      String key = parser.text();
      Node value = readNode(parser, parser.next(), depth + 1);
      if (entries.putIfAbsent(key, value) != null) {
        problems.add(line, PriceProblems.shown(key) + " is set twice", "each key once");
      }
    }
    return entries;
  }

  private void refuseReferences(YamlCursor parser, int line) throws Unreadable {
    if (parser.isAlias()) {
      throw unreadable(line, "a YAML alias (*name)", "the value written out");
    }
    if (parser.isAnchored()) {
      throw unreadable(line, "a YAML anchor (&name)", "the value alone");
    }
    if (parser.isTagged()) {
      throw unreadable(line, "a YAML tag (!name)", "the value alone");
    }
  }

  private Unreadable notUnderstood(int line) {
    return unreadable(line, "YAML syntax: not understood", "keys and values such as input: 2.50");
  }

  private Unreadable unreadable(int line, String fault, String expected) {
    problems.add(line, fault, expected);
    return new Unreadable();
  }

  private static int line(YamlCursor parser) {
    return parser.line();
  }

  /** What the parser says in its own words; its message would quote whole lines of the file. */
  private static String faultOf(YamlEngineException fault) {
    return fault instanceof MarkedYamlEngineException cause
        ? PriceProblems.shown(String.valueOf(cause.getProblem()))
        : "not understood";
  }

  private static int lineOf(YamlEngineException fault) {
    if (fault instanceof MarkedYamlEngineException cause) {
      return cause.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1);
    }
    return 1;
  }
}
