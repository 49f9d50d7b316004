package dev.headrace.messages;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.io.JsonStringEncoder;

/**
 * The members of one JSON object of an answer, in their order. Objects are held as such down to the
 * third level, which is as deep as the gateway looks; arrays and whatever lies deeper are held as
 * compact JSON text, because a tree of small nodes can take twenty times the memory of its text.
 * Number literals stay as they came. Not thread-safe.
 */
public final class JsonFields {
  /** How much of an event is worth reading. */
  public enum Detail {
    /** Everything. */
    ALL,
    /** Objects, texts, numbers and the like down to the third level; the rest is skipped. */
    SCALARS
  }

  /** Event, its {@code message}, {@code content_block} or {@code delta}, and an object in that. */
  private static final int LEVELS = 3;

  /** A value as compact JSON. */
  private record Raw(String json) {}

  private static final Raw NULL = new Raw("null");

  /**
   * {@link CharSequence}: a text; {@link JsonFields}, {@link List} and {@link Raw}: other values.
   */
  private final Map<String, Object> members = new LinkedHashMap<>();

  private boolean whole;

  JsonFields() {}

  /**
   * Reads the data of one event. Never fails: of data that is cut off or no JSON it holds what came
   * before the fault. Of a member given twice the last one counts.
   *
   * @throws IndexOutOfBoundsException if the range is not inside the array
   */
  public static JsonFields read(byte[] data, int offset, int length, Detail detail) {
    Objects.checkFromIndexSize(offset, length, data.length);
    JsonFields fields = new JsonFields();
    try (JsonParser parser = JsonInput.answer(data, offset, length)) {
      if (parser.nextToken() == JsonToken.START_OBJECT) {
        fields.readMembers(parser, 1, detail);
        fields.whole = parser.nextToken() == null;
      }
    } catch (JacksonException e) {
      fields.whole = false;
    }
    return fields;
  }

  /** Whether the data was one JSON object within the limits and nothing else. */
  public boolean isWhole() {
    return whole;
  }

  /** A text; null when there is none or it is something else. */
  public @Nullable String text(String name) {
    return members.get(name) instanceof CharSequence text ? text.toString() : null;
  }

  /** An object; null when there is none or it is something else. */
  public @Nullable JsonFields object(String name) {
    return members.get(name) instanceof JsonFields object ? object : null;
  }

  /** An index of a list; -1 when there is none or it is something else. */
  public int index(String name) {
    if (!(members.get(name) instanceof Raw raw) || raw.json().length() > 9) {
      return -1;
    }
    String json = raw.json();
    return json.chars().allMatch(c -> c >= '0' && c <= '9') ? Integer.parseInt(json) : -1;
  }

  /** Whether there is such a member, null or not. */
  public boolean has(String name) {
    return members.containsKey(name);
  }

  /** The object as compact JSON; half a surrogate pair becomes U+FFFD. */
  public String json() {
    StringBuilder json = new StringBuilder();
    writeTo(json);
    return json.toString();
  }

  /**
   * A tool's input as compact JSON, or null when it is not one JSON object within the limits on
   * depth, names and numbers. The fragments of an input without arguments are empty.
   */
  static @Nullable String compactObject(String text) {
    if (isBlank(text)) {
      return "{}";
    }
    StringBuilder compact = new StringBuilder(text.length());
    return readObject(text, compact) ? compact.toString() : null;
  }

  /** Whether a text is one JSON object within the limits on depth, names and numbers. */
  public static boolean isObject(String text) {
    return readObject(text, null);
  }

  /** Whether there is nothing but what JSON allows between tokens. */
  public static boolean isBlank(String text) {
    return text.chars().allMatch(c -> c == ' ' || c == '\t' || c == '\n' || c == '\r');
  }

