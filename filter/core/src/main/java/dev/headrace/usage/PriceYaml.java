package dev.headrace.usage;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.util.JsonRecyclerPools;
import tools.jackson.dataformat.yaml.YAMLFactory;
import tools.jackson.dataformat.yaml.YAMLParser;

/**
 * Reads a small YAML document into nodes that know their lines. Refused are aliases, anchors and
 * tags (which is where "billion laughs" and object creation come from), a key given twice, a second
 * document and deep nesting. Not thread-safe: one instance per document.
 */
final class PriceYaml {
  /** Prices nest four deep. */
  private static final int MAX_DEPTH = 8;

  // The default pool keeps buffers in thread-locals, and those keep the class loader of an
  // undeployed application alive on the threads of the container.
  private static final YAMLFactory YAML =
      YAMLFactory.builder().recyclerPool(JsonRecyclerPools.nonRecyclingPool()).build();

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
    try (YAMLParser parser = (YAMLParser) YAML.createParser(ObjectReadContext.empty(), yaml)) {
      JsonToken first = parser.nextToken();
      if (first == null) {
        return null;
      }
      Node root = reading.readNode(parser, first, 0);
      if (parser.nextToken() != null) {
        problems.add(line(parser), "a second YAML document", "one document, without a --- between");
        return null;
      }
      return root;
    } catch (Unreadable e) {
      return null;
    } catch (JacksonException e) {
      problems.add(lineOf(e), "YAML syntax: " + faultOf(e), "keys and values such as input: 2.50");
      return null;
    }
  }

  private Node readNode(YAMLParser parser, JsonToken token, int depth) throws Unreadable {
    int line = line(parser);
    refuseReferences(parser, line);
    if (depth > MAX_DEPTH) {
      throw unreadable(line, "more than " + MAX_DEPTH + " levels of nesting", "a price file");
    }
    switch (token) {
      case START_OBJECT:
        return new Mapping(readEntries(parser, depth), line);
      case START_ARRAY:
        List<Node> items = new ArrayList<>();
        for (JsonToken next = parser.nextToken();
            next != JsonToken.END_ARRAY;
            next = parser.nextToken()) {
          items.add(readNode(parser, next, depth + 1));
        }
        return new Sequence(items, line);
      case VALUE_NULL:
        return new Scalar("", line);
      default:
        return new Scalar(parser.getString(), line);
    }
  }

  private Map<String, Node> readEntries(YAMLParser parser, int depth) throws Unreadable {
    Map<String, Node> entries = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      int line = line(parser);
      refuseReferences(parser, line);
      String key = parser.currentName();
      Node value = readNode(parser, parser.nextToken(), depth + 1);
      if (entries.putIfAbsent(key, value) != null) {
        problems.add(line, PriceProblems.shown(key) + " is set twice", "each key once");
      }
    }
    return entries;
  }

  private void refuseReferences(YAMLParser parser, int line) throws Unreadable {
    if (parser.isCurrentAlias()) {
      throw unreadable(line, "a YAML alias (*name)", "the value written out");
    }
    if (parser.getObjectId() != null) {
      throw unreadable(line, "a YAML anchor (&name)", "the value alone");
    }
    if (parser.getTypeId() != null) {
      throw unreadable(line, "a YAML tag (!name)", "the value alone");
    }
  }

  private Unreadable unreadable(int line, String fault, String expected) {
    problems.add(line, fault, expected);
    return new Unreadable();
  }

  private static int line(YAMLParser parser) {
    return parser.currentTokenLocation().getLineNr();
  }

  /** What the parser says in its own words; its message would quote whole lines of the file. */
  private static String faultOf(JacksonException fault) {
    return fault.getCause() instanceof MarkedYamlEngineException cause
        ? PriceProblems.shown(String.valueOf(cause.getProblem()))
        : "not understood";
  }

  private static int lineOf(JacksonException fault) {
    if (fault.getCause() instanceof MarkedYamlEngineException cause) {
      return cause.getProblemMark().map(mark -> mark.getLine() + 1).orElse(1);
    }
    return fault.getLocation() == null ? 1 : Math.max(1, fault.getLocation().getLineNr());
  }
}
