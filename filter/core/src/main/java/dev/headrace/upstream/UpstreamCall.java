package dev.headrace.upstream;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;

import dev.headrace.messages.RequestHead;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What all attempts of one exchange have in common. The array is not copied, so that a body of many
 * MiB exists once.
 *
 * @param method the HTTP method
 * @param pathAndQuery path and query behind the upstream's base URL, put together by our own code
 * @param headers the header fields in order, without credentials
 * @param body the body, or null for none
 * @param bodyLength how many bytes of {@code body} are the body
 * @param head what the body asks for; null when it is not looked into
 * @param safe whether the request may be carried out twice
 * @param metered whether the answer is a message, whose usage counts
 */
@SuppressWarnings("ArrayRecordComponent") // compared nowhere
public record UpstreamCall(
    String method,
    String pathAndQuery,
    List<HeaderField> headers,
    byte @Nullable [] body,
    int bodyLength,
    @Nullable RequestHead head,
    boolean safe,
    boolean metered) {

  public UpstreamCall {
    headers = List.copyOf(headers);
  }

  /** The model that the client asked for; null when unknown. */
  @Nullable String model() {
    return head == null ? null : head.model();
  }

  /**
   * The same call for another model: only the bytes of the one JSON token change.
   *
   * @param model a name that needs no escaping in JSON
   */
  UpstreamCall forModel(String model) {
    byte[] original = requireNonNull(body, "body");
    RequestHead.TokenRange token = requireNonNull(requireNonNull(head, "head").modelToken());
    byte[] name = ('"' + model + '"').getBytes(US_ASCII);
    int length = bodyLength - (token.end() - token.start()) + name.length;
    byte[] changed = new byte[length];
    System.arraycopy(original, 0, changed, 0, token.start());
    System.arraycopy(name, 0, changed, token.start(), name.length);
    System.arraycopy(
        original, token.end(), changed, token.start() + name.length, bodyLength - token.end());
    return new UpstreamCall(method, pathAndQuery, headers, changed, length, head, safe, metered);
  }

  /** Says what is asked, without headers or body: those hold prompts. */
  @Override
  public String toString() {
    return method + " " + pathAndQuery + " (" + bodyLength + " bytes)";
  }
}
