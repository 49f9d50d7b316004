package dev.headrace.messages;

import dev.headrace.messages.RequestHead.TokenRange;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a policy or a preset must know of a Messages request beyond its {@link RequestHead}: which
 * fields it has, where their values stand, and what its tools are. Read in the same single pass;
 * costs more than the head alone, so it is read only where somebody asks. Immutable.
 *
 * @param head the head fields
 * @param fields the top-level fields in the order of the body, at most {@link #MAX_FIELDS}
 * @param tools how many tools the client brings; 0 also when the field is missing or null
 * @param serverTool the first tool that the API may run itself; null when there is none
 * @param toolModels the models that tools name, as far as they are tools that the API runs with
 *     another model; what is no string stands there as the kind that it is
 * @param userId where the value of {@code metadata.user_id} stands; null when it is missing
 */
public record RequestOutline(
    RequestHead head,
    List<Field> fields,
    int tools,
    @Nullable ServerTool serverTool,
    Set<String> toolModels,
    @Nullable TokenRange userId) {

  /** Most top-level fields of one body; the API knows some 25. */
  public static final int MAX_FIELDS = 100;

  public RequestOutline {
    fields = List.copyOf(fields);
    toolModels = Set.copyOf(toolModels);
  }

  /** The kinds of JSON values. */
  public enum Kind {
    OBJECT,
    ARRAY,
    STRING,
    NUMBER,
    BOOLEAN,
    NULL
  }

  /**
   * One top-level field.
   *
   * @param name the decoded name, well-formed
   * @param kind what its value is
   * @param value where its value stands, without blanks around it
   * @param word the value of {@code speed}, {@code service_tier} and {@code inference_geo}, at most
   *     256 characters; null for other fields and kinds
   */
  public record Field(String name, Kind kind, TokenRange value, @Nullable String word) {}

  /**
   * A tool that is not plainly the client's own: its {@code type} is neither missing nor null nor
   * {@code custom}, such as {@code web_search_20250305}.
   *
   * @param index its place in {@code tools}
   * @param type its type, printable and shortened, or what stands there instead
   */
  public record ServerTool(int index, String type) {}

  /**
   * Reads head and outline in one pass; the body is not changed and not kept. Thread-safe.
   *
   * @param body one JSON object in UTF-8 from the first byte on
   * @param length how many bytes of the array are the body
   * @throws InvalidBodyException as {@link RequestHead#read}, and if there are more than {@link
   *     #MAX_FIELDS} fields, or {@code tools} is neither an array nor null
   * @throws IndexOutOfBoundsException if {@code length} is negative or beyond the array
   */
  public static RequestOutline read(byte[] body, int length) throws InvalidBodyException {
    Objects.checkFromIndexSize(0, length, body.length);
    return RequestHeadReader.readOutline(body, length, false);
  }

  /**
   * The same for a body that somebody sent who may only talk: {@code messages} must be there and
   * hold messages of {@code user} and {@code assistant} with {@code role} and {@code content} and
   * nothing else, and no text of the whole body may hold NUL or half a surrogate pair.
   *
   * @throws InvalidBodyException as {@link #read}, and if one of these rules is broken; names the
   *     field as in {@code messages[3].role}
   * @throws IndexOutOfBoundsException if {@code length} is negative or beyond the array
   */
  public static RequestOutline readConversation(byte[] body, int length)
      throws InvalidBodyException {
    Objects.checkFromIndexSize(0, length, body.length);
    return RequestHeadReader.readOutline(body, length, true);
  }

  /** The top-level field of this name, null when it is missing. */
  public @Nullable Field field(String name) {
    for (Field field : fields) {
      if (field.name().equals(name)) {
        return field;
      }
    }
    return null;
  }

  /** Whether the field is there and not null. */
  public boolean has(String name) {
    Field field = field(name);
    return field != null && field.kind() != Kind.NULL;
  }
}