  private static boolean readObject(String text, @Nullable StringBuilder copy) {
    try (JsonParser parser = JsonInput.answer(text)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return false;
      }
      if (copy == null) {
        parser.skipChildren();
      } else {
        copy(parser, copy);
      }
      return parser.currentToken() == JsonToken.END_OBJECT && parser.nextToken() == null;
    } catch (JacksonException e) {
      return false;
    }
  }

  @Nullable Object get(String name) {
    return members.get(name);
  }

  boolean isNullOrMissing(String name) {
    Object value = members.get(name);
    // Not by the record's own equals: what JDK 17 makes for it keeps our class loader for ever.
    return value == null || (value instanceof Raw raw && raw.json().equals(NULL.json()));
  }

  Iterable<String> names() {
    return members.keySet();
  }

  void put(String name, Object value) {
    members.put(name, value);
  }

  void putNull(String name) {
    members.put(name, NULL);
  }

  /** Replaces a value by JSON text. */
  void putJson(String name, String json) {
    members.put(name, new Raw(json));
  }

  /** Sets a member to that of the other object, null or not; leaves it when there is none. */
  void take(JsonFields other, String name) {
    Object value = other.get(name);
    if (value != null) {
      members.put(name, value);
    }
  }

  /** Sets a member to that of the other object unless that is null or missing. */
  void takeNonNull(JsonFields other, String name) {
    if (!other.isNullOrMissing(name)) {
      take(other, name);
    }
  }

  /** Lengthens a text, which may be missing or null; false when it is something else. */
  boolean append(String name, String more) {
    Object value = members.get(name);
    StringBuilder text;
    if (value instanceof StringBuilder known) {
      text = known;
    } else if (value instanceof String || isNullOrMissing(name)) {
      text = new StringBuilder();
      text.append(value instanceof String begun ? begun : "");
      members.put(name, text);
    } else {
      return false;
    }
    text.append(more);
    return true;
  }

  /** Lengthens a list, which may be missing or null; false when it is something else. */
  boolean add(String name, Object element) {
    Object value = members.get(name);
    List<Object> list;
    if (value instanceof ListOfJson known) {
      list = known.elements();
    } else if (isNullOrMissing(name)) {
      list = new ArrayList<>();
    } else if (value instanceof Raw raw && raw.json().startsWith("[")) {
      list = new ArrayList<>();
      String elements = raw.json().substring(1, raw.json().length() - 1);
      if (!elements.isEmpty()) {
        list.add(new Raw(elements));
      }
    } else {
      return false;
    }
    list.add(element);
    members.put(name, new ListOfJson(list));
    return true;
  }

  /** A list that grows. */
  private record ListOfJson(List<Object> elements) {}

  JsonFields copy() {
    JsonFields copy = new JsonFields();
    copy.members.putAll(members);
    return copy;
  }

  void writeTo(StringBuilder out) {
    char separator = '{';
    for (Map.Entry<String, Object> member : members.entrySet()) {
      out.append(separator);
      quote(member.getKey(), out);
      out.append(':');
      write(member.getValue(), out);
      separator = ',';
    }
    out.append(separator == '{' ? "{}" : "}");
  }

  private static void write(Object value, StringBuilder out) {
    if (value instanceof JsonFields object) {
      object.writeTo(out);
    } else if (value instanceof ListOfJson list) {
      char separator = '[';
      for (Object element : list.elements()) {
        out.append(separator);
        write(element, out);
        separator = ',';
      }
      out.append(']');
    } else if (value instanceof Raw raw) {
      out.append(raw.json());
    } else {
      quote(value.toString(), out);
    }
  }

  private static void quote(String text, StringBuilder out) {
    out.append('"');
    JsonStringEncoder.getInstance().quoteAsString(WellFormed.repair(text), out);
    out.append('"');
  }

  private void readMembers(JsonParser parser, int level, Detail detail) {
    while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
      String name = requireNonNull(parser.currentName());
      switch (parser.nextToken()) {
        case VALUE_STRING -> members.put(name, parser.getString());
        case START_OBJECT -> {
          if (level < LEVELS) {
            JsonFields object = new JsonFields();
            members.put(name, object); // before it is read: of a cut object the beginning counts
            object.readMembers(parser, level + 1, detail);
          } else {
            readDeep(name, parser, detail);
          }
        }
        case START_ARRAY -> readDeep(name, parser, detail);
        case VALUE_NULL -> members.put(name, NULL);
        default -> members.put(name, new Raw(parser.getString()));
      }
    }
  }

  private void readDeep(String name, JsonParser parser, Detail detail) {
    if (detail == Detail.SCALARS) {
      parser.skipChildren();
      return;
    }
    StringBuilder json = new StringBuilder();
    copy(parser, json);
    members.put(name, new Raw(json.toString()));
  }

  /** Copies the value that the parser stands at, without the space between its tokens. */
  private static void copy(JsonParser parser, StringBuilder out) {
    int depth = 0;
    boolean separate = false;
    for (JsonToken token = parser.currentToken(); token != null; token = parser.nextToken()) {
      if (separate && !token.isStructEnd()) {
        out.append(',');
      }
      switch (token) {
        case START_OBJECT, START_ARRAY -> {
          out.append(token == JsonToken.START_OBJECT ? '{' : '[');
          depth++;
        }
        case END_OBJECT, END_ARRAY -> {
          out.append(token == JsonToken.END_OBJECT ? '}' : ']');
          depth--;
        }
        case PROPERTY_NAME -> {
          quote(requireNonNull(parser.currentName()), out);
          out.append(':');
        }
        case VALUE_STRING -> quote(parser.getString(), out);
        default -> out.append(parser.getString()); // the literal: 1.10 and 1E400 stay so
      }
      separate = token.isStructEnd() || token.isScalarValue();
      if (depth == 0) {
        return;
      }
    }
  }
}
