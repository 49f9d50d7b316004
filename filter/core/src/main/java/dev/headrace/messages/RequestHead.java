package dev.headrace.messages;

import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The top-level fields of a Messages request that decide how the gateway treats it, and where they
 * stand. Everything else in the body is the API's business, also whether a required field is there.
 * Immutable.
 *
 * @param model as the client sent it, at most 256 characters of well-formed Unicode, or null when
 *     the field is missing
 * @param stream whether the client asked for an event stream; false when the field is missing
 * @param maxTokens as the client sent it, also zero or negative; null when the field is missing
 * @param modelToken where the value of {@code model} stands, quotes included; null when the field
 *     is missing
 * @param maxTokensToken where the value of {@code max_tokens} stands; null when the field is
 *     missing
 * @param speed as the client sent it, at most 256 characters; null when the field is missing or no
 *     string
 * @param inferenceGeo the value of {@code inference_geo}, in the same way
 * @param fallbackModels the models that {@code fallbacks} names; at most {@value #MAX_MODELS}
 * @param toolModels the models that tools of the API ask, such as an advisor; as many
 * @param references what the messages refer to by URL or file id, so that its size is not known
 */
public record RequestHead(
    @Nullable String model,
    boolean stream,
    @Nullable Long maxTokens,
    @Nullable TokenRange modelToken,
    @Nullable TokenRange maxTokensToken,
    @Nullable String speed,
    @Nullable String inferenceGeo,
    Set<String> fallbackModels,
    Set<String> toolModels,
    int references) {

  /** Most other models of one body, of each kind. */
  public static final int MAX_MODELS = 20;

  public RequestHead {
    fallbackModels = Set.copyOf(fallbackModels);
    toolModels = Set.copyOf(toolModels);
  }

  /**
   * The bytes of one JSON token in the body: replacing exactly these changes exactly this value.
   *
   * @param start offset of the first byte
   * @param end offset after the last byte
   */
  public record TokenRange(int start, int end) {}

  /**
   * Reads the head fields without holding the rest, in one pass; the body is not changed and not
   * kept. Thread-safe.
   *
   * @param body one JSON object in UTF-8 from the first byte on
   * @param length how many bytes of the array are the body
   * @throws InvalidBodyException if the body is not one JSON object in well-formed UTF-8 with every
   *     field once (RFC 8259, section 4), if something follows it, if a head field has the wrong
   *     type, or if it exceeds the limits on depth, names, numbers and the number of tokens
   * @throws IndexOutOfBoundsException if {@code length} is negative or beyond the array
   */
  public static RequestHead read(byte[] body, int length) throws InvalidBodyException {
    Objects.checkFromIndexSize(0, length, body.length);
    return RequestHeadReader.read(body, length);
  }
}
