package dev.headrace.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Reads one YAML document into {@link YamlNode}s, with lines and without surprises: no aliases and
 * tags (which is where "billion laughs" and object creation come from), no key twice, no second
 * document, no deep nesting. Anchors are refused too, except on a single value, where the parser
 * does not tell of them; without an alias they do nothing. Not thread-safe: one instance per
 * document.
 */
final class YamlTree {
  /** The settings nest four deep; the rest is room for a misplaced block to be reported well. */
  private static final int MAX_DEPTH = 8;

  private static final String NOT_UNDERSTOOD =
      "YAML syntax: not understood (expected: keys and values such as mount: /claude)";

  private final String sourceName;
  private final Problems problems;
  private @Nullable YamlNode root;
  private boolean complete;

  private YamlTree(String sourceName, Problems problems) {
    this.sourceName = sourceName;
    this.problems = problems;
  }

  /**
   * Ends the reading of a document whose rest cannot be understood; the problem is noted already.
   */
  private static final class Unreadable extends Exception {
    private static final long serialVersionUID = 1L;

    private Unreadable() {
      super(null, null, false, false);
    }
  }

  /**
   * Reads the document. What is wrong goes to the problems, and the tree then ends where it was.
   */
  static YamlTree read(String yaml, String sourceName, Problems problems) {
    YamlTree tree = new YamlTree(sourceName, problems);
    tree.complete = tree.hasOnlyPrintableCharacters(yaml) && tree.parse(yaml);
    return tree;
  }

  /** Returns the root, or null if the document is empty or unreadable from the start. */
  @Nullable YamlNode root() {
    return root;
  }

  /**
   * Whether the document was read to its end, so that a key that is not in the tree is not there.
   */
  boolean isComplete() {
    return complete;
  }

  private boolean parse(String yaml) {
    try {
      YamlCursor parser = new YamlCursor(yaml);
      YamlCursor.@Nullable Token first = parser.next();
      if (first == null) {
        return true;
      }
      readNode(parser, first, "", 0);
      if (parser.next() != null) {
        problem(
            line(parser), "a second YAML document (expected: one document, without a --- between)");
        return false;
      }
      return true;
    } catch (Unreadable e) {
      return false;
    } catch (YamlEngineException e) {
      addSyntaxProblem(e);
      return false;
    }
  }

  private YamlNode readNode(
      YamlCursor parser, YamlCursor.@Nullable Token token, String path, int depth)
      throws Unreadable {
    int line = line(parser);
    refuseReferences(parser, line);
    if (depth > MAX_DEPTH) {
      throw unreadable(line, "more than " + MAX_DEPTH + " levels of nesting");
    }
    if (token == null || token == YamlCursor.Token.NO_KEY) {
      throw unreadable(line, NOT_UNDERSTOOD);
    }
    switch (token) {
      case START_MAPPING:
        YamlNode.Mapping mapping = keepRoot(new YamlNode.Mapping(new LinkedHashMap<>(), line));
        readEntries(parser, mapping.entries(), path, depth);
        return mapping;
      case START_SEQUENCE:
        YamlNode.Sequence sequence = keepRoot(new YamlNode.Sequence(new ArrayList<>(), line));
        readItems(parser, sequence.items(), path, depth);
        return sequence;
      case NOTHING:
        return keepRoot(new YamlNode.Nothing(line));
      default:
        String text = parser.text();
        return keepRoot(
            text.equals("~") ? new YamlNode.Nothing(line) : new YamlNode.Scalar(text, line));
    }
  }

  private void readEntries(
      YamlCursor parser, Map<String, YamlNode.Entry> entries, String path, int depth)
      throws Unreadable {
    for (YamlCursor.@Nullable Token token = parser.next();
        token != YamlCursor.Token.END_MAPPING;
        token = parser.next()) {
      int keyLine = line(parser);
      refuseReferences(parser, keyLine);
      refuseNoKey(token, keyLine);
      String key = parser.text();
      String fullKey = path.isEmpty() ? key : path + "." + key;
      YamlNode value = readNode(parser, parser.next(), fullKey, depth + 1);
      YamlNode.Entry earlier = entries.putIfAbsent(key, new YamlNode.Entry(value, keyLine));
      if (earlier != null) {
        int firstLine = earlier.keyLine();
        problem(keyLine, Shown.name(fullKey) + " is set twice; first on line " + firstLine + ".");
      }
    }
  }

  private void readItems(YamlCursor parser, List<YamlNode> items, String path, int depth)
      throws Unreadable {
    YamlCursor.@Nullable Token token = parser.next();
    while (token != YamlCursor.Token.END_SEQUENCE) {
      String itemPath = path + "[" + items.size() + "]";
      items.add(readNode(parser, token, itemPath, depth + 1));
      token = parser.next();
    }
  }

  private void refuseNoKey(YamlCursor.@Nullable Token token, int line) throws Unreadable {
    if (token != YamlCursor.Token.KEY) {
      throw unreadable(line, NOT_UNDERSTOOD);
    }
  }

  private void refuseReferences(YamlCursor parser, int line) throws Unreadable {
    if (parser.isAlias()) {
      throw unreadable(line, "a YAML alias (*name) (expected: the value written out)");
    }
    if (parser.isAnchored()) {
      throw unreadable(line, "a YAML anchor (&name) (expected: the value alone)");
    }
    if (parser.isTagged()) {
      throw unreadable(line, "a YAML tag (!name) (expected: the value alone)");
    }
  }

  private <N extends YamlNode> N keepRoot(N node) {
    if (root == null) {
      root = node;
    }
    return node;
  }

  private boolean hasOnlyPrintableCharacters(String yaml) {
    int line = 1;
    for (int i = 0; i < yaml.length(); i++) {
      char c = yaml.charAt(i);
      if (c == '\n') {
        line++;
      } else if (Character.isISOControl(c) && c != '\r' && c != '\t' && c != '\u0085') {
        problem(line, String.format("the control character U+%04X (expected: text)", (int) c));
        return false;
      }
    }
    return true;
  }

  private void addSyntaxProblem(YamlEngineException fault) {
    // Not the message of the exception and not the exception as a cause: both quote the line of the
    // file,
    // and that may be the line with the API key.
    if (fault instanceof MarkedYamlEngineException cause) {
      int line = cause.getProblemMark().map(YamlTree::line).orElse(1);
      String context = cause.getContext();
      String where =
          cause
              .getContextMark()
              .map(mark -> line(mark) == line ? "" : ", which began on line " + line(mark))
              .orElse("");
      String problem = Shown.sentence(String.valueOf(cause.getProblem()));
      problem(
          line, "YAML syntax: " + problem + (context == null ? "" : ", " + context + where) + ".");
    } else {
      problem(1, NOT_UNDERSTOOD);
    }
  }

  private static int line(YamlCursor parser) {
    return parser.line();
  }

  private static int line(Mark mark) {
    return mark.getLine() + 1;
  }

  private Unreadable unreadable(int line, String text) {
    problem(line, text);
    return new Unreadable();
  }

  private void problem(int line, String text) {
    problems.add(Problem.of(sourceName, text, Origin.file(sourceName, line)));
  }
}
